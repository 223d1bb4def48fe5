//! The gradual argmax over its sum.
//!
//! Forward: maximum, powers and their sum, then the division; the row stays in cache. Backward: the gradient that arrives at the gradual
//! argmax is `(g - <y, g>) / sum`, and the rest is that operator's. Arithmetic binds.

use super::gradual_argmax::{groups, of_power, sharpened, slope};
use super::kernels::kernels;
use crate::lanes::pack::Pack;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{filled, get, lanes, poke, put};
use crate::row::head::scale;
use crate::row::powers::{top_slope, top_value, unit_max};
use crate::row::special::{fill, max_and_nan, put_stats};
use crate::row::sums::{Mean, Sum, inverse, residual};

/// Work of an element of the gradient of the power.
const OF_POWER: usize = 8;

kernels! {
    /// [`gradual_argmax`](crate::gradual_argmax) of every row over its sum, and two statistics: the maximum of `v`, and that sum.
    ///
    /// `power` holds one value for all rows or one per row. The domain is `0 <= v <= 1`, `p > 0`; values outside count as
    /// its ends. A row of zeros gives zeros, a row with NaN becomes NaN.
    normalised_gradual_argmax(values: F[n], power: One[1];) -> (output: F[n], stats: Acc[2])
        => struct Forward {}, work 3 * n;

    /// Gradient of [`normalised_gradual_argmax`]: what [`gradual_argmax_backward`](crate::gradual_argmax_backward) makes of
    /// `(g - <y, g>) / sum`. Rows of zeros get 0.
    normalised_gradual_argmax_backward(values: F[n], power: One[1], output: F[n], stats: Acc[2], grad: F[n]; of_power: bool)
        -> (grad_values: F[n], grad_power: F[1])
        => struct Backward {}, work (4 + if of_power { OF_POWER } else { 0 }) * n;
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.values.width;
        for r in self.shape.rows() {
            let (v, p) = (self.values.row(r, n), self.power.one(r));
            let (out, stats) = (self.output.row(r, n), self.stats.row(r, 2));
            let (largest, nan) = max_and_nan::<B, A>(v);
            if nan {
                fill(out, A::NAN);
                put_stats(stats, A::NAN, A::NAN);
                continue;
            }
            let largest = unit_max(largest);
            let top = top_value(largest, p);
            let mut sum = Sum::<A::Lanes<B>>::new();
            let gates = filled!(B, A, out, |i, k, U| {
                let v = get::<B, A, U>(v, i, k, A::ZERO);
                // Lanes beyond the row are 0, and 0 stays 0.
                let y = sharpened(v, (largest, top), p);
                sum.add(y);
                y
            } flush { sum.flush() });
            let sum = sum.total();
            scale::<B, A>(gates, inverse(sum));
            put_stats(stats, largest, sum);
        }
    }
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.values.width;
        let mut arriving = Vec::new();
        for group in groups(self.shape.rows(), n) {
            arriving.clear();
            arriving.resize(group.len() * n, A::ZERO);
            for (r, arriving) in group.clone().zip(arriving.chunks_exact_mut(n)) {
                let (v, p) = (self.values.row(r, n), self.power.one(r));
                let (y, g) = (self.output.row(r, n), self.grad.row(r, n));
                let stats = self.stats.row(r, 2);
                let (largest, sum) = (stats[0], stats[1]);
                let grad_v = self.grad_values.row(r, n);
                // A NaN fills the row; of no weights there is no gradient, whatever arrives.
                if sum.is_nan() || sum == A::ZERO {
                    fill(grad_v, sum);
                    continue;
                }
                let (mean, inverse) = (mean::<B, A>(y, g), inverse(sum));
                let top = top_slope(largest, p);
                lanes!(A::Lanes<B>, n, |i, k, U| {
                    let difference = get::<B, A, U>(g, i, k, A::ZERO) - Pack::splat(mean.0);
                    let g = (difference - Pack::splat(mean.1)) * Pack::splat(inverse);
                    poke(arriving, i, k, g);
                    let slope = slope(get::<B, A, U>(v, i, k, A::ZERO), (largest, top), p);
                    put::<B, A, U>(grad_v, i, k, g * slope);
                });
            }
            if self.of_power {
                let powers: Vec<f64> = group.clone().map(|r| self.power.one(r).to_f64()).collect();
                let values = self.values.rows(group.clone());
                for (r, sum) in group.zip(of_power::<B, A>(values, &arriving, &powers)) {
                    self.grad_power.set(r, A::from_f64(sum));
                }
            }
        }
        if !self.of_power {
            fill(self.grad_power.all(), A::ZERO);
        }
    }
}

/// The mean of `g` by the weights of a row, and what rounding takes from it.
#[inline(always)]
fn mean<B: Backend, A: Real>(y: &[A], g: &[A]) -> (A, A) {
    let mut mean = Mean::<A::Lanes<B>>::new();
    lanes!(A::Lanes<B>, y.len(), |i, k, U| {
        mean.add(get::<B, A, U>(y, i, k, A::ZERO), get::<B, A, U>(g, i, k, A::ZERO));
    } flush { mean.flush() });
    let mean = mean.value();
    (mean, residual::<B, A>(y, g, mean))
}
