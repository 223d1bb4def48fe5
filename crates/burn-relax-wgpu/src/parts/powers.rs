//! Powers of numbers in [0, 1], and what the gradual argmax makes of the largest in a row.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{
    lanes::row_max,
    math::{exp_m1_nonpositive, exp_nonpositive, is_nan, ln_one_minus, ln_positive},
    number::{number, one, zero},
    row::Place,
    special::finite_max,
    view::Row,
};

/// The smallest normal number. Smaller ones count as 0: a device may flush them.
const TINY: f32 = f32::MIN_POSITIVE;

/// A value that rounding has carried out of [0, 1], back at its end.
#[cube]
pub(crate) fn unit<A: Float>(v: A) -> A {
    let v = select(v > one::<A>(), one::<A>(), v);
    select(v < zero::<A>(), zero::<A>(), v)
}

/// Whether `v` is 0 as far as powers go.
#[cube]
pub(crate) fn is_zero<A: Float>(v: A) -> bool {
    v < number::<A>(TINY)
}

/// `v^(p - 1)`, `v^p` and `ln v` of a number inside (0, 1]; without meaning at 0. Exact at `p = 1`.
#[cube]
pub(crate) fn powers<A: Float>(v: A, p: A) -> (A, A, A) {
    let one = one::<A>();
    let log = ln_positive::<A>(v);
    let steep = p >= one;
    let power = exp_nonpositive::<A>(select(steep, p - one, p) * log);
    let lower = power / v;
    let lower = finite_max::<A>(lower);
    let lower = select(steep, power, lower);
    (lower, select(steep, power * v, power), log)
}

/// `0^(p - 1)` as the gradients take it: 1 for `p = 1`, else 0, below 1 too, where it is infinite.
#[cube]
pub(crate) fn zero_power<A: Float>(p: A) -> A {
    select(p == one::<A>(), one::<A>(), zero::<A>())
}

/// What a row with NaN has for its maximum: far outside [0, 1].
#[cube]
pub(crate) fn unknown<A: Float>() -> A {
    A::max_value()
}

/// The largest value of this unit's part of a row.
#[cube]
pub(crate) fn find_top<F: Float, A: Float, N: Size>(values: &Row<'_, F, N>, place: &Place) -> A {
    let mut max = A::min_value();
    values.entries().each::<A>(place, |_, v, _| {
        let v = select(is_nan::<A>(v), unknown::<A>(), unit::<A>(v));
        max = select(v > max, v, max);
    });
    row_max::<A>(max, place)
}

/// The result at a maximum.
#[cube]
pub(crate) fn won<A: Float>(v: A, p: A) -> A {
    let one = one::<A>();
    let value = -exp_m1_nonpositive::<A>(p * ln_one_minus::<A>(v));
    let value = select(v >= one, one, value);
    select(p == one, v, value)
}

/// The slope at a maximum, and the slope in the power.
#[cube]
pub(crate) fn won_slopes<A: Float>(v: A, p: A) -> (A, A) {
    let (zero, one) = (zero::<A>(), one::<A>());
    let log = ln_one_minus::<A>(v);
    let slope = p * exp_nonpositive::<A>((p - one) * log);
    let slope = select(p == one, one, slope);
    let slope = select(v >= one, zero_power::<A>(p), slope);
    let power_slope = -(exp_nonpositive::<A>(p * log) * log);
    (slope, select(v >= one, zero, power_slope))
}

/// The slope elsewhere, and the slope in the power.
#[cube]
pub(crate) fn lost_slopes<A: Float>(v: A, p: A) -> (A, A) {
    let (lower, upper, log) = powers::<A>(v, p);
    let nothing = is_zero::<A>(v);
    let slope = select(nothing, p * zero_power::<A>(p), p * lower);
    (slope, select(nothing, zero::<A>(), upper * log))
}

/// The gradual argmax of a value.
#[cube]
pub(crate) fn sharpened<A: Float>(v: A, p: A, top: A, won: A) -> A {
    let v = unit::<A>(v);
    let (_lower, lost, _log) = powers::<A>(v, p);
    let lost = select(is_zero::<A>(v), zero::<A>(), lost);
    select(v == top, won, lost)
}
