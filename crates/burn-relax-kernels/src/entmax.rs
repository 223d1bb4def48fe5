//! Entmax for every `alpha > 0`: softmax at 1, 1.5-entmax, sparsemax at 2.
//!
//! Forward: one pass for the maximum, one that copies the candidates into a scratch row, the search on those
//! (modules `threshold` and `michelot`), one pass that writes. Backward from the saved output alone, in two passes that skip vectors
//! without weight. Sparse rows are bound by memory; a general `alpha` pays a logarithm and an exponential for each candidate and
//! pass of the search.

use crate::argmax::max_and_nan;
use crate::candidates::{candidates, put_back, room};
use crate::distribute::run;
use crate::element::Element;
use crate::michelot::Linear;
use crate::real::Real;
use crate::rows::{
    Head, Output, check_len, count_rows, get, inverse, lanes, put, put_stats, row, written,
};
use crate::simd::{Backend, Pack, Region, Vector};
use crate::sums::Sum;
use crate::threshold::{General, Map, Square, limited, search};
use core::mem::MaybeUninit;
use core::ops::Range;

/// Work per element against a kernel that passes over memory once or twice.
const WORK: usize = 2;

/// `alpha - 1` of row `r`: that of all rows, or of the tensor with one value for all rows or one for each.
#[inline(always)]
pub(crate) fn excess_of<A: Real>(alpha: &[A], fixed: A, r: usize) -> A {
    limited(match alpha.len() {
        0 => fixed,
        1 => alpha[0] - A::ONE,
        _ => alpha[r] - A::ONE,
    })
}

struct Forward<'a, A: Real> {
    logits: &'a [A],
    alpha: &'a [A],
    excess: A,
    n: usize,
    probs: Output<'a, A>,
    stats: Output<'a, A>,
}

/// The softmax of a row.
#[inline(always)]
fn softmax_row<B: Backend, A: Real>(x: &[A], max: A, probs: &mut [MaybeUninit<A>]) -> usize {
    let head = Head::new(max, A::ONE);
    let mut sum = Sum::<A::Lanes<B>>::new();
    let mut support = 0;
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let e = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
        support += Pack::<A::Lanes<B>, U>::bits(Pack::splat(A::ZERO).lt(e)).count_ones() as usize;
        sum.add(e);
        put::<B, A, U>(probs, i, k, e);
    } flush { sum.flush() });
    let factor = inverse(sum.total());
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        // SAFETY: the loop above wrote every value of the row.
        let e = get::<B, A, U>(unsafe { written(probs) }, i, k, A::ZERO);
        put::<B, A, U>(probs, i, k, e * Pack::splat(factor));
    });
    support
}

/// The weights of a row that has a finite maximum; returns the size of the support.
#[inline(always)]
fn sparse_row<B: Backend, A: Real, M: Map<A>>(
    map: M,
    x: &[A],
    max: A,
    list: &mut [A],
    probs: &mut [MaybeUninit<A>],
) -> usize {
    let found = search::<B, A, M>(map, x, max, list);
    if M::KEPT {
        put_back::<B, A>(x, max, found.listed, list, found.normaliser, probs);
        return found.support;
    }
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let z = get::<B, A, U>(x, i, k, A::NEG_INFINITY) - Pack::splat(max);
        let (r, _) = map.weights(z, Pack::splat(found.scale));
        put::<B, A, U>(probs, i, k, r * Pack::splat(found.normaliser));
    });
    found.support
}

/// The weights of sparsemax for a row that has a finite maximum; returns the size of the support.
#[inline(always)]
fn sparsemax_row<B: Backend, A: Real>(
    x: &[A],
    max: A,
    list: &mut [A],
    probs: &mut [MaybeUninit<A>],
) -> usize {
    let len = candidates::<B, A>(x, max, A::ONE, A::ZERO, list);
    let found = Linear::search::<B>(&list[..len], max);
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let x = get::<B, A, U>(x, i, k, A::NEG_INFINITY);
        put::<B, A, U>(probs, i, k, found.weights(x));
    });
    found.support
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        let mut list = room(n);
        for r in rows {
            let x = row(self.logits, r, n);
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (probs, stats) = unsafe { (self.probs.row(r, n), self.stats.row(r, 2)) };
            let (max, nan) = max_and_nan::<B, A>(x);
            let excess = excess_of(self.alpha, self.excess, r);
            if nan || excess.is_nan() {
                probs.fill(MaybeUninit::new(A::NAN));
                put_stats(stats, A::NAN, A::NAN);
                continue;
            }
            // Rows that hold +inf or nothing but -inf are those of the softmax whatever alpha is.
            let support = if excess == A::ZERO || max > A::MAX || max < A::MIN {
                softmax_row::<B, A>(x, max, probs)
            } else {
                let list = &mut list;
                if excess == A::ONE {
                    sparsemax_row::<B, A>(x, max, list, probs)
                } else if excess == A::from_f64(0.5) {
                    sparse_row::<B, A, _>(Square, x, max, list, probs)
                } else {
                    sparse_row::<B, A, _>(General { excess }, x, max, list, probs)
                }
            };
            put_stats(
                stats,
                Head::new(max, A::ONE).max,
                A::from_f64(support as f64),
            );
        }
    }
}

/// Entmax of every row, and two statistics: the row's maximum and the number of entries with weight.
///
/// `p_i = (1 + (alpha - 1)(x_i - c))^(1 / (alpha - 1))` where that base is positive, else 0, with `c` such that the weights sum to
/// 1; the softmax at `alpha = 1`. A row with `+inf` shares the weight among those entries and stores `Acc::MAX` and their number; a
/// row of `-inf` stores `Acc::MIN` and 0 and has weights 0; a row with NaN is NaN. Weights below the smallest normal number are 0.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn entmax<F: Element>(
    logits: &[F],
    alpha: f64,
    n: usize,
    probs: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    forward("entmax", logits, &[], alpha - 1.0, n, probs, stats);
}

/// [`entmax`] with an `alpha` for all rows or for each row.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn entmax_rows<F: Element>(
    logits: &[F],
    alpha: &[F],
    n: usize,
    probs: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    let rows = count_rows("entmax_rows", logits.len(), n);
    check_alpha("entmax_rows", alpha.len(), rows);
    forward("entmax_rows", logits, alpha, 0.0, n, probs, stats);
}

#[track_caller]
pub(crate) fn check_alpha(kernel: &str, got: usize, rows: usize) {
    assert!(
        got == 1 || got == rows,
        "{kernel}: alpha must have 1 value or {rows}, got {got}"
    );
}

#[track_caller]
fn forward<F: Element>(
    kernel: &str,
    logits: &[F],
    alpha: &[F],
    excess: f64,
    n: usize,
    probs: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    let rows = count_rows(kernel, logits.len(), n);
    check_len(kernel, "probs", probs.len(), logits.len());
    check_len(kernel, "stats", stats.len(), 2 * rows);
    let per_row = usize::from(alpha.len() > 1);
    run!(Forward, rows, WORK * n, |_first| { logits: n, alpha: per_row } {} { probs: n } { stats: 2 } {
        excess: F::Acc::from_f64(excess),
        n: n,
    });
}
