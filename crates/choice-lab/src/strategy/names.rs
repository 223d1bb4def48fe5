//! The training strategies by name: each is one value of the library's [`Strategy`](burn_relax::Strategy), and with some an
//! entropy bonus.
//!
//! Every strategy sees the same logits, values and targets; what it may look at and where its gradient comes from is the
//! difference. Inference is the same for all: the value of the argmax class.

use crate::strategy::trainer::{Method, Trainer};
use crate::strategy::wrong::Wrong;
use burn::tensor::Device;
use burn_relax::nn::{Baseline, SelectorConfig};
use burn_relax::{RelaxationConfig, Schedule, Strategy as Library};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Temperature of the free energy, in units of the rescaled cost, that is of the targets' variance.
const FREE_ENERGY_TEMPERATURE: f64 = 0.1;

/// Where the recommended strategy's temperature ends: twice the variance of the noise, at which the free energy is the
/// likelihood of the data.
const FINAL_TEMPERATURE: f64 = 0.005;

/// Where the rising temperature ends: the free energy is the expected cost there, as good as.
const EXPECTED_TEMPERATURE: f64 = 10.0;

/// Entropy bonus at the first step, in the same unit, and the share of the steps after which nothing is left of it.
const ENTROPY: (f64, f64) = (0.2, 0.7);

/// How the network is trained through its choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The recommended one: free energy whose temperature falls from .1 to .005 in the first half of the steps
    Auto,
    /// Squared error of the softmax-weighted value: trains a blend, which the hard choice does not inherit
    SoftArgmaxGather,
    /// The same with a temperature that falls from 1 to .1
    SoftArgmaxGatherAnnealed,
    /// Squared error of the value weighted by 1.5-entmax: classes far behind neither count nor learn
    SparseArgmaxGather,
    /// The argmax's value forward, the softmax-weighted value's gradient backward: every value learns, chosen or not
    HardArgmaxGather,
    /// The argmax's value forward, which alone learns; softmax gradient backward
    StraightThrough,
    /// The same with the gradient of 1.5-entmax: classes far behind get none
    StraightThroughSparse,
    /// A sampled hard choice forward, softmax gradient backward
    StraightThroughSample,
    /// A sampled hard choice forward, the Gumbel-softmax gradient backward (temperature 1)
    GumbelHard,
    /// The same at temperature .5
    GumbelHardCold,
    /// The same at temperature 2
    GumbelHardWarm,
    /// Gumbel-softmax at temperature 1, hard, with an entropy bonus that decays to 0
    GumbelHardEntropy,
    /// A relaxed sample, temperature .5: trains a blend
    GumbelSoft,
    /// Gumbel-softmax at temperature 1, hard, its noise averaged out over 8 draws
    GumbelRao,
    /// Second-order straight-through: unbiased for the squared error (temperature 1)
    Reinmax,
    /// The same at temperature 1.3
    ReinmaxWarm,
    /// The same at temperature 2
    ReinmaxHot,
    /// The same at temperature 1.3, with an entropy bonus that decays to 0
    ReinmaxEntropy,
    /// Probabilities sharpened by the gradual argmax, power 1 to 8: the best of those that see one blended value
    Gradual,
    /// Interpolation at the soft-argmax of the index, as if classes lay on a line
    SoftIndex,
    /// The same at temperature .01
    SoftIndexCold,
    /// Score function (REINFORCE) of one sampled class, no baseline
    ScoreFunction,
    /// Score function with a moving-average baseline
    ScoreFunctionMoving,
    /// Score function whose baseline is the mean cost of the other rows
    ScoreFunctionBatch,
    /// The same with an entropy bonus that decays to 0
    ScoreFunctionBatchEntropy,
    /// Score function of 4 samples, each the baseline of the others
    ScoreFunctionLeaveOneOut,
    /// The same with an entropy bonus that decays to 0
    ScoreFunctionLeaveOneOutEntropy,
    /// Score function whose baseline is the cost of the argmax class
    ScoreFunctionGreedyBaseline,
    /// Exact expected cost over all classes: no noise, but commits to few classes early
    ExpectedCost,
    /// Exact expected cost with an entropy bonus that decays to 0
    ExpectedCostEntropy,
    /// Free energy over all classes at temperature .1: each class learns by its responsibility
    FreeEnergy,
    /// Free energy whose temperature rises from .1 to 10: classes specialise, then the classifier learns what is cheapest
    FreeEnergyRising,
    /// Likelihood of a mixture of Gaussians, whose width is learned: a free energy that finds its temperature
    MixtureLikelihood,
    /// Only the best class of each row learns, and the classifier to predict it
    WinnerTakesAll,
    /// A bound, no way to train: knows the regime of every row of a task and teaches it to the classifier
    Oracle,
    /// WRONG, kept to see it fail: gathers at the rounded soft-argmax of the index, so the classifier has no gradient
    RoundedIndex,
    /// WRONG, kept to see it fail: -log p(argmax) * cost, not detached; greedy index and flipped sign
    GreedyScore,
    /// WRONG, kept to see it fail: the same with its sign and detaching put right; it still never explores
    GreedyScoreCorrected,
}

impl Strategy {
    /// How it is carried out in a run of so many steps.
    pub fn method(self, steps: usize) -> Method {
        let steps = steps.max(1);
        let moving = |from: f64, to: f64| Schedule::Exponential { from, to, steps };
        let score = |samples, baseline| Library::ScoreFunction { samples, baseline };
        let reinmax = |temperature: f64| Library::ReinMax {
            temperature: temperature.into(),
        };
        let softmax = |temperature: f64| RelaxationConfig::softmax(temperature);
        let sparse = RelaxationConfig::entmax15(1.0);
        let gather = Library::Gather;
        Method::Library(match self {
            Self::Auto => Library::FreeEnergy {
                temperature: Schedule::Exponential {
                    from: FREE_ENERGY_TEMPERATURE,
                    to: FINAL_TEMPERATURE,
                    steps: steps.div_ceil(2),
                },
            },
            Self::SoftArgmaxGather => gather(softmax(1.0)),
            Self::SoftArgmaxGatherAnnealed => gather(RelaxationConfig::softmax(moving(1.0, 0.1))),
            Self::SparseArgmaxGather => gather(sparse),
            Self::HardArgmaxGather => Library::BlendedGather(softmax(1.0).hard()),
            Self::StraightThrough => gather(softmax(1.0).hard()),
            Self::StraightThroughSparse => gather(sparse.hard()),
            Self::StraightThroughSample => gather(softmax(1.0).sampled()),
            Self::GumbelHard | Self::GumbelHardEntropy => gather(softmax(1.0).gumbel().hard()),
            Self::GumbelHardCold => gather(softmax(0.5).gumbel().hard()),
            Self::GumbelHardWarm => gather(softmax(2.0).gumbel().hard()),
            Self::GumbelSoft => gather(softmax(0.5).gumbel()),
            Self::GumbelRao => gather(softmax(1.0).gumbel().rao(8)),
            Self::Reinmax => reinmax(1.0),
            Self::ReinmaxWarm | Self::ReinmaxEntropy => reinmax(1.3),
            Self::ReinmaxHot => reinmax(2.0),
            Self::Gradual => gather(RelaxationConfig::gradual(moving(1.0, 8.0))),
            Self::SoftIndex => Library::SoftArgmax {
                temperature: 1.0.into(),
            },
            Self::SoftIndexCold => Library::SoftArgmax {
                temperature: 0.01.into(),
            },
            Self::ScoreFunction => score(1, Baseline::None),
            Self::ScoreFunctionMoving => score(1, Baseline::MovingAverage { decay: 0.99 }),
            Self::ScoreFunctionBatch | Self::ScoreFunctionBatchEntropy => score(1, Baseline::Batch),
            Self::ScoreFunctionLeaveOneOut | Self::ScoreFunctionLeaveOneOutEntropy => {
                score(4, Baseline::LeaveOneOut)
            }
            Self::ScoreFunctionGreedyBaseline => score(1, Baseline::Greedy),
            Self::ExpectedCost | Self::ExpectedCostEntropy => Library::Expected,
            Self::FreeEnergy => Library::FreeEnergy {
                temperature: FREE_ENERGY_TEMPERATURE.into(),
            },
            Self::FreeEnergyRising => Library::FreeEnergy {
                temperature: moving(FREE_ENERGY_TEMPERATURE, EXPECTED_TEMPERATURE),
            },
            Self::MixtureLikelihood => Library::Mixture {
                deviation: 1.0,
                learned: true,
            },
            Self::WinnerTakesAll => Library::WinnerTakesAll,
            Self::Oracle => return Method::Taught,
            Self::RoundedIndex => return Method::Wrong(Wrong::RoundedIndex),
            Self::GreedyScore => return Method::Wrong(Wrong::GreedyScore),
            Self::GreedyScoreCorrected => return Method::Wrong(Wrong::GreedyScoreCorrected),
        })
    }

    /// The weight of its entropy bonus in a run of so many steps.
    pub fn entropy_weight(self, steps: usize) -> Schedule {
        let (from, share) = ENTROPY;
        match self {
            Self::GumbelHardEntropy
            | Self::ReinmaxEntropy
            | Self::ScoreFunctionBatchEntropy
            | Self::ScoreFunctionLeaveOneOutEntropy
            | Self::ExpectedCostEntropy => Schedule::Linear {
                from,
                to: 0.0,
                steps: ((steps as f64 * share) as usize).max(1),
            },
            _ => 0.0.into(),
        }
    }

    /// The choice of a network that is trained this way, for a run of so many steps.
    pub fn trainer(self, seed: u64, steps: usize, device: &Device) -> Trainer {
        let (strategy, wrong) = match self.method(steps) {
            Method::Library(strategy) => (strategy, None),
            Method::Taught => (Library::default(), None),
            Method::Wrong(wrong) => (Library::default(), Some(wrong)),
        };
        let selector = SelectorConfig::new()
            .with_strategy(strategy)
            .with_entropy_weight(self.entropy_weight(steps))
            .with_seed(Some(seed))
            .with_reproducible(true)
            .init(device);
        Trainer::new(selector, wrong)
    }

    /// The name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}
