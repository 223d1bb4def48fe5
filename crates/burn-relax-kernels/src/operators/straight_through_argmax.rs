//! Straight-through argmax: the one-hot of the argmax forward, the softmax's gradient backward.
//!
//! Forward: one pass for the maximum, one that stops there; memory reads the logits once and writes the one-hot once. Backward, from
//! the logits and their maximum: the weights pass through the output row, which stays in cache, and are summed there. Saving the
//! weights instead would move as many bytes and keep them in memory.

use super::kernels::kernels;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real};
use crate::row::access::{filled, get, prefetch};
use crate::row::choice::{choice, put_choice};
use crate::row::head::{Head, reciprocal, soft_gradient};
use crate::row::special::{fill, stored_max};
use crate::row::sums::Mean;

kernels! {
    /// The one-hot of the argmax of every row, the lowest index on ties, with two statistics: the maximum as in
    /// [`softmax`](crate::softmax()), and 1, or 0 if nothing can be chosen. The temperature is for the gradient.
    ///
    /// A row of `-inf` gives zeros, a row with NaN is NaN.
    straight_through_argmax(logits: F[n]; temperature: f64) -> (hard: F[n], stats: Acc[2])
        => struct Forward {}, work n;

    /// Gradient of [`straight_through_argmax`], that of the softmax it stands for: `p (g - <p, g>) / temperature`.
    ///
    /// Entries with `p = 0` get 0 and contribute nothing, whatever their upstream gradient. Rows with `+inf` get 0.
    straight_through_argmax_backward(logits: F[n], stats: Acc[2], grad: F[n]; temperature: f64) -> (grad_logits: F[n])
        => struct Backward {}, work n;
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.logits.width;
        for r in self.shape.rows() {
            let (choice, largest) = choice::<B, A>(self.logits.row(r, n));
            let max = stored_max(largest);
            put_choice(self.hard.row(r, n), self.stats.row(r, 2), &choice, max);
        }
    }
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.logits.width;
        let inverse_temperature = reciprocal(self.temperature);
        for r in self.shape.rows() {
            let (x, g) = (self.logits.row(r, n), self.grad.row(r, n));
            let out = self.grad_logits.row(r, n);
            let head = Head::from_stats(self.stats.row(r, 2)[0], inverse_temperature);
            if head.is_constant() {
                fill(out, A::ZERO);
                continue;
            }
            let mut mean = Mean::<A::Lanes<B>>::new();
            let weights = filled!(B, A, out, |i, k, U| {
                prefetch(x, i, k);
                prefetch(g, i, k);
                let e = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
                mean.add(e, get::<B, A, U>(g, i, k, A::ZERO));
                e
            } flush { mean.flush() });
            soft_gradient::<B, A>(weights, g, &mean, inverse_temperature);
        }
    }
}
