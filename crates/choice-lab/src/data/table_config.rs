//! What is kept of a table beside a network: its columns and their standardisation.

use crate::data::scaling::Scaling;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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
    pub fn standardise(&self, inputs: &[f64]) -> Vec<f32> {
        let features = self.features.iter().cycle();
        let pairs = inputs.iter().zip(features);
        pairs
            .map(|(x, feature)| feature.scaling.forward(*x) as f32)
            .collect()
    }

    /// The features' names.
    pub fn names(&self) -> Vec<String> {
        let names = self.features.iter().map(|feature| feature.name.clone());
        names.collect()
    }
}
