//! Target rescaling.

use serde::{Deserialize, Serialize};

/// Target rescaling: training sees targets of mean 0 and variance 1, predictions are scaled back.
///
/// Costs, rates and temperatures then mean the same for every data set, which matters most where the cost enters a
/// gradient as a factor, as it does in the score function.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// Mean of the targets.
    pub mean: f64,
    /// Standard deviation of the targets.
    pub deviation: f64,
}

impl Scaling {
    /// Leaves everything as it is.
    pub const IDENTITY: Self = Self {
        mean: 0.0,
        deviation: 1.0,
    };

    /// Mean and standard deviation of the targets.
    pub fn fit<T: Copy + Into<f64>>(targets: &[T]) -> Self {
        let count = targets.len().max(1) as f64;
        let mean = targets.iter().map(|&y| y.into()).sum::<f64>() / count;
        let variance = targets
            .iter()
            .map(|&y| (y.into() - mean).powi(2))
            .sum::<f64>()
            / count;
        let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        Self { mean, deviation }
    }

    /// A target as training sees it.
    pub fn forward(self, y: f64) -> f64 {
        (y - self.mean) / self.deviation
    }

    /// A prediction in the units of the data.
    pub fn backward(self, y: f64) -> f64 {
        y * self.deviation + self.mean
    }
}
