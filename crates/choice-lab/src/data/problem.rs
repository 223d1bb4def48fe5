//! What there is to train on: a generated task or a table of the user's own.

use crate::data::dataset::{Dataset, Splits, TableConfig};
use anyhow::{Context, Result, bail};
use combined_network::network::CombinedNetworkConfig;
use combined_network::task::{Task, generate};
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
    pub fn generated(task: Task, seed: u64) -> Self {
        let ([train, valid, test], _) = generate(task, seed);
        Self {
            network: task.network(),
            table: None,
            splits: Splits { train, valid, test },
        }
    }

    /// A table, for a network of so many classes and as many hidden units as for the tasks.
    pub fn table(dataset: Dataset, classes: usize) -> Self {
        Self {
            network: CombinedNetworkConfig {
                features: dataset.config.features.len(),
                classes,
                ..Task::A.network()
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
    pub fn new(file: &Path, target: &str, classes: usize) -> Result<Self> {
        Ok(Self {
            file: file.to_owned(),
            bytes: size(file)?,
            target: target.to_owned(),
            classes,
        })
    }

    /// Reads it, with a line on stderr about it.
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
