//! Index of the largest logit of every row.
//!
//! One pass for the maximum, a second one that stops at the first lane equal to it; the second reads the row from cache.

use crate::distribute::run;
use crate::element::Element;
use crate::real::Real;
use crate::rows::{Output, check_len, count_rows, get, lanes, prefetch, row};
use crate::simd::{Backend, Pack, Region, Vector, max_lanes};
use core::mem::MaybeUninit;
use core::ops::Range;

/// Index of the first entry equal to `largest`, 0 if there is none.
#[inline(always)]
pub(crate) fn first_equal<B: Backend, A: Real>(x: &[A], largest: A) -> usize {
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let bits =
            Pack::<A::Lanes<B>, U>::bits(get::<B, A, U>(x, i, k, A::NAN).eq(Pack::splat(largest)));
        if bits != 0 {
            return i + bits.trailing_zeros() as usize;
        }
    });
    0
}

/// Index of the first NaN, 0 if there is none.
#[inline(always)]
pub(crate) fn first_nan<B: Backend, A: Real>(x: &[A]) -> usize {
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let bits = Pack::<A::Lanes<B>, U>::bits(get::<B, A, U>(x, i, k, A::ZERO).is_nan());
        if bits != 0 {
            return i + bits.trailing_zeros() as usize;
        }
    });
    0
}

/// The largest value of a row, NaN passed over, and whether there is a NaN.
#[inline(always)]
pub(crate) fn max_and_nan<B: Backend, A: Real>(x: &[A]) -> (A, bool) {
    let mut best = A::Lanes::<B>::splat(A::NEG_INFINITY);
    let mut nan = best.is_nan();
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        prefetch(x, i, k);
        let x = get::<B, A, U>(x, i, k, A::NEG_INFINITY);
        best = x.fold(|a, b| a.max(b)).max(best);
        for v in x.0 {
            nan = A::Lanes::<B>::or(nan, v.is_nan());
        }
    });
    (max_lanes(best), A::Lanes::<B>::bits(nan) != 0)
}

/// What a row chooses.
pub(crate) enum Choice {
    /// The class of this index.
    Class(usize),
    /// Nothing: every entry is forbidden.
    Nothing,
    /// There is a NaN among the logits.
    Unknown,
}

/// The choice of a row, and its largest value.
#[inline(always)]
pub(crate) fn choice<B: Backend, A: Real>(x: &[A]) -> (Choice, A) {
    let (largest, nan) = max_and_nan::<B, A>(x);
    let choice = if nan {
        Choice::Unknown
    } else if largest == A::NEG_INFINITY {
        Choice::Nothing
    } else {
        Choice::Class(first_equal::<B, A>(x, largest))
    };
    (choice, largest)
}

struct Argmax<'a, A: Real> {
    logits: &'a [A],
    n: usize,
    index: Output<'a, i64>,
}

impl<A: Real> Region for Argmax<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        for r in rows {
            let x = row(self.logits, r, self.n);
            let k = match choice::<B, A>(x).0 {
                Choice::Class(k) => k,
                Choice::Nothing => 0,
                Choice::Unknown => first_nan::<B, A>(x),
            };
            // SAFETY: row `r` is in this task's range and borrowed once.
            let index = unsafe { self.index.row(r, 1) };
            index[0].write(k as i64);
        }
    }
}

/// Index of the largest logit of every row: the lowest one on ties, 0 in a row of `-inf`. NaN counts as the largest.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn argmax<F: Element>(logits: &[F], n: usize, index: &mut [MaybeUninit<i64>]) {
    let rows = count_rows("argmax", logits.len(), n);
    check_len("argmax", "index", index.len(), rows);
    run!(Argmax, rows, n, |_first| { logits: n } {} {} { index: 1 } { n: n });
}
