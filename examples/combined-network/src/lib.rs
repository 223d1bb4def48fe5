//! The combined network: a classifier picks a class, a regression layer gives one value per class, and the output is the
//! value of the picked class. The pick is an argmax and has no gradient, so each training [`Strategy`] of this example is
//! one way round that, one value of `burn_relax::Strategy`, carried out by one `burn_relax::Selector`.
//!
//! | file | what |
//! |---|---|
//! | [`strategy`] | the strategies by name |
//! | [`audit`], [`polynomial`] | two other looks at the strategies: their gradients, and a cost where only those count |
//! | [`network`] | the network and its inference |
//! | [`learner`] | one training and one validation step, for Burn's `Learner` |
//! | [`training`] | the whole run: data, `SupervisedTraining`, evaluation, saving |
//! | [`checkpoint`], `stepwise`, [`exact`] | saving under way and going on from there; the loop; numbers that survive JSON |
//! | [`data`], [`scaling`], [`random`] | the seeded regression tasks, target rescaling, random numbers |
//! | [`dataset`], [`number_file`], [`problem`] | tables of the user's own |
//! | [`import`], [`model`] | weights from PyTorch, what `predict` needs of a model |
//! | [`pictures`] | the `curves` command: pictures of the library's maps |
//! | [`mersenne`] | PyTorch's random numbers, for problems measured with both |
//! | [`place`], `remote` | where a training runs; Burn's remote devices, client and server |
//! | [`loader`], [`validation`] | minibatches to train on, the split to validate on |
//! | [`metrics`], [`curves`], [`progress`] | what is measured, kept and shown |
//! | [`compare`] | many runs as one table |
//! | [`store`], [`draft`], [`table`], [`predict`] | run folders, CSV files, the `predict` command |
//! | [`cli`], [`logging`], [`backend`], [`recipe`], [`report`] | command line, what it logs, devices, default rates, the summary |

pub mod audit;
pub mod backend;
pub mod baseline;
pub mod checkpoint;
pub mod cli;
pub mod compare;
pub mod curves;
pub mod data;
pub mod dataset;
pub mod draft;
pub mod exact;
pub mod import;
pub mod learner;
pub mod loader;
pub mod logging;
pub mod mersenne;
pub mod metrics;
pub mod model;
pub mod network;
pub mod number_file;
pub mod pictures;
pub mod place;
pub mod polynomial;
pub mod predict;
pub mod problem;
pub mod progress;
pub mod random;
pub mod recipe;
mod remote;
pub mod report;
pub mod scaling;
mod stepwise;
pub mod store;
pub mod strategy;
pub mod table;
mod train_command;
pub mod training;
pub mod validation;
mod watch;

pub use strategy::Strategy;

use clap::Parser;
use std::io::ErrorKind;
use std::process::ExitCode;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return cli::explain(&error),
    };
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", format!("{error:#}").replace('\n', " "));
            ExitCode::from(2)
        }
    }
}

/// Whether the reader of our output, such as `head`, has gone: the normal end of a pipe.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == ErrorKind::BrokenPipe)
    })
}
