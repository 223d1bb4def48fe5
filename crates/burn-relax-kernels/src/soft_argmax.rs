//! Soft-argmax: the expected coordinate of every row, forward and backward.
//!
//! As [`gather`](crate::gather) with values shared by all rows, which stay in cache: memory reads the logits once, and the
//! backward pass writes their gradient once.

use crate::distribute::run;
use crate::element::Element;
use crate::gather::{Weighted, residual};
use crate::real::Real;
use crate::rows::{
    Head, Output, check_len, count_rows, get, inverse, lanes, put, put_stats, reciprocal, row,
    unless_zero,
};
use crate::simd::{Backend, Pack, Region, Vector};
use crate::sums::dominated;
use core::mem::MaybeUninit;
use core::ops::Range;

struct Forward<'a, A: Real> {
    logits: &'a [A],
    coordinates: &'a [A],
    n: usize,
    inverse_temperature: A,
    out: Output<'a, A>,
    stats: Output<'a, A>,
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        for r in rows {
            let x = row(self.logits, r, self.n);
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (out, stats) = unsafe { (self.out.row(r, 1), self.stats.row(r, 2)) };
            let total = Weighted::new::<B>(x, self.coordinates, self.inverse_temperature);
            out[0].write(total.mean());
            put_stats(stats, total.max, total.normaliser);
        }
    }
}

struct Backward<'a, A: Real> {
    logits: &'a [A],
    coordinates: &'a [A],
    stats: &'a [A],
    out: &'a [A],
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
            let x = row(self.logits, r, n);
            // SAFETY: row `r` is in this task's range and borrowed once.
            let grad_x = unsafe { self.grad_logits.row(r, n) };
            let head = Head::from_stats(self.stats[2 * r], self.inverse_temperature);
            if head.is_constant() {
                grad_x.fill(MaybeUninit::new(A::ZERO));
                continue;
            }
            let factor = inverse(self.stats[2 * r + 1]);
            let mean = self.out[r];
            let rest = if dominated(self.stats[2 * r + 1]) {
                residual::<B, A>(&head, x, self.coordinates, mean)
            } else {
                A::ZERO
            };
            let g = self.grad[r] * self.inverse_temperature;
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let w = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY)) * Pack::splat(factor);
                let c = get::<B, A, U>(self.coordinates, i, k, A::ZERO);
                put::<B, A, U>(
                    grad_x,
                    i,
                    k,
                    unless_zero(
                        w,
                        w * ((c - Pack::splat(mean)) - Pack::splat(rest)) * Pack::splat(g),
                    ),
                );
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
    run!(Forward, rows, n, |_first| { logits: n, coordinates: 0 } {} { out: 1 } { stats: 2 } {
        n: n,
        inverse_temperature: reciprocal(temperature),
    });
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
    run!(
        Backward, rows, n, |_first|
        { logits: n, coordinates: 0, out: 1, grad: 1 } { stats: 2 } { grad_logits: n } {}
        { n: n, inverse_temperature: reciprocal(temperature) }
    );
}
