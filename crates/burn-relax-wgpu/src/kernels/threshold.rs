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
    math::{by_precision, exp_nonpositive, is_nan, ln_one_plus_over, ln_positive},
    reduce::is_excluded,
    row::{Layout, Place, Rows},
    search::{PATIENCE, flag, goes_on},
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
    let sparse = excess > A::new(0.0_f32);
    let divisor = select(sparse, excess, A::new(1.0_f32));
    select(sparse, A::new(-1.000_001_f32) / divisor, A::min_value())
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
    let (zero, one) = (A::new(0.0_f32), A::new(1.0_f32));
    let excluded = is_excluded::<A>(x, max);
    let even = excluded || max >= A::max_value();
    let u = select(even, zero, x - max) * inverse;
    let t = match comptime!(curve) {
        Curve::Line => u,
        Curve::Square => u * A::new(0.5_f32),
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
        Curve::Line => A::new(1.0_f32),
        Curve::Square => total.sqrt(),
        Curve::Power => {
            let log = ln_positive::<A>(total);
            // Each form is exact at its end, 0 or 1.
            let low = total * exp_nonpositive::<A>(-excess * log);
            let high = exp_nonpositive::<A>((A::new(1.0_f32) - excess) * log);
            select(excess < A::new(0.5_f32), low, high)
        }
    }
}

/// `Σ r` and `Σ r / (1 + t)` over this unit's entries of `list`, then over its row's.
#[cube]
#[allow(clippy::too_many_arguments)]
fn evaluate<F: Float, A: Float, N: Size>(
    sums: &mut Array<A>,
    shared: &mut Shared<[A]>,
    list: &Tensor<Vector<F, N>>,
    start: usize,
    end: usize,
    place: &Place,
    rows: &Rows,
    max: A,
    inverse: A,
    excess: A,
    #[comptime] curve: Curve,
    #[comptime] layout: Layout,
) {
    let zero = A::new(0.0_f32);
    sums[0] = zero;
    sums[1] = zero;
    let mut from = place.first;
    while from < end {
        let stop = min(from + rows.block, end);
        let mut total = zero;
        let mut slopes = zero;
        let mut g = from;
        while g < stop {
            let x = Vector::<A, N>::cast_from(list[start + g * rows.inner]);
            #[unroll]
            for k in 0..N::value() {
                let (r, slope) = weight::<A>(x.extract(k), max, inverse, excess, curve);
                total += r;
                slopes += slope;
            }
            g += layout.lanes;
        }
        sums[0] += total;
        sums[1] += slopes;
        from += rows.block;
    }
    row_sums::<A>(sums, shared, place.lane, 2usize, layout);
}

/// Halves a bracket, by its exponent where it spans several powers of two.
#[cube]
fn middle<A: Float>(low: A, high: A) -> A {
    let wide = high > low * A::new(4.0_f32);
    let geometric = low.sqrt() * high.sqrt();
    select(wide, geometric, low + (high - low) * A::new(0.5_f32))
}

/// Finds a row's `1 / v` and `R` in at most `most` passes through the groups from `place.first` to `end` of `list`, this unit's part
/// of the row's candidates. Every unit of the cube must call it.
#[cube]
#[allow(clippy::too_many_arguments)]
pub(crate) fn find_threshold<F: Float, A: Float, N: Size>(
    list: &Tensor<Vector<F, N>>,
    start: usize,
    end: usize,
    place: &Place,
    rows: &Rows,
    max: A,
    excess: A,
    most: u32,
    #[comptime] curve: Curve,
    #[comptime] layout: Layout,
) -> (A, A) {
    let (zero, one) = (A::new(0.0_f32), A::new(1.0_f32));
    let steep = excess > one;
    // All entries tied would have n^-e. `e / v` stays finite.
    let least = by_precision::<A>(f32::MIN_POSITIVE, f64::MIN_POSITIVE) * A::new(4.0_f32) * excess;
    let tied = exp_nonpositive::<A>(-excess * ln_positive::<A>(A::cast_from(rows.classes as u32)));
    let mut low = select(tied > least, tied, least);
    let mut high = one;
    let mut width = one - low;
    let mut stalled = 0u32;
    // A relative step that rounding alone explains.
    let no_step = by_precision::<A>(comptime!(4.0 * f32::EPSILON), comptime!(4.0 * f64::EPSILON));

    let mut shared = sum_slots::<A>(2usize, layout);
    let mut flag = flag();
    let mut sums = Array::<A>::new(2usize);
    sums[0] = zero;
    let mut v = one;
    let mut passes = 0u32;
    let mut pending = true;
    while goes_on(pending, place.lane, &mut flag, layout) {
        evaluate::<F, A, N>(
            &mut sums,
            &mut shared,
            list,
            start,
            end,
            place,
            rows,
            max,
            one / v,
            excess,
            curve,
            layout,
        );
        passes += 1u32;
        let total = sums[0];
        let special = max >= A::max_value() || total == zero || is_nan::<A>(total);
        if special || passes >= most {
            pending = false;
        }
        if pending {
            let step = (v * total - lowered::<A>(total, excess, curve)) / sums[1];
            let small = v * no_step;
            let newton = v - step;
            let mut next = newton;
            if steep {
                if step < small && -step < small {
                    next = v;
                } else {
                    low = select(step > zero, low, v);
                    high = select(step > zero, v, high);
                    let halved = A::new(2.0_f32) * (high - low) <= width;
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
    (one / v, sums[0])
}
