//! Soft-argmax: the expected coordinate of every row, forward and backward.
//!
//! As the gather with values shared by all rows, which stay in cache: memory reads the logits once, and the backward pass
//! writes their gradient once.

use super::kernels::kernels;
use crate::lanes::pack::Pack;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{get, lanes, put};
use crate::row::head::{Head, reciprocal};
use crate::row::special::{fill, put_stats};
use crate::row::sums::{dominated, inverse, unless_zero};
use crate::row::weighted::{Weighted, residual};

kernels! {
    /// `output = sum_i w_i c_i` with `w = softmax(logits / temperature)` for every row, and the row's statistics as in
    /// [`softmax`](crate::softmax()). A row of `-inf` gives 0.
    soft_argmax(logits: F[n], coordinates: Shared[n]; temperature: f64) -> (output: F[1], stats: Acc[2])
        => struct Forward {}, work n;

    /// Gradient of [`soft_argmax`]: `w_i (c_i - output) g / temperature`; 0 where the weight is 0 and in rows with `+inf`.
    soft_argmax_backward(
        logits: F[n], coordinates: Shared[n], stats: Acc[2], output: F[1], grad: F[1]; temperature: f64
    ) -> (grad_logits: F[n])
        => struct Backward {}, work n;
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.logits.width;
        let inverse_temperature = reciprocal(self.temperature);
        for r in self.shape.rows() {
            let (x, c) = (self.logits.row(r, n), self.coordinates.all(n));
            let total = Weighted::new::<B>(x, c, inverse_temperature);
            self.output.set(r, total.mean());
            put_stats(self.stats.row(r, 2), total.max, total.normaliser);
        }
    }
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.logits.width;
        let inverse_temperature = reciprocal::<A>(self.temperature);
        for r in self.shape.rows() {
            let (x, c, stats) = (
                self.logits.row(r, n),
                self.coordinates.all(n),
                self.stats.row(r, 2),
            );
            let (mean, g) = (self.output.one(r), self.grad.one(r));
            let grad_x = self.grad_logits.row(r, n);
            let head = Head::from_stats(stats[0], inverse_temperature);
            if head.is_constant() {
                fill(grad_x, A::ZERO);
                continue;
            }
            let factor = inverse(stats[1]);
            let rest = if dominated(stats[1]) {
                residual::<B, A>(&head, x, c, mean)
            } else {
                A::ZERO
            };
            let g = g * inverse_temperature;
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let w = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY)) * Pack::splat(factor);
                let c = get::<B, A, U>(c, i, k, A::ZERO);
                let difference = (c - Pack::splat(mean)) - Pack::splat(rest);
                put::<B, A, U>(
                    grad_x,
                    i,
                    k,
                    unless_zero(w, w * difference * Pack::splat(g)),
                );
            });
        }
    }
}
