use burn_core::tensor::Tensor;
use core::fmt;
use serde::{Deserialize, Serialize};

use super::{normalised_gradual_argmax::normalised_gradual_argmax_of, softmax::softmax_of};
use crate::{
    check::Domain,
    coefficient::{Coefficient, tempered},
    parts::{
        centred::Centred,
        dtype::{load, store},
        quotient::quotient,
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

impl<C> Map<C> {
    /// Its coefficients with their names, for loops: from within a closure a panic would not point at the caller.
    pub(crate) fn named(self) -> impl Iterator<Item = (&'static str, C)> {
        let pair = match self {
            Self::Softmax { temperature } => [Some(("temperature", temperature)), None],
            Self::Entmax { alpha, temperature } | Self::Normmax { alpha, temperature } => {
                [Some(("alpha", alpha)), Some(("temperature", temperature))]
            }
            Self::Gradual { power } => [Some(("power", power)), None],
        };
        pair.into_iter().flatten()
    }
}

impl Default for Map<Schedule> {
    /// The softmax at temperature 1.
    fn default() -> Self {
        Self::Softmax {
            temperature: 1.0.into(),
        }
    }
}

impl Map<Schedule> {
    /// The domains of its numbers.
    #[track_caller]
    pub(crate) fn check(self, op: &str) {
        let normmax = matches!(self, Self::Normmax { .. });
        for (argument, schedule) in self.named() {
            let domain = match argument {
                "alpha" if normmax => Domain::GreaterThanOne,
                _ => Domain::Positive,
            };
            schedule.check(op, argument, domain);
        }
    }

    /// Its numbers at a step.
    #[track_caller]
    pub(crate) fn at<C: From<f64>>(self, step: usize) -> Map<C> {
        match self {
            Self::Softmax { temperature } => Map::Softmax {
                temperature: temperature.at(step).into(),
            },
            Self::Entmax { alpha, temperature } => Map::Entmax {
                alpha: alpha.at(step).into(),
                temperature: temperature.at(step).into(),
            },
            Self::Normmax { alpha, temperature } => Map::Normmax {
                alpha: alpha.at(step).into(),
                temperature: temperature.at(step).into(),
            },
            Self::Gradual { power } => Map::Gradual {
                power: power.at(step).into(),
            },
        }
    }
}

impl<const D: usize> Map<Coefficient<D>> {
    /// Its numbers' domains and its tensors' shapes and dtypes.
    #[track_caller]
    pub(crate) fn check_beside(&self, op: &str, logits: &Tensor<D>, dim: usize) {
        for (argument, coefficient) in self.clone().named() {
            coefficient.check(op, argument, logits, dim);
        }
    }

    /// The weights of logits along `dim`, in the logits' dtype.
    #[track_caller]
    pub(crate) fn weights(self, op: &str, logits: Tensor<D>, dim: usize) -> Tensor<D> {
        let dtype = logits.dtype();
        match self {
            Self::Softmax { temperature } => softmax_of(op, logits, dim, temperature),
            Self::Entmax { alpha, temperature } => {
                let (logits, alpha) = cooled(op, logits, dim, (alpha, temperature));
                store(entmax_of(op, logits, dim, alpha), dtype)
            }
            Self::Normmax { alpha, temperature } => {
                let (logits, alpha) = cooled(op, logits, dim, (alpha, temperature));
                store(normmax_of(op, logits, dim, alpha), dtype)
            }
            Self::Gradual { power } => {
                power.check(op, "power", &logits, dim);
                let probs = softmax_of(op, load(logits), dim, 1.0.into());
                let weights = normalised_gradual_argmax_of(op, probs, dim, power.load());
                store(weights, dtype)
            }
        }
    }
}

/// The logits over a temperature, relative to their maximum, and an alpha in their dtype.
#[track_caller]
fn cooled<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    dim: usize,
    (alpha, temperature): (Coefficient<D>, Coefficient<D>),
) -> (Tensor<D>, Coefficient<D>) {
    alpha.check(op, "alpha", &logits, dim);
    let (logits, temperature) = match temperature {
        Coefficient::Number(1.0) => return (logits, alpha),
        temperature => tempered(op, load(logits), dim, temperature.load()),
    };
    if temperature == 1.0 {
        return (logits, alpha.load());
    }
    // A tensor: the gradient of a division by a number is taken in f32.
    let cooling = Coefficient::Number(temperature).into_tensor(&logits, dim);
    let gaps = |gaps| quotient(gaps, cooling);
    (Centred::new(logits, dim).map(gaps), alpha.load())
}

/// A few words, with the numbers of the first step.
impl fmt::Display for Map<Schedule> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&match self.at::<f64>(0) {
            Map::Softmax { temperature } => format!("softmax, T = {temperature}"),
            Map::Entmax { alpha, temperature } => {
                if alpha == 2.0 {
                    format!("sparsemax, T = {temperature}")
                } else {
                    format!("{alpha}-entmax, T = {temperature}")
                }
            }
            Map::Normmax { alpha, temperature } => format!("{alpha}-normmax, T = {temperature}"),
            Map::Gradual { power } => format!("gradual argmax, power {power}"),
        })
    }
}
