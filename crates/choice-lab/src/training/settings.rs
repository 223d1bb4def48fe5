//! What a run trains, and how.

use crate::data::problem::Problem;
use crate::data::samples::Samples;
use crate::data::scaling::Scaling;
use crate::data::table_config::TableConfig;
use crate::place::backend::Backend;
use crate::strategy::names::Strategy;
use crate::strategy::recipe::Recipe;
use combined_network::network::CombinedNetworkConfig;
use combined_network::task::{Rows, Task};
use serde::{Deserialize, Serialize};

/// What to train, and how.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The backend to train on.
    pub backend: Backend,
    /// The strategy to train with.
    pub strategy: Strategy,
    /// The task to train on, unless it is a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// Seed of data, parameters, minibatches and draws.
    pub seed: u64,
    /// Optimiser steps.
    pub steps: usize,
    /// Learning rate, its decay, clipping.
    pub recipe: Recipe,
}

/// What `predict` needs to know, and what a reader wants to know, of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// Which program reads it.
    pub format: String,
    /// What was trained, and how.
    pub settings: Settings,
    /// Sizes of the network.
    pub network: CombinedNetworkConfig,
    /// From the network's units to the data's.
    pub scaling: Scaling,
    /// The table it was trained on, unless that was a task's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableConfig>,
}

impl RunConfig {
    /// The format that this program writes and reads.
    pub const FORMAT: &str = "combined-network 1";

    /// The configuration of a run with these settings on this problem.
    pub fn new(settings: Settings, problem: &Problem) -> Self {
        Self {
            format: Self::FORMAT.to_owned(),
            settings,
            network: problem.network,
            scaling: Scaling::fit(&problem.splits.train.targets),
            table: problem.table.clone(),
        }
    }

    /// Rows as the network sees them.
    pub fn rescaled(&self, samples: &Samples) -> Rows {
        samples.rescaled(self.table.as_ref(), self.scaling)
    }

    /// What was trained on: the table's file, or the task.
    pub fn subject(&self) -> String {
        let task = || format!("task {}", self.settings.task.map_or("none", Task::name));
        let file = |table: &TableConfig| table.file.display().to_string();
        self.table.as_ref().map_or_else(task, file)
    }
}
