//! The capped simplex: `clip(x - t, 0, 1)` with sum `k`: forward.
//!
//! The sum falls piecewise linearly as `t` grows: Newton's method is exact on a piece, and a bracket is halved where a step leaves
//! it. The threshold is kept as a number near it and an offset, so that `x - t` keeps its digits among large logits. Rows
//! are not split: every pass needs the sum of the whole row.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    lanes::{row_max, row_sum, row_sums, sum_slots},
    math::is_nan,
    reduce::{divisor, find_max, is_excluded, write_stats},
    row::{Layout, Need, Place, Rows, output_start, place, row_start},
    search::{MOST_PASSES, PATIENCE, USUAL_PASSES, flag, goes_on},
    view::{
        Sizes, Steps, View, address_type, coefficient_view, cube_count, elements, output, resized,
        unsplit_plan, vector_size,
    },
};

/// Walks through a row beside the search: for the maximum, for what else the search starts from, and to write.
const WALKS: usize = 3;

/// Corrections of the offset once the number near the threshold is found: each is exact unless an entry changes its piece.
const CORRECTIONS: u32 = 4;

/// `clip((x - base) - offset, 0, 1)`, 0 at forbidden entries.
#[cube]
fn clipped<A: Float>(x: A, base: A, offset: A) -> A {
    let (zero, one) = (A::new(0.0_f32), A::new(1.0_f32));
    let shifted = (x - base) - offset;
    let shifted = select(shifted > one, one, shifted);
    let forbidden = x < A::min_value();
    select(shifted > zero && !forbidden, shifted, zero)
}

/// Whether a weight is strictly between 0 and 1.
#[cube]
pub(super) fn is_free<A: Float>(p: A) -> bool {
    p > A::new(0.0_f32) && p < A::new(1.0_f32)
}

/// A row's weights at one threshold: the sum of those strictly between 0 and 1, how many these are, and how many weights are 1. Without
/// the ones the sum is small and keeps its digits.
#[cube]
#[allow(clippy::too_many_arguments)]
fn evaluate<F: Float, A: Float, N: Size>(
    sums: &mut Array<A>,
    shared: &mut Shared<[A]>,
    logits: &Tensor<Vector<F, N>>,
    start: usize,
    steps: &Steps,
    place: &Place,
    rows: &Rows,
    base: A,
    offset: A,
    #[comptime] layout: Layout,
) {
    let (zero, one) = (A::new(0.0_f32), A::new(1.0_f32));
    sums[0] = zero;
    sums[1] = zero;
    sums[2] = zero;
    let mut from = place.first;
    while from < place.end {
        let end = min(from + rows.block, place.end);
        let mut total = zero;
        let mut free = zero;
        let mut full = zero;
        let mut g = from;
        while g < end {
            let x = Vector::<A, N>::cast_from(logits[start + g * steps.class]);
            #[unroll]
            for k in 0..N::value() {
                let p = clipped::<A>(x.extract(k), base, offset);
                let inside = is_free::<A>(p);
                total += select(inside, p, zero);
                free += select(inside, one, zero);
                full += select(p >= one, one, zero);
            }
            g += layout.lanes;
        }
        sums[0] += total;
        sums[1] += free;
        sums[2] += full;
        from += rows.block;
    }
    row_sums::<A>(sums, shared, place.lane, 3usize, layout);
}

/// Finds a row's threshold as a number near it and an offset, in at most `most` passes. Every unit of the cube must call it; rows
/// that are not `wanted` do not search.
#[cube]
#[allow(clippy::too_many_arguments)]
fn find_threshold<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,
    start: usize,
    steps: &Steps,
    place: &Place,
    rows: &Rows,
    least: A,
    max: A,
    k: A,
    wanted: bool,
    most: u32,
    #[comptime] layout: Layout,
) -> (A, A) {
    let (zero, one) = (A::new(0.0_f32), A::new(1.0_f32));
    let none = A::new(-1.0_f32);
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

    let mut shared = sum_slots::<A>(3usize, layout);
    let mut flag = flag();
    let mut sums = Array::<A>::new(3usize);
    let mut passes = 0u32;
    let mut pending = wanted;
    while goes_on(pending, place.lane, &mut flag, layout) {
        evaluate::<F, A, N>(
            &mut sums,
            &mut shared,
            logits,
            start,
            steps,
            place,
            rows,
            base,
            offset,
            layout,
        );
        passes += 1u32;
        if pending {
            let (total, free, full) = (sums[0], sums[1], sums[2]);
            let excess = total - (k - full);
            let exact = excess == zero;
            let same = free > zero && free == line_free && full == line_full;
            let mut found = exact || same || corrections > 0 || passes + CORRECTIONS >= most;
            let step = excess / divisor::<A>(free);
            if !found {
                low = select(excess > zero, base, low);
                high = select(excess > zero, high, base);
                let halved = A::new(2.0_f32) * (high - low) <= width;
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
                    let middle = low + (high - low) * A::new(0.5_f32);
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
                    let little = excess / A::cast_from(rows.classes as u32);
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
#[allow(clippy::too_many_arguments)]
fn budget_kernel<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,  // [outer, classes, inner]
    budget: &Tensor<F>,             // [outer, 1, inner]
    out: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    stats: &mut Tensor<A>,          // [outer, 2, inner]
    rows: &Rows,
    steps: &Steps,
    budget_steps: &Steps,
    most: u32,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let (zero, one) = (A::new(0.0_f32), A::new(1.0_f32));
    let start = row_start(&place, steps);
    let k = A::cast_from(budget[row_start(&place, budget_steps)]);
    let max = find_max::<F, A, N>(logits, start, steps, &place, layout);

    // How many entries can have weight, and NaN if an entry or the budget is.
    let mut sums = Array::<A>::new(2usize);
    sums[0] = zero;
    sums[1] = select(is_nan::<A>(k), k, zero);
    let mut least_turned = A::min_value();
    let mut g = place.first;
    while g < place.end {
        let x = Vector::<A, N>::cast_from(logits[start + g * steps.class]);
        #[unroll]
        for i in 0..N::value() {
            let x = x.extract(i);
            let allowed = !is_excluded::<A>(x, max);
            sums[0] += select(allowed, one, zero);
            sums[1] += select(is_nan::<A>(x), x, zero);
            let lower = allowed && -x > least_turned;
            least_turned = select(lower, -x, least_turned);
        }
        g += layout.lanes;
    }
    let mut shared = sum_slots::<A>(2usize, layout);
    row_sums::<A>(&mut sums, &mut shared, place.lane, 2usize, layout);
    let least = -row_max::<A>(least_turned, place.lane, layout);
    let (count, nan) = (sums[0], sums[1]);
    let unknown = is_nan::<A>(nan);
    // Rows whose budget is out of reach, or that hold +inf, do not depend on their logits.
    let constant = max >= A::max_value() || k <= zero || k >= count;
    let share = k / divisor::<A>(count);
    let share = select(share > one, one, select(share > zero, share, zero));

    let wanted = place.live && !constant && !unknown;
    let (base, offset) = find_threshold::<F, A, N>(
        logits, start, steps, &place, rows, least, max, k, wanted, most, layout,
    );

    let mut free = zero;
    if place.live {
        let to = output_start(&place, rows);
        let mut g = place.first;
        while g < place.end {
            let x = Vector::<A, N>::cast_from(logits[start + g * steps.class]);
            let mut y = Vector::<F, N>::empty();
            #[unroll]
            for i in 0..N::value() {
                let x = x.extract(i);
                let p = clipped::<A>(x, base, offset);
                free += select(is_free::<A>(p) && !constant, one, zero);
                let even = select(is_excluded::<A>(x, max), zero, share);
                let p = select(constant, even, p);
                y.insert(i, F::cast_from(select(unknown, nan, p)));
            }
            out[to + g * rows.inner] = y;
            g += layout.lanes;
        }
    }
    let free = row_sum::<A>(free, place.lane, layout);
    write_stats::<A>(stats, &place, rows, max, select(unknown, nan, free));
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
    let op = "budget";
    let rank = logits.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &logits.client, logits.dtype);
    let sizes = Sizes::of(&logits, dim, rank);
    let out = output(&logits, logits.meta.shape().clone(), logits.dtype);
    let stats = output(&logits, resized(&logits, dim, 2), stats_dtype);
    if sizes.rows() == 0 {
        return (out, stats);
    }
    sizes.check_classes(op);
    let budget = coefficient_view(op, "budget", budget, &logits, dim);
    let logits = View::new(logits, dim, rank);
    let vector = vector_size(&sizes, &[&logits]);
    let groups = sizes.classes / vector;
    // Two maxima, two sums, then three, then one.
    let need = Need {
        shared_bytes: 8 * stats_dtype.size(),
        walks: WALKS + USUAL_PASSES,
    };
    let plan = unsplit_plan(&logits, &sizes, groups, need);
    let most = plan.passes(&out.client, MOST_PASSES, WALKS);
    // SAFETY: the views' strides stay inside their tensors, the outputs are contiguous and of the sizes given, and units beyond the
    // last row read row 0 and write nothing.
    unsafe {
        budget_kernel::launch_unchecked(
            &out.client,
            cube_count(op, &out.client, plan.cubes(sizes.rows())),
            plan.layout.cube_dim(),
            address_type(&[&logits.tensor, &budget.tensor, &out, &stats]),
            vector,
            logits.tensor.clone().into_tensor_arg(),
            budget.tensor.clone().into_tensor_arg(),
            out.clone().into_tensor_arg(),
            stats.clone().into_tensor_arg(),
            sizes.launch(&plan, groups),
            logits.launch_vector_steps(vector),
            budget.launch_steps(),
            most as u32,
            plan.layout,
            elements,
        );
    }
    (out, stats)
}
