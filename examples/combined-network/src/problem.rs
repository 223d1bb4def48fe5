//! What there is to train on: a generated task or a table of the user's own.

use crate::data::{Splits, Task, generate};
use crate::dataset::{Dataset, TableConfig};
use crate::network::CombinedNetworkConfig;

/// Rows to learn from, and the network for them.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Sizes of the network.
    pub network: CombinedNetworkConfig,
    /// The table, if it is one.
    pub table: Option<TableConfig>,
    /// The rows, in their own units.
    pub splits: Splits,
}

impl Problem {
    /// A generated task.
    #[must_use]
    pub fn generated(task: Task, seed: u64) -> Self {
        Self {
            network: CombinedNetworkConfig::new(task),
            table: None,
            splits: generate(task, seed),
        }
    }

    /// A table, for a network of so many classes and as many hidden units as for the tasks.
    #[must_use]
    pub fn table(dataset: Dataset, classes: usize) -> Self {
        let sizes = CombinedNetworkConfig::new(Task::A);
        Self {
            network: CombinedNetworkConfig {
                features: dataset.config.features.len(),
                classes,
                ..sizes
            },
            table: Some(dataset.config),
            splits: dataset.splits,
        }
    }
}
