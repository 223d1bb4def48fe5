//! Kernels, or the operations that they replace.

use burn_relax::execution::{self, set_operators};
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

impl Operators {
    /// Takes these for the whole process.
    pub fn set(self) {
        set_operators(match self {
            Self::Custom => execution::Operators::Custom,
            Self::Composed => execution::Operators::Composed,
        });
    }
}
