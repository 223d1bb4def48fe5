//! Elementary functions whose error does not depend on the device.
//!
//! WGSL allows `exp` an error of `3 + 2|x|` ulp and `log` an absolute one of 2⁻²¹ near 1, and software drivers use it. The
//! polynomial of `exp` is that of Cephes' `expf` (about 1 ulp), that of `ln` the one of the CPU row kernels.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::number::{number, one, zero};

/// Below this, `exp` is smaller than the smallest normal `f32` and counts as 0.
const EXP_UNDERFLOW: f32 = -87.336_54;

/// `ln 2`, high part: few enough bits that its product with an exponent is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
/// `ln 2 - LN_2_HIGH`.
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// Bits of 1 and of √½.
const ONE_BITS: u32 = 0x3f80_0000;
const SQRT_HALF_BITS: u32 = 0x3f35_04f3;

/// Below this the polynomials of `exp` and `ln` hold without any reduction of their argument.
const SMALL: f32 = 0.25;

/// The number next to `1/e`, `e` times what it is off, what `e` in f32 is off, and how far the polynomial reaches.
const CENTRE: f32 = 0.367_879_45;
const CENTRE_SHIFT: f32 = 2.487_161_4e-8;
const E_LOW: f32 = 8.254_840_4e-8;
const CENTRE_RADIUS_SQUARED: f32 = 0.178 * 0.178;

/// `(exp(r) - 1 - r) / r²` for `|r| <= ln 2 / 2`.
#[cube]
fn exp_rest<A: Float>(r: A) -> A {
    let mut p = r * number::<A>(1.987_569_1e-4) + number::<A>(1.398_199_9e-3);
    p = p * r + number::<A>(8.333_452e-3);
    p = p * r + number::<A>(4.166_579_6e-2);
    p = p * r + number::<A>(1.666_666_5e-1);
    p * r + number::<A>(0.5_f32)
}

/// `exp(a)` for `a <= 0`, and up to 88; NaN in, NaN out.
#[cube]
pub(crate) fn exp_nonpositive<A: Float>(a: A) -> A {
    let size = A::size().comptime();
    if comptime!(size == 4) {
        let power = (a * number::<A>(core::f32::consts::LOG2_E)).round();
        let r = a - power * number::<A>(LN_2_HIGH) - power * number::<A>(LN_2_LOW);
        let p = exp_rest::<A>(r) * (r * r) + r + one::<A>();
        let underflow = a < number::<A>(EXP_UNDERFLOW);
        // The power is used only where it is in range; a wild one must not reach the integer conversion.
        let power = select(underflow, zero::<A>(), power);
        let bits = (i32::cast_from(power) + 127) << 23;
        select(underflow, zero::<A>(), p * A::reinterpret(bits))
    } else {
        a.exp()
    }
}

/// Whether `a` is NaN: by its bits, since WGSL may assume that no comparison meets one.
#[allow(clippy::eq_op)] // the definition of NaN
#[cube]
pub(crate) fn is_nan<A: Float>(a: A) -> bool {
    let size = A::size().comptime();
    if comptime!(size == 4) {
        (u32::reinterpret(a) & 0x7fff_ffff) > 0x7f80_0000
    } else {
        // Only runtimes with IEEE comparisons have f64.
        a != a
    }
}

/// `(ln(1 + f) - f) / f` for `√½ - 1 <= f < √2 - 1`, which is `f (f P(f) - ½)`.
///
/// The polynomial is that of the CPU row kernels. Every coefficient is rounded once, and no step needs a fused multiply-add: a
/// driver that fuses and one that does not are within a unit of each other.
#[cube]
fn ln_slope<A: Float>(f: A) -> A {
    let mut p = f * number::<A>(0.069_716_12) - number::<A>(0.114_797_34);
    p = p * f + number::<A>(0.116_854_2);
    p = p * f - number::<A>(0.124_256_87);
    p = p * f + number::<A>(0.142_490_58);
    p = p * f - number::<A>(0.166_678_02);
    p = p * f + number::<A>(0.200_007_16);
    p = p * f - number::<A>(0.249_999_97);
    p = p * f + number::<A>(0.333_333_3);
    f * (f * p - number::<A>(0.5_f32))
}

/// `ln(1 + f)` for the same `f`, as what must be added to `f`.
#[cube]
fn ln_rest<A: Float>(f: A) -> A {
    f * ln_slope::<A>(f)
}

/// `ln(a)` for finite, positive, normal `a`, exactly 0 at 1; NaN in, NaN out. Other arguments give a number without meaning.
#[cube]
pub(crate) fn ln_positive<A: Float>(a: A) -> A {
    select(is_nan::<A>(a), a, ln_normal::<A>(a))
}

/// The same where `a` cannot be NaN.
#[cube]
fn ln_normal<A: Float>(a: A) -> A {
    let size = A::size().comptime();
    if comptime!(size == 4) {
        let (exponent, f) = reduced::<A>(a);
        ln_of_parts::<A>(exponent, f)
    } else {
        a.ln()
    }
}

/// A normal `a > 0` as `2^e (1 + f)` with `√½ <= 1 + f < √2`.
#[cube]
fn reduced<A: Float>(a: A) -> (A, A) {
    let bits = u32::reinterpret(a) + comptime!(ONE_BITS - SQRT_HALF_BITS);
    let exponent = A::cast_from(i32::cast_from(bits >> 23) - 127);
    let m = A::reinterpret((bits & 0x007f_ffff) + SQRT_HALF_BITS);
    (exponent, m - one::<A>())
}

/// `ln(2^e (1 + f))` of such a number.
#[cube]
fn ln_of_parts<A: Float>(exponent: A, f: A) -> A {
    let rest = exponent * number::<A>(LN_2_LOW) + ln_rest::<A>(f);
    exponent * number::<A>(LN_2_HIGH) + (f + rest)
}

/// `ln u` of a draw, which is `u` or, if negative, `u - 1`.
#[cube]
fn ln_of_draw<A: Float>(draw: A) -> A {
    let size = A::size().comptime();
    let near_one = draw < zero::<A>();
    if comptime!(size == 4) {
        let (exponent, f) = reduced::<A>(draw);
        let exponent = select(near_one, zero::<A>(), exponent);
        ln_of_parts::<A>(exponent, select(near_one, draw, f))
    } else {
        select(near_one, draw.log1p(), draw.ln())
    }
}

/// `ln(1 - v)` for `0 <= v < 1`, precise at small `v`.
#[cube]
pub(crate) fn ln_one_minus<A: Float>(v: A) -> A {
    let size = A::size().comptime();
    if comptime!(size == 4) {
        let small = ln_rest::<A>(-v) - v;
        let large = ln_positive::<A>(one::<A>() - v);
        select(v < number::<A>(SMALL), small, large)
    } else {
        (-v).log1p()
    }
}

/// `ln(1 + t) / t` for `t > -1`, precise at small `t`: 1 at 0.
#[cube]
pub(crate) fn ln_one_plus_over<A: Float>(t: A) -> A {
    let size = A::size().comptime();
    let one = one::<A>();
    let zero = t == zero::<A>();
    let divisor = select(zero, one, t);
    if comptime!(size == 4) {
        let far = ln_positive::<A>(one + t) / divisor;
        let near = t > number::<A>(comptime!(-SMALL)) && t < number::<A>(SMALL);
        select(near, one + ln_slope::<A>(t), far)
    } else {
        select(zero, one, t.log1p() / divisor)
    }
}

/// `exp(a) - 1` for `a <= 0`, precise at small `a`.
#[cube]
pub(crate) fn exp_m1_nonpositive<A: Float>(a: A) -> A {
    let size = A::size().comptime();
    if comptime!(size == 4) {
        let large = exp_nonpositive::<A>(a) - one::<A>();
        select(
            a > number::<A>(comptime!(-SMALL)),
            a * a * exp_rest::<A>(a) + a,
            large,
        )
    } else {
        a.exp_m1()
    }
}

/// The Gumbel number `-ln(-ln u)` of a [`draw`](super::noise::draw): in f32 within 2 units in the last place over all 2²⁴ of them,
/// whether the driver fuses multiplications with additions or not.
///
/// Near `u = 1/e` the outer logarithm is near 0 and would keep the absolute error of the inner one. There, with `d = u - 1/e`,
/// the function is `e d + d³ q(d)`, `q` the polynomial of the CPU row kernels.
#[cube]
pub(crate) fn gumbel<A: Float>(draw: A) -> A {
    let size = A::size().comptime();
    let tail = -ln_normal::<A>(-ln_of_draw::<A>(draw));
    if comptime!(size == 4) {
        let d = draw - number::<A>(CENTRE);
        let mut q = d * number::<A>(-5382.5645) + number::<A>(2_205.227_5);
        q = q * d - number::<A>(407.111_63);
        q = q * d + number::<A>(182.536_82);
        q = q * d - number::<A>(85.715_51);
        q = q * d + number::<A>(42.726_85);
        q = q * d - number::<A>(14.560_715);
        q = q * d + number::<A>(9.891_185);
        q = q * d - number::<A>(2.274_935_2);
        q = q * d + number::<A>(3.347_594_5);
        let rest = (q * d) * (d * d) + d * number::<A>(E_LOW);
        let centre = d * number::<A>(core::f32::consts::E) + (rest + number::<A>(CENTRE_SHIFT));
        select(d * d < number::<A>(CENTRE_RADIUS_SQUARED), centre, tail)
    } else {
        tail
    }
}
