use core::fmt;

use serde::{Deserialize, Serialize};

use super::{
    map::Map,
    relaxation::{Hardness, Noise, Relaxation, constructors},
};
use burn_relax_kernels::Seed;

use crate::{
    check::{self, Domain},
    schedule::Schedule,
};

/// What is added to the logits before they become weights; the seed comes from whoever holds the choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoiseConfig {
    /// Nothing.
    #[default]
    None,
    /// Standard Gumbel noise.
    Gumbel,
}

/// A [`Relaxation`] as plain data: what a module's config holds, with numbers that may follow a [`Schedule`].
///
/// # Example
///
/// ```
/// use burn_relax::RelaxationConfig;
///
/// let choice = RelaxationConfig::softmax(0.5).gumbel().hard();
/// let text = serde_json::to_string(&choice).unwrap();
/// assert_eq!(serde_json::from_str::<RelaxationConfig>(&text).unwrap(), choice);
/// assert_eq!(choice.to_string(), "softmax, T = 0.5, Gumbel noise, hard");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RelaxationConfig {
    /// How logits become weights. Default: the softmax at temperature 1.
    #[serde(default)]
    pub map: Map<Schedule>,
    /// What is added to the logits before. Default: nothing.
    #[serde(default)]
    pub noise: NoiseConfig,
    /// Whether the choice itself goes forward. Default: it does not.
    #[serde(default)]
    pub hardness: Hardness<Schedule>,
}

impl Default for RelaxationConfig {
    /// The softmax at temperature 1.
    fn default() -> Self {
        Self::of(Map::default())
    }
}

impl RelaxationConfig {
    constructors!(RelaxationConfig, Schedule);

    fn of(map: Map<Schedule>) -> Self {
        Self {
            map,
            noise: NoiseConfig::None,
            hardness: Hardness::Soft,
        }
    }

    /// Gumbel noise on the logits.
    #[must_use]
    pub fn gumbel(self) -> Self {
        Self {
            noise: NoiseConfig::Gumbel,
            ..self
        }
    }

    /// A class drawn from the softmax of the logits forward; the gradient of the map, at the logits without noise, backward.
    #[must_use]
    pub fn sampled(self) -> Self {
        self.sampled_at(1.0)
    }

    /// [`sampled`](Self::sampled) from `softmax(x / temperature)`; the temperature is greater than 0.
    #[must_use]
    pub fn sampled_at(self, temperature: impl Into<Schedule>) -> Self {
        Self {
            noise: NoiseConfig::Gumbel,
            hardness: Hardness::Sampled {
                temperature: temperature.into(),
            },
            ..self
        }
    }

    /// Whether it draws, and so needs a seed.
    #[must_use]
    pub fn is_stochastic(&self) -> bool {
        self.noise != NoiseConfig::None
    }

    /// The choice at a step of its schedules, counted from 0; the seed matters where it draws.
    #[must_use]
    #[track_caller]
    pub fn at<const D: usize>(&self, step: usize, seed: impl Into<Seed>) -> Relaxation<D> {
        Relaxation {
            map: self.map.at(step),
            noise: match self.noise {
                NoiseConfig::None => Noise::None,
                NoiseConfig::Gumbel => Noise::Gumbel(seed.into()),
            },
            hardness: match self.hardness {
                Hardness::Soft => Hardness::Soft,
                Hardness::Hard => Hardness::Hard,
                Hardness::Sampled { temperature } => Hardness::Sampled {
                    temperature: temperature.at(step),
                },
                Hardness::Rao { draws } => Hardness::Rao { draws },
            },
        }
    }

    /// The choice where nothing is drawn: without noise, and the argmax where it is not soft.
    #[must_use]
    pub(crate) fn at_inference<const D: usize>(&self, step: usize) -> Relaxation<D> {
        let soft = self.hardness == Hardness::Soft;
        Self {
            noise: NoiseConfig::None,
            hardness: if soft { Hardness::Soft } else { Hardness::Hard },
            ..*self
        }
        .at(step, 0)
    }

    /// The domains of its numbers, and that its parts go together.
    #[track_caller]
    pub(crate) fn check(&self, op: &str) {
        self.map.check(op);
        match self.hardness {
            Hardness::Soft | Hardness::Hard => {}
            Hardness::Sampled { temperature } => {
                temperature.check(op, "the temperature to sample at", Domain::Positive);
                check::given(op, "noise", "a sampled class", self.is_stochastic());
            }
            Hardness::Rao { draws } => {
                check::at_least(op, "draws", 1, draws);
                check::given(
                    op,
                    "noise",
                    "a Rao-Blackwellised gradient",
                    self.is_stochastic(),
                );
                check::softmax(op, matches!(self.map, Map::Softmax { .. }));
            }
        }
    }
}

/// A few words, with the numbers of the first step.
impl fmt::Display for RelaxationConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sampled = matches!(self.hardness, Hardness::Sampled { .. });
        let noise = match self.noise {
            NoiseConfig::Gumbel if !sampled => ", Gumbel noise",
            _ => "",
        };
        let hardness = match self.hardness {
            Hardness::Soft => String::new(),
            Hardness::Hard => ", hard".to_owned(),
            Hardness::Sampled { temperature } => format!(", sampled at T = {}", temperature.at(0)),
            Hardness::Rao { draws } => format!(", Rao-Blackwellised by {draws} draws"),
        };
        f.pad(&format!("{}{noise}{hardness}", self.map))
    }
}
