//! Whole training steps of the combined network: minibatch, forward, backward, optimiser.

use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use burn::data::dataloader::DataLoader;
use burn::{
    optim::{AdamConfig, ModuleOptimizer},
    tensor::Device,
    train::TrainStep,
};
use choice_lab::{
    data::{random, scaling::Scaling},
    strategy::names::Strategy,
    training::{learner::Trainee, minibatches::TrainLoader},
};
use clap::{Args, ValueEnum};
use combined_network::task::{Task, generate};
use serde_json::json;

use crate::{
    device::{Backend, name},
    pages::Pages,
    threads,
    timing::{Side, interleave, side},
    torch::Torch,
};

/// Steps of a run.
const STEPS: usize = 50;
/// The step at which a run begins, of a run of [`TOTAL`]: schedules are half way.
const TOTAL: usize = 4000;
/// Of Adam, on all sides.
const RATE: f64 = 0.01;
const SEED: u64 = 1;
/// Seconds of rounds for each strategy.
const BUDGET: f64 = 3.0;

/// Times training steps.
#[derive(Args)]
pub struct Options {
    /// Where to run
    #[arg(long, value_enum, default_value_t = Backend::Flex)]
    device: Backend,
    /// The task, which sets the sizes of the network
    #[arg(long, value_enum, default_value = "a")]
    task: Task,
    /// Measures PyTorch eager too
    #[arg(long)]
    torch: bool,
    /// The Python interpreter that has PyTorch
    #[arg(long, default_value = "python3")]
    python: String,
    /// Numbers of threads
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1,2",
        value_name = "COUNTS"
    )]
    threads: Vec<usize>,
}

/// Measures and prints steps per second.
pub fn run(options: &Options) -> Result<()> {
    let device = options.device.open()?;
    for &threads in &options.threads {
        let pool = threads::pool(threads, options.device)?;
        let torch = (options.torch)
            .then(|| Torch::start(&options.python, threads, Pages::Kept))
            .transpose()?;
        let version = torch.as_ref().map_or("no PyTorch", |torch| &torch.version);
        println!(
            "\ntask {} · {} · {threads} threads · {version} · steps per second\n",
            options.task.name(),
            name(&options.device)
        );
        println!(
            "| strategy | this library | PyTorch eager | eager, fused Adam | ours / eager | ours / fused Adam |"
        );
        println!("|---|---|---|---|---|---|");
        for &strategy in Strategy::value_variants() {
            let training = Mutex::new(Training::new(strategy, options.task, &device));
            let ours = side(&pool, || {
                training
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .run();
            });
            let theirs = |fused_adam| -> Result<Option<Side>> {
                let Some(torch) = &torch else {
                    return Ok(None);
                };
                let side = torch.side(&json!({
                    "strategy": strategy.name(),
                    "features": options.task.network().features,
                    "classes": options.task.network().classes,
                    "fused_adam": fused_adam,
                }))?;
                Ok(side.map(in_steps))
            };
            let mut sides = [Some(ours), theirs(false)?, theirs(true)?];
            let times = interleave(&mut sides, BUDGET)?;
            let rate = |side| {
                let seconds = times.of(side).map(|spread| spread.median);
                seconds.map_or("–".to_owned(), |s| format!("{:.0}", STEPS as f64 / s))
            };
            let ratio = |side| {
                let ratio = times.ratio(side, 0);
                ratio.map_or("–".to_owned(), |ratio| ratio.to_string())
            };
            println!(
                "| {} | {} | {} | {} | {} | {} |",
                strategy.name(),
                rate(0),
                rate(1),
                rate(2),
                ratio(1),
                ratio(2)
            );
            drop(sides);
            if let Some(torch) = &torch {
                torch.clear()?;
            }
        }
    }
    Ok(())
}

/// A side that runs one step made into one that runs as many as ours.
fn in_steps(mut side: Side) -> Side {
    Box::new(move |repeats| side(repeats * STEPS as u32))
}

/// A training under way.
struct Training {
    trainee: Trainee,
    optimiser: ModuleOptimizer,
    loader: TrainLoader,
    task: Task,
    device: Device,
}

impl Training {
    fn new(strategy: Strategy, task: Task, device: &Device) -> Self {
        let device = device.clone().autodiff();
        let optimiser = AdamConfig::new().with_epsilon(1e-8).init();
        let trainee = Trainee {
            network: random::network(task.network(), SEED, &device),
            trainer: strategy.trainer(SEED, TOTAL, &device),
            unit: 1.0,
        };
        Self {
            trainee,
            optimiser,
            loader: loader(task, &device),
            task,
            device,
        }
    }

    /// Some steps, as Burn's learner does them.
    fn run(&mut self) {
        let mut done = 0;
        while done < STEPS {
            let before = done;
            for batch in self.loader.iter().take(STEPS - done) {
                let batch = batch.expect("the data are in memory");
                let output = TrainStep::step(&self.trainee, batch);
                let trainee = self.trainee.clone();
                self.trainee = trainee.optimize(&mut self.optimiser, RATE.into(), output.grads);
                done += 1;
            }
            if done == before {
                self.loader = loader(self.task, &self.device);
            }
        }
    }
}

fn loader(task: Task, device: &Device) -> TrainLoader {
    let ([rows, ..], _) = generate(task, SEED);
    let scaling = Scaling::fit(&rows.targets);
    TrainLoader::new(rows, scaling, SEED, TOTAL, device.clone())
}
