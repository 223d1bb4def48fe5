//! Exponential and logarithm over lanes, without branches.
//!
//! Errors, asserted by the tests of this file: [`exp`] at most 1.1 ulp (every 61st `f32`, a million `f64`), [`ln`] at most
//! 1.2 ulp in `f32` and 1.5 ulp in `f64`. Both reduce the argument by a power of two and evaluate one polynomial; the
//! coefficients are Chebyshev fits made for this crate. They use fused multiply-adds: on x86 processors without them the
//! portable path is slow.

use crate::real::{Real, polynomial};
use crate::simd::Vector;

/// `e^x` for `x <= 88` (`f32`), `x <= 709` (`f64`). Below [`Real::EXP_LOWEST`], where results would be subnormal, and at
/// `-inf` it is 0. NaN stays NaN.
#[inline(always)]
pub(crate) fn exp<V: Vector>(x: V) -> V {
    x.exp()
}

/// The computation of [`exp`].
#[inline(always)]
pub(crate) fn exp_lanes<V: Vector>(x: V) -> V {
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

/// `e^x - 1` for `x <= 0`, accurate near 0.
#[inline(always)]
pub(crate) fn exp_m1<V: Vector>(x: V) -> V {
    // For |x| <= 1/4 the polynomial of `exp` needs no reduction.
    let near = (x * x).mul_add(polynomial(x, V::Scalar::EXP_POLYNOMIAL), x);
    let far = exp(x) - V::splat(V::Scalar::ONE);
    V::select(x.lt(V::splat(V::Scalar::EXP_M1_NEAR)), far, near)
}

/// `ln x` for finite `x > 0`, subnormal numbers too. Other arguments give a number without meaning: callers select.
#[inline(always)]
pub(crate) fn ln<V: Vector>(x: V) -> V {
    x.ln()
}

/// `ln(u + lost)`, where `u` is the rounded sum of 1 and some number, and `lost` what the rounding lost.
#[inline(always)]
pub(crate) fn ln_near_one<V: Vector>(u: V, lost: V) -> V {
    let one = V::splat(V::Scalar::ONE);
    // 1 / u to first order around 1: where that is far off, the loss is too small to matter, and below u = 1/2 there is almost none.
    // A positive u is at least the rounding of 1.
    let inverse = (one - (u - one)).max(V::splat(V::Scalar::ZERO));
    lost.mul_add(inverse, ln_normal(u))
}

/// The computation of [`ln`].
#[inline(always)]
pub(crate) fn ln_lanes<V: Vector>(x: V) -> V {
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
    // Written as 2^e * m with sqrt(1/2) <= m < sqrt 2; the biased exponent becomes a float through the integers' bits.
    let t = x.iadd(V::Scalar::ONE_BITS - V::Scalar::SQRT_HALF_BITS);
    let m = t
        .iand(V::Scalar::MANTISSA_BITS)
        .iadd(V::Scalar::SQRT_HALF_BITS);
    let biased = t.shr_mantissa().ior(V::Scalar::INTEGER_BITS);
    let e = biased - V::splat(V::Scalar::INTEGER_OFFSET) - lift;
    let f = m - V::splat(V::Scalar::ONE);
    let rest = e.mul_add(V::splat(V::Scalar::LN2_LOW), V::Scalar::ln_rest(f));
    e.mul_add(V::splat(V::Scalar::LN2_HIGH), f + rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Backend, Pack, Path, Region, arrays, enter};
    use core::ops::Range;
    use std::sync::Mutex;

    /// Applies a lane function to a table through one path.
    struct Table<'a, T> {
        input: &'a [T],
        logarithm: bool,
        output: Mutex<Vec<T>>,
    }

    #[inline(always)]
    fn map<V: Vector>(input: &[V::Scalar], logarithm: bool, out: &mut [V::Scalar]) {
        for (x, y) in input
            .chunks_exact(V::LANES)
            .zip(out.chunks_exact_mut(V::LANES))
        {
            // SAFETY: the chunks hold exactly one vector.
            unsafe {
                let v = V::load(x.as_ptr());
                let v = if logarithm { ln(v) } else { exp(v) };
                v.store(y.as_mut_ptr());
            }
        }
    }

    impl Region for Table<'_, f32> {
        #[inline(always)]
        fn run<B: Backend>(&self, _: Range<usize>) {
            map::<B::F32>(self.input, self.logarithm, &mut self.output.lock().unwrap());
        }
    }

    impl Region for Table<'_, f64> {
        #[inline(always)]
        fn run<B: Backend>(&self, _: Range<usize>) {
            map::<B::F64>(self.input, self.logarithm, &mut self.output.lock().unwrap());
        }
    }

    /// The lanes of processors without a file of their own.
    struct Arrays;

    impl Backend for Arrays {
        type F32 = Pack<arrays::F32x4, 4>;
        type F64 = Pack<arrays::F64x4, 2>;
    }

    #[test]
    fn lanes_as_arrays_give_the_same_bits() {
        let x: Vec<f32> = (0..4096).map(|i| -0.03 * i as f32).collect();
        let positive: Vec<f32> = x.iter().map(|x| 1e-3 - x).collect();
        for (logarithm, input) in [(false, &x), (true, &positive)] {
            let table = Table {
                input,
                logarithm,
                output: Mutex::new(vec![0.0; input.len()]),
            };
            table.run::<Arrays>(0..1);
            assert!(table.output.into_inner().unwrap() == apply(input, logarithm, Path::Portable));
        }
        let x: Vec<f64> = x.iter().map(|&x| x as f64 * 1.01).collect();
        let positive: Vec<f64> = x.iter().map(|x| 1e-3 - x).collect();
        for (logarithm, input) in [(false, &x), (true, &positive)] {
            let table = Table {
                input,
                logarithm,
                output: Mutex::new(vec![0.0; input.len()]),
            };
            table.run::<Arrays>(0..1);
            assert!(table.output.into_inner().unwrap() == apply(input, logarithm, Path::Portable));
        }
    }

    fn apply<T: Copy + Default>(input: &[T], logarithm: bool, path: Path) -> Vec<T>
    where
        for<'a> Table<'a, T>: Region,
    {
        let table = Table {
            input,
            logarithm,
            output: Mutex::new(vec![T::default(); input.len()]),
        };
        enter(path, &table, 0..1);
        table.output.into_inner().unwrap()
    }

    fn ulps32(got: f32, want: f64) -> f64 {
        let w = (want as f32).abs().max(f32::MIN_POSITIVE);
        let ulp = (f32::from_bits(w.to_bits() + 1) - w) as f64;
        (got as f64 - want).abs() / ulp
    }

    /// Every 61st bit pattern between two floats of one sign: all exponents, millions of mantissas.
    fn patterns(from: f32, to: f32) -> Vec<f32> {
        let mut v: Vec<f32> = (from.to_bits()..=to.to_bits())
            .step_by(61)
            .map(f32::from_bits)
            .collect();
        v.resize(v.len().next_multiple_of(16), from);
        v
    }

    #[test]
    fn exp_of_f32_is_within_a_ulp_or_so_over_its_range() {
        let x = patterns(-0.0, -87.33);
        let reference = apply(&x, false, Path::Portable);
        let worst = x
            .iter()
            .zip(&reference)
            .fold(0.0f64, |w, (&x, &y)| w.max(ulps32(y, (x as f64).exp())));
        assert!(worst <= 1.1, "{worst} ulp");
        for &path in Path::available() {
            assert!(apply(&x, false, path) == reference, "{path:?}");
        }
        let x = patterns(0.0, 88.0);
        let y = apply(&x, false, Path::Portable);
        let worst = x
            .iter()
            .zip(&y)
            .fold(0.0f64, |w, (&x, &y)| w.max(ulps32(y, (x as f64).exp())));
        assert!(worst <= 1.1, "{worst} ulp");
    }

    #[test]
    fn ln_of_f32_is_within_two_ulp_over_all_positive_numbers() {
        let x = patterns(f32::from_bits(1), f32::MAX);
        let reference = apply(&x, true, Path::Portable);
        let worst = x
            .iter()
            .zip(&reference)
            .fold(0.0f64, |w, (&x, &y)| w.max(ulps32(y, (x as f64).ln())));
        assert!(worst <= 1.2, "{worst} ulp");
        for &path in Path::available() {
            assert!(apply(&x, true, path) == reference, "{path:?}");
        }
    }

    #[test]
    fn exp_and_ln_of_f64_are_within_two_ulp_of_the_standard_library() {
        let ulps = |got: f64, want: f64| {
            (got - want).abs() / (f64::from_bits(want.abs().to_bits() + 1) - want.abs())
        };
        let x: Vec<f64> = (0..1 << 20)
            .map(|i| -708.3 * ((i as f64 + 0.3) / (1 << 20) as f64).powi(3))
            .collect();
        let y = apply(&x, false, Path::Portable);
        let worst = x
            .iter()
            .zip(&y)
            .fold(0.0f64, |w, (&x, &y)| w.max(ulps(y, x.exp())));
        assert!(worst <= 1.1, "exp: {worst} ulp");
        for &path in Path::available() {
            assert!(apply(&x, false, path) == y, "{path:?}");
        }
        let x: Vec<f64> = (0..1 << 20)
            .map(|i| f64::from_bits((i as u64) * (f64::MAX.to_bits() >> 20) + 12_345))
            .chain((1..=1 << 20).map(|i| i as f64 / (1 << 19) as f64))
            .collect();
        let y = apply(&x, true, Path::Portable);
        let worst = x
            .iter()
            .zip(&y)
            .filter(|(x, _)| **x != 1.0)
            .fold(0.0f64, |w, (&x, &y)| w.max(ulps(y, x.ln())));
        assert!(worst <= 1.5, "ln: {worst} ulp");
        for &path in Path::available() {
            assert!(apply(&x, true, path) == y, "{path:?}");
        }
    }

    #[test]
    fn exp_is_zero_at_minus_infinity_one_at_zero_and_keeps_nan() {
        let mut x = [0.0f32; 16];
        x[..4].copy_from_slice(&[f32::NEG_INFINITY, 0.0, f32::NAN, -1e30]);
        for &path in Path::available() {
            let y = apply(&x, false, path);
            assert_eq!((y[0], y[1], y[3]), (0.0, 1.0, 0.0));
            assert!(y[2].is_nan());
        }
    }
}
