//! Developer commands: `cargo xtask check | test | bench | docs`.

mod bench;
mod cargo;
mod driver;
mod test;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{cargo::Cargo, test::Part};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer commands of burn-relax")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Format, lints and documentation, all without warnings
    Check,
    /// Every test on every backend; ends with `N passed, N failed`
    Test {
        /// One part instead of all
        #[arg(long, value_enum)]
        only: Option<Part>,
    },
    /// Times the operators; what it can do: `cargo xtask bench --help`
    #[command(disable_help_flag = true)]
    Bench {
        /// Arguments of the benchmark
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// The API documentation of the library crates, opened in a browser with --open
    Docs {
        /// Open it when it is built
        #[arg(long)]
        open: bool,
    },
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Check => check(),
        Command::Test { only } => test::run(only),
        Command::Bench { arguments } => bench::run(&arguments),
        Command::Docs { open } => docs(open),
    }
}

fn check() -> Result<()> {
    Cargo::new("fmt").args(["--all", "--check"]).run()?;
    Cargo::new("clippy")
        .whole_workspace()
        .args(["--all-targets", "--", "-D", "warnings"])
        .run()?;
    docs(false)
}

fn docs(open: bool) -> Result<()> {
    let mut doc = Cargo::new("doc").whole_workspace().args(["--no-deps"]);
    if open {
        doc = doc.args(["--open"]);
    }
    doc.env("RUSTDOCFLAGS", "-D warnings").run()
}
