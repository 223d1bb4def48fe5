//! Arithmetic in `f32`: its constants and polynomials.

use super::elementary::{NEAR_ONE, ln_of_ln, polynomial};
use crate::lanes::vector::{Backend, Real, Vector};

impl Real for f32 {
    type Lanes<B: Backend> = B::F32;
    const DOUBLE: bool = false;
    const ZERO: f32 = 0.0;
    const NEG_ZERO: f32 = -0.0;
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
        ((bits >> 9) as f32 + 0.5) * (1.0 / 8_388_608.0)
    }

    #[inline(always)]
    fn draw(bits: u32) -> f32 {
        // Both conversions are of 23 bits: exact, and vector instructions.
        let below_one = (!bits & 0x7f_ffff) as f32 + 0.5;
        if bits >= NEAR_ONE {
            below_one * (-1.0 / 4_294_967_296.0)
        } else {
            f32::uniform(bits)
        }
    }

    #[inline(always)]
    fn gumbel<V: Vector<Scalar = f32>>(draw: V) -> V {
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
        let tail = ln_of_ln(draw);
        // A draw near 1, which is negative, is far from the centre too.
        let d = draw - V::splat(CENTRE);
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
