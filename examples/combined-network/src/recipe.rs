//! Learning rates and gradient clipping by strategy and task.

use crate::data::Task;
use crate::strategy::Strategy;

/// The learning rate that did best on validation among .003, .01 and .03.
///
/// Strategies that were not part of that comparison take the rate of their nearest relative.
#[must_use]
pub fn learning_rate(strategy: Strategy, task: Task) -> f64 {
    let [a, b, c, d] = match strategy {
        Strategy::SoftArgmaxGather | Strategy::Gradual => [0.03, 0.03, 0.03, 0.01],
        Strategy::StraightThrough | Strategy::GumbelHard => [0.01, 0.01, 0.01, 0.003],
        Strategy::ScoreFunction
        | Strategy::ScoreFunctionMoving
        | Strategy::ScoreFunctionGreedyBaseline => [0.01; 4],
        Strategy::ScoreFunctionLeaveOneOut => [0.003, 0.01, 0.01, 0.01],
        Strategy::ExpectedCost => [0.01, 0.03, 0.01, 0.01],
        Strategy::ExpectedCostEntropy => [0.03, 0.01, 0.01, 0.003],
        Strategy::FreeEnergy | Strategy::RoundedIndex => [0.003; 4],
        Strategy::GreedyScore => [0.03; 4],
    };
    match task {
        Task::A => a,
        Task::B => b,
        Task::C => c,
        Task::D => d,
    }
}

/// The norm that each parameter's gradient is clipped to, if any.
///
/// Only the score function is noisy enough to profit: one unlucky sample of a confident classifier multiplies a large cost.
/// Adam already divides by the gradient's own size, so for the other strategies clipping would only distort.
#[must_use]
pub fn clip(strategy: Strategy) -> Option<f64> {
    match strategy {
        Strategy::ScoreFunction
        | Strategy::ScoreFunctionMoving
        | Strategy::ScoreFunctionLeaveOneOut
        | Strategy::ScoreFunctionGreedyBaseline => Some(1.0),
        _ => None,
    }
}
