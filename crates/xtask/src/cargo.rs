//! Cargo as a child process.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// Features that compile every backend that is tested here. One selection for lints, documentation and tests: with
/// another one Cargo would compile the dependencies again.
const EVERY_BACKEND: &str = "burn-relax-tests/ndarray,burn-relax-tests/wgpu,burn-relax-tests/remote,\
                             combined-network/ndarray,combined-network/wgpu,combined-network/remote";

/// A cargo command about to run.
pub struct Cargo {
    command: Command,
    line: String,
}

impl Cargo {
    /// `cargo <subcommand>` with the toolchain that runs this program.
    pub fn new(subcommand: &str) -> Self {
        let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let mut command = Command::new(program);
        command.arg(subcommand);
        Self {
            command,
            line: format!("cargo {subcommand}"),
        }
    }

    /// Adds arguments.
    pub fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        for arg in args {
            self.command.arg(arg);
            self.line.push(' ');
            self.line.push_str(arg);
        }
        self
    }

    /// Selects all packages with all tested backends.
    pub fn whole_workspace(self) -> Self {
        self.args(["--workspace", "--features", EVERY_BACKEND])
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs to the end; a failure is an error.
    pub fn run(mut self) -> Result<()> {
        println!("$ {}", self.line);
        let status = self.command.status().with_context(|| self.line.clone())?;
        if !status.success() {
            bail!("{} failed ({status})", self.line);
        }
        Ok(())
    }

    /// Runs to the end, shows each line of standard output and hands it to `observe`; returns whether it succeeded.
    pub fn observe(mut self, mut observe: impl FnMut(&str)) -> Result<bool> {
        println!("$ {}", self.line);
        let mut child = self
            .command
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| self.line.clone())?;
        let output = child.stdout.take().context("cargo's standard output")?;
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            observe(&line);
        }
        Ok(child.wait()?.success())
    }
}
