//! A table of the user's own: its columns, its standardisation and its split.

use crate::data::number_file::NumberFile;
use crate::data::random::order;
use crate::data::scaling::Scaling;
use anyhow::{Result, bail};
use combined_network::task::Rows;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// A fifth of the rows is for the test and a fifth for validation: with these, two each.
const FEWEST_ROWS: usize = 10;
/// How files say that a number is missing.
const MISSING: [&str; 6] = ["", "na", "n/a", "null", "none", "?"];

/// The three parts of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Splits {
    /// Rows to train on.
    pub train: Rows,
    /// Rows to follow the training with.
    pub valid: Rows,
    /// Rows for the final figure.
    pub test: Rows,
}

/// Where a table came from, and what its columns are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableConfig {
    /// The file it was read from.
    pub file: PathBuf,
    /// Name of the column to predict.
    pub target: String,
    /// The columns to predict it from, in the order of the network's inputs.
    pub features: Vec<Feature>,
}

/// A column to predict from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Its name in the header.
    pub name: String,
    /// Mean and standard deviation over the rows trained on.
    pub scaling: Scaling,
}

impl TableConfig {
    /// Gives every feature mean 0 and standard deviation 1, measured on the rows trained on.
    pub fn standardise(&self, mut rows: Rows) -> Rows {
        let features = self.features.iter().cycle();
        for (x, feature) in rows.inputs.iter_mut().zip(features) {
            *x = feature.scaling.forward(f64::from(*x)) as f32;
        }
        rows
    }

    /// The features' names.
    pub fn names(&self) -> Vec<String> {
        let names = self.features.iter().map(|feature| feature.name.clone());
        names.collect()
    }
}

/// A table, split, in its own units.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its columns.
    pub config: TableConfig,
    /// Its rows.
    pub splits: Splits,
    /// Columns that hold text and are passed over.
    pub passed_over: Vec<String>,
}

impl Dataset {
    /// Reads a CSV file with a header. Columns whose first row is text are passed over, all others are features.
    pub fn read(path: &Path, target: &str, seed: u64) -> Result<Self> {
        let mut file = NumberFile::open(path, &format!("with the column {target}"))?;
        check_names(&file)?;
        let target = file.column(target)?;
        let name = path.display();
        if !file.advance()? {
            bail!("{name}: there are no rows below the header");
        }
        let columns = 0..file.names().len();
        let (text, features): (Vec<_>, Vec<_>) = columns
            .filter(|&column| column != target)
            .partition(|&column| is_text(file.text(column)));
        if features.is_empty() {
            bail!("{name}: no column but the target holds numbers");
        }
        let mut rows = Rows {
            features: features.len(),
            ..Rows::default()
        };
        loop {
            for &column in &features {
                rows.inputs.push(file.number(column)?);
            }
            rows.targets.push(file.number(target)?);
            if !file.advance()? {
                break;
            }
        }
        if rows.targets.len() < FEWEST_ROWS {
            bail!(
                "{name}: {} rows are too few to split; at least {FEWEST_ROWS} are needed",
                rows.targets.len()
            );
        }
        let splits = split(&rows, seed);
        let feature = |(index, &column): (usize, &usize)| Feature {
            name: file.names()[column].clone(),
            scaling: fit(&splits.train, index),
        };
        Ok(Self {
            config: TableConfig {
                file: path.to_owned(),
                target: file.names()[target].clone(),
                features: features.iter().enumerate().map(feature).collect(),
            },
            passed_over: text.iter().map(|&at| file.names()[at].clone()).collect(),
            splits,
        })
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Splits { train, valid, test } = &self.splits;
        let [train, valid, test] = [train, valid, test].map(|rows| rows.targets.len());
        write!(
            f,
            "{}: {} rows, of them {train} to train, {valid} to validate, {test} to test; {} from {}",
            self.config.file.display(),
            train + valid + test,
            self.config.target,
            self.config.names().join(", ")
        )?;
        if !self.passed_over.is_empty() {
            write!(f, "; passed over as text: {}", self.passed_over.join(", "))?;
        }
        Ok(())
    }
}

/// Columns are told apart by their names.
fn check_names(file: &NumberFile) -> Result<()> {
    let mut seen = HashSet::new();
    for (place, name) in file.names().iter().enumerate() {
        if name.is_empty() {
            return Err(file.failed(format!("column {} has no name", place + 1)));
        }
        if !seen.insert(name) {
            return Err(file.failed(format!("two columns have the name {name}")));
        }
    }
    Ok(())
}

/// Text is what is neither a number nor says that a number is missing.
fn is_text(field: &str) -> bool {
    field.parse::<f64>().is_err() && !MISSING.contains(&field.to_ascii_lowercase().as_str())
}

/// Three fifths to train on, one to validate on, one to test on, by chance.
fn split(rows: &Rows, seed: u64) -> Splits {
    let count = rows.targets.len();
    let order = order(seed, count);
    let (test, rest) = order.split_at(count / 5);
    let (valid, train) = rest.split_at(count / 5);
    let [train, valid, test] = [train, valid, test].map(|part| rows.select(part.iter().copied()));
    Splits { train, valid, test }
}

/// Mean and deviation of one feature; a column of one number over and over keeps scale 1.
fn fit(rows: &Rows, feature: usize) -> Scaling {
    let column = rows.inputs.iter().skip(feature).step_by(rows.features);
    let column: Vec<f32> = column.copied().collect();
    if column.iter().all(|x| *x == column[0]) {
        return Scaling {
            mean: column[0].into(),
            deviation: 1.0,
        };
    }
    Scaling::fit(&column)
}
