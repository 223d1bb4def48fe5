//! Figures over the seeds.

use crate::compare::outcome::{Outcome, Trained};
use crate::compare::plan::{Job, Plan};
use crate::strategy::names::Strategy;
use crate::strategy::recipe::Recipe;
use crate::training::report::SOLVED;
use combined_network::task::Task;
use serde::Serialize;

/// One strategy on one task.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Cell {
    pub(crate) strategy: Strategy,
    pub(crate) task: Task,
    /// None where validation chose.
    pub(crate) learning_rate: Option<f64>,
    pub(crate) mean_test_mse: f64,
    pub(crate) standard_error: f64,
    pub(crate) median_test_mse: f64,
    pub(crate) solved: usize,
    pub(crate) mean_classes_used: f64,
    pub(crate) mean_baseline_mse: f64,
    pub(crate) seeds: u64,
    pub(crate) test_mse: Vec<f64>,
}

/// The cells, strategy by strategy.
pub(crate) fn cells(plan: &Plan, outcomes: &[(Job, Outcome)]) -> Vec<Cell> {
    let pairs = plan.strategies.iter().flat_map(|&strategy| {
        let tasks = plan.tasks.iter();
        tasks.map(move |&task| (strategy, task))
    });
    pairs
        .map(|(strategy, task)| cell(plan, strategy, task, outcomes))
        .collect()
}

fn cell(plan: &Plan, strategy: Strategy, task: Task, outcomes: &[(Job, Outcome)]) -> Cell {
    let runs: Vec<&Trained> = runs_of(outcomes, strategy, task)
        .map(|(_, run)| run)
        .collect();
    let test_mse: Vec<f64> = runs.iter().map(|run| run.test_mse.0).collect();
    let mean_of = |figure: &dyn Fn(&Trained) -> f64| {
        mean(&runs.iter().map(|run| figure(run)).collect::<Vec<_>>())
    };
    Cell {
        strategy,
        task,
        learning_rate: Recipe::known(strategy, task).map(|recipe| recipe.learning_rate),
        mean_test_mse: mean(&test_mse),
        standard_error: standard_error(&test_mse),
        median_test_mse: quantile(&test_mse, 0.5),
        solved: test_mse.iter().filter(|mse| **mse < SOLVED).count(),
        mean_classes_used: mean_of(&|run| run.classes_used as f64),
        mean_baseline_mse: mean_of(&|run| run.baseline_mse.0),
        seeds: plan.seeds,
        test_mse,
    }
}

/// The trainings of a strategy on a task, with their seeds.
pub(crate) fn runs_of(
    outcomes: &[(Job, Outcome)],
    strategy: Strategy,
    task: Task,
) -> impl Iterator<Item = (u64, &Trained)> {
    outcomes.iter().filter_map(move |outcome| match outcome {
        (Job::Run(s, t, seed), Outcome::Run(run)) if (*s, *t) == (strategy, task) => {
            Some((*seed, run))
        }
        _ => None,
    })
}

/// `NaN` of nothing.
pub(crate) fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// Of the mean; 0 of one number.
fn standard_error(numbers: &[f64]) -> f64 {
    let (count, mean) = (numbers.len() as f64, mean(numbers));
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    (squares / (count - 1.0).max(1.0) / count).sqrt()
}

/// Interpolated between the two nearest ranks; `NaN` of nothing.
pub(crate) fn quantile(numbers: &[f64], share: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let rank = share * last as f64;
    let (low, high) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
    // Apart, for infinities.
    if low == high {
        low
    } else {
        low + (high - low) * rank.fract()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_textbook() {
        let numbers = [4.0, 1.0, 2.0, 3.0];
        assert_eq!(mean(&numbers), 2.5);
        assert!((standard_error(&numbers) - (5.0 / 3.0 / 4.0_f64).sqrt()).abs() < 1e-15);
        assert_eq!(standard_error(&[7.0]), 0.0);
        let quantiles = [0.0, 0.25, 0.5, 1.0].map(|share| quantile(&numbers, share));
        assert_eq!(quantiles, [1.0, 1.75, 2.5, 4.0]);
        assert!(quantile(&[], 0.5).is_nan());
        assert_eq!(quantile(&[f64::INFINITY; 2], 0.5), f64::INFINITY);
    }
}
