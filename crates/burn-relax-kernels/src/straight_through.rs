//! Straight-through argmax: the one-hot of the argmax forward, the softmax's gradient backward.
//!
//! Forward: one pass for the maximum, one for the normaliser that the backward pass needs, a third that stops at the maximum; memory
//! reads the logits once and writes the one-hot once. Backward, from the logits and the row's statistics: the weights pass
//! through the output row, which stays in cache. Saving the weights instead would move as many bytes and keep them in memory.

use crate::argmax::first_equal;
use crate::distribute::run;
use crate::element::Element;
use crate::real::Real;
use crate::rows::{
    Head, Output, check_len, count_rows, get, inverse, lanes, prefetch, put, put_stats, reciprocal,
    row, row_max, unless_zero, written,
};
use crate::simd::{Backend, Pack, Region, Vector};
use crate::sums::{Sum, dominated, residual};
use core::mem::MaybeUninit;
use core::ops::Range;

struct Forward<'a, A: Real> {
    logits: &'a [A],
    n: usize,
    inverse_temperature: A,
    hard: Output<'a, A>,
    stats: Output<'a, A>,
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        for r in rows {
            let x = row(self.logits, r, n);
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (hard, stats) = unsafe { (self.hard.row(r, n), self.stats.row(r, 2)) };
            let largest = row_max::<B, A>(x);
            let head = Head::new(largest, self.inverse_temperature);
            let mut sum = Sum::<A::Lanes<B>>::new();
            lanes!(A::Lanes<B>, n, |i, k, U| {
                sum.add(head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY)));
            } flush { sum.flush() });
            let normaliser = sum.total();
            put_one_hot::<B, A>(hard, x, largest, normaliser);
            put_stats(stats, head.max, normaliser);
        }
    }
}

/// Writes the one-hot of the first entry equal to `largest`: all 0 where nothing can be chosen, all NaN in a row with NaN.
#[inline(always)]
pub(crate) fn put_one_hot<B: Backend, A: Real>(
    hard: &mut [MaybeUninit<A>],
    x: &[A],
    largest: A,
    normaliser: A,
) {
    if normaliser.is_nan() {
        hard.fill(MaybeUninit::new(A::NAN));
        return;
    }
    hard.fill(MaybeUninit::new(A::ZERO));
    if normaliser != A::ZERO {
        hard[first_equal::<B, A>(x, largest)].write(A::ONE);
    }
}

struct Backward<'a, A: Real> {
    logits: &'a [A],
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
        for r in rows {
            let (x, g) = (row(self.logits, r, n), row(self.grad, r, n));
            // SAFETY: row `r` is in this task's range and borrowed once.
            let out = unsafe { self.grad_logits.row(r, n) };
            put_soft_gradient::<B, A>(
                out,
                x,
                g,
                self.stats[2 * r],
                self.stats[2 * r + 1],
                self.inverse_temperature,
            );
        }
    }
}

/// Writes `p (g - <p, g>) / T` with `p` the softmax of `x` by its statistics; 0 in a row whose maximum says `+inf`.
#[inline(always)]
pub(crate) fn put_soft_gradient<B: Backend, A: Real>(
    out: &mut [MaybeUninit<A>],
    x: &[A],
    g: &[A],
    max: A,
    normaliser: A,
    inverse_temperature: A,
) {
    let zero = A::ZERO;
    if max == A::MAX {
        out.fill(MaybeUninit::new(zero));
        return;
    }
    let head = Head::from_stats(max, inverse_temperature);
    let mut sum = Sum::<A::Lanes<B>>::new();
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        prefetch(x, i, k);
        prefetch(g, i, k);
        let e = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
        put::<B, A, U>(out, i, k, e);
        sum.add(unless_zero(e, e * get::<B, A, U>(g, i, k, zero)));
    } flush { sum.flush() });
    let mean = sum.total() * inverse(normaliser);
    let rest = if dominated(normaliser) {
        // SAFETY: the loop above wrote every value of the row.
        residual::<B, A>(unsafe { written(out) }, g, mean)
    } else {
        zero
    };
    let factor = inverse(normaliser) * inverse_temperature;
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        // SAFETY: the loop above wrote every value of the row.
        let e = get::<B, A, U>(unsafe { written(out) }, i, k, zero);
        let g = get::<B, A, U>(g, i, k, zero);
        let d = e * ((g - Pack::splat(mean)) - Pack::splat(rest)) * Pack::splat(factor);
        put::<B, A, U>(out, i, k, unless_zero(e, d));
    });
}

/// The one-hot of the argmax of every row, the lowest index on ties, and the row's statistics as in
/// [`softmax`](crate::softmax()).
///
/// A row of `-inf` gives zeros, a row with NaN is NaN.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn straight_through_argmax<F: Element>(
    logits: &[F],
    n: usize,
    temperature: f64,
    hard: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    const KERNEL: &str = "straight_through_argmax";
    let rows = count_rows(KERNEL, logits.len(), n);
    check_len(KERNEL, "hard", hard.len(), logits.len());
    check_len(KERNEL, "stats", stats.len(), 2 * rows);
    run!(Forward, rows, n, |_first| { logits: n } {} { hard: n } { stats: 2 } {
        n: n,
        inverse_temperature: reciprocal(temperature),
    });
}

/// Gradient of [`straight_through_argmax`], that of the softmax it stands for: `p (g - <p, g>) / temperature`.
///
/// Entries with `p = 0` get 0 and contribute nothing, whatever their upstream gradient. Rows with `+inf` get 0.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn straight_through_argmax_backward<F: Element>(
    logits: &[F],
    stats: &[F::Acc],
    grad: &[F],
    n: usize,
    temperature: f64,
    grad_logits: &mut [MaybeUninit<F>],
) {
    const KERNEL: &str = "straight_through_argmax_backward";
    let rows = count_rows(KERNEL, logits.len(), n);
    check_len(KERNEL, "stats", stats.len(), 2 * rows);
    check_len(KERNEL, "grad", grad.len(), logits.len());
    check_len(KERNEL, "grad_logits", grad_logits.len(), logits.len());
    run!(Backward, rows, n, |_first| { logits: n, grad: n } { stats: 2 } { grad_logits: n } {} {
        n: n,
        inverse_temperature: reciprocal(temperature),
    });
}
