//! Where a training runs: on devices of this process, or on those of remote servers.

use crate::backend::Backend;
use crate::remote;
use anyhow::{Error, Result, bail, ensure};
use burn::tensor::Device;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What a remote server is asked for when one of burn-relax's operators runs on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operators {
    /// The operator, with the server's kernel: needs a server that knows it, such as `serve`
    #[default]
    Custom,
    /// Burn's operations that it is composed of: any Burn server will do
    Composed,
}

/// The devices to train on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Remote servers, as `ws://HOST:PORT`; empty for this machine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Devices that share each minibatch; one per server, or one, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<usize>,
    /// What the servers are asked for.
    #[serde(default)]
    pub operators: Operators,
}

impl Place {
    /// The devices, the servers' connected.
    ///
    /// # Errors
    ///
    /// If the backend is not compiled in, a server cannot be reached or does not know the operators, or there are not so many
    /// devices.
    pub fn connect(&self, backend: Backend) -> Result<Vec<Device>> {
        if backend == Backend::Remote {
            ensure!(
                !self.hosts.is_empty(),
                "--backend remote needs a server: --host ws://HOST:PORT, as printed by `combined-network serve`"
            );
            let count = self.devices.unwrap_or(self.hosts.len());
            return remote::connect(&self.hosts, count, self.operators);
        }
        if let Some(host) = self.hosts.first() {
            bail!(
                "--host {host} is for --backend remote, not for {}",
                backend.name()
            );
        }
        match self.devices.unwrap_or(1) {
            1 => Ok(vec![backend.device()?]),
            count => backend.devices(count),
        }
    }

    /// Says which servers an error may come from.
    #[must_use]
    pub fn blame(&self, error: Error) -> Error {
        match self.hosts.as_slice() {
            [] => error,
            [host] => error.context(format!("on the server {host}")),
            hosts => error.context(format!("on the servers {}", hosts.join(", "))),
        }
    }
}
