use burn_core::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::map::Map;
use burn_relax_kernels::Seed;

use crate::coefficient::Coefficient;

/// What is added to the logits before they become weights.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
// A box round the tensor would cost an allocation at each call to save a few words of stack.
#[allow(clippy::large_enum_variant)]
pub enum Noise<const D: usize> {
    /// Nothing.
    #[default]
    None,
    /// Standard Gumbel noise, made from a seed: the perturbed argmax is an exact sample of the softmax.
    Gumbel(Seed),
    /// A tensor of the logits' shape and dtype, which gets the logits' gradient where it is tracked.
    Given(Tensor<D>),
}

/// Whether the choice itself goes forward, and what its gradient is; a class can be drawn at a temperature of type `C`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Hardness<C> {
    /// The weights of the map.
    #[default]
    Soft,
    /// The argmax of the perturbed logits, with the gradient of the map there.
    Hard,
    /// A class drawn from `softmax(x / temperature)`, with the gradient of the map at the logits without noise.
    Sampled {
        /// Temperature that the class is drawn at, greater than 0.
        temperature: C,
    },
    /// A class drawn from the softmax, with the mean gradient of so many relaxed samples that would have chosen it.
    Rao {
        /// Relaxed samples, at least 1.
        draws: usize,
    },
}

/// A differentiable stand-in for a choice, as a value: noise, map and hardness, read out as weights, as a value or as a place.
///
/// | | |
/// |---|---|
/// | map | [`softmax`](Self::softmax), [`sparsemax`](Self::sparsemax), [`entmax15`](Self::entmax15), [`entmax`](Self::entmax), [`normmax`](Self::normmax), [`gradual`](Self::gradual) |
/// | noise | none, [`gumbel`](Self::gumbel), [`noise`](Self::noise) |
/// | hardness | soft, [`hard`](Self::hard), [`sampled`](Self::sampled), [`rao`](Self::rao) |
/// | read-out | [`weights`](Self::weights), [`gather`](Self::gather), [`blended_gather`](Self::blended_gather), [`coordinate`](Self::coordinate), [`spatial`](Self::spatial) and their relatives |
///
/// Each goes with each. Coefficients are numbers or tensors with one value per row ([`Coefficient`]), which get a gradient. The
/// serde form, whose numbers may follow a [`Schedule`](crate::Schedule), is [`RelaxationConfig`](super::RelaxationConfig).
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::Relaxation;
///
/// let device = Device::flex().autodiff();
/// let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &device).require_grad();
/// let values = Tensor::<2>::from_floats([[10.0, 20.0, 30.0]], &device);
///
/// let choice = Relaxation::softmax(1).hard();
/// let picked = choice.clone().gather(logits.clone(), values, 1);
/// assert_eq!(picked.clone().into_scalar::<f32>(), 30.0);
///
/// // The gradient of the softmax-weighted value: descent lowers the logit of the largest value.
/// let gradient = logits.grad(&picked.backward()).unwrap().into_data().try_to_vec::<f32>().unwrap();
/// assert!((gradient[2] - 2.702_863).abs() < 1e-5);
///
/// let sample = Relaxation::entmax(1.5, 0.5).gumbel(7).hard().weights(logits, 1);
/// assert_eq!(sample.sum().into_scalar::<f32>(), 1.0);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Relaxation<const D: usize> {
    /// How logits become weights.
    pub map: Map<Coefficient<D>>,
    /// What is added to the logits before.
    pub noise: Noise<D>,
    /// Whether the choice itself goes forward.
    pub hardness: Hardness<f64>,
}

/// The constructors that the value and its serde form share; `$number` converts into their coefficients.
macro_rules! constructors {
    ($name:ident, $number:ty) => {
        /// The softmax at a temperature greater than 0.
        #[must_use]
        pub fn softmax(temperature: impl Into<$number>) -> Self {
            Self::of(Map::Softmax {
                temperature: temperature.into(),
            })
        }

        /// The sparsemax of the logits over a temperature greater than 0: classes that far behind the winner have no weight.
        #[must_use]
        pub fn sparsemax(temperature: impl Into<$number>) -> Self {
            Self::entmax(2.0, temperature)
        }

        /// The 1.5-entmax of the logits over a temperature greater than 0: classes two temperatures behind have no weight.
        #[must_use]
        pub fn entmax15(temperature: impl Into<$number>) -> Self {
            Self::entmax(1.5, temperature)
        }

        /// The entmax of the logits over a temperature; both are greater than 0, and weights are sparse above an alpha of 1.
        #[must_use]
        pub fn entmax(alpha: impl Into<$number>, temperature: impl Into<$number>) -> Self {
            Self::of(Map::Entmax {
                alpha: alpha.into(),
                temperature: temperature.into(),
            })
        }

        /// The normmax of the logits over a temperature greater than 0; alpha is greater than 1.
        #[must_use]
        pub fn normmax(alpha: impl Into<$number>, temperature: impl Into<$number>) -> Self {
            Self::of(Map::Normmax {
                alpha: alpha.into(),
                temperature: temperature.into(),
            })
        }

        /// The gradual argmax of the softmax of the logits, divided by its sum; the power is greater than 0.
        #[must_use]
        pub fn gradual(power: impl Into<$number>) -> Self {
            Self::of(Map::Gradual {
                power: power.into(),
            })
        }

        /// The exact choice forward, the argmax of the perturbed logits; the gradient of the map backward (straight-through).
        #[must_use]
        pub fn hard(self) -> Self {
            Self {
                hardness: Hardness::Hard,
                ..self
            }
        }

        /// The Rao-Blackwellised gradient of a hard Gumbel-softmax: the mean over so many relaxed samples, at least 1, that
        /// would have chosen the drawn class. It needs the softmax and Gumbel noise.
        ///
        /// # References
        ///
        /// Paulus, Maddison, Krause, 2021, arXiv:2010.04838.
        #[must_use]
        pub fn rao(self, draws: usize) -> Self {
            Self {
                hardness: Hardness::Rao { draws },
                ..self
            }
        }
    };
}
pub(super) use constructors;

impl<const D: usize> Relaxation<D> {
    constructors!(Relaxation, Coefficient<D>);

    fn of(map: Map<Coefficient<D>>) -> Self {
        Self {
            map,
            noise: Noise::None,
            hardness: Hardness::Soft,
        }
    }

    /// Gumbel noise of a seed on the logits: the same seed gives the same draw, on every backend and for any number of threads.
    #[must_use]
    pub fn gumbel(self, seed: impl Into<Seed>) -> Self {
        Self {
            noise: Noise::Gumbel(seed.into()),
            ..self
        }
    }

    /// Given noise on the logits, of their shape and dtype: for common random numbers, other distributions and tests.
    #[must_use]
    pub fn noise(self, noise: Tensor<D>) -> Self {
        Self {
            noise: Noise::Given(noise),
            ..self
        }
    }

    /// A class drawn from the softmax of the logits forward; the gradient of the map, at the logits without noise, backward.
    #[must_use]
    pub fn sampled(self, seed: impl Into<Seed>) -> Self {
        self.sampled_at(1.0, seed)
    }

    /// [`sampled`](Self::sampled) from `softmax(x / temperature)`: one temperature, greater than 0, to draw at, and that of the
    /// map to differentiate at.
    ///
    /// # References
    ///
    /// Decoupled temperatures: Shah et al., 2024, arXiv:2410.13331.
    #[must_use]
    pub fn sampled_at(self, temperature: f64, seed: impl Into<Seed>) -> Self {
        Self {
            noise: Noise::Gumbel(seed.into()),
            hardness: Hardness::Sampled { temperature },
            ..self
        }
    }

    /// The same choice with another temperature; a gradual argmax has none and stays.
    #[must_use]
    pub fn with_temperature(self, temperature: impl Into<Coefficient<D>>) -> Self {
        let mut given = Some(temperature.into());
        let map = self.map.map(|argument, coefficient| match argument {
            "temperature" => given.take().unwrap_or(coefficient),
            _ => coefficient,
        });
        Self { map, ..self }
    }
}
