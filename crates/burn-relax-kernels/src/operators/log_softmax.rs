//! Log-softmax at temperature 1, forward and backward.
//!
//! Forward: maximum, sum of exponentials, then `(x - max) - ln(normaliser)`: no exponential is stored. Backward, from
//! the saved output: `g - p * sum(g)` with `p = exp(log p)`, over the allowed entries only. Rows stay in cache between the passes.

use super::kernels::kernels;
use crate::lanes::pack::Pack;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{get, lanes, put};
use crate::row::head::Head;
use crate::row::special::{fill, is_constant, put_stats, row_max};
use crate::row::sums::{CompensatedSum, Sum};

kernels! {
    /// `ln softmax(logits)` of every row, and the statistics of the row as in [`softmax`](crate::softmax()).
    ///
    /// Forbidden entries (`-inf`) give `-inf`; a row of them is all `-inf`.
    log_softmax(logits: F[n];) -> (log_probs: F[n], stats: Acc[2])
        => struct Forward {}, work n;

    /// Gradient of [`log_softmax`]: `g - p * sum(g)`.
    ///
    /// Entries whose log-probability is `-inf` get 0 and their upstream gradient is ignored. Rows with `+inf` get 0.
    log_softmax_backward(log_probs: F[n], stats: Acc[2], grad: F[n];) -> (grad_logits: F[n])
        => struct Backward {}, work n;
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.logits.width;
        for r in self.shape.rows() {
            let x = self.logits.row(r, n);
            let out = self.log_probs.row(r, n);
            let head = Head::new(row_max::<B, A>(x), A::ONE);
            let mut sum = Sum::<A::Lanes<B>>::new();
            lanes!(A::Lanes<B>, n, |i, k, U| {
                sum.add(head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY)));
            } flush { sum.flush() });
            let normaliser = sum.total();
            // A row of -inf stays -inf: subtracting ln 0 would give NaN.
            let log = if normaliser == A::ZERO {
                0.0
            } else {
                sum.wide_total().ln()
            };
            if head.is_constant() {
                let log = A::from_f64(log);
                lanes!(A::Lanes<B>, n, |i, k, U| {
                    let x = get::<B, A, U>(x, i, k, A::NEG_INFINITY);
                    put::<B, A, U>(out, i, k, head.exponent(x) - Pack::splat(log));
                });
            } else {
                // Their sum in two parts, so that only one rounding is seen.
                let whole = head.max.to_f64() + log;
                let high = A::from_f64(whole);
                let low = A::from_f64((head.max.to_f64() - high.to_f64()) + log);
                lanes!(A::Lanes<B>, n, |i, k, U| {
                    let x = get::<B, A, U>(x, i, k, A::NEG_INFINITY);
                    put::<B, A, U>(out, i, k, (x - Pack::splat(high)) - Pack::splat(low));
                });
            }
            put_stats(self.stats.row(r, 2), head.max, normaliser);
        }
    }
}

/// `x` where the log-probability is not `-inf`, else 0.
#[inline(always)]
fn unless_forbidden<V: Vector>(log_prob: V, x: V) -> V {
    V::select(
        log_prob.ne(V::splat(V::Scalar::NEG_INFINITY)),
        x,
        V::splat(V::Scalar::ZERO),
    )
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.log_probs.width;
        for r in self.shape.rows() {
            let (l, g) = (self.log_probs.row(r, n), self.grad.row(r, n));
            let out = self.grad_logits.row(r, n);
            if is_constant(self.stats.row(r, 2)[0]) {
                fill(out, A::ZERO);
                continue;
            }
            let mut sum = CompensatedSum::<A::Lanes<B>>::new();
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let l = get::<B, A, U>(l, i, k, A::NEG_INFINITY);
                let g = get::<B, A, U>(g, i, k, A::ZERO);
                sum.add(unless_forbidden(l, g));
            });
            let total = A::from_f64(sum.total());
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let l = get::<B, A, U>(l, i, k, A::NEG_INFINITY);
                let g = get::<B, A, U>(g, i, k, A::ZERO);
                let d = l.exp().mul_add(Pack::splat(A::ZERO - total), g);
                put::<B, A, U>(out, i, k, unless_forbidden(l, d));
            });
        }
    }
}
