//! What every kernel is made of: outputs, access to a row in lanes, sums, and the head of a row.

use crate::math::exp;
use crate::real::Real;
use crate::simd::{Backend, Pack, Vector, max_lanes};
use core::marker::PhantomData;
use core::mem::MaybeUninit;

/// An output that several tasks fill, each its own rows.
pub(crate) struct Output<'a, T> {
    pointer: *mut MaybeUninit<T>,
    len: usize,
    slice: PhantomData<&'a mut [MaybeUninit<T>]>,
}

// SAFETY: this is a mutable slice whose rows are handed to different threads; `row` makes its callers keep them apart.
unsafe impl<T: Send> Sync for Output<'_, T> {}

impl<'a, T: Copy> Output<'a, T> {
    /// Borrows `slice` for the duration of a kernel.
    pub(crate) fn new(slice: &'a mut [MaybeUninit<T>]) -> Self {
        Output {
            pointer: slice.as_mut_ptr(),
            len: slice.len(),
            slice: PhantomData,
        }
    }

    /// Row `r` of length `n`.
    ///
    /// # Safety
    /// No two live borrows may be of the same row: a region only takes rows of its own range, one at a time.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)] // the contract above
    pub(crate) unsafe fn row(&self, r: usize, n: usize) -> &mut [MaybeUninit<T>] {
        // SAFETY: the caller's promise.
        unsafe { self.part(r * n, n) }
    }

    /// `len` values from `start` on.
    ///
    /// # Safety
    /// No two live borrows may overlap.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)] // the contract above
    pub(crate) unsafe fn part(&self, start: usize, len: usize) -> &mut [MaybeUninit<T>] {
        assert!(start <= self.len && len <= self.len - start);
        // SAFETY: in bounds by the assertion, exclusive by the caller's promise.
        unsafe { core::slice::from_raw_parts_mut(self.pointer.add(start), len) }
    }
}

/// Row `r` of an input.
#[inline(always)]
pub(crate) fn row<T>(slice: &[T], r: usize, n: usize) -> &[T] {
    &slice[r * n..][..n]
}

/// The values already written to an output row.
///
/// # Safety
/// Every value of the row has been written.
#[inline(always)]
pub(crate) unsafe fn written<T>(row: &[MaybeUninit<T>]) -> &[T] {
    // SAFETY: `MaybeUninit<T>` has the layout of `T`; initialised by the caller's promise.
    unsafe { &*(core::ptr::from_ref(row) as *const [T]) }
}

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
            // SAFETY: a whole vector follows the first `skip` values of `part`.
            unsafe { A::Lanes::<B>::load(part.as_ptr().add(skip)) }
        } else {
            // SAFETY: `k - skip` values, less than a vector, follow the first `skip` of `part`.
            unsafe { A::Lanes::<B>::load_partial(part.as_ptr().add(skip), k - skip, fill) }
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
    let p = part.as_mut_ptr().cast::<A>();
    for (u, v) in v.0.into_iter().enumerate() {
        let skip = k.min(u * lanes);
        if k - skip >= lanes {
            // SAFETY: a whole vector follows the first `skip` values of `part`.
            unsafe { v.store(p.add(skip)) }
        } else {
            // SAFETY: `k - skip` values, less than a vector, follow the first `skip` of `part`.
            unsafe { v.store_partial(p.add(skip), k - skip) }
        }
    }
}

/// As [`put`], to a scratch row.
#[inline(always)]
pub(crate) fn poke<V: Vector, const U: usize>(
    row: &mut [V::Scalar],
    i: usize,
    k: usize,
    v: Pack<V, U>,
) {
    let p = row[i..i + k].as_mut_ptr();
    for (u, v) in v.0.into_iter().enumerate() {
        let skip = k.min(u * V::LANES);
        if k - skip >= V::LANES {
            // SAFETY: a whole vector follows the first `skip` of the `k` values.
            unsafe { v.store(p.add(skip)) }
        } else {
            // SAFETY: `k - skip` values, less than a vector, follow the first `skip` of them.
            unsafe { v.store_partial(p.add(skip), k - skip) }
        }
    }
}

/// Vectors in one step of the loops over a row.
pub(crate) const UNROLL: usize = 4;

/// Vectors summed before their sum moves to the outer accumulator, which keeps long rows accurate.
pub(crate) const SUM_BLOCK: usize = 16 * UNROLL;

/// Loops over a row: `lanes!(V, n, |i, k, U| { the values i..i + k, in U vectors })`, with `U` [`UNROLL`] as long as as many
/// vectors are left and 1 for the rest, of which the last may be partial. A block after `flush` runs after every
/// [`SUM_BLOCK`] vectors and at the end.
macro_rules! lanes {
    ($V:ty, $n:expr, |$i:ident, $k:ident, $U:ident| $body:block) => {{
        let end: usize = $n;
        let mut $i = 0usize;
        $crate::rows::lanes!(@loop $V, end, $i, $k, $U, $body);
    }};
    ($V:ty, $n:expr, |$i:ident, $k:ident, $U:ident| $body:block flush $flush:block) => {{
        let length: usize = $n;
        let block = <$V as $crate::simd::Vector>::LANES * $crate::rows::SUM_BLOCK;
        let mut $i = 0usize;
        while $i < length {
            let end = if length - $i > block { $i + block } else { length };
            $crate::rows::lanes!(@loop $V, end, $i, $k, $U, $body);
            $i = end;
            $flush
        }
    }};
    (@loop $V:ty, $end:ident, $i:ident, $k:ident, $U:ident, $body:block) => {
        while $end - $i >= <$V as $crate::simd::Vector>::LANES * $crate::rows::UNROLL {
            const $U: usize = $crate::rows::UNROLL;
            let $k = <$V as $crate::simd::Vector>::LANES * $U;
            $body
            $i += $k;
        }
        while $i < $end {
            const $U: usize = 1;
            let $k = ($end - $i).min(<$V as $crate::simd::Vector>::LANES);
            $body
            $i += $k;
        }
    };
}
pub(crate) use lanes;

/// `1 / temperature`, kept positive and finite so that `-inf` and 0 stay what they are when multiplied by it.
#[inline(always)]
pub(crate) fn reciprocal<A: Real>(temperature: f64) -> A {
    let r = A::from_f64(1.0 / temperature);
    if r > A::MAX {
        A::MAX
    } else if r < A::TINY {
        A::TINY
    } else {
        r
    }
}

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

/// The largest value of a row, NaN passed over; `-inf` if there is none.
#[inline(always)]
pub(crate) fn row_max<B: Backend, A: Real>(row: &[A]) -> A {
    let mut best = A::Lanes::<B>::splat(A::NEG_INFINITY);
    lanes!(A::Lanes<B>, row.len(), |i, k, U| {
        prefetch(row, i, k);
        best = get::<B, A, U>(row, i, k, A::NEG_INFINITY)
            .fold(|a, b| a.max(b))
            .max(best);
    });
    max_lanes(best)
}

/// What turns the logits of a row into unnormalised weights: `exp((x - max) * scale)`.
///
/// In a row with `+inf`, `max` is [`Real::MAX`] and so is `scale`: `+inf` gets weight 1, everything finite 0. In a row of
/// `-inf`, `max` is [`Real::MIN`] and every weight is 0. Neither needs a branch in the loops.
#[derive(Clone, Copy)]
pub(crate) struct Head<A> {
    pub(crate) max: A,
    pub(crate) scale: A,
}

impl<A: Real> Head<A> {
    /// From the largest value of the row.
    #[inline(always)]
    pub(crate) fn new(largest: A, inverse_temperature: A) -> Self {
        let max = if largest > A::MAX {
            A::MAX
        } else if largest < A::MIN {
            A::MIN
        } else {
            largest
        };
        Self::from_stats(
            max,
            if largest > A::MAX {
                A::MAX
            } else {
                inverse_temperature
            },
        )
    }

    /// From the stored maximum of the row.
    #[inline(always)]
    pub(crate) fn from_stats(max: A, inverse_temperature: A) -> Self {
        Head {
            max,
            scale: if max == A::MAX {
                A::MAX
            } else {
                inverse_temperature
            },
        }
    }

    /// Whether the row holds `+inf`: its weights do not depend on its logits.
    #[inline(always)]
    pub(crate) fn is_constant(&self) -> bool {
        self.max == A::MAX
    }

    /// The exponents `min(0, (x - max) * scale)`.
    #[inline(always)]
    pub(crate) fn exponent<V: Vector<Scalar = A>>(&self, x: V) -> V {
        V::splat(A::ZERO).min((x - V::splat(self.max)) * V::splat(self.scale))
    }

    /// The exponent of one logit.
    #[inline(always)]
    pub(crate) fn exponent_of(&self, x: A) -> A {
        let z = (x - self.max) * self.scale;
        if z > A::ZERO { A::ZERO } else { z }
    }

    /// The unnormalised weights.
    #[inline(always)]
    pub(crate) fn weight<V: Vector<Scalar = A>>(&self, x: V) -> V {
        exp(self.exponent(x))
    }
}

/// `1 / normaliser`, 0 for a row in which nothing can be chosen.
#[inline(always)]
pub(crate) fn inverse<A: Real>(normaliser: A) -> A {
    if normaliser == A::ZERO {
        A::ZERO
    } else {
        A::ONE / normaliser
    }
}

/// `x` where `weight` is not 0, else 0: what a forbidden entry carries does not matter, NaN or not.
#[inline(always)]
pub(crate) fn unless_zero<V: Vector>(weight: V, x: V) -> V {
    let zero = V::splat(V::Scalar::ZERO);
    V::select(weight.ne(zero), x, zero)
}

/// Writes the two statistics of a row; NaN in one makes both NaN.
#[inline(always)]
pub(crate) fn put_stats<A: Real>(stats: &mut [MaybeUninit<A>], max: A, normaliser: A) {
    let max = if normaliser.is_nan() { A::NAN } else { max };
    stats[0].write(max);
    stats[1].write(normaliser);
}

/// Checks the length of a slice at the door of a kernel.
#[track_caller]
#[inline]
pub(crate) fn check_len(kernel: &str, argument: &str, got: usize, want: usize) {
    assert!(
        got == want,
        "{kernel}: {argument} must have {want} values, got {got}"
    );
}

/// Number of rows of length `n` in a slice.
#[track_caller]
#[inline]
pub(crate) fn count_rows(kernel: &str, len: usize, n: usize) -> usize {
    assert!(n > 0, "{kernel}: n must be at least 1, got 0");
    assert!(
        len.is_multiple_of(n),
        "{kernel}: logits must be whole rows of {n} values, got {len}"
    );
    len / n
}
