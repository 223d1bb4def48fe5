//! The lanes the row kernels are written in, and the choice of instruction set at run time.
//!
//! A kernel is generic over a [`Backend`] and is compiled once per instruction set. All backends offer
//! vectors of the *same* logical width (16 lanes of `f32`, 8 of `f64`) and only operations that IEEE 754
//! defines to the last bit, with one fixed reduction tree: no approximate reciprocal, no contraction by the compiler. The
//! fused multiply-add is one of them; where the processor has none, it is a slow but exact library call. This is what makes the
//! results of all paths equal bit for bit.
//!
//! A register is a [`Vector`] of its own number of lanes; a [`Pack`] of several makes up the common width, and a pack of such packs
//! the unrolled steps of the loops.

#[cfg(any(test, not(target_arch = "x86_64")))]
pub(crate) mod arrays;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod pack;
mod path;
#[cfg(target_arch = "x86_64")]
mod sse2;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
pub(crate) use pack::Pack;
pub use path::{Path, force_path};
pub(crate) use path::{Region, current_path, enter, with_path};

use crate::math::{exp_lanes, ln_lanes};
use crate::real::Real;
use core::ops::{Add, Div, Mul, Sub};

/// What every processor of the target has: SSE2 on x86-64, NEON on aarch64.
pub struct Portable;

/// One instruction set.
pub trait Backend: Sized + 'static {
    /// Sixteen lanes of `f32`.
    type F32: Vector<Scalar = f32>;
    /// Eight lanes of `f64`.
    type F64: Vector<Scalar = f64>;
}

/// A fixed number of lanes.
///
/// `max`, `min` return the *second* operand when one operand is NaN or both are equal, as the x86 instructions do.
/// Shifts and `i…` methods act on the bit patterns.
pub trait Vector:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// The type of a lane.
    type Scalar: Real;
    /// One truth value per lane.
    type Mask: Copy;
    /// As many lanes of `f64`.
    type Wide: Vector<Scalar = f64>;
    /// Whether `exp` and `ln` are calls: on the portable path, which is there to be right rather than fast, their code would
    /// otherwise make up most of the library.
    const CALLS: bool = false;
    /// Number of lanes, a power of two, at most [`MAX_LANES`].
    const LANES: usize;

    /// All lanes equal to `x`.
    fn splat(x: Self::Scalar) -> Self;
    /// Reads `LANES` values.
    ///
    /// # Safety
    /// `LANES` values must be readable at `p`, which need not be aligned beyond the scalar.
    unsafe fn load(p: *const Self::Scalar) -> Self;
    /// Writes `LANES` values.
    ///
    /// # Safety
    /// `LANES` values must be writable at `p`.
    unsafe fn store(self, p: *mut Self::Scalar);
    /// Reads `len` values into the first lanes and sets the others to `fill`.
    ///
    /// # Safety
    /// `len <= LANES` values must be readable at `p`.
    #[inline(always)]
    unsafe fn load_partial(p: *const Self::Scalar, len: usize, fill: Self::Scalar) -> Self {
        const { assert!(Self::LANES <= MAX_LANES) }
        let mut buffer = [fill; MAX_LANES];
        // SAFETY: the caller promises `len` readable values; `len <= LANES <= MAX_LANES`.
        unsafe {
            core::ptr::copy_nonoverlapping(p, buffer.as_mut_ptr(), len);
            Self::load(buffer.as_ptr())
        }
    }
    /// Writes the first `len` lanes.
    ///
    /// # Safety
    /// `len <= LANES` values must be writable at `p`.
    #[inline(always)]
    unsafe fn store_partial(self, p: *mut Self::Scalar, len: usize) {
        const { assert!(Self::LANES <= MAX_LANES) }
        let mut buffer = [Self::Scalar::ZERO; MAX_LANES];
        // SAFETY: the caller promises `len` writable values; `len <= LANES <= MAX_LANES`.
        unsafe {
            self.store(buffer.as_mut_ptr());
            core::ptr::copy_nonoverlapping(buffer.as_ptr(), p, len);
        }
    }

    /// `self * b + c` with one rounding.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// `if self > o { self } else { o }` per lane.
    fn max(self, o: Self) -> Self;
    /// `if self < o { self } else { o }` per lane.
    fn min(self, o: Self) -> Self;
    /// Ordered `<`.
    fn lt(self, o: Self) -> Self::Mask;
    /// Whether not `<`: true for NaN.
    fn not_lt(self, o: Self) -> Self::Mask;
    /// Ordered `==`.
    fn eq(self, o: Self) -> Self::Mask;
    /// Whether not `==`: true for NaN.
    fn ne(self, o: Self) -> Self::Mask;
    /// NaN lanes.
    fn is_nan(self) -> Self::Mask;
    /// Union of two masks.
    fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Lane `j` in bit `j`.
    fn bits(m: Self::Mask) -> u64;
    /// `if m { a } else { b }` per lane.
    fn select(m: Self::Mask, a: Self, b: Self) -> Self;

    /// Every lane in `f64`.
    #[inline(always)]
    fn widen(self) -> Self::Wide {
        let mut lanes = [Self::Scalar::ZERO; MAX_LANES];
        // SAFETY: `LANES <= MAX_LANES`, in both types.
        unsafe {
            self.store(lanes.as_mut_ptr());
            Self::Wide::load(lanes.map(Real::to_f64).as_ptr())
        }
    }

    /// Sum of the lanes in `f64`, by halves: the same tree on every path.
    #[inline(always)]
    fn wide_sum(self) -> f64 {
        let mut lanes = [Self::Scalar::ZERO; MAX_LANES];
        // SAFETY: `LANES <= MAX_LANES`.
        unsafe { self.store(lanes.as_mut_ptr()) };
        let mut lanes = lanes.map(Real::to_f64);
        let mut half = Self::LANES / 2;
        while half > 0 {
            for j in 0..half {
                lanes[j] += lanes[j + half];
            }
            half /= 2;
        }
        lanes[0]
    }

    /// Reads `LANES >> shift` values, each into `1 << shift` lanes side by side.
    ///
    /// # Safety
    /// `max(LANES >> shift, 1)` values must be readable at `p`; `1 << shift` is at most `MAX_LANES`.
    #[inline(always)]
    unsafe fn load_repeated(p: *const Self::Scalar, shift: u32) -> Self {
        let mut lanes = [Self::Scalar::ZERO; MAX_LANES];
        for (l, lane) in lanes.iter_mut().enumerate().take(Self::LANES) {
            // SAFETY: the caller promises these values.
            *lane = unsafe { p.add(l >> shift).read() };
        }
        // SAFETY: `LANES <= MAX_LANES`.
        unsafe { Self::load(lanes.as_ptr()) }
    }
    /// The sums of neighbours: those of this vector, then those of `o`.
    #[inline(always)]
    fn add_pairs(self, o: Self) -> Self {
        let mut lanes = [Self::Scalar::ZERO; 2 * MAX_LANES];
        // SAFETY: `LANES <= MAX_LANES`.
        unsafe {
            self.store(lanes.as_mut_ptr());
            o.store(lanes.as_mut_ptr().add(Self::LANES));
        }
        for l in 0..Self::LANES {
            lanes[l] = lanes[2 * l] + lanes[2 * l + 1];
        }
        // SAFETY: as above.
        unsafe { Self::load(lanes.as_ptr()) }
    }

    /// The square root of every lane, rounded correctly.
    fn sqrt(self) -> Self;
    /// Writes the lanes of `m` side by side, in their order, and returns their number.
    ///
    /// # Safety
    /// `LANES` values must be writable at `p`; those behind the lanes of `m` are left with any value.
    #[inline(always)]
    unsafe fn compress(self, m: Self::Mask, p: *mut Self::Scalar) -> usize {
        let mut bits = Self::bits(m);
        let count = bits.count_ones() as usize;
        let mut lanes = [Self::Scalar::ZERO; MAX_LANES];
        // SAFETY: `LANES <= MAX_LANES`; the caller promises `LANES >= count` writable values.
        unsafe {
            self.store(lanes.as_mut_ptr());
            for j in 0..count {
                p.add(j).write(lanes[bits.trailing_zeros() as usize]);
                bits &= bits - 1;
            }
        }
        count
    }

    /// Reads as many values as `m` has lanes into those lanes, in their order, and sets the others to 0.
    ///
    /// # Safety
    /// `LANES` values must be readable at `p`.
    #[inline(always)]
    unsafe fn expand(m: Self::Mask, p: *const Self::Scalar) -> Self {
        let mut bits = Self::bits(m);
        let mut lanes = [Self::Scalar::ZERO; MAX_LANES];
        for j in 0..bits.count_ones() as usize {
            // SAFETY: a mask has at most `LANES` lanes, and the caller promises as many values.
            lanes[bits.trailing_zeros() as usize] = unsafe { p.add(j).read() };
            bits &= bits - 1;
        }
        // SAFETY: `LANES <= MAX_LANES`.
        unsafe { Self::load(lanes.as_ptr()) }
    }

    /// [`exp`](crate::math::exp) of every lane.
    #[inline(always)]
    fn exp(self) -> Self {
        exp_lanes(self)
    }
    /// [`ln`](crate::math::ln) of every lane.
    #[inline(always)]
    fn ln(self) -> Self {
        ln_lanes(self)
    }

    /// Adds `c` to the bit patterns.
    fn iadd(self, c: u64) -> Self;
    /// Intersects the bit patterns with `c`.
    fn iand(self, c: u64) -> Self;
    /// Unites the bit patterns with `c`.
    fn ior(self, c: u64) -> Self;
    /// Shifts the bit patterns left by the width of the mantissa.
    fn shl_mantissa(self) -> Self;
    /// Shifts the bit patterns right by the width of the mantissa, zeros coming in.
    fn shr_mantissa(self) -> Self;
}

/// The widest vector, for buffers on the stack.
pub(crate) const MAX_LANES: usize = 16;

/// Largest lane; lanes that are NaN may be passed over.
#[inline(always)]
pub(crate) fn max_lanes<V: Vector>(v: V) -> V::Scalar {
    let mut a = [V::Scalar::ZERO; MAX_LANES];
    // SAFETY: `LANES <= MAX_LANES`.
    unsafe { v.store(a.as_mut_ptr()) };
    let mut half = V::LANES / 2;
    while half > 0 {
        for j in 0..half {
            a[j] = if a[j] > a[j + half] {
                a[j]
            } else {
                a[j + half]
            };
        }
        half /= 2;
    }
    a[0]
}

/// Smallest lane; lanes that are NaN may be passed over.
#[inline(always)]
pub(crate) fn min_lanes<V: Vector>(v: V) -> V::Scalar {
    let zero = V::splat(V::Scalar::ZERO);
    V::Scalar::ZERO - max_lanes(zero - v)
}
