//! Rows in the units of the data, in 64 bits: the network's 32 would not tell one second of this century from the next.

use crate::data::scaling::Scaling;
use crate::data::table_config::TableConfig;
use combined_network::task::Rows;

/// Inputs and targets, row by row, in the units of the data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Samples {
    /// Features of one row.
    pub features: usize,
    /// Inputs, row-major.
    pub inputs: Vec<f64>,
    /// One target per row; none where only inputs are known.
    pub targets: Vec<f64>,
}

impl Samples {
    /// These rows, in this order.
    pub fn select(&self, rows: impl IntoIterator<Item = usize>) -> Self {
        let mut selected = Self {
            features: self.features,
            ..Self::default()
        };
        for row in rows {
            let inputs = row * self.features..(row + 1) * self.features;
            selected.inputs.extend_from_slice(&self.inputs[inputs]);
            selected.targets.push(self.targets[row]);
        }
        selected
    }

    /// The rows as a network sees them: a table's inputs standardised, the targets rescaled.
    pub fn rescaled(&self, table: Option<&TableConfig>, scaling: Scaling) -> Rows {
        let targets = self.targets.iter();
        Rows {
            features: self.features,
            inputs: match table {
                Some(table) => table.standardise(&self.inputs),
                None => self.inputs.iter().map(|x| *x as f32).collect(),
            },
            targets: targets.map(|y| scaling.forward(*y) as f32).collect(),
        }
    }
}

impl From<Rows> for Samples {
    fn from(rows: Rows) -> Self {
        let wide = |numbers: Vec<f32>| numbers.into_iter().map(f64::from).collect();
        Self {
            features: rows.features,
            inputs: wide(rows.inputs),
            targets: wide(rows.targets),
        }
    }
}
