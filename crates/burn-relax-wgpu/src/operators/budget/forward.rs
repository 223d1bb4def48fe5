//! The capped simplex: `clip(x - t, 0, 1)` with sum `k`: forward.
//!
//! The sum falls piecewise linearly as `t` grows: Newton's method is exact on a piece, and a bracket is halved where a step leaves
//! it. The threshold is kept as a number near it and an offset, so that `x - t` keeps its digits among large logits. Rows
//! are not split: every pass needs the sum of the whole row.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use crate::parts::{
    lanes::{add_up, row_max, row_sum, row_sums, sum_slots},
    math::is_nan,
    number::number,
    prelude::*,
    reduce::find_max,
    row::Place,
    search::{MOST_PASSES, PATIENCE, USUAL_PASSES, flag, goes_on},
    special::{divisor, is_decided, is_excluded, is_forbidden, is_free},
    stats::write_stats,
    view::Row,
};

/// Walks through a row beside the search: for the maximum, for what else the search starts from, and to write.
const WALKS: usize = 3;

/// Two maxima, two sums, then three, then one.
const NEED: Need = Need::walks(WALKS + USUAL_PASSES).numbers(8);

/// Corrections of the offset once the number near the threshold is found: each is exact unless an entry changes its piece.
const CORRECTIONS: u32 = 4;

/// `clip((x - base) - offset, 0, 1)`, 0 at forbidden entries.
#[cube]
fn clipped<A: Float>(x: A, base: A, offset: A) -> A {
    let (zero, one) = (zero::<A>(), one::<A>());
    let shifted = (x - base) - offset;
    let shifted = select(shifted > one, one, shifted);
    select(shifted > zero && !is_forbidden::<A>(x), shifted, zero)
}

/// A row's weights at one threshold: the sum of those strictly between 0 and 1, how many these are, and how many weights are 1. Without
/// the ones the sum is small and keeps its digits.
#[cube]
fn evaluate<F: Float, A: Float, N: Size>(
    shared: &mut Shared<[A]>,
    logits: &Row<'_, F, N>,
    place: &Place,
    base: A,
    offset: A,
) -> (A, A, A) {
    let (zero, one) = (zero::<A>(), one::<A>());
    let mut sums = logits.entries().sums::<A>(place, 3usize, |sums, _, x, _| {
        let p = clipped::<A>(x, base, offset);
        let inside = is_free::<A>(p);
        sums[0] += select(inside, p, zero);
        sums[1] += select(inside, one, zero);
        sums[2] += select(p >= one, one, zero);
    });
    row_sums::<A>(&mut sums, shared, place, 3usize);
    (sums[0], sums[1], sums[2])
}

/// Finds a row's threshold as a number near it and an offset, in at most `most` passes. Every unit of the cube must call it; rows
/// that are not `wanted` do not search.
#[cube]
fn find_threshold<F: Float, A: Float, N: Size>(
    logits: &Row<'_, F, N>,
    place: &Place,
    least: A,
    max: A,
    k: A,
    wanted: bool,
    most: u32,
) -> (A, A) {
    let (zero, one) = (zero::<A>(), one::<A>());
    let none = number::<A>(-1.0_f32);
    let mut low = least - one;
    let mut high = max;
    let mut width = high - low;
    let mut stalled = 0u32;
    let mut base = max - one;
    let mut offset = zero;
    // Free and full entries of the piece whose line was followed to where the search is.
    let mut line_free = none;
    let mut line_full = none;
    let mut corrections = 0u32;

    let mut shared = sum_slots::<A>(place, 3usize);
    let mut flag = flag();
    let mut passes = 0u32;
    let mut pending = wanted;
    while goes_on(pending, place, &mut flag) {
        let (total, free, full) = evaluate::<F, A, N>(&mut shared, logits, place, base, offset);
        passes += 1u32;
        if pending {
            let excess = total - (k - full);
            let exact = excess == zero;
            let same = free > zero && free == line_free && full == line_full;
            let mut found = exact || same || corrections > 0 || passes + CORRECTIONS >= most;
            let step = excess / divisor::<A>(free);
            if !found {
                low = select(excess > zero, base, low);
                high = select(excess > zero, high, base);
                let halved = number::<A>(2.0_f32) * (high - low) <= width;
                width = high - low;
                stalled = select(halved, 0u32, stalled + 1u32);
                let next = base + step;
                // A flat piece has no line.
                let inside = free > zero && low < next && next < high;
                if inside && stalled < PATIENCE {
                    found = next == base;
                    base = next;
                    line_free = free;
                    line_full = full;
                } else {
                    stalled = 0u32;
                    line_free = none;
                    let middle = low + (high - low) * number::<A>(0.5_f32);
                    found = !(low < middle && middle < high);
                    base = select(found, base, middle);
                }
            }
            if found {
                if exact || corrections == CORRECTIONS || (corrections > 0 && same) {
                    pending = false;
                } else {
                    // Where the threshold is closer to an entry than the next number, the piece of that entry is entered: by a little from
                    // 0, and from 1, where a little would be rounded off, as if the entry were alone.
                    let little = excess / A::cast_from(place.rows.classes as u32);
                    let flat = select(excess > zero, excess, little);
                    offset += select(free == zero, flat, step);
                    line_free = free;
                    line_full = full;
                    corrections += 1u32;
                }
            }
        }
    }
    (base, offset)
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn budget_kernel<F: Float, A: Float, N: Size>(
    logits: &Grid<'_, F, N>,        // [outer, classes, inner]
    budget: &Grid<'_, F, Const<1>>, // [outer, 1, inner]
    out: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    stats: &mut Tensor<A>,          // [outer, 2, inner]
    rows: Rows,
    most: u32,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows);
    let (zero, one) = (zero::<A>(), one::<A>());
    let logits = logits.row(&place);
    let k = budget.row(&place).first::<A>();
    let max = find_max::<F, A, N>(&logits, &place);

    // How many entries can have weight, and NaN if an entry or the budget is.
    let mut sums = Array::<A>::new(2usize);
    sums[0] = zero;
    sums[1] = select(is_nan::<A>(k), k, zero);
    let mut least_turned = A::min_value();
    let entries = logits.entries();
    entries.each::<A>(&place, |_, x, _| {
        let allowed = !is_excluded::<A>(x, max);
        sums[0] += select(allowed, one, zero);
        sums[1] += select(is_nan::<A>(x), x, zero);
        let lower = allowed && -x > least_turned;
        least_turned = select(lower, -x, least_turned);
    });
    add_up::<A>(&mut sums, &place, 2usize);
    let least = -row_max::<A>(least_turned, &place);
    let (count, nan) = (sums[0], sums[1]);
    let unknown = is_nan::<A>(nan);
    // Rows whose budget is out of reach, or that hold +inf, do not depend on their logits.
    let constant = is_decided::<A>(max) || k <= zero || k >= count;
    let share = k / divisor::<A>(count);
    let share = select(share > one, one, select(share > zero, share, zero));

    let wanted = place.live && !constant && !unknown;
    let (base, offset) = find_threshold::<F, A, N>(&logits, &place, least, max, k, wanted, most);

    let mut free = zero;
    entries.write::<A>(out, &place, |x, _| {
        let p = clipped::<A>(x, base, offset);
        free += select(is_free::<A>(p) && !constant, one, zero);
        let even = select(is_excluded::<A>(x, max), zero, share);
        select(unknown, nan, select(constant, even, p))
    });
    let free = row_sum::<A>(free, &place);
    write_stats::<A>(stats, &place, max, select(unknown, nan, free));
}

/// Weights in `[0, 1]` with the sum `budget` along `dim` that are closest to the logits, and row statistics: the maximum, and the
/// number of entries strictly between 0 and 1.
///
/// A row with fewer allowed entries than its budget gives 1 to each; a row that holds `+inf` gives those entries equal parts of the
/// budget, at most 1, and nothing to the others; a row that holds NaN is NaN.
///
/// # Shapes
/// - `logits` and first result: `[.., n, ..]`, n at `dim`
/// - `budget`: one value, or the shape of `logits` with size 1 at `dim`
/// - second result: the shape of `logits` with size 2 at `dim`
///
/// # Panics
/// If the budget has another shape or dtype, or the device cannot compute with the dtype.
pub fn budget(logits: CubeTensor, budget: CubeTensor, dim: usize) -> (CubeTensor, CubeTensor) {
    let mut call = Call::new("budget", &logits, dim);
    let (out, stats) = (call.per_class(), call.stats(2));
    let budget = call.coefficient("budget", budget);
    let logits = call.view(logits);
    let launches = call.walk(&[&logits]).whole(NEED);
    let most = launches.passes(MOST_PASSES, WALKS);
    launch!(
        budget_kernel, launches, |at|
        vectors [logits] singles [budget] results [out, stats];
        most, call.elements
    );
    (out, stats)
}
