//! Soft-argmax: the expected coordinate of every row, forward and backward.
//!
//! As [`gather`](crate::gather) with values shared by all rows, which stay in cache: memory reads the logits once, and the
//! backward pass writes their gradient once.

use crate::element::Element;
use crate::gather::weighted_sum;
use crate::real::Real;
use crate::rows::{
    Head, Output, check_len, count_rows, get, inverse, lanes, put, put_stats, reciprocal, row,
    row_max, run, unless_zero,
};
use crate::simd::{Backend, Pack, Region, Vector};
use core::mem::MaybeUninit;
use core::ops::Range;

struct Forward<'a, F: Element> {
    logits: &'a [F],
    coordinates: &'a [F],
    n: usize,
    inverse_temperature: F::Acc,
    out: Output<'a, F>,
    stats: Output<'a, F::Acc>,
}

impl<F: Element> Region for Forward<'_, F> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        for r in rows {
            let x = row(self.logits, r, self.n);
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (out, stats) = unsafe { (self.out.row(r, 1), self.stats.row(r, 2)) };
            let head = Head::new(row_max::<B, F>(x), self.inverse_temperature);
            let (normaliser, weighted) = weighted_sum::<B, F>(&head, x, self.coordinates);
            out[0].write(F::from_acc(weighted * inverse(normaliser)));
            put_stats(stats, head.max, normaliser);
        }
    }
}

struct Backward<'a, F: Element> {
    logits: &'a [F],
    coordinates: &'a [F],
    stats: &'a [F::Acc],
    out: &'a [F],
    grad: &'a [F],
    n: usize,
    inverse_temperature: F::Acc,
    grad_logits: Output<'a, F>,
}

impl<F: Element> Region for Backward<'_, F> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        for r in rows {
            let x = row(self.logits, r, n);
            // SAFETY: row `r` is in this task's range and borrowed once.
            let grad_x = unsafe { self.grad_logits.row(r, n) };
            let head = Head::from_stats(self.stats[2 * r], self.inverse_temperature);
            if head.is_constant() {
                grad_x.fill(MaybeUninit::new(F::from_acc(F::Acc::ZERO)));
                continue;
            }
            let factor = inverse(self.stats[2 * r + 1]);
            let mean = self.out[r].to_acc();
            let g = self.grad[r].to_acc() * self.inverse_temperature;
            lanes!(F::Lanes<B>, n, |i, k, U| {
                let w = head.weight(get::<B, F, U>(x, i, k, F::Acc::NEG_INFINITY)) * Pack::splat(factor);
                let c = get::<B, F, U>(self.coordinates, i, k, F::Acc::ZERO);
                put::<B, F, U>(grad_x, i, k, unless_zero(w, w * (c - Pack::splat(mean)) * Pack::splat(g)));
            });
        }
    }
}

/// `out = sum_i w_i c_i` with `w = softmax(logits / temperature)` for every row, and the row's statistics as in
/// [`softmax`](crate::softmax()). A row of `-inf` gives 0.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn soft_argmax<F: Element>(
    logits: &[F],
    coordinates: &[F],
    n: usize,
    temperature: f64,
    out: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    let rows = count_rows("soft_argmax", logits.len(), n);
    check_len("soft_argmax", "coordinates", coordinates.len(), n);
    check_len("soft_argmax", "out", out.len(), rows);
    check_len("soft_argmax", "stats", stats.len(), 2 * rows);
    let region = Forward {
        logits,
        coordinates,
        n,
        inverse_temperature: reciprocal(temperature),
        out: Output::new(out),
        stats: Output::new(stats),
    };
    run!(Forward, region, rows, n);
}

/// Gradient of [`soft_argmax`]: `w_i (c_i - out) g / temperature`; 0 where the weight is 0 and in rows with `+inf`.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
#[allow(clippy::too_many_arguments)]
pub fn soft_argmax_backward<F: Element>(
    logits: &[F],
    coordinates: &[F],
    stats: &[F::Acc],
    out: &[F],
    grad: &[F],
    n: usize,
    temperature: f64,
    grad_logits: &mut [MaybeUninit<F>],
) {
    const KERNEL: &str = "soft_argmax_backward";
    let rows = count_rows(KERNEL, logits.len(), n);
    check_len(KERNEL, "coordinates", coordinates.len(), n);
    check_len(KERNEL, "stats", stats.len(), 2 * rows);
    check_len(KERNEL, "out", out.len(), rows);
    check_len(KERNEL, "grad", grad.len(), rows);
    check_len(KERNEL, "grad_logits", grad_logits.len(), logits.len());
    let region = Backward {
        logits,
        coordinates,
        stats,
        out,
        grad,
        n,
        inverse_temperature: reciprocal(temperature),
        grad_logits: Output::new(grad_logits),
    };
    run!(Backward, region, rows, n);
}
