//! Lanes as plain arrays: what the compiler makes of them for the base instruction set.

use super::{Backend, HalfIo, Vector};
use core::array::from_fn;
use core::ops::{Add, Div, Mul, Sub};

/// The base instruction set of the target.
pub struct Portable;

impl Backend for Portable {
    type F32 = F32x16;
    type F64 = F64x8;
}

macro_rules! portable {
    ($name:ident, $scalar:ty, $bits:ty, $lanes:literal, $mantissa:literal) => {
        /// Lanes in an array.
        #[derive(Clone, Copy)]
        #[repr(align(64))]
        pub struct $name([$scalar; $lanes]);

        portable!(@op $name, Add, add, +);
        portable!(@op $name, Sub, sub, -);
        portable!(@op $name, Mul, mul, *);
        portable!(@op $name, Div, div, /);

        impl $name {
            #[inline(always)]
            fn map_bits(self, f: impl Fn($bits) -> $bits) -> Self {
                Self(from_fn(|j| <$scalar>::from_bits(f(self.0[j].to_bits()))))
            }
        }

        impl Vector for $name {
            type Scalar = $scalar;
            type Mask = [bool; $lanes];
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(x: $scalar) -> Self {
                Self([x; $lanes])
            }
            #[inline(always)]
            unsafe fn load(p: *const $scalar) -> Self {
                // SAFETY: the caller promises `LANES` readable values.
                Self(unsafe { p.cast::<[$scalar; $lanes]>().read_unaligned() })
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $scalar) {
                // SAFETY: the caller promises `LANES` writable values.
                unsafe { p.cast::<[$scalar; $lanes]>().write_unaligned(self.0) }
            }
            #[inline(always)]
            fn max(self, o: Self) -> Self {
                Self(from_fn(|j| if self.0[j] > o.0[j] { self.0[j] } else { o.0[j] }))
            }
            #[inline(always)]
            fn min(self, o: Self) -> Self {
                Self(from_fn(|j| if self.0[j] < o.0[j] { self.0[j] } else { o.0[j] }))
            }
            #[inline(always)]
            fn lt(self, o: Self) -> Self::Mask {
                from_fn(|j| self.0[j] < o.0[j])
            }
            #[inline(always)]
            #[allow(clippy::neg_cmp_op_on_partial_ord)] // true for NaN, as the other paths
            fn not_lt(self, o: Self) -> Self::Mask {
                from_fn(|j| !(self.0[j] < o.0[j]))
            }
            #[inline(always)]
            fn eq(self, o: Self) -> Self::Mask {
                from_fn(|j| self.0[j] == o.0[j])
            }
            #[inline(always)]
            fn ne(self, o: Self) -> Self::Mask {
                from_fn(|j| self.0[j] != o.0[j])
            }
            #[inline(always)]
            fn is_nan(self) -> Self::Mask {
                from_fn(|j| self.0[j].is_nan())
            }
            #[inline(always)]
            fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask {
                from_fn(|j| a[j] | b[j])
            }
            #[inline(always)]
            fn bits(m: Self::Mask) -> u64 {
                let mut bits = 0;
                for (j, &m) in m.iter().enumerate() {
                    bits |= (m as u64) << j;
                }
                bits
            }
            #[inline(always)]
            fn select(m: Self::Mask, a: Self, b: Self) -> Self {
                Self(from_fn(|j| if m[j] { a.0[j] } else { b.0[j] }))
            }
            #[inline(always)]
            fn iadd(self, c: u64) -> Self {
                self.map_bits(|b| b.wrapping_add(c as $bits))
            }
            #[inline(always)]
            fn iand(self, c: u64) -> Self {
                self.map_bits(|b| b & c as $bits)
            }
            #[inline(always)]
            fn ior(self, c: u64) -> Self {
                self.map_bits(|b| b | c as $bits)
            }
            #[inline(always)]
            fn shl_mantissa(self) -> Self {
                self.map_bits(|b| b << $mantissa)
            }
            #[inline(always)]
            fn shr_mantissa(self) -> Self {
                self.map_bits(|b| b >> $mantissa)
            }
        }
    };
    (@op $name:ident, $trait:ident, $method:ident, $op:tt) => {
        impl $trait for $name {
            type Output = Self;
            #[inline(always)]
            fn $method(self, o: Self) -> Self {
                Self(from_fn(|j| self.0[j] $op o.0[j]))
            }
        }
    };
}

portable!(F32x16, f32, u32, 16, 23);
portable!(F64x8, f64, u64, 8, 52);

impl HalfIo for F32x16 {}
