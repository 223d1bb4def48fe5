//! Rows that are not like others, for all operators.
//!
//! | row | what is stored of it | weights | gradients |
//! |---|---|---|---|
//! | nothing but `-inf` | the smallest number, 0 | 0 | 0 |
//! | with `+inf` | the largest number, how many there are | shared among those | 0 |
//! | with NaN | NaN | NaN | NaN |
//! | no row at all | nothing | nothing | nothing |
//!
//! An entry of `-inf` is forbidden: it has weight 0, gradient 0, and what else stands at its place is never looked at. Neither of
//! the infinities needs a branch in the loops: see [`Head`](super::head::Head).

use super::access::{get, lanes, prefetch};
use crate::lanes::reduce::max_lanes;
use crate::lanes::region::shared;
use crate::lanes::vector::{Backend, Real, Vector};
use core::mem::MaybeUninit;

/// What kind of row it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// There are finite entries, and neither `+inf` nor NaN.
    Finite,
    /// Every entry is `-inf`: nothing can be chosen.
    Nothing,
    /// There is `+inf` among the entries.
    Infinite,
    /// There is NaN among the entries.
    Unknown,
}

impl Kind {
    /// From the largest value and whether there is a NaN.
    #[inline(always)]
    pub(crate) fn of<A: Real>(largest: A, nan: bool) -> Self {
        if nan {
            Kind::Unknown
        } else if largest > A::MAX {
            Kind::Infinite
        } else if largest < A::MIN {
            Kind::Nothing
        } else {
            Kind::Finite
        }
    }
}

/// The maximum of a row as its statistics store it: always finite.
#[inline(always)]
pub(crate) fn stored_max<A: Real>(largest: A) -> A {
    if largest > A::MAX {
        A::MAX
    } else if largest < A::MIN {
        A::MIN
    } else {
        largest
    }
}

/// Whether the row with this stored maximum holds `+inf`: its weights do not depend on its entries.
#[inline(always)]
pub(crate) fn is_constant<A: Real>(max: A) -> bool {
    max == A::MAX
}

/// Writes the two statistics of a row; NaN in one makes both NaN.
#[inline(always)]
pub(crate) fn put_stats<A: Real>(stats: &mut [MaybeUninit<A>], max: A, normaliser: A) {
    let max = if normaliser.is_nan() { A::NAN } else { max };
    stats[0].write(max);
    stats[1].write(normaliser);
}

/// Writes one value to all places.
#[inline(always)]
pub(crate) fn fill<A: Real>(out: &mut [MaybeUninit<A>], value: A) {
    out.fill(MaybeUninit::new(value));
}

shared! {
    /// The largest value of a row, NaN passed over; `-inf` if there is none.
    pub(crate) fn row_max<B: Backend, A: Real>(row: &[A]) -> A {
        let mut best = A::Lanes::<B>::splat(A::NEG_INFINITY);
        lanes!(A::Lanes<B>, row.len(), |i, k, U| {
            prefetch(row, i, k);
            best = get::<B, A, U>(row, i, k, A::NEG_INFINITY)
                .fold(|a, b| a.max(b))
                .max(best);
        } folded);
        max_lanes(best)
    }
}

shared! {
    /// The largest value of a row, NaN passed over, and whether there is a NaN.
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
        } folded);
        (max_lanes(best), A::Lanes::<B>::bits(nan) != 0)
    }
}
