//! Access to the values of a row in lanes.

use crate::lanes::pack::{Pack, UNROLL};
use crate::lanes::vector::{Backend, Real, Vector};
use core::mem::MaybeUninit;

/// `U` vectors from `i` on, of which `k` values exist; the other lanes are `fill`.
#[inline(always)]
pub(crate) fn get<B: Backend, A: Real, const U: usize>(
    row: &[A],
    i: usize,
    k: usize,
    fill: A,
) -> Pack<A::Lanes<B>, U> {
    let part = &row[i..i + k];
    let lanes = A::Lanes::<B>::LANES;
    let mut pack = Pack::splat(fill);
    for (u, v) in pack.0.iter_mut().enumerate() {
        let skip = k.min(u * lanes);
        *v = if k - skip >= lanes {
            A::Lanes::<B>::load(&part[skip..])
        } else {
            A::Lanes::<B>::load_partial(&part[skip..], fill)
        };
    }
    pack
}

/// Writes the `k` values that exist of `U` vectors from `i` on.
#[inline(always)]
pub(crate) fn put<B: Backend, A: Real, const U: usize>(
    row: &mut [MaybeUninit<A>],
    i: usize,
    k: usize,
    v: Pack<A::Lanes<B>, U>,
) {
    let part = &mut row[i..i + k];
    let lanes = A::Lanes::<B>::LANES;
    for (u, v) in v.0.into_iter().enumerate() {
        let skip = k.min(u * lanes);
        if k - skip >= lanes {
            v.store(&mut part[skip..]);
        } else {
            v.store_partial(&mut part[skip..]);
        }
    }
}

/// As [`put`], over numbers.
#[inline(always)]
pub(crate) fn poke<V: Vector, const U: usize>(
    row: &mut [V::Scalar],
    i: usize,
    k: usize,
    v: Pack<V, U>,
) {
    let part = &mut row[i..i + k];
    for (u, v) in v.0.into_iter().enumerate() {
        let skip = k.min(u * V::LANES);
        if k - skip >= V::LANES {
            v.overwrite(&mut part[skip..]);
        } else {
            v.overwrite_partial(&mut part[skip..]);
        }
    }
}

/// Vectors summed before their sum moves to the outer accumulator, which keeps long rows accurate.
pub(crate) const SUM_BLOCK: usize = 16 * UNROLL;

/// Loops over a row: `lanes!(V, n, |i, k, U| { the values i..i + k, in U vectors })`, with `U` [`UNROLL`] as long as as many
/// vectors are left and 1 for the rest, of which the last may be partial. A block after `flush` runs after every
/// [`SUM_BLOCK`] vectors and at the end.
///
/// Where `V` has [`CALLS`](Vector::CALLS), the block is there once, for one vector: its registers are as many as the processor has,
/// and the code of [`UNROLL`] vectors would be four fifths of the path. The sums still add the vectors that belong together as one: the
/// block after `flush` runs behind each such group, and once more where it runs elsewhere (see [`Sum`](super::sums::Sum)). `folded`
/// after the block says that it folds its `U` vectors itself, and is for `U` vectors everywhere.
macro_rules! lanes {
    ($V:ty, $n:expr, |$i:ident, $k:ident, $U:ident| $body:block) => {{
        let end: usize = $n;
        let mut $i = 0usize;
        if <$V as $crate::lanes::vector::Vector>::CALLS {
            $crate::row::access::lanes!(@single $V, end, $i, $k, $U, $body);
        } else {
            $crate::row::access::lanes!(@loop $V, end, $i, $k, $U, $body, {});
        }
    }};
    ($V:ty, $n:expr, |$i:ident, $k:ident, $U:ident| $body:block folded) => {{
        let end: usize = $n;
        let mut $i = 0usize;
        $crate::row::access::lanes!(@loop $V, end, $i, $k, $U, $body, {});
    }};
    ($V:ty, $n:expr, |$i:ident, $k:ident, $U:ident| $body:block flush $flush:block) => {
        $crate::row::access::lanes!(@blocks $V, $n, $i, end, {
            if <$V as $crate::lanes::vector::Vector>::CALLS {
                while $i < end {
                    let vectors = $crate::row::access::group::<$V>(end - $i);
                    let group = end.min($i + vectors * <$V as $crate::lanes::vector::Vector>::LANES);
                    $crate::row::access::lanes!(@single $V, group, $i, $k, $U, $body);
                    $flush
                }
            } else {
                $crate::row::access::lanes!(@loop $V, end, $i, $k, $U, $body, {});
            }
        }, $flush)
    };
    ($V:ty, $n:expr, |$i:ident, $k:ident, $U:ident| $body:block folded flush $flush:block) => {
        $crate::row::access::lanes!(@blocks $V, $n, $i, end, {
            $crate::row::access::lanes!(@loop $V, end, $i, $k, $U, $body, {
                if <$V as $crate::lanes::vector::Vector>::CALLS $flush
            });
        }, $flush)
    };
    (@blocks $V:ty, $n:expr, $i:ident, $end:ident, $loop:block, $flush:block) => {{
        let length: usize = $n;
        let block = <$V as $crate::lanes::vector::Vector>::LANES * $crate::row::access::SUM_BLOCK;
        let mut $i = 0usize;
        while $i < length {
            let $end = if length - $i > block { $i + block } else { length };
            $loop
            $i = $end;
            $flush
        }
    }};
    (@single $V:ty, $end:ident, $i:ident, $k:ident, $U:ident, $body:block) => {
        while $i < $end {
            const $U: usize = 1;
            let $k = ($end - $i).min(<$V as $crate::lanes::vector::Vector>::LANES);
            $body
            $i += $k;
        }
    };
    (@loop $V:ty, $end:ident, $i:ident, $k:ident, $U:ident, $body:block, $after:block) => {
        while $end - $i >= <$V as $crate::lanes::vector::Vector>::LANES * $crate::lanes::pack::UNROLL {
            const $U: usize = $crate::lanes::pack::UNROLL;
            let $k = <$V as $crate::lanes::vector::Vector>::LANES * $U;
            $body
            $i += $k;
            $after
        }
        while $i < $end {
            const $U: usize = 1;
            let $k = ($end - $i).min(<$V as $crate::lanes::vector::Vector>::LANES);
            $body
            $i += $k;
            $after
        }
    };
}
pub(crate) use lanes;

/// Vectors that are summed as one at the begin of `left` values.
#[inline(always)]
pub(crate) fn group<V: Vector>(left: usize) -> usize {
    if left >= V::LANES * UNROLL { UNROLL } else { 1 }
}

/// As [`lanes!`], the block being what the row holds there: writes it, and gives the row, which is full then.
macro_rules! filled {
    ($B:ty, $A:ty, $row:expr, |$i:ident, $k:ident, $U:ident| $body:block $($more:tt)*) => {{
        let row: &mut [core::mem::MaybeUninit<$A>] = $row;
        $crate::row::access::lanes!(<$A as $crate::lanes::vector::Real>::Lanes<$B>, row.len(), |$i, $k, $U| {
            // A loop of its own, so that no `continue` of the block can leave out a value.
            #[allow(clippy::never_loop)]
            let vectors = loop {
                break $body;
            };
            $crate::row::access::put::<$B, $A, $U>(row, $i, $k, vectors);
        } $($more)*);
        // SAFETY: the loop has written every value from 0 to the length of the row.
        unsafe { row.assume_init_mut() }
    }};
}
pub(crate) use filled;

/// Bytes that memory is asked for ahead of the loops. A kernel that passes over a row twice would otherwise leave memory idle
/// during one pass and wait for it in the other.
const PREFETCH_AHEAD: usize = 8192;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Asks for the memory [`PREFETCH_AHEAD`] bytes beyond values `i..i + k` of a row: usually a later part of the row or the next
/// row. Nothing happens where there is no such memory.
#[inline(always)]
pub(crate) fn prefetch<A>(row: &[A], i: usize, k: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in 0..(k * size_of::<A>()).div_ceil(LINE) {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let p = row
            .as_ptr()
            .wrapping_add(i)
            .wrapping_byte_add(PREFETCH_AHEAD + line * LINE);
        // SAFETY: part of every x86-64 processor; reads nothing and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (row, i, k, LINE, PREFETCH_AHEAD);
}
