//! Where a training runs: on devices of this process, or on those of remote servers.

use crate::place::backend::Backend;
use crate::place::operators::Operators;
use crate::place::remote::connect;
use anyhow::{Error, Result, bail, ensure};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

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
    pub fn connect(&self, backend: Backend) -> Result<Vec<Device>> {
        self.operators.set();
        if backend == Backend::Remote {
            ensure!(
                !self.hosts.is_empty(),
                "--backend remote needs a server: --host ws://HOST:PORT, as printed by `choice-lab serve`"
            );
            let count = self.devices.unwrap_or(self.hosts.len());
            return connect(&self.hosts, count, self.operators);
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
    pub fn blame(&self, error: Error) -> Error {
        match self.hosts.as_slice() {
            [] => error,
            [host] => error.context(format!("on the server {host}")),
            hosts => error.context(format!("on the servers {}", hosts.join(", "))),
        }
    }
}
