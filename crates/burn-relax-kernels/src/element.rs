//! The element types of the slices.

use crate::real::Real;
use crate::simd::{Backend, HalfIo, MAX_LANES, Vector};
use core::fmt::Debug;
use half::{bf16, f16};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for half::f16 {}
    impl Sealed for half::bf16 {}
}

/// Names an element type at run time.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub enum Kind {
    F32,
    F64,
    F16,
    Bf16,
}

/// An element type of the kernels: `f32`, `f64`, `f16`, `bf16`.
///
/// The 16-bit types are computed and accumulated in `f32` and rounded once, at the end.
pub trait Element: sealed::Sealed + Copy + Debug + PartialEq + Send + Sync + 'static {
    /// The type of arithmetic and of row statistics: `f64` for `f64`, else `f32`.
    type Acc: Real;
    /// The lanes arithmetic happens in.
    #[doc(hidden)]
    type Lanes<B: Backend>: Vector<Scalar = Self::Acc>;
    /// Which of the types this is; no two share a kind.
    #[doc(hidden)]
    const KIND: Kind;
    /// Whether storing rounds.
    #[doc(hidden)]
    const NARROW: bool;
    /// The largest value below 1.
    #[doc(hidden)]
    const BELOW_ONE: Self::Acc;

    /// Widens to the type of arithmetic.
    fn to_acc(self) -> Self::Acc;
    /// Rounds to nearest, ties to even.
    fn from_acc(x: Self::Acc) -> Self;

    /// Reads one vector.
    ///
    /// # Safety
    /// `LANES` values must be readable at `p`.
    #[doc(hidden)]
    unsafe fn load<B: Backend>(p: *const Self) -> Self::Lanes<B>;
    /// Writes one vector.
    ///
    /// # Safety
    /// `LANES` values must be writable at `p`.
    #[doc(hidden)]
    unsafe fn store<B: Backend>(v: Self::Lanes<B>, p: *mut Self);

    /// Reads `len` values, the other lanes become `fill`.
    ///
    /// # Safety
    /// `len <= LANES` values must be readable at `p`.
    #[doc(hidden)]
    #[inline(always)]
    unsafe fn load_partial<B: Backend>(
        p: *const Self,
        len: usize,
        fill: Self::Acc,
    ) -> Self::Lanes<B> {
        let mut buffer = [Self::from_acc(fill); MAX_LANES];
        // SAFETY: the caller promises `len` readable values; the buffer holds a whole vector.
        unsafe {
            core::ptr::copy_nonoverlapping(p, buffer.as_mut_ptr(), len);
            Self::load::<B>(buffer.as_ptr())
        }
    }
    /// Writes the first `len` lanes.
    ///
    /// # Safety
    /// `len <= LANES` values must be writable at `p`.
    #[doc(hidden)]
    #[inline(always)]
    unsafe fn store_partial<B: Backend>(v: Self::Lanes<B>, p: *mut Self, len: usize) {
        let mut buffer = [Self::from_acc(Self::Acc::ZERO); MAX_LANES];
        // SAFETY: the caller promises `len` writable values; the buffer holds a whole vector.
        unsafe {
            Self::store::<B>(v, buffer.as_mut_ptr());
            core::ptr::copy_nonoverlapping(buffer.as_ptr(), p, len);
        }
    }
}

macro_rules! wide {
    ($t:ty, $lanes:ident, $kind:ident, $below_one:expr) => {
        impl Element for $t {
            type Acc = $t;
            type Lanes<B: Backend> = B::$lanes;
            const KIND: Kind = Kind::$kind;
            const NARROW: bool = false;
            const BELOW_ONE: $t = $below_one;

            #[inline(always)]
            fn to_acc(self) -> $t {
                self
            }
            #[inline(always)]
            fn from_acc(x: $t) -> $t {
                x
            }
            #[inline(always)]
            unsafe fn load<B: Backend>(p: *const $t) -> B::$lanes {
                // SAFETY: the caller's promise.
                unsafe { B::$lanes::load(p) }
            }
            #[inline(always)]
            unsafe fn store<B: Backend>(v: B::$lanes, p: *mut $t) {
                // SAFETY: the caller's promise.
                unsafe { v.store(p) }
            }
            #[inline(always)]
            unsafe fn load_partial<B: Backend>(p: *const $t, len: usize, fill: $t) -> B::$lanes {
                // SAFETY: the caller's promise.
                unsafe { B::$lanes::load_partial(p, len, fill) }
            }
            #[inline(always)]
            unsafe fn store_partial<B: Backend>(v: B::$lanes, p: *mut $t, len: usize) {
                // SAFETY: the caller's promise.
                unsafe { v.store_partial(p, len) }
            }
        }
    };
}

wide!(f32, F32, F32, 1.0 - f32::EPSILON / 2.0);
wide!(f64, F64, F64, 1.0 - f64::EPSILON / 2.0);

macro_rules! narrow {
    ($t:ty, $load:ident, $store:ident, $kind:ident, $below_one:expr) => {
        impl Element for $t {
            type Acc = f32;
            type Lanes<B: Backend> = B::F32;
            const KIND: Kind = Kind::$kind;
            const NARROW: bool = true;
            const BELOW_ONE: f32 = $below_one;

            #[inline(always)]
            fn to_acc(self) -> f32 {
                self.to_f32_const()
            }
            #[inline(always)]
            fn from_acc(x: f32) -> $t {
                <$t>::from_f32_const(x)
            }
            #[inline(always)]
            unsafe fn load<B: Backend>(p: *const $t) -> B::F32 {
                // SAFETY: the caller's promise.
                unsafe { B::F32::$load(p) }
            }
            #[inline(always)]
            unsafe fn store<B: Backend>(v: B::F32, p: *mut $t) {
                // SAFETY: the caller's promise.
                unsafe { v.$store(p) }
            }
        }
    };
}

narrow!(f16, load_f16, store_f16, F16, 1.0 - 1.0 / 2048.0);
narrow!(bf16, load_bf16, store_bf16, Bf16, 1.0 - 1.0 / 256.0);
