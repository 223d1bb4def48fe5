//! Elementary functions whose error does not depend on the device.
//!
//! WGSL allows `exp` an error of `3 + 2|x|` ulp and `log` an absolute one of 2⁻²¹ near 1, and software drivers use it. The
//! polynomials are those of Cephes' `expf` and `logf` (about 1 ulp).

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// Below this, `exp` is smaller than the smallest normal `f32` and counts as 0.
const EXP_UNDERFLOW: f32 = -87.336_54;

/// `ln 2`, high part: few enough bits that its product with an exponent is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
/// `ln 2 - LN_2_HIGH`.
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// `exp(a)` for `a <= 0`; NaN in, NaN out.
#[cube]
pub(crate) fn exp_nonpositive<A: Float>(a: A) -> A {
    let size = A::size().comptime();
    if comptime!(size == 4) {
        let power = (a * A::new(core::f32::consts::LOG2_E)).round();
        let r = a - power * A::new(LN_2_HIGH) - power * A::new(LN_2_LOW);
        let mut p = r * A::new(1.987_569_1e-4) + A::new(1.398_199_9e-3);
        p = p * r + A::new(8.333_452e-3);
        p = p * r + A::new(4.166_579_6e-2);
        p = p * r + A::new(1.666_666_5e-1);
        p = p * r + A::new(0.5_f32);
        p = p * (r * r) + r + A::new(1.0_f32);
        let underflow = a < A::new(EXP_UNDERFLOW);
        // The power is used only where it is in range; a wild one must not reach the integer conversion.
        let power = select(underflow, A::new(0.0_f32), power);
        let bits = (i32::cast_from(power) + 127) << 23;
        select(underflow, A::new(0.0_f32), p * A::reinterpret(bits))
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

/// `ln(a)` for finite `a >= 1`, exactly 0 at 1; NaN in, NaN out.
#[cube]
pub(crate) fn ln_from_one<A: Float>(a: A) -> A {
    let size = A::size().comptime();
    if comptime!(size == 4) {
        let bits = u32::reinterpret(a);
        let exponent = A::cast_from(i32::cast_from(bits >> 23) - 127);
        let mantissa = A::reinterpret((bits & 0x007f_ffff) | 0x3f80_0000);
        // Round 1: a mantissa above √2 counts to the next power.
        let high = mantissa > A::new(core::f32::consts::SQRT_2);
        let mantissa = select(high, mantissa * A::new(0.5_f32), mantissa);
        let exponent = select(high, exponent + A::new(1.0_f32), exponent);
        let r = mantissa - A::new(1.0_f32);
        let mut p = r * A::new(7.037_683_6e-2) - A::new(1.151_461e-1);
        p = p * r + A::new(1.167_699_9e-1);
        p = p * r - A::new(1.242_014_1e-1);
        p = p * r + A::new(1.424_932_3e-1);
        p = p * r - A::new(1.666_805_7e-1);
        p = p * r + A::new(2.000_071_5e-1);
        p = p * r - A::new(2.499_999_4e-1);
        p = p * r + A::new(3.333_333e-1);
        let z = r * r;
        let tail = p * r * z + exponent * A::new(LN_2_LOW) - z * A::new(0.5_f32);
        let ln = r + tail + exponent * A::new(LN_2_HIGH);
        select(is_nan::<A>(a), a, ln)
    } else {
        a.ln()
    }
}
