//! A table of the user's own: its rows and their split.

use crate::data::column::{Column, Kind};
use crate::data::number_file::NumberFile;
use crate::data::random::order;
use crate::data::samples::Samples;
use crate::data::scaling::Scaling;
use crate::data::table_config::{Feature, TableConfig};
use anyhow::{Result, bail};
use std::collections::HashSet;
use std::fmt;
use std::path::Path;

/// A fifth of the rows is for the test and a fifth for validation: with these, two each.
const FEWEST_ROWS: usize = 10;

/// The three parts of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Splits {
    /// Rows to train on.
    pub train: Samples,
    /// Rows to follow the training with.
    pub valid: Samples,
    /// Rows for the final figure.
    pub test: Samples,
}

/// A table, split, in its own units.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its columns.
    pub config: TableConfig,
    /// Its rows.
    pub splits: Splits,
    /// Columns that hold no numbers to learn from.
    pub passed_over: Vec<String>,
    /// The fingerprint of the file.
    pub fingerprint: String,
}

impl Dataset {
    /// Reads a CSV file with a header. Columns of text are passed over, all others are features.
    pub fn read(path: &Path, target: &str, seed: u64) -> Result<Self> {
        let mut file = NumberFile::open(path, &format!("with the column {target}"))?;
        check_names(&file)?;
        let target = file.column(target)?;
        let name = path.display();
        let header = file.place().cloned();
        let named = file.names().iter().enumerate();
        let mut columns: Vec<_> = named
            .map(|(place, name)| Column::new(place, name))
            .collect();
        let mut numbers = Vec::new();
        while file.advance()? {
            for (place, column) in columns.iter_mut().enumerate() {
                numbers.push(column.add(&file, place));
            }
        }
        if numbers.is_empty() {
            bail!("{name}: there are no rows below the header");
        }
        let kinds: Vec<_> = columns.iter().map(Column::kind).collect();
        let unnamed = |&place: &usize| file.names()[place].is_empty() && kinds[place].is_data();
        if let Some(place) = (0..columns.len()).find(unnamed) {
            let problem = format!("column {} has no name", place + 1);
            return Err(file.error(header.as_ref(), &problem));
        }
        let is_feature = |&place: &usize| place != target && kinds[place] == Kind::Numbers;
        let features: Vec<_> = (0..columns.len()).filter(is_feature).collect();
        if features.is_empty() {
            bail!("{name}: no column but the target holds numbers");
        }
        let used = features.iter().chain([&target]);
        let wrong = used.filter_map(|&place| Some((place, columns[place].wrong.as_ref()?)));
        if let Some((place, wrong)) = wrong.min_by_key(|(_, wrong)| wrong.byte()) {
            return Err(file.no_number(wrong.place.as_ref(), place, &wrong.text));
        }
        let samples = select(&numbers, columns.len(), &features, target);
        drop(numbers);
        if samples.targets.len() < FEWEST_ROWS {
            bail!(
                "{name}: {} rows are too few to split; at least {FEWEST_ROWS} are needed",
                samples.targets.len()
            );
        }
        let splits = split(&samples, seed);
        let feature = |(index, &column): (usize, &usize)| Feature {
            name: file.names()[column].clone(),
            scaling: fit(&splits.train, index),
        };
        let names = file.names();
        let others = (0..columns.len()).filter(|place| *place != target && !is_feature(place));
        Ok(Self {
            config: TableConfig {
                file: path.to_owned(),
                target: names[target].clone(),
                features: features.iter().enumerate().map(feature).collect(),
            },
            passed_over: others
                .filter_map(|place| kinds[place].passed_over(place, &names[place]))
                .collect(),
            splits,
            fingerprint: file.fingerprint(),
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
            write!(f, "; passed over: {}", self.passed_over.join(", "))?;
        }
        Ok(())
    }
}

/// Columns are told apart by their names. Only what holds no data may have none.
fn check_names(file: &NumberFile) -> Result<()> {
    let mut seen = HashSet::new();
    for name in file.names().iter().filter(|name| !name.is_empty()) {
        if !seen.insert(name) {
            return Err(file.failed(format!("two columns have the name {name}")));
        }
    }
    Ok(())
}

/// The features and the target of rows of so many numbers.
fn select(numbers: &[f64], columns: usize, features: &[usize], target: usize) -> Samples {
    let mut samples = Samples {
        features: features.len(),
        ..Samples::default()
    };
    for row in numbers.chunks(columns) {
        samples
            .inputs
            .extend(features.iter().map(|&place| row[place]));
        samples.targets.push(row[target]);
    }
    samples
}

/// Three fifths to train on, one to validate on, one to test on, by chance.
fn split(rows: &Samples, seed: u64) -> Splits {
    let count = rows.targets.len();
    let order = order(seed, count);
    let (test, rest) = order.split_at(count / 5);
    let (valid, train) = rest.split_at(count / 5);
    let [train, valid, test] = [train, valid, test].map(|part| rows.select(part.iter().copied()));
    Splits { train, valid, test }
}

/// Mean and deviation of one feature; a column of one number over and over keeps scale 1.
fn fit(rows: &Samples, feature: usize) -> Scaling {
    let column = rows.inputs.iter().skip(feature).step_by(rows.features);
    let column: Vec<f64> = column.copied().collect();
    if column.iter().all(|x| *x == column[0]) {
        return Scaling {
            mean: column[0],
            deviation: 1.0,
        };
    }
    Scaling::fit(&column)
}
