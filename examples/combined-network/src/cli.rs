//! The command line.

use crate::backend::Backend;
use crate::data::Task;
use crate::logging::{self, Level};
use crate::place::Operators;
use crate::recipe::Decay;
use crate::strategy::Strategy;
use crate::{audit, compare, import, pictures, polynomial, predict, remote};
use anyhow::Result;
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::{Shell, generate};
use std::io::{Write, stdout};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Trains a classifier that picks which regression output to return, through the choice
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = TRAIN_EXAMPLE)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    train: TrainArgs,
    /// How much to log to stderr
    #[arg(
        long,
        value_enum,
        global = true,
        default_value = "off",
        value_name = "LEVEL"
    )]
    log_level: Level,
}

const TRAIN_EXAMPLE: &str =
    "Example: combined-network train --task b --strategy auto --seed 1 --out runs/mine";
const PREDICT_EXAMPLE: &str =
    "Example: combined-network predict --model runs/mine --input runs/mine/test.csv";
const COMPARE_EXAMPLE: &str = "Example: combined-network compare --tasks a,b --strategies auto,reinmax --seeds 10 --out comparison";
const AUDIT_EXAMPLE: &str = "Example: combined-network audit --draws 500 --json";
const SERVE_EXAMPLE: &str = "Example: combined-network serve --port 3000, then elsewhere: combined-network train --backend remote --host ws://127.0.0.1:3000";
const POLYNOMIAL_EXAMPLE: &str = "Example: combined-network polynomial --seeds 3 --steps 2000";
const IMPORT_EXAMPLE: &str =
    "Example: combined-network import --weights network.safetensors --out runs/from-pytorch";
const CURVES_EXAMPLE: &str = "Example: combined-network curves --out figures";
const COMPLETIONS_EXAMPLE: &str = "Example: combined-network completions bash > ~/.local/share/bash-completion/completions/combined-network";

#[derive(Debug, Subcommand)]
enum Command {
    /// Train and save a network (what also runs with no subcommand)
    #[command(after_help = TRAIN_EXAMPLE)]
    Train(TrainArgs),
    /// Write chosen class, its probability and its value for the rows of a CSV file
    #[command(after_help = PREDICT_EXAMPLE)]
    Predict(PredictArgs),
    /// Take over the weights of a network trained with PyTorch, for `predict`
    #[command(after_help = IMPORT_EXAMPLE)]
    Import(ImportArgs),
    /// Draw how the library's maps go from values to a choice, as SVG and PNG
    #[command(after_help = CURVES_EXAMPLE)]
    Curves(CurvesArgs),
    /// Train every strategy on every task over many seeds, and print one table
    #[command(after_help = COMPARE_EXAMPLE)]
    Compare(CompareArgs),
    /// Measure bias and noise of every strategy's gradient against the enumerated one
    #[command(after_help = AUDIT_EXAMPLE)]
    Audit(AuditArgs),
    /// Let other processes, on this machine or another, train on a device of this one
    #[command(after_help = SERVE_EXAMPLE)]
    Serve(ServeArgs),
    /// Minimise mean |x - .45|^p over 128 two-class latents by five strategies
    #[command(after_help = POLYNOMIAL_EXAMPLE)]
    Polynomial(PolynomialArgs),
    /// Print a completion script for a shell
    #[command(after_help = COMPLETIONS_EXAMPLE)]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Options of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Where to run
    #[arg(long, value_enum, default_value = "flex")]
    pub backend: Backend,
    /// A server for --backend remote; repeat it for more
    #[arg(long, value_name = "ws://HOST:PORT", value_parser = host)]
    pub host: Vec<String>,
    /// What carries out the library's operators
    #[arg(long, value_enum, default_value = "custom", value_name = "WHAT")]
    pub operators: Operators,
    /// Devices that share each minibatch [default: one, or one per server]
    #[arg(long, value_name = "N", value_parser = device_count, allow_negative_numbers = true)]
    pub devices: Option<usize>,
    /// How to train through the choice
    #[arg(long, value_enum, default_value = "auto")]
    pub strategy: Strategy,
    /// Which regression task, from easy to hard
    #[arg(long, value_enum, default_value = "a", conflicts_with = "data")]
    pub task: Task,
    /// CSV file with a header to train on instead: number columns are inputs, text columns are passed over
    #[arg(long, value_name = "FILE.csv", requires_all = ["target", "classes"])]
    pub data: Option<PathBuf>,
    /// Its column to predict
    #[arg(long, value_name = "COLUMN", requires = "data")]
    pub target: Option<String>,
    /// Classes of the network for it
    #[arg(long, value_name = "K", value_parser = class_count, requires = "data", allow_negative_numbers = true)]
    pub classes: Option<usize>,
    /// Seed of data or split, parameters, minibatches and draws
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// Optimiser steps, of 128 rows each
    #[arg(long, default_value_t = 4000, value_parser = step_count, allow_negative_numbers = true)]
    pub steps: usize,
    /// Learning rate [default: the best known for strategy and task]
    #[arg(long, value_parser = positive, allow_negative_numbers = true)]
    pub lr: Option<f64>,
    /// What becomes of the learning rate [default: cosine for auto and free-energy, else constant]
    #[arg(long, value_enum)]
    pub decay: Option<Decay>,
    /// Norm to clip each parameter's gradient to, 0 for none [default: 1 for the score functions, else none]
    #[arg(long, value_name = "NORM", value_parser = not_negative, allow_negative_numbers = true)]
    pub clip: Option<f64>,
    /// Folder to save the run in [default: runs/TASK-STRATEGY-SEED, for a table its file's name instead of the task]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace an earlier run in that folder without asking
    #[arg(long)]
    pub force: bool,
    /// Go on with the interrupted run in this folder, with the settings that it began with
    #[arg(long, value_name = "DIR", conflicts_with_all = [
        "backend", "strategy", "task", "data", "seed", "steps", "lr", "decay", "clip", "out", "force",
        "checkpoint_every", "operators", "devices"
    ])]
    pub resume: Option<PathBuf>,
    /// Steps between two checkpoints
    #[arg(long, value_name = "STEPS", default_value_t = 1000, value_parser = step_count, allow_negative_numbers = true)]
    pub checkpoint_every: usize,
    /// Print one JSON object as the last line of stdout, progress on stderr
    #[arg(long)]
    pub json: bool,
    /// Progress as plain lines, no dashboard
    #[arg(long)]
    pub plain: bool,
}

/// Options of `predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// Folder that `train` or `import` has saved
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// CSV file with a header and the columns trained on, else x1, x2, …; other columns are passed over
    #[arg(long, value_name = "FILE.csv")]
    pub input: PathBuf,
    /// CSV file to write [default: stdout]
    #[arg(long, value_name = "FILE.csv")]
    pub output: Option<PathBuf>,
    /// Replace an existing output file
    #[arg(long)]
    pub force: bool,
    /// Where to run [default: where the model was trained]
    #[arg(long, value_enum)]
    pub backend: Option<Backend>,
}

/// Options of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// State dict with classifier_fc1, classifier_fc2 and regression_fc
    #[arg(long, value_name = "FILE.safetensors|.pt|.pth")]
    pub weights: PathBuf,
    /// Folder to save the model in [default: runs/FILE]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace an earlier run in that folder without asking
    #[arg(long)]
    pub force: bool,
}

/// Options of `curves`.
#[derive(Debug, Args)]
pub struct CurvesArgs {
    /// Folder to draw into
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replace pictures that are there
    #[arg(long)]
    pub force: bool,
}

/// Options of `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Strategies to train with, comma-separated [default: all]
    #[arg(long, visible_alias = "strategy", value_enum, value_delimiter = ',')]
    pub strategies: Vec<Strategy>,
    /// Tasks to train on, comma-separated [default: all]
    #[arg(long, visible_alias = "task", value_enum, value_delimiter = ',')]
    pub tasks: Vec<Task>,
    /// Runs of each, with the seeds 0, 1, …
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..), allow_negative_numbers = true)]
    pub seeds: u64,
    /// Optimiser steps of a run, of 128 rows each
    #[arg(long, default_value_t = 4000, value_parser = step_count, allow_negative_numbers = true)]
    pub steps: usize,
    /// Folder for results.csv, results.json, report.html and the journal of finished runs [default: only print]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on with the interrupted comparison in that folder
    #[arg(long, requires = "out", conflicts_with = "force")]
    pub resume: bool,
    /// Replace an earlier comparison in that folder
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Runs at a time; the results do not depend on it [default: one for each core, one on wgpu]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..), allow_negative_numbers = true)]
    pub jobs: Option<u16>,
    /// Print a JSON array of objects instead of a table
    #[arg(long)]
    pub json: bool,
    /// Where to run
    #[arg(long, value_enum, default_value = "flex")]
    pub backend: Backend,
}

/// Options of `audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Print a JSON array of objects instead of a table
    #[arg(long)]
    pub json: bool,
    /// Draws of what is stochastic
    #[arg(long, default_value_t = 2000, value_parser = draw_count, allow_negative_numbers = true)]
    pub draws: usize,
    /// Seed of the problems and of the draws
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u32,
    /// Where to run
    #[arg(long, value_enum, default_value = "flex")]
    pub backend: Backend,
}

/// Options of `polynomial`.
#[derive(Debug, Args)]
pub struct PolynomialArgs {
    /// Print a JSON array of objects instead of a table
    #[arg(long)]
    pub json: bool,
    /// Runs of each strategy on each cost, with the seeds 0, 1, …
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..), allow_negative_numbers = true)]
    pub seeds: u64,
    /// Optimiser steps of a run
    #[arg(long, default_value_t = 8000, value_parser = step_count, allow_negative_numbers = true)]
    pub steps: usize,
    /// Where to run
    #[arg(long, value_enum, default_value = "flex")]
    pub backend: Backend,
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Whose device to serve
    #[arg(long, value_enum, default_value = "flex")]
    pub backend: Backend,
    /// Port to listen on, 0 for any that is free
    #[arg(long, default_value_t = 3000)]
    pub port: u16,
    /// Address to listen on; any other than a loopback one lets other machines in, unencrypted
    #[arg(long, default_value = "127.0.0.1")]
    pub address: IpAddr,
}

impl Cli {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// Whatever a user can put right, in one sentence.
    pub fn run(self) -> Result<()> {
        match &self.command {
            Some(Command::Serve(_)) => logging::start_server(self.log_level),
            _ => logging::start(self.log_level),
        }
        match self.command {
            None => self.train.run(),
            Some(Command::Train(args)) => args.run(),
            Some(Command::Predict(args)) => predict::predict(&args),
            Some(Command::Import(args)) => import::import(&args),
            Some(Command::Curves(args)) => pictures::curves(&args),
            Some(Command::Compare(args)) => compare::compare(&args),
            Some(Command::Audit(args)) => audit::audit(&args),
            Some(Command::Serve(args)) => remote::serve(&args),
            Some(Command::Polynomial(args)) => polynomial::polynomial(&args),
            Some(Command::Completions { shell }) => completions(shell),
        }
    }
}

/// Prints a completion script; to a closed pipe clap_complete's own writing would panic.
fn completions(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "combined-network", &mut script);
    Ok(stdout().write_all(&script)?)
}

fn step_count(text: &str) -> Result<usize, String> {
    count(text, 1)
}

/// A variance needs two.
fn draw_count(text: &str) -> Result<usize, String> {
    count(text, 2)
}

/// A minibatch has 128 rows to share.
fn device_count(text: &str) -> Result<usize, String> {
    within(text, 1, 128)
}

fn host(text: &str) -> Result<String, String> {
    let port = |text: &str| text.parse::<u16>().is_ok_and(|port| port > 0);
    let plain = |text: &str| !text.is_empty() && !text.contains(['/', '?', '#', '@', ' ']);
    text.strip_prefix("ws://")
        .and_then(|rest| rest.rsplit_once(':'))
        .filter(|(name, number)| plain(name) && port(number))
        .map(|_| text.to_owned())
        .ok_or_else(|| "must be ws://HOST:PORT, such as ws://127.0.0.1:3000".to_owned())
}

fn class_count(text: &str) -> Result<usize, String> {
    within(text, 1, 10_000)
}

fn count(text: &str, least: usize) -> Result<usize, String> {
    within(text, least, 100_000_000)
}

fn within(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let bad = || format!("must be a whole number from {least} to {most}");
    text.parse()
        .ok()
        .filter(|count| (least..=most).contains(count))
        .ok_or_else(bad)
}

fn positive(text: &str) -> Result<f64, String> {
    number(text)
        .filter(|number| *number > 0.0)
        .ok_or_else(|| "must be a number greater than 0".to_owned())
}

fn not_negative(text: &str) -> Result<f64, String> {
    number(text)
        .filter(|number| *number >= 0.0)
        .ok_or_else(|| "must be a number, 0 or greater".to_owned())
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Prints help as it is, and a mistake as one line.
pub fn explain(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:"));
    let lines: Vec<_> = lines
        .filter(|line| !line.is_empty() && !line.starts_with("For more"))
        .collect();
    eprintln!("{}; see --help", lines.join(" "));
    ExitCode::from(2)
}
