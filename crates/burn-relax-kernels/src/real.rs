//! The two types arithmetic is done in, with the constants of their elementary functions.

use crate::math::ln_normal;
use crate::simd::{Backend, Vector};
use core::fmt::Debug;
use core::ops::{Add, Div, Mul, Sub};

/// `f32` or `f64`: what a row is computed and accumulated in.
pub trait Real:
    Copy
    + Debug
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + 'static
{
    /// The lanes of an instruction set.
    #[doc(hidden)]
    type Lanes<B: Backend>: Vector<Scalar = Self>;
    /// Which of the two this is.
    #[doc(hidden)]
    const DOUBLE: bool;

    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// The largest finite number.
    const MAX: Self;
    /// The smallest finite number.
    const MIN: Self;
    /// The smallest positive normal number.
    const TINY: Self;
    /// Positive infinity.
    const INFINITY: Self;
    /// Negative infinity.
    const NEG_INFINITY: Self;
    /// Not a number.
    const NAN: Self;

    /// Square root of the largest number, about: a limit for factors whose product must stay finite.
    #[doc(hidden)]
    const EXCESS_LIMIT: Self;
    /// Its logarithm.
    #[doc(hidden)]
    const LOG_LIMIT: Self;
    /// `-(e^-w - 1 + w) / w^2` for `|w| <= CHANGE_NEAR`, highest power first.
    #[doc(hidden)]
    const CHANGE_POLYNOMIAL: &'static [Self];
    /// Beyond this the formula itself loses no more than two bits.
    #[doc(hidden)]
    const CHANGE_NEAR: Self;
    /// A relative step after which Newton's method has the last digit, since the error left is of the order of its square.
    #[doc(hidden)]
    const LAST_STEP: Self;
    /// A relative step that rounding alone explains.
    #[doc(hidden)]
    const NO_STEP: Self;

    /// Bits of 1.
    #[doc(hidden)]
    const ONE_BITS: u64;
    /// log2(e)
    #[doc(hidden)]
    const LOG2_E: Self;
    /// `1.5 * 2^mantissa`: adding it rounds to an integer that then stands in the low bits.
    #[doc(hidden)]
    const ROUNDER: Self;
    /// ln 2, with enough trailing zeros for an exact product with every exponent.
    #[doc(hidden)]
    const LN2_HIGH: Self;
    /// `ln 2 - LN2_HIGH`
    #[doc(hidden)]
    const LN2_LOW: Self;
    /// Below this `exp` is 0: the results would be subnormal.
    #[doc(hidden)]
    const EXP_LOWEST: Self;
    /// `(e^r - 1 - r) / r^2` on `|r| <= ln 2 / 2`, highest power first.
    #[doc(hidden)]
    const EXP_POLYNOMIAL: &'static [Self];
    /// Above this `exp` needs no reduction of its argument, which is negative.
    #[doc(hidden)]
    const EXP_M1_NEAR: Self;
    /// Bits of sqrt(1/2).
    #[doc(hidden)]
    const SQRT_HALF_BITS: u64;
    /// Mask of the mantissa.
    #[doc(hidden)]
    const MANTISSA_BITS: u64;
    /// Bits of `2^mantissa`.
    #[doc(hidden)]
    const INTEGER_BITS: u64;
    /// `2^mantissa` plus the exponent bias.
    #[doc(hidden)]
    const INTEGER_OFFSET: Self;
    /// A power of two that makes subnormal numbers normal.
    #[doc(hidden)]
    const LIFT: Self;
    /// Its exponent.
    #[doc(hidden)]
    const LIFT_EXPONENT: Self;
    /// `ln(1 + f)` for `sqrt(1/2) <= 1 + f < sqrt 2`, as `f - half_square + rest`: returns `rest - half_square`.
    #[doc(hidden)]
    fn ln_rest<V: Vector<Scalar = Self>>(f: V) -> V;

    /// The uniform number of a draw, the same for both types: see [`uniform_f32`](crate::uniform_f32).
    #[doc(hidden)]
    fn uniform(bits: u32) -> Self;
    /// `-ln(-ln u)` for such a number.
    #[doc(hidden)]
    fn gumbel<V: Vector<Scalar = Self>>(u: V) -> V;

    /// Rounds an `f64`.
    fn from_f64(x: f64) -> Self;
    /// Widens to `f64`.
    fn to_f64(self) -> f64;

    /// Whether the value is NaN.
    #[inline(always)]
    fn is_nan(self) -> bool {
        self.partial_cmp(&self).is_none()
    }
    /// Natural logarithm of one number, taken in `f64`.
    #[inline(always)]
    fn ln(self) -> Self {
        Self::from_f64(self.to_f64().ln())
    }
}

/// A polynomial, highest power first: its even and odd parts by Horner's scheme, side by side, which halves the chain of
/// dependent instructions.
#[inline(always)]
pub(crate) fn polynomial<V: Vector>(x: V, coefficients: &[V::Scalar]) -> V {
    let square = x * x;
    let first = every_second(square, coefficients, 0);
    let second = every_second(square, coefficients, 1);
    if coefficients.len() % 2 == 1 {
        second.mul_add(x, first)
    } else {
        first.mul_add(x, second)
    }
}

/// Horner's scheme over every second coefficient. Not a closure: those are not always inlined, and outside the function that has
/// the instruction set each of their instructions is a call.
#[inline(always)]
fn every_second<V: Vector>(square: V, coefficients: &[V::Scalar], start: usize) -> V {
    let mut y = V::splat(coefficients[start]);
    let mut i = start + 2;
    while i < coefficients.len() {
        y = y.mul_add(square, V::splat(coefficients[i]));
        i += 2;
    }
    y
}

/// `-ln(-ln u)`
#[inline(always)]
fn ln_of_ln<V: Vector>(u: V) -> V {
    let zero = V::splat(V::Scalar::ZERO);
    zero - ln_normal(zero - ln_normal(u))
}

impl Real for f32 {
    type Lanes<B: Backend> = B::F32;
    const DOUBLE: bool = false;
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    const MAX: f32 = f32::MAX;
    const MIN: f32 = f32::MIN;
    const TINY: f32 = f32::MIN_POSITIVE;
    const INFINITY: f32 = f32::INFINITY;
    const NEG_INFINITY: f32 = f32::NEG_INFINITY;
    const NAN: f32 = f32::NAN;

    const EXCESS_LIMIT: f32 = 1.844_674_4e19; // 2^64
    const LOG_LIMIT: f32 = 44.361_42;
    // The power series: its next term is 2e-9 of the first.
    const CHANGE_POLYNOMIAL: &'static [f32] = &[
        1.0 / 362_880.0,
        -1.0 / 40_320.0,
        1.0 / 5_040.0,
        -1.0 / 720.0,
        1.0 / 120.0,
        -1.0 / 24.0,
        1.0 / 6.0,
        -0.5,
    ];
    const CHANGE_NEAR: f32 = 0.5;
    const LAST_STEP: f32 = 1.0 / 8192.0;
    const NO_STEP: f32 = 4.0 * f32::EPSILON;

    const ONE_BITS: u64 = 0x3f80_0000;
    const LOG2_E: f32 = core::f32::consts::LOG2_E;
    const ROUNDER: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4; // 355 / 512
    const LN2_LOW: f32 = -0.000_212_194_44;
    const EXP_LOWEST: f32 = -87.336_54;
    // Chebyshev fit, relative error of the exponential 1.1e-8.
    #[allow(clippy::excessive_precision)] // the digits of the nearest f32
    const EXP_POLYNOMIAL: &'static [f32] = &[
        0.0013926184037700295,
        0.008363178931176662,
        0.041666556149721146,
        0.16666576266288757,
        0.5,
    ];
    const EXP_M1_NEAR: f32 = -0.25;
    const SQRT_HALF_BITS: u64 = 0x3f35_04f3;
    const MANTISSA_BITS: u64 = 0x007f_ffff;
    const INTEGER_BITS: u64 = 0x4b00_0000;
    const INTEGER_OFFSET: f32 = 8_388_608.0 + 127.0;
    const LIFT: f32 = 8_388_608.0;
    const LIFT_EXPONENT: f32 = 23.0;

    #[inline(always)]
    fn ln_rest<V: Vector<Scalar = f32>>(f: V) -> V {
        // Chebyshev fit of (ln(1 + f) - f + f^2/2) / f^3, relative error of the logarithm 3.4e-9.
        #[allow(clippy::excessive_precision)] // the digits of the nearest f32
        const P: &[f32] = &[
            0.06971611827611923,
            -0.11479733884334564,
            0.11685419827699661,
            -0.12425687164068222,
            0.14249058067798615,
            -0.1666780263185501,
            0.20000715553760529,
            -0.2499999701976776,
            0.3333333134651184,
        ];
        let square = f * f;
        square * f.mul_add(polynomial(f, P), V::splat(-0.5))
    }

    #[inline(always)]
    fn uniform(bits: u32) -> f32 {
        crate::philox::uniform_f32(bits)
    }

    #[inline(always)]
    fn gumbel<V: Vector<Scalar = f32>>(u: V) -> V {
        // Near u = 1/e the outer logarithm is near 0 and would keep the absolute error of the inner one. There, with
        // d = u - 1/e, the whole function is e d + d^2 q(d), q a polynomial (Chebyshev fit for |d| <= 0.179, relative error of
        // the whole 1e-8). Both 1/e and e are split, so that the leading product has one rounding.
        const CENTRE: f32 = 0.367_879_45;
        const CENTRE_RADIUS: f32 = 0.178;
        const E: f32 = core::f32::consts::E;
        /// `e (CENTRE - 1/e)`
        const SHIFT: f32 = 2.487_161_4e-8;
        #[allow(clippy::excessive_precision)] // the digits of the nearest f32
        const P: &[f32] = &[
            -5382.564453125,
            2205.2275390625,
            -407.11163330078125,
            182.5368194580078,
            -85.71550750732422,
            42.72684860229492,
            -14.560714721679688,
            9.89118480682373,
            -2.274935245513916,
            3.3475944995880127,
            0.0,
            8.254840366817007e-08, // the rest of e
        ];
        let tail = ln_of_ln(u);
        let d = u - V::splat(CENTRE);
        let centre = d.mul_add(V::splat(E), d.mul_add(polynomial(d, P), V::splat(SHIFT)));
        V::select(
            (d * d).lt(V::splat(CENTRE_RADIUS * CENTRE_RADIUS)),
            centre,
            tail,
        )
    }

    #[inline(always)]
    fn from_f64(x: f64) -> f32 {
        x as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self as f64
    }
}

impl Real for f64 {
    type Lanes<B: Backend> = B::F64;
    const DOUBLE: bool = true;
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    const MAX: f64 = f64::MAX;
    const MIN: f64 = f64::MIN;
    const TINY: f64 = f64::MIN_POSITIVE;
    const INFINITY: f64 = f64::INFINITY;
    const NEG_INFINITY: f64 = f64::NEG_INFINITY;
    const NAN: f64 = f64::NAN;

    const EXCESS_LIMIT: f64 = 1.340_780_792_994_259_7e154; // 2^512
    const LOG_LIMIT: f64 = 354.891_356_446_692;
    // The power series: its next term is 6e-18 of the first.
    const CHANGE_POLYNOMIAL: &'static [f64] = &[
        1.0 / 1_307_674_368_000.0,
        -1.0 / 87_178_291_200.0,
        1.0 / 6_227_020_800.0,
        -1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        -1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        -1.0 / 40_320.0,
        1.0 / 5_040.0,
        -1.0 / 720.0,
        1.0 / 120.0,
        -1.0 / 24.0,
        1.0 / 6.0,
        -0.5,
    ];
    const CHANGE_NEAR: f64 = 0.5;
    const LAST_STEP: f64 = 1.0 / 134_217_728.0;
    const NO_STEP: f64 = 4.0 * f64::EPSILON;

    const ONE_BITS: u64 = 0x3ff0_0000_0000_0000;
    const LOG2_E: f64 = core::f64::consts::LOG2_E;
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    const LN2_HIGH: f64 = 0.6931471803691238; // 32 bits
    const LN2_LOW: f64 = 1.9082149292705877e-10;
    const EXP_LOWEST: f64 = -708.396_418_532_264;
    // Chebyshev fit, relative error of the exponential 1.6e-17.
    const EXP_POLYNOMIAL: &'static [f64] = &[
        2.510038549551032e-08,
        2.7620088445409746e-07,
        2.7557268459997064e-06,
        2.4801521295954376e-05,
        0.00019841269863053618,
        0.0013888888917213717,
        0.008333333333330062,
        0.04166666666662413,
        0.16666666666666669,
        0.5,
    ];
    const EXP_M1_NEAR: f64 = -0.25;
    const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcd;
    const MANTISSA_BITS: u64 = 0x000f_ffff_ffff_ffff;
    const INTEGER_BITS: u64 = 0x4330_0000_0000_0000;
    const INTEGER_OFFSET: f64 = 4_503_599_627_370_496.0 + 1023.0;
    const LIFT: f64 = 4_503_599_627_370_496.0;
    const LIFT_EXPONENT: f64 = 52.0;

    #[inline(always)]
    fn ln_rest<V: Vector<Scalar = f64>>(f: V) -> V {
        // With s = f / (2 + f): ln(1 + f) = 2 atanh s = f - f^2/2 + s (f^2/2 + r), r = s^2 (2/3 + 2/5 s^2 + ...).
        // Chebyshev fit, error 1e-17.
        const P: &[f64] = &[
            0.14617807153417325,
            0.15331611722055008,
            0.1818289243253687,
            0.22222211089379496,
            0.28571428626253836,
            0.3999999999989889,
            0.666666666666667,
        ];
        let s = f / (f + V::splat(2.0));
        let z = s * s;
        let half_square = f * f * V::splat(0.5);
        let sum = z.mul_add(polynomial(z, P), half_square);
        s.mul_add(sum, V::splat(0.0) - half_square)
    }

    #[inline(always)]
    fn uniform(bits: u32) -> f64 {
        ((bits >> 9) as f64 + 0.5) * (1.0 / 8_388_608.0)
    }

    #[inline(always)]
    fn gumbel<V: Vector<Scalar = f64>>(u: V) -> V {
        ln_of_ln(u)
    }

    #[inline(always)]
    fn from_f64(x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
}
