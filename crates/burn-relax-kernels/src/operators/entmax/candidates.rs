//! The entries of a row that may have weight, side by side in a list, and their weights back in their places.

use crate::lanes::pack::Pack;
use crate::lanes::region::shared;
use crate::lanes::vector::{Backend, MAX_LANES, Real, Vector};
use crate::row::access::{get, lanes, put};
use core::mem::MaybeUninit;

/// Entries of a sample at most.
pub(crate) const SAMPLE: usize = 1024;

/// A list with room for the candidates of a row of `n`, one more vector, and a sample of them.
pub(crate) fn room<A: Real>(n: usize) -> Vec<A> {
    vec![A::ZERO; n + MAX_LANES + SAMPLE]
}

shared! {
    /// Copies the entries that may have weight to the front of `list`, less `shift`, and returns their number. The list has room for the
    /// row and one more vector.
    pub(crate) fn candidates<B: Backend, A: Real>(
        x: &[A],
        max: A,
        excess: A,
        shift: A,
        list: &mut [A],
    ) -> usize {
        let lowest = lowest(excess);
        let mut len = 0;
        lanes!(A::Lanes<B>, x.len(), |i, k, U| {
            let x = get::<B, A, U>(x, i, k, A::NEG_INFINITY);
            let inside = Pack::splat(lowest).lt(x - Pack::splat(max));
            if Pack::<A::Lanes<B>, U>::bits(inside) != 0 {
                for (x, inside) in (x - Pack::splat(shift)).0.into_iter().zip(inside) {
                    len += x.compress(inside, &mut list[len..]);
                }
            }
        });
        len
    }
}

/// Keeps, of the first `count` entries of a list that holds candidates less their maximum, those that are candidates at another
/// `excess`, and returns their number.
#[inline(always)]
pub(crate) fn shrink<B: Backend, A: Real>(list: &mut [A], count: usize, excess: A) -> usize {
    let lowest = lowest(excess);
    let mut len = 0;
    lanes!(A::Lanes<B>, count, |i, k, U| {
        let z = get::<B, A, U>(list, i, k, A::NEG_INFINITY);
        for (z, inside) in z.0.into_iter().zip(Pack::splat(lowest).lt(z)) {
            // Never beyond what has been read.
            len += z.compress(inside, &mut list[len..]);
        }
    });
    len
}

/// What `x - max` of an entry with weight exceeds; a little lower, since the division is rounded.
#[inline(always)]
pub(crate) fn lowest<A: Real>(excess: A) -> A {
    if excess > A::ZERO {
        A::ZERO - (A::ONE / excess) * A::from_f64(1.0 + 1e-6)
    } else {
        A::NEG_INFINITY
    }
}

/// The row of the candidates' values in `list`, times `factor`, and 0 elsewhere. The arguments are those of [`candidates`].
#[inline(always)]
pub(crate) fn put_back<B: Backend, A: Real>(
    x: &[A],
    max: A,
    excess: A,
    list: &[A],
    factor: A,
    out: &mut [MaybeUninit<A>],
) {
    let lowest = lowest(excess);
    let mut len = 0;
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let x = get::<B, A, U>(x, i, k, A::NEG_INFINITY);
        let inside = Pack::splat(lowest).lt(x - Pack::splat(max));
        let mut p = Pack::<A::Lanes<B>, U>::splat(A::ZERO);
        if Pack::<A::Lanes<B>, U>::bits(inside) != 0 {
            for (p, inside) in p.0.iter_mut().zip(inside) {
                *p = A::Lanes::<B>::expand(inside, &list[len..]);
                len += A::Lanes::<B>::bits(inside).count_ones() as usize;
            }
        }
        put::<B, A, U>(out, i, k, p * Pack::splat(factor));
    });
}
