//! The choice of a row: the index of its largest entry.

use super::access::{get, lanes};
use super::special::{Kind, fill, max_and_nan, put_stats};
use crate::lanes::pack::Pack;
use crate::lanes::region::shared;
use crate::lanes::vector::{Backend, Real, Vector};
use core::mem::MaybeUninit;

shared! {
    /// Index of the first entry equal to `largest`, 0 if there is none.
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

/// What a row chooses.
pub(crate) enum Choice {
    /// The class of this index.
    Class(usize),
    /// Nothing: every entry is forbidden.
    Nothing,
    /// There is a NaN among the entries.
    Unknown,
}

/// The choice of a row, and its largest value.
#[inline(always)]
pub(crate) fn choice<B: Backend, A: Real>(x: &[A]) -> (Choice, A) {
    let (largest, nan) = max_and_nan::<B, A>(x);
    let choice = match Kind::of(largest, nan) {
        Kind::Unknown => Choice::Unknown,
        Kind::Nothing => Choice::Nothing,
        Kind::Finite | Kind::Infinite => Choice::Class(first_equal::<B, A>(x, largest)),
    };
    (choice, largest)
}

/// The choice of a row whose largest entry and normaliser are known.
#[inline(always)]
pub(crate) fn choice_of<B: Backend, A: Real>(x: &[A], largest: A, normaliser: A) -> Choice {
    if normaliser.is_nan() {
        Choice::Unknown
    } else if normaliser == A::ZERO {
        Choice::Nothing
    } else {
        Choice::Class(first_equal::<B, A>(x, largest))
    }
}

/// Writes what `values` holds for a choice, as many values as there are places: 0 if it is nothing, NaN if it is unknown.
#[inline(always)]
pub(crate) fn put_value<A: Real>(out: &mut [MaybeUninit<A>], choice: &Choice, values: &[A]) {
    match choice {
        Choice::Class(k) => {
            let len = out.len();
            out.write_copy_of_slice(&values[k * len..][..len]);
        }
        Choice::Nothing => fill(out, A::ZERO),
        Choice::Unknown => fill(out, A::NAN),
    }
}

/// Writes the one-hot of a choice, each class being as many values as `chosen`: those at the class, 0 elsewhere; all 0 if it is
/// nothing, all NaN if it is unknown.
#[inline(always)]
pub(crate) fn put_chosen<A: Real>(out: &mut [MaybeUninit<A>], choice: &Choice, chosen: &[A]) {
    match choice {
        Choice::Class(k) => {
            fill(out, A::ZERO);
            out[k * chosen.len()..][..chosen.len()].write_copy_of_slice(chosen);
        }
        Choice::Nothing => fill(out, A::ZERO),
        Choice::Unknown => fill(out, A::NAN),
    }
}

/// Writes the one-hot of a choice and its statistics: `max` and whether anything can be chosen.
#[inline(always)]
pub(crate) fn put_choice<A: Real>(
    hard: &mut [MaybeUninit<A>],
    stats: &mut [MaybeUninit<A>],
    choice: &Choice,
    max: A,
) {
    let possible = match choice {
        Choice::Class(_) => A::ONE,
        Choice::Nothing => A::ZERO,
        Choice::Unknown => A::NAN,
    };
    put_chosen(hard, choice, &[A::ONE]);
    put_stats(stats, max, possible);
}
