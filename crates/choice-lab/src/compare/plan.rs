//! What is compared.

use crate::place::backend::Backend;
use crate::strategy::names::Strategy;
use clap::ValueEnum;
use combined_network::task::Task;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// All that the results depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    pub(crate) format: String,
    pub(crate) backend: Backend,
    pub(crate) strategies: Vec<Strategy>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) seeds: u64,
    /// The first of them.
    #[serde(default)]
    pub(crate) first_seed: u64,
    pub(crate) steps: usize,
    /// Draws of the gradients' audit, which only a report has.
    pub(crate) audit_draws: Option<usize>,
}

/// One piece of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Job {
    /// A training.
    Run(Strategy, Task, u64),
    /// A look at the gradients.
    Audit(Strategy),
}

impl Plan {
    /// The format that this program writes and reads.
    pub(crate) const FORMAT: &str = "combined-network comparison 1";
    /// Draws of an audit; fewer than the `audit` command's, for a picture.
    pub(crate) const AUDIT_DRAWS: usize = 500;

    /// The work, in the order of the results.
    pub(crate) fn jobs(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        for &strategy in &self.strategies {
            for &task in &self.tasks {
                let seeds = (0..self.seeds).map(|index| self.first_seed + index);
                jobs.extend(seeds.map(|seed| Job::Run(strategy, task, seed)));
            }
        }
        if self.audit_draws.is_some() {
            // What is taught has no gradient of the expected cost to be measured.
            let audited = self.strategies.iter().filter(|s| **s != Strategy::Oracle);
            jobs.extend(audited.copied().map(Job::Audit));
        }
        jobs
    }

    /// The first option in which another plan differs, in words.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let differ = |option: &str, here: &dyn Debug, there: &dyn Debug| {
            let (here, there) = (format!("{here:?}"), format!("{there:?}"));
            (here != there).then(|| format!("{option} is {there} there and {here} here"))
        };
        differ("the format", &self.format, &other.format)
            .or_else(|| differ("--backend", &self.backend.name(), &other.backend.name()))
            .or_else(|| differ("--strategies", &self.strategies, &other.strategies))
            .or_else(|| differ("--tasks", &self.tasks, &other.tasks))
            .or_else(|| differ("--seeds", &self.seeds, &other.seeds))
            .or_else(|| differ("--first-seed", &self.first_seed, &other.first_seed))
            .or_else(|| differ("--steps", &self.steps, &other.steps))
            .or_else(|| differ("the audit's draws", &self.audit_draws, &other.audit_draws))
    }
}

/// What was asked for, each once, or all.
pub(crate) fn chosen<T: ValueEnum + Copy + PartialEq>(asked: &[T]) -> Vec<T> {
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
