use burn_core::tensor::Tensor;
use core::fmt;
use serde::{Deserialize, Serialize};

use super::{normalised_gradual_argmax::normalised_gradual_argmax, softmax::softmax_of};
use crate::{
    check,
    coefficient::{Coefficient, tempered},
    parts::{
        centred::Centred,
        dtype::{load, store},
    },
    schedule::Schedule,
    sparse::{entmax::entmax_of, normmax::normmax_of},
};

/// How logits become weights, with coefficients of type `C`: a [`Coefficient`] in a [`Relaxation`](super::Relaxation), a
/// [`Schedule`] in a [`RelaxationConfig`](super::RelaxationConfig).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Map<C> {
    /// [`softmax`](super::softmax): every allowed class has weight.
    Softmax {
        /// Temperature of the softmax, greater than 0.
        temperature: C,
    },
    /// [`entmax`](crate::sparse::entmax): classes `temperature / (alpha - 1)` or more behind the winner have no weight.
    Entmax {
        /// Sparsity, greater than 0: 1 is the softmax, 1.5 the 1.5-entmax, 2 the sparsemax.
        alpha: C,
        /// Temperature that the logits are divided by, greater than 0.
        temperature: C,
    },
    /// [`normmax`](crate::sparse::normmax).
    Normmax {
        /// Order of the norm, greater than 1.
        alpha: C,
        /// Temperature that the logits are divided by, greater than 0.
        temperature: C,
    },
    /// [`normalised_gradual_argmax`](super::normalised_gradual_argmax) of the softmax of the logits.
    Gradual {
        /// Power of the gradual argmax, greater than 0: 1 leaves the softmax, infinity gives the argmax.
        power: C,
    },
}

impl<C> Map<C> {
    /// The map with other coefficients; `change` is told the name of each.
    pub(crate) fn map<T>(self, mut change: impl FnMut(&'static str, C) -> T) -> Map<T> {
        match self {
            Self::Softmax { temperature } => Map::Softmax {
                temperature: change("temperature", temperature),
            },
            Self::Entmax { alpha, temperature } => Map::Entmax {
                alpha: change("alpha", alpha),
                temperature: change("temperature", temperature),
            },
            Self::Normmax { alpha, temperature } => Map::Normmax {
                alpha: change("alpha", alpha),
                temperature: change("temperature", temperature),
            },
            Self::Gradual { power } => Map::Gradual {
                power: change("power", power),
            },
        }
    }
}

impl Map<Schedule> {
    /// The domains of its numbers.
    #[track_caller]
    pub(crate) fn check(self, op: &str) {
        let above_one = matches!(self, Self::Normmax { .. });
        self.map(|argument, schedule| {
            if above_one && argument == "alpha" {
                schedule.check(op, argument, check::greater_than_one);
            } else {
                schedule.check(op, argument, check::positive);
            }
        });
    }
}

impl<const D: usize> Map<Coefficient<D>> {
    /// Its numbers' domains and its tensors' shapes and dtypes.
    #[track_caller]
    pub(crate) fn check_beside(&self, op: &str, logits: &Tensor<D>, dim: usize) {
        let _ = self.clone().map(|argument, coefficient| {
            coefficient.check(op, argument, logits, dim);
        });
    }

    /// The weights of logits along `dim`, in the logits' dtype.
    #[track_caller]
    pub(crate) fn weights(self, op: &str, logits: Tensor<D>, dim: usize) -> Tensor<D> {
        let dtype = logits.dtype();
        match self {
            Self::Softmax { temperature } => softmax_of(op, logits, dim, temperature),
            Self::Entmax { alpha, temperature } => {
                let logits = cooled(op, logits, dim, temperature);
                store(entmax_of(op, logits, dim, alpha), dtype)
            }
            Self::Normmax { alpha, temperature } => {
                let logits = cooled(op, logits, dim, temperature);
                store(normmax_of(op, logits, dim, alpha), dtype)
            }
            Self::Gradual { power } => {
                let probs = softmax_of(op, load(logits), dim, 1.0.into());
                store(normalised_gradual_argmax(probs, dim, power.load()), dtype)
            }
        }
    }
}

/// The logits over a temperature, relative to their maximum.
#[track_caller]
fn cooled<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    dim: usize,
    temperature: Coefficient<D>,
) -> Tensor<D> {
    let (logits, temperature) = tempered(op, logits, dim, temperature);
    if temperature == 1.0 {
        logits
    } else {
        Centred::new(load(logits), dim).map(|gaps| gaps.div_scalar(temperature))
    }
}

/// A few words, with the numbers of the first step.
impl fmt::Display for Map<Schedule> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.map(|_, schedule| schedule.at(0)) {
            Map::Softmax { temperature } => write!(f, "softmax, T = {temperature}"),
            Map::Entmax { alpha, temperature } => {
                if alpha == 2.0 {
                    write!(f, "sparsemax, T = {temperature}")
                } else {
                    write!(f, "{alpha}-entmax, T = {temperature}")
                }
            }
            Map::Normmax { alpha, temperature } => {
                write!(f, "{alpha}-normmax, T = {temperature}")
            }
            Map::Gradual { power } => write!(f, "gradual argmax, power {power}"),
        }
    }
}
