//! Softmax with temperature, forward and backward.
//!
//! Forward: one pass for the maximum, one for the exponentials and their sum, one to normalise; a row stays in cache between
//! them, so that memory is read once and written once. Backward: two passes over the saved output and the upstream gradient,
//! and one between them where a class dominates. Both lose to memory speed when a row and its output outgrow the last-level
//! cache.

use crate::distribute::run;
use crate::element::Element;
use crate::real::Real;
use crate::rows::{
    Head, Output, check_len, count_rows, get, inverse, lanes, put, put_stats, reciprocal, row,
    row_max, unless_zero, written,
};
use crate::simd::{Backend, Pack, Region, Vector};
use crate::sums::{Sum, dominated, residual};
use core::mem::MaybeUninit;
use core::ops::Range;

struct Forward<'a, A: Real> {
    logits: &'a [A],
    n: usize,
    inverse_temperature: A,
    probs: Output<'a, A>,
    stats: Output<'a, A>,
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        for r in rows {
            let x = row(self.logits, r, n);
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (probs, stats) = unsafe { (self.probs.row(r, n), self.stats.row(r, 2)) };
            let head = Head::new(row_max::<B, A>(x), self.inverse_temperature);
            let mut sum = Sum::<A::Lanes<B>>::new();
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let e = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
                sum.add(e);
                put::<B, A, U>(probs, i, k, e);
            } flush { sum.flush() });
            let normaliser = sum.total();
            let factor = inverse(normaliser);
            lanes!(A::Lanes<B>, n, |i, k, U| {
                // SAFETY: the loop above wrote every value of the row.
                let e = get::<B, A, U>(unsafe { written(probs) }, i, k, A::ZERO);
                put::<B, A, U>(probs, i, k, e * Pack::splat(factor));
            });
            put_stats(stats, head.max, normaliser);
        }
    }
}

struct Backward<'a, A: Real> {
    probs: &'a [A],
    stats: &'a [A],
    grad: &'a [A],
    n: usize,
    inverse_temperature: A,
    grad_logits: Output<'a, A>,
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        let zero = A::ZERO;
        for r in rows {
            let (p, g) = (row(self.probs, r, n), row(self.grad, r, n));
            // SAFETY: row `r` is in this task's range and borrowed once.
            let out = unsafe { self.grad_logits.row(r, n) };
            if self.stats[2 * r] == A::MAX {
                out.fill(MaybeUninit::new(zero));
                continue;
            }
            let mut sum = Sum::<A::Lanes<B>>::new();
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let (p, g) = (get::<B, A, U>(p, i, k, zero), get::<B, A, U>(g, i, k, zero));
                sum.add(unless_zero(p, p * g));
            } flush { sum.flush() });
            let mean = sum.total();
            let rest = if dominated(self.stats[2 * r + 1]) {
                residual::<B, A>(p, g, mean)
            } else {
                zero
            };
            let scale = self.inverse_temperature;
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let (p, g) = (get::<B, A, U>(p, i, k, zero), get::<B, A, U>(g, i, k, zero));
                put::<B, A, U>(
                    out,
                    i,
                    k,
                    unless_zero(
                        p,
                        p * ((g - Pack::splat(mean)) - Pack::splat(rest)) * Pack::splat(scale),
                    ),
                );
            });
        }
    }
}

/// Weights `softmax(logits / temperature)` of every row, and the statistics of the row.
///
/// `stats` receives the maximum and the normaliser `sum exp((x - max) / temperature)` of each row, side by side. A row
/// with `+inf` shares the weight among those entries and stores `Acc::MAX` and their number; a row of `-inf` stores
/// `Acc::MIN` and 0 and has weights 0; a row with NaN is NaN. (`Acc::MAX` itself as a logit counts as `+inf`.) Exponentials below
/// the smallest normal number are 0.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn softmax<F: Element>(
    logits: &[F],
    n: usize,
    temperature: f64,
    probs: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    let rows = count_rows("softmax", logits.len(), n);
    check_len("softmax", "probs", probs.len(), logits.len());
    check_len("softmax", "stats", stats.len(), 2 * rows);
    run!(Forward, rows, n, |_first| { logits: n } {} { probs: n } { stats: 2 } {
        n: n,
        inverse_temperature: reciprocal(temperature),
    });
}

/// Gradient of [`softmax`]: `p * (g - <p, g>) / temperature`.
///
/// Entries with `p = 0` get 0 and contribute nothing, whatever their upstream gradient. Rows with `+inf` get 0.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn softmax_backward<F: Element>(
    probs: &[F],
    stats: &[F::Acc],
    grad: &[F],
    n: usize,
    temperature: f64,
    grad_logits: &mut [MaybeUninit<F>],
) {
    let rows = count_rows("softmax_backward", probs.len(), n);
    check_len("softmax_backward", "stats", stats.len(), 2 * rows);
    check_len("softmax_backward", "grad", grad.len(), probs.len());
    check_len(
        "softmax_backward",
        "grad_logits",
        grad_logits.len(),
        probs.len(),
    );
    run!(Backward, rows, n, |_first| { probs: n, grad: n } { stats: 2 } { grad_logits: n } {} {
        n: n,
        inverse_temperature: reciprocal(temperature),
    });
}
