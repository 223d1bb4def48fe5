//! Developer commands: `cargo xtask check | circles | api | pages | setup | test | bench | docs`.

mod api;
mod cargo;
mod circles;
mod cli;
mod pages;
mod setup;
mod test;

use anyhow::Result;
use clap::Parser;

use crate::{
    cargo::{cargo, metadata, run, workspace},
    cli::{Cli, Command},
};

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Check => check(),
        Command::Circles => circles::run(&metadata()?.packages),
        Command::Api { write } => docs("").and_then(|()| api::run(write)),
        Command::Pages => pages::run(&metadata()?.packages),
        Command::Setup => setup::run(),
        Command::Test { only, setup } => test::run(only, setup),
        Command::Bench { arguments } => bench(&arguments),
        Command::Docs { open } => docs(if open { "--open" } else { "" }),
    }
}

fn check() -> Result<()> {
    run(&mut cargo("fmt --all --check"))?;
    circles::run(&metadata()?.packages)?;
    pages::run(&metadata()?.packages)?;
    let clippy = format!("clippy {} --all-targets -- -D warnings", workspace());
    run(&mut cargo(&clippy))?;
    docs("")?;
    api::run(false)
}

fn docs(open: &str) -> Result<()> {
    let doc = format!("doc {} --no-deps {open}", workspace());
    run(cargo(&doc).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Builds the benchmark for the backend that it measures, and runs it with its own arguments.
fn bench(arguments: &[String]) -> Result<()> {
    let given = arguments.join(" ");
    let feature = device(&given);
    let line = format!("run --release --quiet -p burn-relax-bench --features {feature} --");
    run(cargo(&line).args(arguments))
}

/// The backend that the arguments name, which is also the cargo feature.
fn device(arguments: &str) -> &str {
    let mut words = arguments.split([' ', '=']);
    match words.find(|word| *word == "--device").and(words.next()) {
        // The benchmark itself refuses other names.
        Some(name @ ("ndarray" | "wgpu")) => name,
        _ => "flex",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_feature_is_the_device() {
        assert_eq!(device("--quick --device ndarray"), "ndarray");
        assert_eq!(device("steps --device=wgpu --task b"), "wgpu");
        assert_eq!(device("--quick"), "flex");
        assert_eq!(device("--device"), "flex");
    }
}
