//! Softmax with temperature, forward and backward.
//!
//! Forward: one pass for the maximum, one for the exponentials and their sum, one to normalise; a row stays in cache between
//! them, so that memory is read once and written once. Backward: two passes over the saved output and the upstream gradient,
//! and one between them where a class dominates. Both lose to memory speed when a row and its output outgrow the last-level
//! cache.

use super::kernels::kernels;
use crate::lanes::pack::Pack;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{filled, get, lanes, put};
use crate::row::head::{Head, reciprocal, scale};
use crate::row::special::{fill, is_constant, put_stats, row_max};
use crate::row::sums::{Sum, dominated, inverse, residual, unless_zero};

kernels! {
    /// Weights `softmax(logits / temperature)` of every row, and its statistics: the maximum and the normaliser
    /// `sum exp((x - max) / temperature)`.
    ///
    /// A row with `+inf` shares the weight among those entries and stores the largest number and how many they are; a row of `-inf`
    /// stores the smallest number and 0 and has weights 0; a row with NaN is NaN. (The largest number itself as a logit counts
    /// as `+inf`.) Exponentials below the smallest normal number are 0.
    softmax(logits: F[n]; temperature: f64) -> (probs: F[n], stats: Acc[2])
        => struct Forward {}, work n;

    /// Gradient of [`softmax`]: `p * (g - <p, g>) / temperature`.
    ///
    /// Entries with `p = 0` get 0 and contribute nothing, whatever their upstream gradient. Rows with `+inf` get 0.
    softmax_backward(probs: F[n], stats: Acc[2], grad: F[n]; temperature: f64) -> (grad_logits: F[n])
        => struct Backward {}, work n;
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.logits.width;
        let inverse_temperature = reciprocal(self.temperature);
        for r in self.shape.rows() {
            let x = self.logits.row(r, n);
            let head = Head::new(row_max::<B, A>(x), inverse_temperature);
            let mut sum = Sum::<A::Lanes<B>>::new();
            let weights = filled!(B, A, self.probs.row(r, n), |i, k, U| {
                let e = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
                sum.add(e);
                e
            } flush { sum.flush() });
            let normaliser = sum.total();
            scale::<B, A>(weights, inverse(normaliser));
            put_stats(self.stats.row(r, 2), head.max, normaliser);
        }
    }
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.probs.width;
        let (zero, scale) = (A::ZERO, reciprocal::<A>(self.temperature));
        for r in self.shape.rows() {
            let (p, g, stats) = (
                self.probs.row(r, n),
                self.grad.row(r, n),
                self.stats.row(r, 2),
            );
            let out = self.grad_logits.row(r, n);
            if is_constant(stats[0]) {
                fill(out, zero);
                continue;
            }
            let mut sum = Sum::<A::Lanes<B>>::new();
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let (p, g) = (get::<B, A, U>(p, i, k, zero), get::<B, A, U>(g, i, k, zero));
                sum.add(unless_zero(p, p * g));
            } flush { sum.flush() });
            let mean = sum.total();
            let rest = if dominated(stats[1]) {
                residual::<B, A>(p, g, mean)
            } else {
                zero
            };
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let (p, g) = (get::<B, A, U>(p, i, k, zero), get::<B, A, U>(g, i, k, zero));
                let difference = (g - Pack::splat(mean)) - Pack::splat(rest);
                let d = p * difference * Pack::splat(scale);
                put::<B, A, U>(out, i, k, unless_zero(p, d));
            });
        }
    }
}
