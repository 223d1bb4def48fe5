//! Where a benchmark runs, and what part of an operator it runs.

use burn_core::tensor::Device;
use clap::ValueEnum;
use serde::Serialize;

/// A backend by the name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Burn's pure Rust CPU backend
    Flex,
    /// The older CPU backend
    Ndarray,
    /// GPU through wgpu
    Wgpu,
}

impl Backend {
    /// The device, on which gradients are not tracked.
    ///
    /// # Panics
    ///
    /// If the backend is not compiled in.
    pub fn open(self) -> Device {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => Device::flex(),
            #[cfg(feature = "ndarray")]
            #[allow(deprecated)]
            Self::Ndarray => Device::ndarray(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Device::wgpu(burn_core::tensor::DeviceKind::DefaultDevice),
            #[allow(unreachable_patterns)]
            other => panic!(
                "{} is not compiled in: add --features {0}",
                other.describe()
            ),
        }
    }

    /// Its name.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
            Self::Wgpu => "wgpu",
        }
    }
}

/// Part of an operator's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// The value alone, without autodiff.
    Forward,
    /// The value, and the gradient of its sum with respect to every argument.
    ForwardBackward,
}

impl Pass {
    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::ForwardBackward => "forward + backward",
        }
    }
}
