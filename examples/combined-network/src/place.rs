//! Where a training runs: on devices of this process, or on those of remote servers.

use crate::backend::Backend;
use crate::remote;
use anyhow::{Error, Result, bail, ensure};
use burn::tensor::Device;
use burn_relax::set_operators;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What carries out burn-relax's operators.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operators {
    /// The backend's kernels; a remote server must know the operators, as `serve` does
    #[default]
    Custom,
    /// Burn's operations that they are composed of, to compare, or for any Burn server
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
    /// What carries out the operators.
    #[serde(default)]
    pub operators: Operators,
}

impl Place {
    /// The devices, the servers' connected, set to these operators for the whole process.
    ///
    /// # Errors
    ///
    /// If the backend is not compiled in, a server cannot be reached or does not know the operators, or there are not so many
    /// devices.
    pub fn connect(&self, backend: Backend) -> Result<Vec<Device>> {
        set_operators(match self.operators {
            Operators::Custom => burn_relax::Operators::Custom,
            Operators::Composed => burn_relax::Operators::Composed,
        });
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
