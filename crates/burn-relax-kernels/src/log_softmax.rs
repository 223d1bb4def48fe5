//! Log-softmax at temperature 1, forward and backward.
//!
//! Forward: maximum, sum of exponentials, then `(x - max) - ln(normaliser)`: no exponential is stored. Backward, from
//! the saved output: `g - p * sum(g)` with `p = exp(log p)`, over the allowed entries only. Rows stay in cache between the passes.

use crate::distribute::run;
use crate::element::Element;
use crate::math::exp;
use crate::real::Real;
use crate::rows::{Head, Output, check_len, count_rows, get, lanes, put, put_stats, row, row_max};
use crate::simd::{Backend, Pack, Region, Vector};
use crate::sums::{CompensatedSum, Sum};
use core::mem::MaybeUninit;
use core::ops::Range;

struct Forward<'a, A: Real> {
    logits: &'a [A],
    n: usize,
    log_probs: Output<'a, A>,
    stats: Output<'a, A>,
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        for r in rows {
            let x = row(self.logits, r, n);
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (out, stats) = unsafe { (self.log_probs.row(r, n), self.stats.row(r, 2)) };
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
            put_stats(stats, head.max, normaliser);
        }
    }
}

struct Backward<'a, A: Real> {
    log_probs: &'a [A],
    stats: &'a [A],
    grad: &'a [A],
    n: usize,
    grad_logits: Output<'a, A>,
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
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        for r in rows {
            let (l, g) = (row(self.log_probs, r, n), row(self.grad, r, n));
            // SAFETY: row `r` is in this task's range and borrowed once.
            let out = unsafe { self.grad_logits.row(r, n) };
            if self.stats[2 * r] == A::MAX {
                out.fill(MaybeUninit::new(A::ZERO));
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
                let d = exp(l).mul_add(Pack::splat(A::ZERO - total), g);
                put::<B, A, U>(out, i, k, unless_forbidden(l, d));
            });
        }
    }
}

/// `ln softmax(logits)` of every row, and the statistics of the row as in [`softmax`](crate::softmax()).
///
/// Forbidden entries (`-inf`) give `-inf`; a row of them is all `-inf`.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn log_softmax<F: Element>(
    logits: &[F],
    n: usize,
    log_probs: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    let rows = count_rows("log_softmax", logits.len(), n);
    check_len("log_softmax", "log_probs", log_probs.len(), logits.len());
    check_len("log_softmax", "stats", stats.len(), 2 * rows);
    run!(Forward, rows, n, |_first| { logits: n } {} { log_probs: n } { stats: 2 } { n: n });
}

/// Gradient of [`log_softmax`]: `g - p * sum(g)`.
///
/// Entries whose log-probability is `-inf` get 0 and their upstream gradient is ignored. Rows with `+inf` get 0.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn log_softmax_backward<F: Element>(
    log_probs: &[F],
    stats: &[F::Acc],
    grad: &[F],
    n: usize,
    grad_logits: &mut [MaybeUninit<F>],
) {
    let rows = count_rows("log_softmax_backward", log_probs.len(), n);
    check_len("log_softmax_backward", "stats", stats.len(), 2 * rows);
    check_len("log_softmax_backward", "grad", grad.len(), log_probs.len());
    check_len(
        "log_softmax_backward",
        "grad_logits",
        grad_logits.len(),
        log_probs.len(),
    );
    run!(Backward, rows, n, |_first| { log_probs: n, grad: n } { stats: 2 } { grad_logits: n } {} { n: n });
}
