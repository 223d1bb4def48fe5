use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    check::{self, Domain},
    estimate::{Baseline, Bias, Label},
    relax::{Hardness, Map, NoiseConfig, RelaxationConfig},
    schedule::Schedule,
};

/// How a network is trained through a choice: every relaxation and estimator of the library as one value.
///
/// A [`Selector`](crate::nn::Selector) carries it out, an [`audit`](crate::audit) measures its gradient, and [`label`](Self::label)
/// says what to expect. Numbers that a training may move are [`Schedule`]s; a number converts into a constant one, in JSON too.
///
/// # Example
///
/// ```
/// use burn_relax::{RelaxationConfig, Strategy, estimate::Bias};
///
/// let label = Strategy::ReinMax { temperature: 1.0.into() }.label(5);
/// assert_eq!(label.bias, Bias::ExactToOrder { order: 2 });
/// assert_eq!((label.evaluations, label.differentiable_cost, label.stochastic), (1, true, true));
///
/// let gumbel = Strategy::Gather(RelaxationConfig::softmax(1).gumbel().hard());
/// assert_eq!(gumbel.to_string(), "gather: softmax, T = 1, Gumbel noise, hard");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub enum Strategy {
    /// [`free_energy_loss`](crate::loss::free_energy_loss) of the costs of all classes.
    FreeEnergy {
        /// Temperature in the unit of the cost, greater than 0.
        temperature: Schedule,
    },
    /// [`expected_loss`](crate::loss::expected_loss) of the costs of all classes.
    Expected,
    /// [`mixture_loss`](crate::loss::mixture_loss), the cost of a class being the squared error of its Gaussian's mean.
    Mixture {
        /// Standard deviation shared by the classes, greater than 0; where it is learned, the first one.
        deviation: f64,
        /// Whether the selector learns it, as a parameter.
        #[serde(default)]
        learned: bool,
    },
    /// [`winner_takes_all_loss`](crate::loss::winner_takes_all_loss) of the costs of all classes.
    WinnerTakesAll,
    /// Cost of the value that a choice gathers, [`Relaxation::gather`](crate::Relaxation::gather): a blend where it is soft, the
    /// chosen or drawn value, which alone is trained, where it is hard.
    Gather(RelaxationConfig),
    /// Cost of the chosen value; all values share its gradient,
    /// [`Relaxation::blended_gather`](crate::Relaxation::blended_gather). It trains worse than [`Gather`](Self::Gather).
    BlendedGather(RelaxationConfig),
    /// Cost of a drawn value, by [`reinmax`](crate::relax::reinmax).
    ReinMax {
        /// Temperature of the backward pass, greater than 0.
        temperature: Schedule,
    },
    /// Costs of sampled values as numbers, by [`ScoreFunctionSelector`](crate::nn::ScoreFunctionSelector).
    ScoreFunction {
        /// Classes drawn per row, at least 1.
        samples: usize,
        /// What their costs are compared with.
        #[serde(default)]
        baseline: Baseline,
    },
    /// Cost of the value interpolated at the [`soft_argmax`](crate::soft_argmax) of the index, as if classes lay on a line.
    SoftArgmax {
        /// Temperature of the softmax, greater than 0.
        temperature: Schedule,
    },
}

impl Default for Strategy {
    /// The free energy at temperature .1, for costs in units of the targets' variance.
    fn default() -> Self {
        Self::FreeEnergy {
            temperature: 0.1.into(),
        }
    }
}

/// A few words, with the numbers of the first step.
impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&match *self {
            Self::FreeEnergy { temperature } => format!("free energy, T = {}", temperature.at(0)),
            Self::Expected => "expected cost".to_owned(),
            Self::Mixture { deviation, learned } => {
                let learned = if learned { " learned" } else { "" };
                format!("mixture likelihood, s = {deviation}{learned}")
            }
            Self::WinnerTakesAll => "winner takes all".to_owned(),
            Self::Gather(relaxation) => format!("gather: {relaxation}"),
            Self::BlendedGather(relaxation) => format!("blended gather: {relaxation}"),
            Self::ReinMax { temperature } => format!("ReinMax, T = {}", temperature.at(0)),
            Self::ScoreFunction { samples, baseline } => {
                let plural = if samples == 1 { "" } else { "s" };
                let baseline = match baseline {
                    Baseline::None => "no baseline",
                    Baseline::MovingAverage { .. } => "moving average",
                    Baseline::LeaveOneOut => "leave-one-out",
                    Baseline::Batch => "batch baseline",
                    Baseline::Greedy => "greedy baseline",
                };
                format!("score function, {samples} sample{plural}, {baseline}")
            }
            Self::SoftArgmax { temperature } => format!("soft-argmax, T = {}", temperature.at(0)),
        })
    }
}

/// Whether a schedule stays at 1, the temperature at which several estimators are exact to an order.
fn is_one(schedule: Schedule) -> bool {
    matches!(schedule, Schedule::Constant { value: 1.0 })
}

/// `order` where all these temperatures stay at 1.
fn to_order(order: usize, at_one: &[Schedule]) -> Bias {
    if at_one.iter().copied().all(is_one) {
        Bias::ExactToOrder { order }
    } else {
        Bias::Biased
    }
}

/// The bias of a gathered value. What the choice is drawn from is the softmax, so that other maps are biased.
fn gathered(relaxation: RelaxationConfig) -> Bias {
    let Map::Softmax { temperature } = relaxation.map else {
        return Bias::Biased;
    };
    match (relaxation.hardness, relaxation.noise) {
        (Hardness::Soft | Hardness::Hard, NoiseConfig::None) => to_order(1, &[temperature]),
        (Hardness::Sampled { temperature: drawn }, _) => to_order(1, &[temperature, drawn]),
        _ => Bias::Biased,
    }
}

impl Strategy {
    /// What to expect of it where there are `outcomes` to choose from: the classes, or all their combinations where several
    /// choices share a cost.
    #[must_use]
    pub fn label(&self, outcomes: usize) -> Label {
        let (bias, evaluations, differentiable_cost) = match *self {
            Self::Expected => (Bias::Exact, outcomes, false),
            Self::FreeEnergy { .. } | Self::Mixture { .. } | Self::WinnerTakesAll => {
                (Bias::OtherObjective, outcomes, false)
            }
            Self::Gather(relaxation) | Self::BlendedGather(relaxation) => {
                (gathered(relaxation), 1, true)
            }
            Self::ReinMax { temperature } => (to_order(2, &[temperature]), 1, true),
            Self::SoftArgmax { .. } => (Bias::Biased, 1, true),
            Self::ScoreFunction { samples, baseline } => {
                let greedy = usize::from(baseline == Baseline::Greedy);
                (Bias::Unbiased, samples + greedy, false)
            }
        };
        Label {
            bias,
            evaluations,
            differentiable_cost,
            stochastic: self.is_stochastic(),
        }
    }

    /// Whether it draws, and so needs a seed to be reproducible.
    #[must_use]
    pub fn is_stochastic(&self) -> bool {
        match self {
            Self::Gather(relaxation) | Self::BlendedGather(relaxation) => {
                relaxation.is_stochastic()
            }
            Self::ReinMax { .. } | Self::ScoreFunction { .. } => true,
            _ => false,
        }
    }

    /// The domains of its numbers.
    #[track_caller]
    pub(crate) fn check(&self, op: &str) {
        match *self {
            Self::FreeEnergy { temperature }
            | Self::ReinMax { temperature }
            | Self::SoftArgmax { temperature } => {
                temperature.check(op, "temperature", Domain::Positive);
            }
            Self::Gather(relaxation) | Self::BlendedGather(relaxation) => relaxation.check(op),
            Self::Mixture { deviation, .. } => check::positive(op, "deviation", deviation),
            // The score function's numbers are its own module's to check.
            Self::ScoreFunction { .. } | Self::Expected | Self::WinnerTakesAll => {}
        }
    }
}
