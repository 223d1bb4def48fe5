//! Straight-through argmax: the one-hot of the argmax forward, the softmax's gradient backward.
//!
//! Forward: one pass for the maximum, one that stops there; memory reads the logits once and writes the one-hot once. Backward, from
//! the logits and their maximum: the weights pass through the output row, which stays in cache, and are summed there. Saving the
//! weights instead would move as many bytes and keep them in memory.

use crate::argmax::{Choice, choice};
use crate::distribute::run;
use crate::element::Element;
use crate::real::Real;
use crate::rows::{
    Head, Output, check_len, count_rows, get, inverse, lanes, prefetch, put, put_stats, reciprocal,
    row, unless_zero, written,
};
use crate::simd::{Backend, Pack, Region, Vector};
use crate::sums::{Mean, dominated, residual};
use core::mem::MaybeUninit;
use core::ops::Range;

struct Forward<'a, A: Real> {
    logits: &'a [A],
    n: usize,
    hard: Output<'a, A>,
    stats: Output<'a, A>,
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        for r in rows {
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (hard, stats) = unsafe { (self.hard.row(r, n), self.stats.row(r, 2)) };
            let (choice, largest) = choice::<B, A>(row(self.logits, r, n));
            put_choice(hard, stats, &choice, Head::new(largest, A::ONE).max);
        }
    }
}

/// Writes the one-hot of a choice, all 0 if it is nothing, all NaN if it is unknown, and its statistics: `max` and whether anything
/// can be chosen.
#[inline(always)]
pub(crate) fn put_choice<A: Real>(
    hard: &mut [MaybeUninit<A>],
    stats: &mut [MaybeUninit<A>],
    choice: &Choice,
    max: A,
) {
    let (fill, possible) = match choice {
        Choice::Class(_) => (A::ZERO, A::ONE),
        Choice::Nothing => (A::ZERO, A::ZERO),
        Choice::Unknown => (A::NAN, A::NAN),
    };
    hard.fill(MaybeUninit::new(fill));
    if let &Choice::Class(k) = choice {
        hard[k].write(A::ONE);
    }
    put_stats(stats, max, possible);
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
            let head = Head::from_stats(self.stats[2 * r], self.inverse_temperature);
            if head.is_constant() {
                out.fill(MaybeUninit::new(A::ZERO));
                continue;
            }
            let mut mean = Mean::<A::Lanes<B>>::new();
            lanes!(A::Lanes<B>, n, |i, k, U| {
                prefetch(x, i, k);
                prefetch(g, i, k);
                let e = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
                put::<B, A, U>(out, i, k, e);
                mean.add(e, get::<B, A, U>(g, i, k, A::ZERO));
            } flush { mean.flush() });
            // SAFETY: the loop above wrote every value of the row.
            unsafe { put_soft_gradient::<B, A>(out, g, &mean, self.inverse_temperature) };
        }
    }
}

/// Replaces the weights `w` in a row by `w / W (g - mean) / T`, `W` their sum.
///
/// # Safety
/// Every value of the row has been written.
#[inline(always)]
pub(crate) unsafe fn put_soft_gradient<B: Backend, A: Real>(
    out: &mut [MaybeUninit<A>],
    g: &[A],
    mean: &Mean<A::Lanes<B>>,
    inverse_temperature: A,
) {
    let (zero, total, about) = (A::ZERO, mean.weight(), mean.value());
    let rest = if dominated(total) {
        // SAFETY: the caller's promise.
        residual::<B, A>(unsafe { written(out) }, g, about)
    } else {
        zero
    };
    let factor = inverse(total) * inverse_temperature;
    lanes!(A::Lanes<B>, g.len(), |i, k, U| {
        // SAFETY: as above.
        let w = get::<B, A, U>(unsafe { written(out) }, i, k, zero);
        let g = get::<B, A, U>(g, i, k, zero);
        let d = w * ((g - Pack::splat(about)) - Pack::splat(rest)) * Pack::splat(factor);
        put::<B, A, U>(out, i, k, unless_zero(w, d));
    });
}

/// The one-hot of the argmax of every row, the lowest index on ties, with two statistics: the maximum as in
/// [`softmax`](crate::softmax()), and 1, or 0 if nothing can be chosen.
///
/// A row of `-inf` gives zeros, a row with NaN is NaN.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn straight_through_argmax<F: Element>(
    logits: &[F],
    n: usize,
    hard: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    const KERNEL: &str = "straight_through_argmax";
    let rows = count_rows(KERNEL, logits.len(), n);
    check_len(KERNEL, "hard", hard.len(), logits.len());
    check_len(KERNEL, "stats", stats.len(), 2 * rows);
    run!(Forward, rows, n, |_first| { logits: n } {} { hard: n } { stats: 2 } { n: n });
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
