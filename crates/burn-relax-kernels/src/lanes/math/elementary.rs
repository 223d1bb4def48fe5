//! Exponential and logarithm over lanes, without branches.
//!
//! Errors, asserted by the tests of this file: the exponential at most 1.1 ulp (every 61st `f32`, a million `f64`), the logarithm at most
//! 1.2 ulp in `f32` and 1.5 ulp in `f64`. Both reduce the argument by a power of two and evaluate one polynomial; the
//! coefficients are Chebyshev fits made for this crate. They use fused multiply-adds: on x86 processors without them the
//! portable path is slow.

use crate::lanes::vector::{Real, Vector};

/// `e^x` for `x <= 88` (`f32`), `x <= 709` (`f64`). Below [`Real::EXP_LOWEST`], where results would be subnormal, and at
/// `-inf` it is 0. NaN stays NaN.
#[inline(always)]
pub(crate) fn exp<V: Vector>(x: V) -> V {
    let shifted = x.mul_add(V::splat(V::Scalar::LOG2_E), V::splat(V::Scalar::ROUNDER));
    let k = V::splat(V::Scalar::ROUNDER) - shifted;
    let r = k.mul_add(V::splat(V::Scalar::LN2_HIGH), x);
    let r = k.mul_add(V::splat(V::Scalar::LN2_LOW), r);
    let change = (r * r).mul_add(polynomial(r, V::Scalar::EXP_POLYNOMIAL), r);
    let mantissa = change + V::splat(V::Scalar::ONE);
    // The low bits of `shifted` are k, in two's complement: moved to the exponent's place they are 2^k over 1.
    let power = shifted.shl_mantissa().iadd(V::Scalar::ONE_BITS);
    V::select(
        x.not_lt(V::splat(V::Scalar::EXP_LOWEST)),
        mantissa * power,
        V::splat(V::Scalar::ZERO),
    )
}

/// `ln x` for finite `x > 0`, subnormal numbers too. Other arguments give a number without meaning: callers select.
#[inline(always)]
pub(crate) fn ln<V: Vector>(x: V) -> V {
    let subnormal = x.lt(V::splat(V::Scalar::TINY));
    let lifted = V::select(subnormal, x * V::splat(V::Scalar::LIFT), x);
    let lift = V::select(
        subnormal,
        V::splat(V::Scalar::LIFT_EXPONENT),
        V::splat(V::Scalar::ZERO),
    );
    ln_scaled(lifted, lift)
}

/// `ln x` for normal finite `x > 0`.
#[inline(always)]
pub(crate) fn ln_normal<V: Vector>(x: V) -> V {
    ln_scaled(x, V::splat(V::Scalar::ZERO))
}

/// `ln(x * 2^-lift)`
#[inline(always)]
fn ln_scaled<V: Vector>(x: V, lift: V) -> V {
    let (e, f) = reduced(x);
    ln_of_parts(e - lift, f)
}

/// A normal `x > 0` as `2^e (1 + f)` with `sqrt(1/2) <= 1 + f < sqrt 2`.
#[inline(always)]
fn reduced<V: Vector>(x: V) -> (V, V) {
    // The biased exponent becomes a float through the integers' bits.
    let t = x.iadd(V::Scalar::ONE_BITS - V::Scalar::SQRT_HALF_BITS);
    let m = t
        .iand(V::Scalar::MANTISSA_BITS)
        .iadd(V::Scalar::SQRT_HALF_BITS);
    let biased = t.shr_mantissa().ior(V::Scalar::INTEGER_BITS);
    let e = biased - V::splat(V::Scalar::INTEGER_OFFSET);
    (e, m - V::splat(V::Scalar::ONE))
}

/// `ln(2^e (1 + f))` of such a number.
#[inline(always)]
fn ln_of_parts<V: Vector>(e: V, f: V) -> V {
    let rest = e.mul_add(V::splat(V::Scalar::LN2_LOW), V::Scalar::ln_rest(f));
    e.mul_add(V::splat(V::Scalar::LN2_HIGH), f + rest)
}

/// Draws from here on are kept as their distance from 1.
pub(crate) const NEAR_ONE: u32 = 0xff80_0000;

/// `-ln(-ln u)` of a draw, which is `u` or, if negative, `u - 1`.
#[inline(always)]
pub(super) fn ln_of_ln<V: Vector>(draw: V) -> V {
    let zero = V::splat(V::Scalar::ZERO);
    let (e, f) = reduced(draw);
    let near_one = draw.lt(zero);
    let (e, f) = (V::select(near_one, zero, e), V::select(near_one, draw, f));
    zero - ln_normal(zero - ln_of_parts(e, f))
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

#[cfg(test)]
mod tests;
