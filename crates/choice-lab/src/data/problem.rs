//! What there is to train on: a generated task or a table of the user's own.

use crate::data::dataset::{Dataset, Splits};
use crate::data::table_config::TableConfig;
use anyhow::{Result, bail};
use combined_network::network::CombinedNetworkConfig;
use combined_network::task::{Task, generate};
use serde::{Deserialize, Serialize};
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
    /// The regime of each row to train on, which only an oracle may know; of a table nobody does.
    pub regimes: Option<Vec<usize>>,
}

impl Problem {
    /// A generated task.
    pub fn generated(task: Task, seed: u64) -> Self {
        let ([train, valid, test], regime_of) = generate(task, seed);
        let inputs: Vec<f64> = train.inputs.iter().copied().map(f64::from).collect();
        let regimes = inputs.chunks(train.features).map(regime_of).collect();
        Self {
            regimes: Some(regimes),
            network: task.network(),
            table: None,
            splits: Splits {
                train: train.into(),
                valid: valid.into(),
                test: test.into(),
            },
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
            regimes: None,
        }
    }
}

/// A table to read, now and again when its run is resumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSource {
    file: PathBuf,
    /// The file's fingerprint, by which a change is noticed.
    sha256: String,
    target: String,
    /// Classes of the network for it.
    pub classes: usize,
}

impl TableSource {
    /// The table in a file, and what it holds.
    pub fn open(file: &Path, target: &str, classes: usize, seed: u64) -> Result<(Self, Problem)> {
        let dataset = read(file, target, seed)?;
        let source = Self {
            file: file.to_owned(),
            sha256: dataset.fingerprint.clone(),
            target: target.to_owned(),
            classes,
        };
        Ok((source, Problem::table(dataset, classes)))
    }

    /// Reads it again.
    pub fn read(&self, seed: u64) -> Result<Problem> {
        let dataset = read(&self.file, &self.target, seed)?;
        if dataset.fingerprint != self.sha256 {
            bail!(
                "{} has changed since the run began: its SHA-256 was {} and is {}",
                self.file.display(),
                self.sha256,
                dataset.fingerprint
            );
        }
        Ok(Problem::table(dataset, self.classes))
    }
}

/// Reads a table, with a line on stderr about it.
fn read(file: &Path, target: &str, seed: u64) -> Result<Dataset> {
    let dataset = Dataset::read(file, target, seed)?;
    let _ = writeln!(stderr(), "{dataset}");
    Ok(dataset)
}
