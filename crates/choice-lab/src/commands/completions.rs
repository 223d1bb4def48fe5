//! The `completions` command.

use anyhow::Result;
use clap::Command;
use clap_complete::{Shell, generate};
use std::io::{Write, stdout};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: choice-lab completions bash > ~/.local/share/bash-completion/completions/choice-lab"
)]
pub struct Args {
    /// The shell
    shell: Shell,
}

impl Args {
    /// Prints the script of a command line; to a closed pipe clap_complete's own writing would panic.
    pub fn run(&self, mut command: Command) -> Result<()> {
        let mut script = Vec::new();
        generate(self.shell, &mut command, "choice-lab", &mut script);
        Ok(stdout().write_all(&script)?)
    }
}
