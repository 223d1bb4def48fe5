//! `combined-network` trains, saves and says how good the network is; `combined-network predict` uses what was saved.

mod training;

use anyhow::{Context, Result, ensure};
use burn::tensor::{Device, Tensor};
use clap::{Args, Parser, Subcommand};
use combined_network::network::CombinedNetwork;
use combined_network::task::{NOISE_FLOOR, Task, generate};
use std::path::PathBuf;
use std::process::ExitCode;
use training::{Training, error};

/// Trains a classifier that picks which regression output to return, through the choice
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    train: Train,
}

#[derive(Subcommand)]
enum Command {
    /// Print the chosen class, its probability and its value for one input
    Predict(Predict),
}

#[derive(Args)]
struct Train {
    /// Which regression task, from easy to hard
    #[arg(long, value_enum, default_value = "a")]
    task: Task,
    #[command(flatten)]
    training: Training,
    /// Where to run: flex, or ndarray or wgpu with the cargo feature of that name
    #[arg(long, default_value = "flex", value_parser = device)]
    backend: Device,
    /// Folder to save the network in
    #[arg(long, value_name = "DIR", default_value = "runs/combined-network")]
    out: PathBuf,
}

#[derive(Args)]
struct Predict {
    /// Folder that a training has saved
    #[arg(long, value_name = "DIR", default_value = "runs/combined-network")]
    model: PathBuf,
    /// Where to run
    #[arg(long, default_value = "flex", value_parser = device)]
    backend: Device,
    /// One number for each feature
    #[arg(required = true, allow_negative_numbers = true, value_parser = finite)]
    inputs: Vec<f32>,
}

#[allow(deprecated, reason = "ndarray is offered although Burn prefers Flex")]
fn device(name: &str) -> Result<Device, String> {
    match name {
        #[cfg(feature = "flex")]
        "flex" => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        "ndarray" => Ok(Device::ndarray()),
        #[cfg(feature = "wgpu")]
        "wgpu" => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
        _ => Err("must be flex, ndarray or wgpu, built with its cargo feature".to_owned()),
    }
}

/// A number that the network can compute with.
fn finite(text: &str) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number: &f32| number.is_finite());
    number.ok_or_else(|| "must be a number of 32 bits".to_owned())
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        None => train(cli.train),
        Some(Command::Predict(args)) => predict(args),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn train(args: Train) -> Result<ExitCode> {
    // A folder that cannot be written to is better found now than after the training.
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot write to {}", args.out.display()))?;
    let (sizes, training, device) = (args.task.network(), args.training, args.backend);
    let ([train, valid, test], _) = generate(args.task, training.seed);
    let network = training.run(sizes, &train, &device, |step, network| {
        let error = error(network, &valid, &device);
        println!("step {step:>6}   validation error {error:.4}");
    });
    // With one class there is nothing to choose: this is a straight line.
    let mut one = sizes;
    one.classes = 1;
    let line = training.run(one, &train, &device, |_, _| {});

    let [reached, straight] = [&network, &line].map(|network| error(network, &test, &device));
    println!("test error {reached:.4}; one straight line {straight:.4}, the noise {NOISE_FLOOR}");
    if !reached.is_finite() {
        eprintln!("error: the training ended in NaN, and nothing was saved; try a smaller --rate");
        return Ok(ExitCode::FAILURE);
    }
    network.save(sizes, &args.out)?;
    let (out, inputs) = (args.out.display(), " 0.5".repeat(sizes.features));
    println!("next: cargo run --release -p combined-network -- predict --model {out}{inputs}");
    Ok(ExitCode::SUCCESS)
}

fn predict(args: Predict) -> Result<ExitCode> {
    let (sizes, network) = CombinedNetwork::load(&args.model, &args.backend)?;
    let (given, features) = (args.inputs.len(), sizes.features);
    ensure!(
        given == features,
        "the network takes {features} numbers, got {given}"
    );
    let inputs = Tensor::<1>::from_floats(args.inputs.as_slice(), &args.backend);
    let (class, probability, value) = network.choose(inputs.unsqueeze());
    let class: i64 = class.into_scalar();
    let [probability, value] = [probability, value].map(|number| number.into_scalar::<f64>());
    ensure!(
        value.is_finite() && probability.is_finite(),
        "the inputs are too large for the network"
    );
    println!("class {class}, probability {probability:.4}, value {value:.4}");
    Ok(ExitCode::SUCCESS)
}
