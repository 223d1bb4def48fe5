//! The backends that a run can ask for, and what to do when one is not there.

use anyhow::{Result, bail};
use burn::tensor::Device;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Where tensors live and operations run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// CPU, Burn's pure Rust backend
    Flex,
    /// CPU, the older backend (cargo feature ndarray)
    Ndarray,
    /// GPU through wgpu (cargo feature wgpu)
    Wgpu,
    /// Another process, started with `serve` (cargo feature remote)
    Remote,
}

impl Backend {
    /// The local backends compiled into this program.
    pub fn compiled() -> Vec<Self> {
        let all = [
            (Self::Flex, cfg!(feature = "flex")),
            (Self::Ndarray, cfg!(feature = "ndarray")),
            (Self::Wgpu, cfg!(feature = "wgpu")),
        ];
        all.into_iter()
            .filter_map(|(backend, compiled)| compiled.then_some(backend))
            .collect()
    }

    /// The first that is compiled in, for what runs on any.
    pub fn any() -> Self {
        Self::compiled().first().copied().unwrap_or(Self::Flex)
    }

    /// Itself, or where it is another process's, the first that is compiled in.
    pub fn local(self) -> Self {
        match self {
            Self::Remote => Self::any(),
            local => local,
        }
    }

    /// The name on the command line, which is also the cargo feature.
    pub fn name(self) -> &'static str {
        ["flex", "ndarray", "wgpu", "remote"][self as usize]
    }

    /// The backend's default device.
    pub fn device(self) -> Result<Device> {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => Ok(Device::flex()),
            #[cfg(feature = "ndarray")]
            Self::Ndarray => Ok(ndarray()),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => wgpu(),
            Self::Remote => bail!("of the commands only `train` runs on --backend remote"),
            #[allow(
                unreachable_patterns,
                reason = "reached by the backends that are not compiled in"
            )]
            _ => self.missing(),
        }
    }

    /// Several devices of it.
    pub fn devices(self, count: usize) -> Result<Vec<Device>> {
        let first = self.device()?;
        let found: Vec<Device> = match self {
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Device::enumerate(burn::tensor::DeviceType::Wgpu)
                .into_iter()
                .collect(),
            _ => vec![first],
        };
        if found.len() < count {
            bail!(
                "--devices {count} asks for more than backend '{}' has here, which is {}; servers on other machines, or on \
                 this one, add devices: --backend remote with a --host for each",
                self.name(),
                found.len()
            );
        }
        Ok(found.into_iter().take(count).collect())
    }

    #[allow(dead_code, reason = "not called when every backend is compiled in")]
    fn missing(self) -> Result<Device> {
        let name = self.name();
        bail!(
            "backend '{name}' is not compiled in: build with the cargo feature '{name}', as in \
             `cargo run --release -p choice-lab --features {name} -- train --backend {name}`"
        )
    }
}

#[cfg(feature = "ndarray")]
#[allow(
    deprecated,
    reason = "the ndarray backend is offered although Burn prefers Flex"
)]
fn ndarray() -> Device {
    Device::ndarray()
}

/// wgpu is initialised once per process; a second attempt would be an error.
#[cfg(feature = "wgpu")]
fn wgpu() -> Result<Device> {
    use std::sync::OnceLock;
    static DEVICE: OnceLock<Result<Device, String>> = OnceLock::new();
    let device = DEVICE.get_or_init(|| {
        Device::wgpu_options()
            .init()
            .map_err(|error| error.to_string())
    });
    match device {
        Ok(device) => Ok(device.clone()),
        Err(reason) => bail!(
            "backend 'wgpu' found no usable graphics adapter: install a Vulkan driver (without a GPU, the Debian or \
             Ubuntu package mesa-vulkan-drivers has a software one), or take --backend flex; wgpu said: {reason}"
        ),
    }
}
