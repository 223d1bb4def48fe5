//! Target rescaling.

use serde::{Deserialize, Serialize};

/// The part of the largest distance from the mean that rounding may shift the mean by.
const ROUNDING: f64 = 1e-9;

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
        let mean_of = |number: &dyn Fn(f64) -> f64| {
            let numbers = targets.iter().map(|&y| number(y.into()));
            numbers.sum::<f64>() / count
        };
        let mut mean = mean_of(&|y| y);
        let farthest = |mean: f64| {
            let distances = targets.iter().map(|&y| (y.into() - mean).abs());
            distances.fold(0.0, f64::max)
        };
        // What the rounding of a large sum has left of the offset.
        let rest = mean_of(&|y| y - mean);
        if rest.abs() > ROUNDING * farthest(mean) {
            mean += rest;
        }
        let variance = mean_of(&|y| (y - mean).powi(2));
        let deviation = match farthest(mean) {
            0.0 => 1.0,
            _ if variance.is_normal() => variance.sqrt(),
            // Squares that leave the range of the numbers.
            unit => unit * mean_of(&|y| ((y - mean) / unit).powi(2)).sqrt(),
        };
        Self { mean, deviation }
    }

    /// Whether numbers can be scaled there and back.
    pub fn is_sound(self) -> bool {
        self.mean.is_finite() && self.deviation.is_finite() && self.deviation > 0.0
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_sizes_do_not_matter() {
        for (offset, size) in [
            (0.0, 1.0),
            (1.7e9, 1.0),
            (1.7e18, 1e9),
            (-3e38, 1e30),
            (0.0, 1e-200),
            (0.0, 1e-30),
        ] {
            let targets: Vec<f64> = (0..1000)
                .map(|i| offset + size * f64::from(i % 7))
                .collect();
            let scaling = Scaling::fit(&targets);
            let scaled: Vec<f64> = targets.iter().map(|y| scaling.forward(*y)).collect();
            let again = Scaling::fit(&scaled);
            assert!(again.mean.abs() < 1e-6, "{offset} {size}: {again:?}");
            assert!(
                (again.deviation - 1.0).abs() < 1e-6,
                "{offset} {size}: {again:?}"
            );
        }
    }

    #[test]
    fn one_number_over_and_over_keeps_its_scale() {
        let scaling = Scaling::fit(&[1.7e9; 3]);
        assert_eq!((scaling.mean, scaling.deviation), (1.7e9, 1.0));
    }
}
