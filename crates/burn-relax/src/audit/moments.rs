//! First and second moments of gradients, and how far a mean is from what it should be.

/// Running mean of a gradient over draws, and the covariance within each block of it; blocks are independent.
pub(super) struct Moments {
    block: usize,
    draws: f64,
    mean: Vec<f64>,
    /// For each block, the sums of products of deviations, row-major.
    products: Vec<f64>,
}

/// A mean compared with its expectation.
pub(super) struct Comparison {
    /// Norm of the difference.
    pub(super) distance: f64,
    /// The difference in standard deviations of a normal number that is as improbable.
    pub(super) z: f64,
    /// Total variance of one draw.
    pub(super) variance: f64,
}

impl Moments {
    pub(super) fn new(len: usize, block: usize) -> Self {
        Self {
            block,
            draws: 0.0,
            mean: vec![0.0; len],
            products: vec![0.0; len * block],
        }
    }

    /// Welford's update.
    pub(super) fn add(&mut self, gradient: &[f64]) {
        self.draws += 1.0;
        let share = 1.0 / self.draws;
        let weight = (self.draws - 1.0) * share;
        let size = self.block;
        let blocks = gradient.chunks(size).zip(self.mean.chunks_mut(size));
        for ((gradient, mean), products) in blocks.zip(self.products.chunks_mut(size * size)) {
            for i in 0..size {
                for j in 0..size {
                    let product = (gradient[i] - mean[i]) * (gradient[j] - mean[j]);
                    products[i * size + j] += weight * product;
                }
            }
            for (mean, g) in mean.iter_mut().zip(gradient) {
                *mean += (g - *mean) * share;
            }
        }
    }

    pub(super) fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// How far the mean is from `expected`. Distances below `resolution` are rounding.
    ///
    /// The squared distance of a mean from its expectation is a weighted sum of squares of nearly normal numbers. It is
    /// matched in mean and variance by a multiple of a chi-square (Satterthwaite 1946), whose cube root is nearly normal
    /// (Wilson, Hilferty 1931).
    pub(super) fn compare(&self, expected: &[f64], resolution: f64) -> Comparison {
        let square = |(a, b): (&f64, &f64)| (a - b).powi(2);
        let distance = self
            .mean
            .iter()
            .zip(expected)
            .map(square)
            .sum::<f64>()
            .sqrt();
        let degrees = (self.draws - 1.0).max(1.0);
        let size = self.block;
        let (mut trace, mut trace_of_square) = (0.0, 0.0);
        for products in self.products.chunks(size * size) {
            trace += (0..size).map(|i| products[i * size + i]).sum::<f64>() / degrees;
            trace_of_square += products.iter().map(|p| (p / degrees).powi(2)).sum::<f64>();
        }
        let expected_square = trace / self.draws;
        let z = if distance <= resolution {
            0.0
        } else if expected_square.sqrt() <= resolution {
            distance / resolution
        } else {
            let freedom = trace * trace / trace_of_square;
            let spread = 2.0 / (9.0 * freedom);
            let ratio = distance * distance / expected_square;
            (ratio.cbrt() - (1.0 - spread)) / spread.sqrt()
        };
        Comparison {
            distance,
            z,
            variance: trace,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_covariance_are_those_of_the_draws() {
        let mut moments = Moments::new(2, 2);
        for gradient in [[1.0, 2.0], [3.0, 0.0], [5.0, 4.0]] {
            moments.add(&gradient);
        }
        assert_eq!(moments.mean(), [3.0, 2.0]);
        // Deviations (-2, 0), (0, -2), (2, 2): variances 4 and 4, covariance 2.
        assert_eq!(moments.products, [8.0, 4.0, 4.0, 8.0]);
        let comparison = moments.compare(&[3.0, 2.0], 0.0);
        assert_eq!(
            (comparison.distance, comparison.z, comparison.variance),
            (0.0, 0.0, 8.0)
        );
    }

    /// One degree of freedom: a mean that is off by `k` standard errors is `k` standard deviations improbable, as well as the
    /// approximation is (Wilson and Hilferty give 3 % at 3).
    #[test]
    fn z_counts_standard_errors() {
        let mut moments = Moments::new(1, 1);
        for draw in 0..100 {
            moments.add(&[if draw % 2 == 0 { 1.0 } else { -1.0 }]);
        }
        let error = (100.0_f64 / 99.0 / 100.0).sqrt();
        // P(|x| > 3) = .0027 is the upper tail at 2.78, P(|x| > 5) = 5.7e-7 that at 4.86.
        for (off, tail) in [(3.0, 2.78), (5.0, 4.86)] {
            let z = moments.compare(&[off * error], 0.0).z;
            assert!((z - tail).abs() < 0.35, "{off}: {z}");
        }
    }

    #[test]
    fn a_difference_without_noise_is_measured_by_the_resolution() {
        let mut moments = Moments::new(1, 1);
        moments.add(&[1.0]);
        assert_eq!(moments.compare(&[1.0 + 1e-9], 1e-8).z, 0.0);
        assert!(moments.compare(&[2.0], 1e-8).z > 1e7);
    }
}
