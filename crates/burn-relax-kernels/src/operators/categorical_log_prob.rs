//! Log-probability of given classes, forward and backward.
//!
//! Forward: one pass for the maximum, one for the normaliser, then one look at each class asked for: memory reads the logits once and
//! writes next to nothing. Backward: the weights from the row's statistics, written once.

use super::kernels::kernels;
use crate::lanes::pack::Pack;
use crate::lanes::reduce::max_lanes;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{filled, get, prefetch};
use crate::row::head::{Head, normalisers, reciprocal, wide_normaliser};
use crate::row::special::{fill, put_stats};
use crate::row::sums::{dominated, unless_zero};

/// Samples of a row up to which a row that one class dominates gets the gradient of each in `f64`: it may be a small difference of
/// upstream gradients. The time goes with their square.
const CAREFUL: usize = 16;

kernels! {
    /// `ln softmax(logits)` at given classes of every row, and the row's statistics as in [`softmax`](crate::softmax()).
    ///
    /// A forbidden class (`-inf`) gives `-inf`, a row with NaN gives NaN. An index must be below `n`.
    categorical_log_prob(logits: F[n], indices: Class[samples];) -> (log_prob: F[samples], stats: Acc[2]),
        samples along indices
        => struct Forward {}, work n;

    /// Gradient of `ln softmax(logits / temperature)` at given classes: for every class the upstream gradients of the samples that are
    /// it, minus `p` times the sum of all of them, over the temperature. It is that of [`categorical_log_prob`] at a temperature
    /// of 1, and that of [`sample_categorical`](crate::sample_categorical) at its temperature.
    ///
    /// Forbidden classes get 0 and their samples do not count; rows with `+inf` get 0. An index must be below `n`.
    categorical_log_prob_backward(
        logits: F[n], indices: Class[samples], stats: Acc[2], grad: F[samples]; temperature: f64
    ) -> (grad_logits: F[n]), samples along indices
        => struct Backward {}, work n;
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let (n, samples) = (self.logits.width, self.indices.width);
        for r in self.shape.rows() {
            let x = self.logits.row(r, n);
            let (head, normaliser, log) = normalisers::<B, A>(x, A::ONE);
            for (out, &k) in self
                .log_prob
                .row(r, samples)
                .iter_mut()
                .zip(self.indices.row(r, samples))
            {
                out.write(if normaliser.is_nan() {
                    A::NAN
                } else {
                    head.exponent_of(x[k as usize]) - log
                });
            }
            put_stats(self.stats.row(r, 2), head.max, normaliser);
        }
    }
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let (n, samples) = (self.logits.width, self.indices.width);
        let scale = reciprocal::<A>(self.temperature);
        for r in self.shape.rows() {
            let (x, stats) = (self.logits.row(r, n), self.stats.row(r, 2));
            let drawn = self
                .indices
                .row(r, samples)
                .iter()
                .zip(self.grad.row(r, samples));
            let drawn = drawn.filter(|&(&k, _)| x[k as usize] != A::NEG_INFINITY);
            let out = self.grad_logits.row(r, n);
            let head = Head::from_stats(stats[0], scale);
            if head.is_constant() {
                fill(out, A::ZERO);
                continue;
            }
            let total: f64 = drawn.clone().map(|(_, g)| g.to_f64()).sum();
            let careful = dominated(stats[1]) && samples <= CAREFUL;
            let normaliser = if careful {
                wide_normaliser::<B, A>(&head, x)
            } else {
                stats[1].to_f64()
            };
            let factor = if normaliser == 0.0 {
                0.0
            } else {
                -total / normaliser
            };
            let scaled = A::from_f64(factor * scale.to_f64());
            let out = filled!(B, A, out, |i, k, U| {
                prefetch(x, i, k);
                let e = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
                unless_zero(e, e * Pack::splat(scaled))
            });
            for (&k, &g) in drawn.clone() {
                let k = k as usize;
                out[k] = if careful {
                    let same = drawn.clone().filter(|&(&other, _)| other as usize == k);
                    let weight = max_lanes(head.weight(A::Lanes::<B>::splat(x[k])));
                    let own: f64 = same.map(|(_, g)| g.to_f64()).sum();
                    A::from_f64((own + weight.to_f64() * factor) * scale.to_f64())
                } else {
                    out[k] + g * scale
                };
            }
        }
    }
}
