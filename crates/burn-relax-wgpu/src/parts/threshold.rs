//! Entmax's threshold, without sorting.
//!
//! With `e = alpha - 1` and `z = x - max x`, the weights are `p = r / R`, `r = (1 + e z / v)^(1/e)` where that base is positive,
//! `R = Σ r`. The unknown `v = (max p)^e` solves `v R(v)^e = 1`, in a few passes of Newton's method from `v = 1`, where it
//! converges monotonically, and inside a bracket beyond `alpha = 2`, where the slope is infinite as an entry joins.
//!
//! With `u = z / v` and `t = e u`, `r = exp(u ln(1 + t) / t)` has no break at `e = 0`.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{
    lanes::{row_sums, sum_slots},
    math::{exp_nonpositive, is_nan, ln_one_plus_over, ln_positive},
    number::{by_precision, number, one, zero},
    row::Place,
    search::{PATIENCE, flag, goes_on},
    special::{is_decided, is_excluded},
    view::Row,
};

/// Square root of the largest number, about: beyond this excess the map is the uniform distribution over the ties of the maximum.
const EXCESS_LIMIT_F32: f32 = 1.844_674_4e19;
const EXCESS_LIMIT_F64: f64 = 1.340_780_792_994_259_7e154;

/// Steps up after which rounding alone explains the next, where Newton's method comes from above.
const RISES: u32 = 2;

/// How an unnormalised weight falls from the maximum on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Curve {
    /// Sparsemax: `1 + t`.
    Line,
    /// 1.5-entmax: `(1 + t)²`.
    Square,
    /// Any alpha.
    Power,
}

impl Curve {
    /// The curve of `alpha`.
    pub(crate) fn of(alpha: f64) -> Self {
        if alpha == 2.0 {
            Curve::Line
        } else if alpha == 1.5 {
            Curve::Square
        } else {
            Curve::Power
        }
    }
}

/// The excess of `alpha`, limited; NaN stays.
#[cube]
pub(crate) fn limited<A: Float>(excess: A) -> A {
    let limit = by_precision::<A>(EXCESS_LIMIT_F32, EXCESS_LIMIT_F64);
    select(excess > limit, limit, excess)
}

/// What `x - max` of an entry with weight exceeds, a little lower: the division is rounded.
#[cube]
pub(crate) fn lowest<A: Float>(excess: A) -> A {
    let sparse = excess > zero::<A>();
    let divisor = select(sparse, excess, one::<A>());
    select(
        sparse,
        number::<A>(-1.000_001_f32) / divisor,
        A::min_value(),
    )
}

/// The unnormalised weight of an entry, and the same over its base, both under the rules for special rows; `inverse` is `1 / v`.
#[cube]
pub(crate) fn weight<A: Float>(
    x: A,
    max: A,
    inverse: A,
    excess: A,
    #[comptime] curve: Curve,
) -> (A, A) {
    let (zero, one) = (zero::<A>(), one::<A>());
    let excluded = is_excluded::<A>(x, max);
    let even = excluded || is_decided::<A>(max);
    let u = select(even, zero, x - max) * inverse;
    let t = match comptime!(curve) {
        Curve::Line => u,
        Curve::Square => u * number::<A>(0.5_f32),
        Curve::Power => u * excess,
    };
    let base = one + t;
    let inside = base > zero && !excluded;
    let base = select(inside, base, one);
    let (r, slope) = match comptime!(curve) {
        Curve::Line => (base, one),
        Curve::Square => (base * base, base),
        Curve::Power => {
            let t = select(inside, t, zero);
            let r = exp_nonpositive::<A>(u * ln_one_plus_over::<A>(t));
            (r, r / base)
        }
    };
    let r = select(inside, r, zero);
    (select(is_nan::<A>(x), x, r), select(inside, slope, zero))
}

/// `R^(1 - e)`
#[cube]
fn lowered<A: Float>(total: A, excess: A, #[comptime] curve: Curve) -> A {
    match comptime!(curve) {
        Curve::Line => one::<A>(),
        Curve::Square => total.sqrt(),
        Curve::Power => {
            let log = ln_positive::<A>(total);
            // Each form is exact at its end, 0 or 1.
            let low = total * exp_nonpositive::<A>(-excess * log);
            let high = exp_nonpositive::<A>((one::<A>() - excess) * log);
            select(excess < number::<A>(0.5_f32), low, high)
        }
    }
}

/// `Σ r` and `Σ r / (1 + t)` over this unit's entries of `list`, then over its row's.
#[cube]
fn evaluate<F: Float, A: Float, N: Size>(
    shared: &mut Shared<[A]>,
    list: &Row<'_, F, N>,
    end: usize,
    place: &Place,
    max: A,
    inverse: A,
    excess: A,
    #[comptime] curve: Curve,
) -> (A, A) {
    let mut sums = place.sums::<A>(end, 2usize, |sums, g| {
        let x = list.group::<A>(g);
        #[unroll]
        for k in 0..N::value() {
            let (r, slope) = weight::<A>(x.extract(k), max, inverse, excess, curve);
            sums[0] += r;
            sums[1] += slope;
        }
    });
    row_sums::<A>(&mut sums, shared, place, 2usize);
    (sums[0], sums[1])
}

/// What a search has found.
#[derive(CubeType)]
pub(crate) struct Found<A: Float> {
    /// `1 / v`
    pub(crate) inverse: A,
    /// `R`
    pub(crate) total: A,
    /// `Σ r / (1 + t)`
    pub(crate) slopes: A,
}

/// Halves a bracket, by its exponent where it spans several powers of two.
#[cube]
fn middle<A: Float>(low: A, high: A) -> A {
    let wide = high > low * number::<A>(4.0_f32);
    let geometric = low.sqrt() * high.sqrt();
    select(wide, geometric, low + (high - low) * number::<A>(0.5_f32))
}

/// Finds a row's threshold in at most `most` passes through the groups from `place.first` to `end` of `list`, this unit's part
/// of the row's candidates. Every unit of the cube must call it.
#[cube]
pub(crate) fn find_threshold<F: Float, A: Float, N: Size>(
    list: &Row<'_, F, N>,
    end: usize,
    place: &Place,
    max: A,
    excess: A,
    most: u32,
    #[comptime] curve: Curve,
) -> Found<A> {
    let (zero, one) = (zero::<A>(), one::<A>());
    let steep = excess > one;
    // All entries tied would have n^-e. `e / v` stays finite.
    let least =
        by_precision::<A>(f32::MIN_POSITIVE, f64::MIN_POSITIVE) * number::<A>(4.0_f32) * excess;
    let tied =
        exp_nonpositive::<A>(-excess * ln_positive::<A>(A::cast_from(place.rows.classes as u32)));
    let mut low = select(tied > least, tied, least);
    let mut high = one;
    let mut width = one - low;
    let mut stalled = 0u32;
    // A relative step that rounding alone explains.
    let no_step = by_precision::<A>(comptime!(4.0 * f32::EPSILON), comptime!(4.0 * f64::EPSILON));

    let mut shared = sum_slots::<A>(place, 2usize);
    let mut flag = flag();
    let mut total = zero;
    let mut slopes = zero;
    let mut v = one;
    let mut passes = 0u32;
    let mut pending = true;
    while goes_on(pending, place, &mut flag) {
        let inverse = one / v;
        let (sum, slope) =
            evaluate::<F, A, N>(&mut shared, list, end, place, max, inverse, excess, curve);
        total = sum;
        slopes = slope;
        passes += 1u32;
        let special = is_decided::<A>(max) || total == zero || is_nan::<A>(total);
        if special || passes >= most {
            pending = false;
        }
        if pending {
            let step = (v * total - lowered::<A>(total, excess, curve)) / slopes;
            let small = v * no_step;
            let newton = v - step;
            let mut next = newton;
            if steep {
                if step < small && -step < small {
                    next = v;
                } else {
                    low = select(step > zero, low, v);
                    high = select(step > zero, v, high);
                    let halved = number::<A>(2.0_f32) * (high - low) <= width;
                    width = high - low;
                    stalled = select(halved, 0u32, stalled + 1u32);
                    if !(low < newton && newton < high) || stalled >= PATIENCE {
                        stalled = 0u32;
                        let middle = middle::<A>(low, high);
                        next = select(low < middle && middle < high, middle, v);
                    }
                }
            } else if step < zero {
                // Every step is down but for rounding, of which the first may leave much: `v` can be near 0.
                stalled += 1u32;
                next = select(stalled > RISES, v, newton);
            }
            pending = next != v;
            v = next;
        }
    }
    Found::<A> {
        inverse: one / v,
        total,
        slopes,
    }
}
