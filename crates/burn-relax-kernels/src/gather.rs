//! Soft-argmax gather, one value per class: `out = sum_i w_i V_i`, forward, hard forward and backward.
//!
//! Forward: block by block, one pass for the maximum so far, one for the weights, their sum and the weighted sum; where a block
//! raises the maximum, the sums so far shrink. Memory is read once whatever the length of the row. Nothing of the size of the input is
//! stored: the backward pass computes the weights again from the row's maximum and normaliser, which moves fewer bytes than
//! reading them. It is a single pass, since `<w, d>` is the saved output times the upstream gradient; rows that a class dominates
//! take one more, for what rounding took from that output. With trailing features the work goes to a kernel of their own
//! (`gather_features`).

use crate::argmax::first_equal;
use crate::distribute::run;
use crate::element::Element;
use crate::gather_features::{Backward as WideBackward, Forward as WideForward};
use crate::real::Real;
use crate::rows::{
    Head, Output, check_len, count_rows, get, inverse, lanes, prefetch, put, put_stats, reciprocal,
    row, row_max, unless_zero,
};
use crate::simd::{Backend, Pack, Region, Vector, max_lanes};
use crate::sums::{Mean, Sum, dominated};
use core::mem::MaybeUninit;
use core::ops::Range;

struct Forward<'a, A: Real> {
    logits: &'a [A],
    values: &'a [A],
    n: usize,
    inverse_temperature: A,
    soft: Output<'a, A>,
    hard: Output<'a, A>,
    with_hard: bool,
    stats: Output<'a, A>,
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        for r in rows {
            let (x, v) = (row(self.logits, r, n), row(self.values, r, n));
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (soft, stats) = unsafe { (self.soft.row(r, 1), self.stats.row(r, 2)) };
            let total = Weighted::new::<B>(x, v, self.inverse_temperature);
            soft[0].write(total.mean());
            put_stats(stats, total.max, total.normaliser);
            if self.with_hard {
                // SAFETY: as above.
                let hard = unsafe { self.hard.row(r, 1) };
                hard[0].write(chosen::<B, A>(x, total.largest, total.normaliser, |k| v[k]));
            }
        }
    }
}

/// Entries between two looks for a larger maximum. Both passes over a block find it in the first-level cache.
const BLOCK: usize = 2048;

/// What a row amounts to.
pub(crate) struct Weighted<A> {
    /// The largest logit as it is.
    pub(crate) largest: A,
    /// The same as statistics store it.
    pub(crate) max: A,
    /// `sum e_i` with `e_i = exp((x_i - max) / temperature)`.
    pub(crate) normaliser: A,
    /// `sum e_i v_i`
    weighted: A,
}

impl<A: Real> Weighted<A> {
    /// Sums a row, as if all its values were finite first; a value at a weight of 0 that is not shows as NaN.
    #[inline(always)]
    pub(crate) fn new<B: Backend>(x: &[A], v: &[A], inverse_temperature: A) -> Self {
        let total = Self::summed::<B, false>(x, v, inverse_temperature);
        if total.weighted.is_nan() {
            Self::summed::<B, true>(x, v, inverse_temperature)
        } else {
            total
        }
    }

    /// Sums a row block by block, relative to the largest logit so far; `CAREFUL` passes over the values at weights of 0.
    #[inline(always)]
    fn summed<B: Backend, const CAREFUL: bool>(x: &[A], v: &[A], inverse_temperature: A) -> Self {
        let mut largest = A::NEG_INFINITY;
        let mut head = Head::new(largest, inverse_temperature);
        let mut sum = Sum::<A::Lanes<B>>::new();
        let mut weighted = Sum::<A::Lanes<B>>::new();
        let mut start = 0;
        while start < x.len() {
            let end = x.len().min(start + BLOCK);
            let (x, v) = (&x[start..end], &v[start..end]);
            let block_largest = row_max::<B, A>(x);
            if block_largest > largest {
                let before = head.max;
                largest = block_largest;
                head = Head::new(largest, inverse_temperature);
                if start > 0 {
                    let factor = max_lanes(head.weight(A::Lanes::<B>::splat(before)));
                    sum.rescale(factor);
                    weighted.rescale(factor);
                }
            }
            lanes!(A::Lanes<B>, x.len(), |i, k, U| {
                prefetch(v, i, k);
                let e = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
                let v = get::<B, A, U>(v, i, k, A::ZERO);
                sum.add(e);
                weighted.add_product(e, if CAREFUL { unless_zero(e, v) } else { v });
            } flush {
                sum.flush();
                weighted.flush();
            });
            start = end;
        }
        Weighted {
            largest,
            max: head.max,
            normaliser: sum.total(),
            weighted: weighted.total(),
        }
    }

    /// `sum w_i v_i`, 0 where nothing can be chosen.
    #[inline(always)]
    pub(crate) fn mean(&self) -> A {
        self.weighted * inverse(self.normaliser)
    }
}

/// What stands at the argmax of a row: 0 when nothing can be chosen, NaN when the row holds NaN.
#[inline(always)]
pub(crate) fn chosen<B: Backend, A: Real>(
    x: &[A],
    largest: A,
    normaliser: A,
    value: impl Fn(usize) -> A,
) -> A {
    if normaliser.is_nan() {
        A::NAN
    } else if normaliser == A::ZERO {
        A::ZERO
    } else {
        value(first_equal::<B, A>(x, largest))
    }
}

struct Backward<'a, A: Real> {
    logits: &'a [A],
    values: &'a [A],
    stats: &'a [A],
    soft: &'a [A],
    grad: &'a [A],
    n: usize,
    inverse_temperature: A,
    grad_logits: Output<'a, A>,
    grad_values: Output<'a, A>,
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        for r in rows {
            let (x, v) = (row(self.logits, r, n), row(self.values, r, n));
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (grad_x, grad_v) =
                unsafe { (self.grad_logits.row(r, n), self.grad_values.row(r, n)) };
            let head = Head::from_stats(self.stats[2 * r], self.inverse_temperature);
            let factor = inverse(self.stats[2 * r + 1]);
            let g = self.grad[r];
            let soft = self.soft[r];
            if head.is_constant() {
                grad_x.fill(MaybeUninit::new(A::ZERO));
                lanes!(A::Lanes<B>, n, |i, k, U| {
                    let w =
                        head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY)) * Pack::splat(factor);
                    put::<B, A, U>(grad_v, i, k, unless_zero(w, w * Pack::splat(g)));
                });
                continue;
            }
            let scale = self.inverse_temperature;
            let rest = if dominated(self.stats[2 * r + 1]) {
                residual::<B, A>(&head, x, v, soft)
            } else {
                A::ZERO
            };
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let w = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY)) * Pack::splat(factor);
                let v = get::<B, A, U>(v, i, k, A::ZERO);
                let to_value = w * Pack::splat(g);
                put::<B, A, U>(grad_v, i, k, unless_zero(w, to_value));
                put::<B, A, U>(
                    grad_x,
                    i,
                    k,
                    unless_zero(
                        w,
                        to_value
                            * ((v - Pack::splat(soft)) - Pack::splat(rest))
                            * Pack::splat(scale),
                    ),
                );
            });
        }
    }
}

/// `sum w_i (v_i - soft) / sum w_i`: what rounding took from the saved output.
#[inline(always)]
pub(crate) fn residual<B: Backend, A: Real>(head: &Head<A>, x: &[A], v: &[A], soft: A) -> A {
    let mut mean = Mean::<A::Lanes<B>>::new();
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let w = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
        mean.add(w, get::<B, A, U>(v, i, k, A::ZERO) - Pack::splat(soft));
    } flush { mean.flush() });
    mean.value()
}

/// `out = sum_i w_i V_i` with `w = softmax(logits / temperature)`, for every row, and the row's statistics as in
/// [`softmax`](crate::softmax()).
///
/// `values` is `[rows, n, features]`, `out` `[rows, features]`. The value at an entry of weight 0 is ignored, even NaN. A row of
/// `-inf` gives 0.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn soft_argmax_gather<F: Element>(
    logits: &[F],
    values: &[F],
    n: usize,
    features: usize,
    temperature: f64,
    out: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    forward(
        "soft_argmax_gather",
        logits,
        values,
        n,
        features,
        temperature,
        None,
        out,
        stats,
    );
}

/// The value at the argmax of every row (exactly; the lowest index on ties) in `out`, and the result of
/// [`soft_argmax_gather`], which its straight-through gradient is made of, in `soft`.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
#[allow(clippy::too_many_arguments)]
pub fn hard_argmax_gather<F: Element>(
    logits: &[F],
    values: &[F],
    n: usize,
    features: usize,
    temperature: f64,
    out: &mut [MaybeUninit<F>],
    soft: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    forward(
        "hard_argmax_gather",
        logits,
        values,
        n,
        features,
        temperature,
        Some(out),
        soft,
        stats,
    );
}

#[track_caller]
#[allow(clippy::too_many_arguments)]
fn forward<F: Element>(
    kernel: &str,
    logits: &[F],
    values: &[F],
    n: usize,
    features: usize,
    temperature: f64,
    hard: Option<&mut [MaybeUninit<F>]>,
    soft: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    let rows = count_rows(kernel, logits.len(), n);
    check_len(kernel, "values", values.len(), logits.len() * features);
    check_len(kernel, "out", soft.len(), rows * features);
    check_len(kernel, "stats", stats.len(), 2 * rows);
    let with_hard = hard.is_some();
    let hard = hard.unwrap_or_default();
    let hard_width = if with_hard { features } else { 0 };
    check_len(kernel, "out", hard.len(), rows * hard_width);
    if features == 1 {
        run!(
            Forward, rows, n, |_first|
            { logits: n, values: n } {} { soft: 1, hard: hard_width } { stats: 2 }
            { n: n, inverse_temperature: reciprocal(temperature), with_hard: with_hard }
        );
    } else {
        run!(
            WideForward, rows, n * (features + 1), |_first|
            { logits: n, values: n * features } {} { soft: features, hard: hard_width } { stats: 2 }
            { n: n, features: features, inverse_temperature: reciprocal(temperature), with_hard: with_hard }
        );
    }
}

/// Gradient of [`soft_argmax_gather`] and straight-through gradient of [`hard_argmax_gather`].
///
/// With `d_i = <V_i, g>` and `s = <soft, g>`: `grad_logits = w_i (d_i - s) / temperature`, `grad_values = w_i g`. `stats` and
/// `soft` are what the forward pass stored. Entries of weight 0 get exactly 0 in both, whatever their value; in rows with `+inf`
/// the logits get 0.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
#[allow(clippy::too_many_arguments)]
pub fn soft_argmax_gather_backward<F: Element>(
    logits: &[F],
    values: &[F],
    stats: &[F::Acc],
    soft: &[F],
    grad: &[F],
    n: usize,
    features: usize,
    temperature: f64,
    grad_logits: &mut [MaybeUninit<F>],
    grad_values: &mut [MaybeUninit<F>],
) {
    const KERNEL: &str = "soft_argmax_gather_backward";
    let rows = count_rows(KERNEL, logits.len(), n);
    check_len(KERNEL, "values", values.len(), logits.len() * features);
    check_len(KERNEL, "stats", stats.len(), 2 * rows);
    check_len(KERNEL, "soft", soft.len(), rows * features);
    check_len(KERNEL, "grad", grad.len(), rows * features);
    check_len(KERNEL, "grad_logits", grad_logits.len(), logits.len());
    check_len(KERNEL, "grad_values", grad_values.len(), values.len());
    if features == 1 {
        run!(
            Backward, rows, 2 * n, |_first|
            { logits: n, values: n, soft: 1, grad: 1 } { stats: 2 } { grad_logits: n, grad_values: n } {}
            { n: n, inverse_temperature: reciprocal(temperature) }
        );
    } else {
        run!(
            WideBackward, rows, 2 * n * (features + 1), |_first|
            { logits: n, values: n * features, soft: features, grad: features } { stats: 2 }
            { grad_logits: n, grad_values: n * features } {}
            { n: n, features: features, inverse_temperature: reciprocal(temperature) }
        );
    }
}
