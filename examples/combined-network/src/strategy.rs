//! The training strategies: one cost each, all from `burn-relax`.
//!
//! Every strategy sees the same logits, values and targets and returns the batch's mean training cost; what it may look at
//! and where its gradient comes from is the difference. Inference is the same for all: the value of the argmax class.

use burn::tensor::{Device, Tensor};
use burn_relax::{
    Baseline, Coordinates, Schedule, ScoreFunctionSelector, ScoreFunctionSelectorConfig, Seed,
    argmax, categorical_entropy, categorical_log_prob, expected_cost, free_energy_cost,
    gradual_argmax, gumbel_softmax, soft_argmax, soft_argmax_gather, softmax,
    straight_through_argmax,
};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Temperature of the free energy, in units of the rescaled cost.
const FREE_ENERGY_TEMPERATURE: f64 = 0.1;

/// How the network is trained through its choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Squared error of the softmax-weighted value: trains a blend, which the hard choice does not inherit
    SoftArgmaxGather,
    /// Hard choice forward, softmax gradient backward
    StraightThrough,
    /// A sampled hard choice forward, the Gumbel-softmax gradient backward (temperature 1)
    GumbelHard,
    /// Probabilities sharpened by the gradual argmax, power 1 to 8: the best of those that see one blended value
    Gradual,
    /// Score function (REINFORCE) of one sampled class, no baseline
    ScoreFunction,
    /// Score function with a moving-average baseline
    ScoreFunctionMoving,
    /// Score function of 4 samples, each the baseline of the others
    ScoreFunctionLeaveOneOut,
    /// Score function whose baseline is the cost of the argmax class
    ScoreFunctionGreedyBaseline,
    /// Exact expected cost over all classes: no noise, but commits to few classes early
    ExpectedCost,
    /// Exact expected cost with an entropy bonus that decays to 0
    ExpectedCostEntropy,
    /// Free energy over all classes: each class learns by its responsibility; the default, trains best
    FreeEnergy,
    /// WRONG, kept to see it fail: gathers at the rounded soft-argmax of the index, so the classifier has no gradient
    RoundedIndex,
    /// WRONG, kept to see it fail: -log p(argmax) * cost, not detached; greedy index and flipped sign
    GreedyScore,
}

/// Where in a run a cost is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Steps done before this one.
    pub index: usize,
    /// Steps of the whole run.
    pub total: usize,
    /// The run's seed, for strategies that draw.
    pub seed: u64,
}

impl Strategy {
    /// The mean training cost of a batch: `logits` and `values` are `[rows, classes]`, `targets` is `[rows, 1]`.
    ///
    /// `selector` is the one that [`Strategy::selector`] made for this run.
    pub fn cost(
        self,
        selector: Option<&ScoreFunctionSelector>,
        logits: Tensor<2>,
        values: Tensor<2>,
        targets: Tensor<2>,
        step: Step,
    ) -> Tensor<1> {
        let squared_error = |prediction: Tensor<2>| (prediction - targets.clone()).square();
        let pick = |gate: Tensor<2>, values: Tensor<2>| (gate * values).sum_dim(1);
        let cost = match self {
            Self::SoftArgmaxGather => {
                squared_error(soft_argmax_gather(logits, values, 1, 1.0, false))
            }
            Self::StraightThrough => {
                squared_error(pick(straight_through_argmax(logits, 1, 1.0), values))
            }
            Self::GumbelHard => {
                let seed = Seed {
                    key: step.seed,
                    step: step.index as u64,
                };
                squared_error(pick(gumbel_softmax(logits, 1, 1.0, true, seed), values))
            }
            Self::Gradual => {
                let power = Schedule::Exponential {
                    from: 1.0,
                    to: 8.0,
                    steps: step.total,
                }
                .at(step.index);
                let gate = gradual_argmax(softmax(logits, 1, 1.0), 1, power);
                let total = gate.clone().sum_dim(1);
                squared_error(pick(gate / total, values))
            }
            Self::ScoreFunction
            | Self::ScoreFunctionMoving
            | Self::ScoreFunctionLeaveOneOut
            | Self::ScoreFunctionGreedyBaseline => {
                let selector = selector.expect("a score-function strategy comes with its selector");
                selector.surrogate(selector.forward(logits, values), squared_error)
            }
            Self::ExpectedCost => expected_cost(logits, squared_error(values), 1),
            Self::ExpectedCostEntropy => {
                let steps = (step.total * 7 / 10).max(1);
                let weight = Schedule::Linear {
                    from: 0.2,
                    to: 0.0,
                    steps,
                }
                .at(step.index);
                let bonus = categorical_entropy(logits.clone(), 1) * weight;
                expected_cost(logits, squared_error(values), 1) - bonus
            }
            Self::FreeEnergy => {
                free_energy_cost(logits, squared_error(values), 1, FREE_ENERGY_TEMPERATURE)
            }
            Self::RoundedIndex => {
                // Nothing comes back through rounding; detached, the unused graph is not kept either.
                let index = soft_argmax(logits.detach(), 1, 1.0, Coordinates::index());
                squared_error(values.gather(1, index.round().int()))
            }
            Self::GreedyScore => {
                let index = argmax(logits.clone(), 1);
                let cost = squared_error(values.gather(1, index.clone()));
                -categorical_log_prob(logits, index, 1) * cost
            }
        };
        cost.mean()
    }

    /// The sampling module of the score-function strategies, which holds their baseline and counts their draws.
    #[must_use]
    pub fn selector(self, seed: u64, device: &Device) -> Option<ScoreFunctionSelector> {
        let (samples, baseline) = match self {
            Self::ScoreFunction => (1, Baseline::None),
            Self::ScoreFunctionMoving => (1, Baseline::MovingAverage { decay: 0.99 }),
            Self::ScoreFunctionLeaveOneOut => (4, Baseline::LeaveOneOut),
            Self::ScoreFunctionGreedyBaseline => (1, Baseline::Greedy),
            _ => return None,
        };
        let config = ScoreFunctionSelectorConfig::new()
            .with_samples(samples)
            .with_baseline(baseline)
            .with_seed(Some(seed));
        Some(config.init(device))
    }

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}
