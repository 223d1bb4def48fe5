//! The command line: the commands, and how they end.

use crate::commands::{
    audit, compare, completions, curves, import, polynomial, predict, serve, train,
};
use crate::logging::{self, Level};
use crate::training::diverged::Diverged;
use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};
use std::io::ErrorKind;
use std::process::ExitCode;

/// Trains a classifier that picks which regression output to return, and measures the ways to train through the choice
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    train: train::Args,
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

#[derive(Debug, Subcommand)]
enum Command {
    Train(train::Args),
    Predict(predict::Args),
    Import(import::Args),
    Curves(curves::Args),
    Compare(compare::Args),
    Audit(audit::Args),
    Serve(serve::Args),
    Polynomial(polynomial::Args),
    Completions(completions::Args),
}

impl Cli {
    /// Does what the command line says; an error is whatever a user can put right, in one sentence.
    fn run(self) -> Result<()> {
        match &self.command {
            Some(Command::Serve(_)) => logging::start_server(self.log_level),
            _ => logging::start(self.log_level),
        }
        match self.command.unwrap_or(Command::Train(self.train)) {
            Command::Train(args) => args.run(),
            Command::Predict(args) => args.run(),
            Command::Import(args) => args.run(),
            Command::Curves(args) => args.run(),
            Command::Compare(args) => args.run(),
            Command::Audit(args) => args.run(),
            Command::Serve(args) => args.run(),
            Command::Polynomial(args) => args.run(),
            Command::Completions(args) => args.run(Cli::command()),
        }
    }
}

/// Runs the command line of this process: every error becomes one line on stderr and exit code 2, or 1 for a training that
/// ended in NaN.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", format!("{error:#}").replace('\n', " "));
            ExitCode::from(if error.is::<Diverged>() { 1 } else { 2 })
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

/// Prints help as it is, and a mistake as one line.
fn explain(error: &clap::Error) -> ExitCode {
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
