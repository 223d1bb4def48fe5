//! Times the operators against the same thing composed of Burn operations, a memory copy, a plain loop, and PyTorch; and
//! training steps of the combined network against PyTorch.
//!
//! The sides of a comparison take turns inside one run, so a machine whose speed drifts slows all of them; a cell is the
//! median over the rounds, and a ratio is the median of the rounds' own ratios, with its quartiles.

mod device;
#[cfg(feature = "wgpu")]
mod gpu;
mod growth;
mod operators;
mod pages;
mod plot;
mod record;
mod report;
mod sides;
mod steps;
mod table;
mod threads;
mod timing;
mod torch;
mod twins;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask bench",
    about = "Times the operators, and training steps",
    args_conflicts_with_subcommands = true
)]
struct Cli {
    #[command(flatten)]
    table: table::Options,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Training steps per second of the combined network, for each strategy
    Steps(steps::Options),
    /// Time against the number of elements, from 10^3 to 10^8, as a plot
    Growth(growth::Options),
    /// Prints the tables of docs/benchmarks.md from a file written with --json
    Report(report::Options),
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    match &cli.command {
        None => {
            cli.table.pages.apply();
            table::run(&cli.table)
        }
        Some(Command::Steps(options)) => {
            pages::Pages::Kept.apply();
            steps::run(options)
        }
        Some(Command::Growth(options)) => {
            pages::Pages::Kept.apply();
            growth::run(options)
        }
        Some(Command::Report(options)) => report::run(options),
    }
}
