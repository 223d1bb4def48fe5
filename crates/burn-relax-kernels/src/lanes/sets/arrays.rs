//! Lanes as short arrays, for processors without a file of their own: what the compiler makes of four numbers at a time. On
//! aarch64 that is NEON, which is part of the base instruction set there.

use crate::lanes::math::elementary;
use crate::lanes::vector::Vector;
#[cfg(not(target_arch = "x86_64"))]
use crate::lanes::{
    pack::Pack,
    path::Path,
    vector::{Backend, Portable},
};
use core::mem::MaybeUninit;
use core::ops::{Add, Div, Mul, Sub};

#[cfg(not(target_arch = "x86_64"))]
impl Backend for Portable {
    type F32 = Pack<F32x4, 4>;
    type F64 = Pack<F64x4, 2>;
    const PATH: Path = Path::Portable;
}

macro_rules! array {
    ($name:ident, $scalar:ty, $bits:ty, $mantissa:literal) => {
        /// Four lanes.
        #[derive(Clone, Copy)]
        pub struct $name([$scalar; 4]);

        array!(@op $name, Add, add, +);
        array!(@op $name, Sub, sub, -);
        array!(@op $name, Mul, mul, *);
        array!(@op $name, Div, div, /);

        impl $name {
            #[inline(always)]
            fn map_bits(self, f: impl Fn($bits) -> $bits) -> Self {
                Self(self.0.map(|x| <$scalar>::from_bits(f(x.to_bits()))))
            }
            #[inline(always)]
            fn test(self, o: Self, f: impl Fn($scalar, $scalar) -> bool) -> [bool; 4] {
                let (a, b) = (self.0, o.0);
                [f(a[0], b[0]), f(a[1], b[1]), f(a[2], b[2]), f(a[3], b[3])]
            }
        }

        impl Vector for $name {
            type Scalar = $scalar;
            type Mask = [bool; 4];
            type Wide = F64x4;
            const LANES: usize = 4;

            #[inline(always)]
            fn splat(x: $scalar) -> Self {
                Self([x; 4])
            }
            #[inline(always)]
            fn load(from: &[$scalar]) -> Self {
                Self([from[0], from[1], from[2], from[3]])
            }
            #[inline(always)]
            fn store(self, to: &mut [MaybeUninit<$scalar>]) {
                to[..4].write_copy_of_slice(&self.0);
            }
            #[inline(always)]
            fn exp(self) -> Self {
                elementary::exp(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                elementary::ln(self)
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                let (a, b, c) = (self.0, b.0, c.0);
                let lane = <$scalar>::mul_add;
                Self([
                    lane(a[0], b[0], c[0]),
                    lane(a[1], b[1], c[1]),
                    lane(a[2], b[2], c[2]),
                    lane(a[3], b[3], c[3]),
                ])
            }
            #[inline(always)]
            fn max(self, o: Self) -> Self {
                Self::select(o.lt(self), self, o)
            }
            #[inline(always)]
            fn min(self, o: Self) -> Self {
                Self::select(self.lt(o), self, o)
            }
            #[inline(always)]
            fn lt(self, o: Self) -> [bool; 4] {
                self.test(o, |a, b| a < b)
            }
            #[inline(always)]
            fn not_lt(self, o: Self) -> [bool; 4] {
                self.lt(o).map(|m| !m)
            }
            #[inline(always)]
            fn eq(self, o: Self) -> [bool; 4] {
                self.test(o, |a, b| a == b)
            }
            #[inline(always)]
            fn ne(self, o: Self) -> [bool; 4] {
                self.test(o, |a, b| a != b)
            }
            #[inline(always)]
            fn is_nan(self) -> [bool; 4] {
                self.0.map(|x| x.is_nan())
            }
            #[inline(always)]
            fn or(a: [bool; 4], b: [bool; 4]) -> [bool; 4] {
                [a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]]
            }
            #[inline(always)]
            fn bits(m: [bool; 4]) -> u64 {
                m[0] as u64 | (m[1] as u64) << 1 | (m[2] as u64) << 2 | (m[3] as u64) << 3
            }
            #[inline(always)]
            fn select(m: [bool; 4], a: Self, b: Self) -> Self {
                let mut lanes = b.0;
                for j in 0..4 {
                    if m[j] {
                        lanes[j] = a.0[j];
                    }
                }
                Self(lanes)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Self(self.0.map(<$scalar>::sqrt))
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
                let (a, b) = (self.0, o.0);
                Self([a[0] $op b[0], a[1] $op b[1], a[2] $op b[2], a[3] $op b[3]])
            }
        }
    };
}

array!(F32x4, f32, u32, 23);
array!(F64x4, f64, u64, 52);
