//! Log-probability of given classes, forward and backward.
//!
//! Forward: one pass for the maximum, one for the normaliser, then one look at each class asked for: memory reads the logits once and
//! writes next to nothing. Backward: the weights from the row's statistics, written once.

use crate::distribute::run;
use crate::element::Element;
use crate::real::Real;
use crate::rows::{
    Head, Output, check_len, count_rows, get, lanes, prefetch, put, put_stats, reciprocal, row,
    row_max, unless_zero,
};
use crate::simd::{Backend, Pack, Region, Vector, max_lanes};
use crate::sums::{Sum, dominated};
use core::mem::MaybeUninit;
use core::ops::Range;

/// The sum of the unnormalised weights.
#[inline(always)]
fn wide_normaliser<B: Backend, A: Real>(head: &Head<A>, x: &[A]) -> f64 {
    let mut sum = Sum::<A::Lanes<B>>::new();
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        sum.add(head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY)));
    } flush { sum.flush() });
    sum.wide_total()
}

/// Head and normaliser of a row, and `ln` of the latter, 0 where nothing can be chosen.
#[inline(always)]
pub(crate) fn normalisers<B: Backend, A: Real>(x: &[A], scale: A) -> (Head<A>, A, A) {
    let head = Head::new(row_max::<B, A>(x), scale);
    let normaliser = A::from_f64(wide_normaliser::<B, A>(&head, x));
    let log = if normaliser == A::ZERO {
        A::ZERO
    } else {
        normaliser.ln()
    };
    (head, normaliser, log)
}

struct Forward<'a, A: Real> {
    logits: &'a [A],
    index: &'a [i64],
    n: usize,
    samples: usize,
    log_prob: Output<'a, A>,
    stats: Output<'a, A>,
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        for r in rows {
            let x = row(self.logits, r, self.n);
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (log_prob, stats) =
                unsafe { (self.log_prob.row(r, self.samples), self.stats.row(r, 2)) };
            let (head, normaliser, log) = normalisers::<B, A>(x, A::ONE);
            for (out, &k) in log_prob.iter_mut().zip(row(self.index, r, self.samples)) {
                out.write(if normaliser.is_nan() {
                    A::NAN
                } else {
                    head.exponent_of(x[k as usize]) - log
                });
            }
            put_stats(stats, head.max, normaliser);
        }
    }
}

struct Backward<'a, A: Real> {
    logits: &'a [A],
    grad: &'a [A],
    index: &'a [i64],
    stats: &'a [A],
    n: usize,
    samples: usize,
    inverse_temperature: A,
    grad_logits: Output<'a, A>,
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        for r in rows {
            let x = row(self.logits, r, n);
            let drawn = row(self.index, r, self.samples)
                .iter()
                .zip(row(self.grad, r, self.samples))
                .filter(|&(&k, _)| x[k as usize] != A::NEG_INFINITY);
            // SAFETY: row `r` is in this task's range and borrowed once.
            let out = unsafe { self.grad_logits.row(r, n) };
            let scale = self.inverse_temperature;
            let head = Head::from_stats(self.stats[2 * r], scale);
            if head.is_constant() {
                out.fill(MaybeUninit::new(A::ZERO));
                continue;
            }
            let total: f64 = drawn.clone().map(|(_, g)| g.to_f64()).sum();
            let careful = dominated(self.stats[2 * r + 1]) && self.samples <= CAREFUL;
            let normaliser = if careful {
                wide_normaliser::<B, A>(&head, x)
            } else {
                self.stats[2 * r + 1].to_f64()
            };
            let factor = if normaliser == 0.0 {
                0.0
            } else {
                -total / normaliser
            };
            let scaled = A::from_f64(factor * scale.to_f64());
            lanes!(A::Lanes<B>, n, |i, k, U| {
                prefetch(x, i, k);
                let e = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
                put::<B, A, U>(out, i, k, unless_zero(e, e * Pack::splat(scaled)));
            });
            for (&k, &g) in drawn.clone() {
                let k = k as usize;
                let gradient = if careful {
                    let same = drawn.clone().filter(|&(&other, _)| other as usize == k);
                    let weight = max_lanes(head.weight(A::Lanes::<B>::splat(x[k])));
                    let own: f64 = same.map(|(_, g)| g.to_f64()).sum();
                    A::from_f64((own + weight.to_f64() * factor) * scale.to_f64())
                } else {
                    // SAFETY: the loop above wrote every value of the row.
                    let before = unsafe { out[k].assume_init() };
                    before + g * scale
                };
                out[k].write(gradient);
            }
        }
    }
}

/// Samples of a row up to which a row that one class dominates gets the gradient of each in `f64`: it may be a small difference of
/// upstream gradients. The time goes with their square.
const CAREFUL: usize = 16;

/// Checks that every index is one of the `n` classes.
#[track_caller]
fn check_index(kernel: &str, index: &[i64], n: usize) {
    if let Some(k) = index.iter().find(|&&k| k < 0 || k >= n as i64) {
        panic!("{kernel}: indices must be in 0..{n}, got {k}");
    }
}

/// `ln softmax(logits)` at `samples` given classes of every row, and the row's statistics as in [`softmax`](crate::softmax()).
///
/// A forbidden class (`-inf`) gives `-inf`, a row with NaN gives NaN.
///
/// # Panics
/// When a slice has the wrong length or an index is not below `n`.
#[track_caller]
pub fn categorical_log_prob<F: Element>(
    logits: &[F],
    index: &[i64],
    n: usize,
    samples: usize,
    log_prob: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    const KERNEL: &str = "categorical_log_prob";
    let rows = count_rows(KERNEL, logits.len(), n);
    check_len(KERNEL, "index", index.len(), rows * samples);
    check_index(KERNEL, index, n);
    check_len(KERNEL, "log_prob", log_prob.len(), rows * samples);
    check_len(KERNEL, "stats", stats.len(), 2 * rows);
    run!(
        Forward, rows, n, |_first| { logits: n } { index: samples } { log_prob: samples } { stats: 2 }
        { n: n, samples: samples }
    );
}

/// Gradient of `ln softmax(logits / temperature)` at given classes: for every class the upstream gradients of the samples that are
/// it, minus `p` times the sum of all of them, over the temperature. Forbidden classes get 0 and their samples do not count; rows with `+inf` get 0.
///
/// # Panics
/// When a slice has the wrong length or an index is not below `n`.
#[track_caller]
#[allow(clippy::too_many_arguments)]
pub fn categorical_log_prob_backward<F: Element>(
    logits: &[F],
    index: &[i64],
    stats: &[F::Acc],
    grad: &[F],
    n: usize,
    samples: usize,
    temperature: f64,
    grad_logits: &mut [MaybeUninit<F>],
) {
    const KERNEL: &str = "categorical_log_prob_backward";
    let rows = count_rows(KERNEL, logits.len(), n);
    check_len(KERNEL, "index", index.len(), rows * samples);
    check_index(KERNEL, index, n);
    check_len(KERNEL, "stats", stats.len(), 2 * rows);
    check_len(KERNEL, "grad", grad.len(), rows * samples);
    check_len(KERNEL, "grad_logits", grad_logits.len(), logits.len());
    run!(
        Backward, rows, n, |_first|
        { logits: n, grad: samples } { index: samples, stats: 2 } { grad_logits: n } {}
        { n: n, samples: samples, inverse_temperature: reciprocal(temperature) }
    );
}
