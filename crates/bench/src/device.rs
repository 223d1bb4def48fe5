//! Where a benchmark runs, on which numbers, and what part of an operator it runs.

use anyhow::{Result, bail};
use burn::tensor::{Device, FloatDType};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A backend by the name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
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
    /// Whether its operations run on the threads that call them.
    pub fn on_cpu(self) -> bool {
        self != Self::Wgpu
    }

    /// The device, on which gradients are not tracked.
    pub fn open(self) -> Result<Device> {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => Ok(Device::flex()),
            #[cfg(feature = "ndarray")]
            #[allow(deprecated, reason = "still served, though Burn prefers Flex")]
            Self::Ndarray => Ok(Device::ndarray()),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
            #[allow(
                unreachable_patterns,
                reason = "reached by the backends that are not compiled in"
            )]
            other => bail!("{} is not compiled in: add --features {0}", name(&other)),
        }
    }
}

/// The name of an enum's value on the command line and in JSON.
pub fn name(value: &impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// The numbers that tensors hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// Single precision
    F32,
    /// Double precision
    F64,
    /// Half precision
    F16,
}

impl Dtype {
    /// Bytes of a number.
    pub fn size(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }

    /// Burn's name for it.
    pub fn float(self) -> FloatDType {
        match self {
            Self::F64 => FloatDType::F64,
            Self::F32 => FloatDType::F32,
            Self::F16 => FloatDType::F16,
        }
    }
}

/// Part of an operator's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Pass {
    /// The value alone, without autodiff
    Forward,
    /// The gradient alone, from what the forward pass saved, without autodiff
    Backward,
    /// Value and gradient through autodiff, the upstream gradient being ones
    ForwardBackward,
}
