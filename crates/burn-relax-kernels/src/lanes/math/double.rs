//! Arithmetic in `f64`: its constants and polynomials.

use super::elementary::{NEAR_ONE, ln_of_ln, polynomial};
use crate::lanes::vector::{Backend, Real, Vector};

impl Real for f64 {
    type Lanes<B: Backend> = B::F64;
    const DOUBLE: bool = true;
    const ZERO: f64 = 0.0;
    const NEG_ZERO: f64 = -0.0;
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
    fn draw(bits: u32) -> f64 {
        // Both conversions are of 23 bits: exact, and vector instructions.
        let below_one = (!bits & 0x7f_ffff) as f64 + 0.5;
        if bits >= NEAR_ONE {
            below_one * (-1.0 / 4_294_967_296.0)
        } else {
            f64::uniform(bits)
        }
    }

    #[inline(always)]
    fn gumbel<V: Vector<Scalar = f64>>(draw: V) -> V {
        ln_of_ln(draw)
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
