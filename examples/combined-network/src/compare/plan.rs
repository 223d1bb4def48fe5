//! What is compared.

use crate::backend::Backend;
use crate::cli::CompareArgs;
use crate::data::Task;
use crate::strategy::Strategy;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

const FORMAT: &str = "combined-network comparison 1";

/// Draws of an audit; fewer than the `audit` command's, for a picture.
const AUDIT_DRAWS: usize = 500;

/// All that the results depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    format: String,
    pub(super) backend: Backend,
    pub(super) strategies: Vec<Strategy>,
    pub(super) tasks: Vec<Task>,
    pub(super) seeds: u64,
    pub(super) steps: usize,
    /// Draws of the gradients' audit, which only a report has.
    pub(super) audit_draws: Option<usize>,
}

/// One piece of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Job {
    /// A training.
    Run(Strategy, Task, u64),
    /// A look at the gradients.
    Audit(Strategy),
}

impl Plan {
    pub(super) fn new(args: &CompareArgs) -> Self {
        Self {
            format: FORMAT.to_owned(),
            backend: args.backend,
            strategies: chosen(&args.strategies),
            tasks: chosen(&args.tasks),
            seeds: args.seeds,
            steps: args.steps,
            audit_draws: args.out.is_some().then_some(AUDIT_DRAWS),
        }
    }

    /// The work, in the order of the results.
    pub(super) fn jobs(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        for &strategy in &self.strategies {
            for &task in &self.tasks {
                jobs.extend((0..self.seeds).map(|seed| Job::Run(strategy, task, seed)));
            }
        }
        if self.audit_draws.is_some() {
            jobs.extend(self.strategies.iter().copied().map(Job::Audit));
        }
        jobs
    }

    /// The first option in which another plan differs, in words.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let differ = |option: &str, here: &dyn Debug, there: &dyn Debug| {
            let (here, there) = (format!("{here:?}"), format!("{there:?}"));
            (here != there).then(|| format!("{option} is {there} there and {here} here"))
        };
        differ("the format", &self.format, &other.format)
            .or_else(|| differ("--backend", &self.backend.name(), &other.backend.name()))
            .or_else(|| differ("--strategies", &self.strategies, &other.strategies))
            .or_else(|| differ("--tasks", &self.tasks, &other.tasks))
            .or_else(|| differ("--seeds", &self.seeds, &other.seeds))
            .or_else(|| differ("--steps", &self.steps, &other.steps))
            .or_else(|| differ("the audit's draws", &self.audit_draws, &other.audit_draws))
    }
}

/// What was asked for, each once, or all.
fn chosen<T: ValueEnum + Copy + PartialEq>(asked: &[T]) -> Vec<T> {
    let from = if asked.is_empty() {
        T::value_variants()
    } else {
        asked
    };
    let mut chosen = Vec::new();
    for item in from {
        if !chosen.contains(item) {
            chosen.push(*item);
        }
    }
    chosen
}
