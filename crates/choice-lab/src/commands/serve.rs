//! The `serve` command: a device of this machine for other processes.

use crate::place::backend::Backend;
use anyhow::Result;
use std::net::IpAddr;

/// Let other processes, on this machine or another, train on a device of this one
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: choice-lab serve --port 3000, then elsewhere: choice-lab train --backend remote --host ws://127.0.0.1:3000"
)]
pub struct Args {
    /// Whose device to serve
    #[arg(long, value_enum, default_value = "flex")]
    backend: Backend,
    /// Port to listen on, 0 for any that is free
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Address to listen on; any other than a loopback one lets other machines in, unencrypted
    #[arg(long, default_value = "127.0.0.1")]
    address: IpAddr,
}

impl Args {
    /// Serves a device until Ctrl-C.
    pub fn run(&self) -> Result<()> {
        crate::place::remote::serve(self.backend, (self.address, self.port))
    }
}
