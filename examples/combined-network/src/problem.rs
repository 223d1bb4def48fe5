//! What there is to train on: a generated task or a table of the user's own.

use crate::data::{Splits, Task, generate};
use crate::dataset::{Dataset, TableConfig};
use crate::network::CombinedNetworkConfig;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};

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

/// A table to read, now and again when its run is resumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSource {
    file: PathBuf,
    /// The file's size, by which a change would be noticed.
    bytes: u64,
    target: String,
    classes: usize,
}

impl TableSource {
    /// The table in a file.
    ///
    /// # Errors
    ///
    /// If the file is not there.
    pub fn new(file: &Path, target: &str, classes: usize) -> Result<Self> {
        Ok(Self {
            file: file.to_owned(),
            bytes: size(file)?,
            target: target.to_owned(),
            classes,
        })
    }

    /// Reads it, with a line on stderr about it.
    ///
    /// # Errors
    ///
    /// If the file has changed, or does not hold such a table.
    pub fn read(&self, seed: u64) -> Result<Problem> {
        let bytes = size(&self.file)?;
        if bytes != self.bytes {
            bail!(
                "{} has changed since the run began: it had {} bytes and has {bytes}",
                self.file.display(),
                self.bytes
            );
        }
        let dataset = Dataset::read(&self.file, &self.target, seed)?;
        writeln!(stderr(), "{dataset}")?;
        Ok(Problem::table(dataset, self.classes))
    }
}

fn size(file: &Path) -> Result<u64> {
    let found = fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(found.len())
}
