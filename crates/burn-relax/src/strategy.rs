use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{Baseline, Schedule, SimplexMap, check};

/// How a network is trained through a choice: every relaxation and estimator of the library as one value.
///
/// A [`Selector`](crate::Selector) carries it out, an [`audit`](crate::audit) measures its gradient, and [`label`](Self::label)
/// says what to expect. Numbers that a training may move are [`Schedule`]s; `0.1.into()` is a constant one.
///
/// # Example
///
/// ```
/// use burn_relax::{Bias, Strategy};
///
/// let label = Strategy::ReinMax { temperature: 1.0.into() }.label(5);
/// assert_eq!(label.bias, Bias::ExactToOrder { order: 2 });
/// assert_eq!((label.evaluations, label.differentiable_cost, label.stochastic), (1, true, true));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Strategy {
    /// [`free_energy_cost`](crate::free_energy_cost) of the costs of all classes.
    FreeEnergy {
        /// In the unit of the cost.
        temperature: Schedule,
    },
    /// [`expected_cost`](crate::expected_cost) of the costs of all classes.
    ExpectedCost,
    /// [`mixture_nll`](crate::mixture_nll), the cost of a class being the squared error of its Gaussian's mean.
    MixtureLikelihood {
        /// Standard deviation shared by the classes; where it is learned, the first one.
        deviation: f64,
        /// Whether the selector learns it, as a parameter of its own.
        learned: bool,
    },
    /// [`winner_takes_all_cost`](crate::winner_takes_all_cost) of the costs of all classes.
    WinnerTakesAll,
    /// The cost of the weighted value, [`soft_argmax_gather_with_map`](crate::soft_argmax_gather_with_map).
    SoftValue {
        /// Of the softmax.
        temperature: Schedule,
        /// How logits become weights.
        #[serde(default)]
        map: SimplexMap,
    },
    /// The cost of the value weighted by the [`gradual_argmax`](crate::gradual_argmax) of the probabilities, renormalised.
    GradualValue {
        /// Of the gradual argmax.
        power: Schedule,
    },
    /// The cost of the argmax's value; all values with weight share its gradient,
    /// [`soft_argmax_gather_with_map`](crate::soft_argmax_gather_with_map) with `hard`.
    HardGather {
        /// Of the backward pass.
        temperature: Schedule,
        /// How logits become weights.
        #[serde(default)]
        map: SimplexMap,
    },
    /// The cost of the argmax's value, which alone is trained, by
    /// [`straight_through_argmax_with_map`](crate::straight_through_argmax_with_map).
    StraightThroughArgmax {
        /// Of the backward pass.
        temperature: Schedule,
        /// How logits become weights.
        #[serde(default)]
        map: SimplexMap,
    },
    /// The cost of a drawn value, by [`straight_through_sample`](crate::straight_through_sample).
    StraightThroughSample {
        /// Of the distribution drawn from.
        forward_temperature: Schedule,
        /// Of the backward pass.
        backward_temperature: Schedule,
    },
    /// The cost of a relaxed or exact sample, by [`gumbel_softmax_with_map`](crate::gumbel_softmax_with_map).
    GumbelSoftmax {
        /// Of the relaxation.
        temperature: Schedule,
        /// Exact sample forward.
        hard: bool,
        /// How logits become weights.
        #[serde(default)]
        map: SimplexMap,
    },
    /// The cost of a drawn value, by [`gumbel_rao`](crate::gumbel_rao).
    GumbelRao {
        /// Of the relaxation.
        temperature: Schedule,
        /// Conditional draws, at least 1.
        draws: usize,
    },
    /// The cost of a drawn value, by [`reinmax`](crate::reinmax).
    ReinMax {
        /// Of the backward pass.
        temperature: Schedule,
    },
    /// The costs of sampled values as numbers, by [`ScoreFunctionSelector`](crate::ScoreFunctionSelector).
    ScoreFunction {
        /// Classes drawn per row, at least 1.
        samples: usize,
        /// What their costs are compared with.
        baseline: Baseline,
    },
    /// WRONG: the score function at the argmax instead of a sample. As it is often written, `-log p · cost`, its sign is a
    /// reward's too.
    GreedyScore {
        /// Whether sign and detaching are put right; it then still explores nothing.
        corrected: bool,
    },
    /// The cost of the value interpolated at the [`soft_argmax`](crate::soft_argmax) of the index, as if classes lay on a line.
    SoftIndex {
        /// Of the softmax.
        temperature: Schedule,
    },
    /// WRONG: the cost of the value at the rounded soft-argmax of the index, whose gradient for the logits is 0.
    RoundedIndex {
        /// Of the softmax.
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

/// The name of a map other than the softmax.
struct Suffix(SimplexMap);

impl fmt::Display for Suffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            SimplexMap::Softmax => Ok(()),
            SimplexMap::Sparsemax => f.write_str(", sparsemax"),
            SimplexMap::Entmax15 => f.write_str(", 1.5-entmax"),
            SimplexMap::Entmax { alpha } => write!(f, ", {alpha}-entmax"),
        }
    }
}

/// A few words, with the numbers of the first step.
impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::FreeEnergy { temperature } => write!(f, "free energy, T = {}", temperature.at(0)),
            Self::ExpectedCost => f.write_str("expected cost"),
            Self::MixtureLikelihood { deviation, learned } => {
                let learned = if learned { " learned" } else { "" };
                write!(f, "mixture likelihood, s = {deviation}{learned}")
            }
            Self::WinnerTakesAll => f.write_str("winner takes all"),
            Self::SoftValue { temperature, map } => {
                write!(f, "soft value, T = {}{}", temperature.at(0), Suffix(map))
            }
            Self::GradualValue { power } => write!(f, "gradual value, power {}", power.at(0)),
            Self::HardGather { temperature, map } => {
                write!(f, "hard gather, T = {}{}", temperature.at(0), Suffix(map))
            }
            Self::StraightThroughArgmax { temperature, map } => {
                let temperature = temperature.at(0);
                write!(
                    f,
                    "straight-through argmax, T = {temperature}{}",
                    Suffix(map)
                )
            }
            Self::StraightThroughSample {
                forward_temperature,
                backward_temperature,
            } => {
                let (forward, backward) = (forward_temperature.at(0), backward_temperature.at(0));
                write!(f, "straight-through sample, T = {forward} and {backward}")
            }
            Self::GumbelSoftmax {
                temperature,
                hard,
                map,
            } => {
                let form = if hard { "hard" } else { "soft" };
                let temperature = temperature.at(0);
                write!(f, "Gumbel-softmax {form}, T = {temperature}{}", Suffix(map))
            }
            Self::GumbelRao { temperature, draws } => {
                write!(f, "Gumbel-Rao, {draws} draws, T = {}", temperature.at(0))
            }
            Self::ReinMax { temperature } => write!(f, "ReinMax, T = {}", temperature.at(0)),
            Self::ScoreFunction { samples, baseline } => {
                let plural = if samples == 1 { "" } else { "s" };
                let baseline = match baseline {
                    Baseline::None => "no baseline",
                    Baseline::MovingAverage { .. } => "moving average",
                    Baseline::LeaveOneOut => "leave-one-out",
                    Baseline::Batch => "batch baseline",
                    Baseline::Greedy => "greedy baseline",
                };
                write!(f, "score function, {samples} sample{plural}, {baseline}")
            }
            Self::GreedyScore { corrected: false } => f.write_str("-log p(argmax) · cost"),
            Self::GreedyScore { corrected: true } => f.write_str("greedy score, sign corrected"),
            Self::SoftIndex { temperature } => write!(f, "soft index, T = {}", temperature.at(0)),
            Self::RoundedIndex { .. } => f.write_str("rounded index"),
        }
    }
}

/// What to expect of a [`Strategy`]'s gradient for the logits, as an estimate of that of the expected cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// How far its mean is from the gradient of the expected cost.
    pub bias: Bias,
    /// How often the cost is evaluated for one row.
    pub evaluations: usize,
    /// Whether the gradient for the logits flows through the cost.
    pub differentiable_cost: bool,
    /// Whether two calls differ.
    pub stochastic: bool,
}

/// How far an estimator's mean is from the gradient of the expected cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bias {
    /// Not at all, and there is no noise either.
    Exact,
    /// Not at all.
    Unbiased,
    /// Not at all for costs that are polynomials of the one-hot choice up to an order; else somewhat.
    ExactToOrder {
        /// The order.
        order: usize,
    },
    /// Somewhat.
    Biased,
    /// It is the exact gradient of another objective.
    OtherObjective,
    /// It estimates nothing; kept as a warning.
    Wrong,
}

impl fmt::Display for Bias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact => f.write_str("exact"),
            Self::Unbiased => f.write_str("unbiased"),
            Self::ExactToOrder { order } => write!(f, "exact to order {order}"),
            Self::Biased => f.write_str("biased"),
            Self::OtherObjective => f.write_str("other objective"),
            Self::Wrong => f.write_str("wrong"),
        }
    }
}

/// Whether a schedule stays at 1, the temperature at which several estimators are exact to an order.
fn is_one(schedule: Schedule) -> bool {
    matches!(schedule, Schedule::Constant { value: 1.0 })
}

impl Strategy {
    /// What to expect of it where there are `outcomes` to choose from: the classes, or all their combinations where several
    /// choices share a cost.
    #[must_use]
    pub fn label(&self, outcomes: usize) -> Label {
        let to_order = |order, at_one: Schedule| {
            if is_one(at_one) {
                Bias::ExactToOrder { order }
            } else {
                Bias::Biased
            }
        };
        let (bias, evaluations, differentiable_cost) = match *self {
            Self::ExpectedCost => (Bias::Exact, outcomes, false),
            Self::FreeEnergy { .. } | Self::MixtureLikelihood { .. } | Self::WinnerTakesAll => {
                (Bias::OtherObjective, outcomes, false)
            }
            Self::SoftValue { temperature, map }
            | Self::HardGather { temperature, map }
            | Self::StraightThroughArgmax { temperature, map } => {
                // What the choice is drawn from is the softmax.
                let bias = match map {
                    SimplexMap::Softmax => to_order(1, temperature),
                    _ => Bias::Biased,
                };
                (bias, 1, true)
            }
            Self::StraightThroughSample {
                forward_temperature,
                backward_temperature,
            } => {
                let bias = match to_order(1, backward_temperature) {
                    Bias::ExactToOrder { .. } => to_order(1, forward_temperature),
                    bias => bias,
                };
                (bias, 1, true)
            }
            Self::ReinMax { temperature } => (to_order(2, temperature), 1, true),
            Self::GradualValue { .. }
            | Self::GumbelSoftmax { .. }
            | Self::GumbelRao { .. }
            | Self::SoftIndex { .. } => (Bias::Biased, 1, true),
            Self::ScoreFunction { samples, baseline } => {
                let greedy = usize::from(baseline == Baseline::Greedy);
                (Bias::Unbiased, samples + greedy, false)
            }
            Self::GreedyScore { .. } | Self::RoundedIndex { .. } => (Bias::Wrong, 1, false),
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
        matches!(
            self,
            Self::StraightThroughSample { .. }
                | Self::GumbelSoftmax { .. }
                | Self::GumbelRao { .. }
                | Self::ReinMax { .. }
                | Self::ScoreFunction { .. }
        )
    }

    /// The domains of its numbers.
    #[track_caller]
    pub(crate) fn check(&self, op: &str) {
        let positive = |argument, schedule: Schedule| schedule.check(op, argument, check::positive);
        match *self {
            Self::SoftValue { temperature, map }
            | Self::HardGather { temperature, map }
            | Self::StraightThroughArgmax { temperature, map }
            | Self::GumbelSoftmax {
                temperature, map, ..
            } => {
                positive("temperature", temperature);
                map.check(op);
            }
            Self::FreeEnergy { temperature }
            | Self::ReinMax { temperature }
            | Self::SoftIndex { temperature }
            | Self::RoundedIndex { temperature } => positive("temperature", temperature),
            Self::GumbelRao { temperature, draws } => {
                positive("temperature", temperature);
                check::at_least(op, "draws", 1, draws);
            }
            Self::StraightThroughSample {
                forward_temperature,
                backward_temperature,
            } => {
                positive("forward_temperature", forward_temperature);
                positive("backward_temperature", backward_temperature);
            }
            Self::GradualValue { power } => positive("power", power),
            Self::MixtureLikelihood { deviation, .. } => {
                check::positive(op, "deviation", deviation);
            }
            // The score function's numbers are its own module's to check.
            Self::ScoreFunction { .. }
            | Self::ExpectedCost
            | Self::WinnerTakesAll
            | Self::GreedyScore { .. } => {}
        }
    }
}
