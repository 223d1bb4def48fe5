//! Expected value of a choice: `y = Σ w_i V_i` with `w = softmax(x / T)`, and its hard form `V_argmax`.
//!
//! The lanes of a row find its maximum, then sum normaliser and weighted values in a second walk, the features in tiles that fit
//! registers. Values are also summed relative to the winner's: where it has most of the weight, what is left of that sum is small
//! and the result is rounded once, which the gradient of the winner's logit depends on.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    math::is_nan,
    reduce::{divisor, is_excluded, raw_weight, row_first_max, row_sums, sum_slots, write_stats},
    row::{Layout, Place, Rows, place, row_start},
    view::{Sizes, Steps, View, address_type, cube_count, elements, output, reciprocal, resized},
};

/// Features summed in one walk through a row: their sums stay in registers on any device, and the weight is computed
/// once for all of them.
const FEATURE_TILE: usize = 4;

/// Largest value that others are summed relative to: the difference of two values stays finite below it.
const LARGEST_PIVOT: f32 = 1e30;

/// Where the value of the winner's feature lies.
#[cube]
fn value_at(
    values_start: usize,
    class: usize,
    feature: usize,
    values_steps: &Steps,
    rows: &Rows,
    #[comptime] tile: usize,
) -> usize {
    // Beyond the last feature the last one is summed again, and not stored.
    let mut offset = 0usize;
    if comptime!(tile > 1) {
        offset = min(feature, rows.features - 1) * values_steps.feature;
    }
    values_start + class * values_steps.class + offset
}

/// The winner's value if it can serve as the origin of a sum, else 0.
#[cube]
fn pivot<A: Float>(value: A) -> A {
    let usable = value < A::new(LARGEST_PIVOT) && value > A::new(-LARGEST_PIVOT);
    select(usable, value, A::new(0.0_f32))
}

/// The row's maximum as its statistics hold it, and the lowest class that has it: the number of classes if none does.
#[cube]
fn find_first_max<F: Float, A: Float>(
    logits: &Tensor<F>,
    start: usize,
    steps: &Steps,
    rows: &Rows,
    lane: usize,
    #[comptime] layout: Layout,
) -> (A, u32) {
    let none = rows.classes as u32;
    let mut max = A::min_value();
    let mut index = none;
    let mut i = lane;
    while i < rows.classes {
        let x = A::cast_from(logits[start + i * steps.class]);
        // The second case is an entry that is exactly the smallest finite number.
        let better = x > max || (index == none && x == max);
        max = select(better, x, max);
        index = select(better, i as u32, index);
        i += layout.lanes;
    }
    let (max, index) = row_first_max::<A>(max, index, lane, layout);
    (select(max > A::max_value(), A::max_value(), max), index)
}

/// Sums over a row, for the features from `feature` on: `tile` weighted sums, `tile` weighted sums relative to the pivots, then
/// the normaliser.
#[cube]
#[allow(clippy::too_many_arguments)]
fn weighted_sums<F: Float, A: Float>(
    logits: &Tensor<F>,
    values: &Tensor<F>,
    logits_start: usize,
    values_start: usize,
    logits_steps: &Steps,
    values_steps: &Steps,
    max: A,
    reciprocal: A,
    rows: &Rows,
    feature: usize,
    pivots: &Array<A>,
    lane: usize,
    #[comptime] tile: usize,
    #[comptime] layout: Layout,
) -> Array<A> {
    let mut sums = Array::<A>::new(comptime!(2 * tile + 1));
    let mut parts = Array::<A>::new(comptime!(2 * tile + 1));
    #[unroll]
    for s in 0..comptime!(2 * tile + 1) {
        sums[s] = A::new(0.0_f32);
    }
    let mut start = lane;
    while start < rows.classes {
        let end = min(start + rows.block, rows.classes);
        #[unroll]
        for s in 0..comptime!(2 * tile + 1) {
            parts[s] = A::new(0.0_f32);
        }
        let mut i = start;
        while i < end {
            let x = A::cast_from(logits[logits_start + i * logits_steps.class]);
            let weight = raw_weight::<A>(x, max, reciprocal);
            let excluded = is_excluded::<A>(x, max);
            #[unroll]
            for s in 0..tile {
                let at = value_at(values_start, i, feature + s, values_steps, rows, tile);
                let value = A::cast_from(values[at]);
                let relative = value - pivots[s];
                parts[s] += weight * select(excluded, A::new(0.0_f32), value);
                parts[tile + s] += weight * select(excluded, A::new(0.0_f32), relative);
            }
            parts[comptime!(2 * tile)] += weight;
            i += layout.lanes;
        }
        #[unroll]
        for s in 0..comptime!(2 * tile + 1) {
            sums[s] += parts[s];
        }
        start += rows.block;
    }
    sums
}

/// Sums `Σ w V / Σ w` into `out` for every feature; returns the normaliser.
#[cube]
#[allow(clippy::too_many_arguments)]
fn expected_values<F: Float, A: Float>(
    logits: &Tensor<F>,
    values: &Tensor<F>,
    out: &mut Tensor<F>,
    place: &Place,
    logits_steps: &Steps,
    values_steps: &Steps,
    max: A,
    winner: u32,
    reciprocal: A,
    rows: &Rows,
    #[comptime] tile: usize,
    #[comptime] layout: Layout,
) -> A {
    let logits_start = row_start(place, logits_steps);
    let values_start = row_start(place, values_steps);
    let out_start = (place.outer * rows.inner + place.inner) * rows.features;
    let mut shared = sum_slots::<A>(comptime!(2 * tile + 1), layout);
    let mut normaliser = A::new(0.0_f32);
    let mut pivots = Array::<A>::new(tile);
    let none = winner == rows.classes as u32;
    let class = select(none, 0, winner as usize);
    let mut feature = 0usize;
    while feature < rows.features {
        #[unroll]
        for s in 0..tile {
            let at = value_at(values_start, class, feature + s, values_steps, rows, tile);
            let origin = pivot::<A>(A::cast_from(values[at]));
            pivots[s] = select(none, A::new(0.0_f32), origin);
        }
        let mut sums = weighted_sums::<F, A>(
            logits,
            values,
            logits_start,
            values_start,
            logits_steps,
            values_steps,
            max,
            reciprocal,
            rows,
            feature,
            &pivots,
            place.lane,
            tile,
            layout,
        );
        row_sums::<A>(
            &mut sums,
            &mut shared,
            place.lane,
            comptime!(2 * tile + 1),
            layout,
        );
        normaliser = sums[comptime!(2 * tile)];
        if place.live && place.lane == 0 {
            #[unroll]
            for s in 0..tile {
                if feature + s < rows.features {
                    // A normaliser below 2 means that the winner has more than half of the weight.
                    let plain = sums[s] / divisor::<A>(normaliser);
                    let relative = pivots[s] + sums[tile + s] / divisor::<A>(normaliser);
                    let value = select(normaliser < A::new(2.0_f32), relative, plain);
                    out[out_start + feature + s] = F::cast_from(value);
                }
            }
        }
        if comptime!(tile > 1 && layout.lanes > 1) {
            // The next tile's sums take the same shared memory.
            sync_cube();
        }
        feature += tile;
    }
    normaliser
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn soft_argmax_gather_kernel<F: Float, A: Float>(
    logits: &Tensor<F>,    // [outer, classes, inner]
    values: &Tensor<F>,    // [outer, classes, inner, features]
    out: &mut Tensor<F>,   // [outer, 1, inner, features]
    stats: &mut Tensor<A>, // [outer, 2, inner]
    rows: &Rows,
    logits_steps: &Steps,
    values_steps: &Steps,
    reciprocal: InputScalar,
    #[comptime] tile: usize,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, 1, layout);
    let start = row_start(&place, logits_steps);
    let (max, index) =
        find_first_max::<F, A>(logits, start, logits_steps, rows, place.lane, layout);
    let normaliser = expected_values::<F, A>(
        logits,
        values,
        out,
        &place,
        logits_steps,
        values_steps,
        max,
        index,
        reciprocal.get::<A>(),
        rows,
        tile,
        layout,
    );
    write_stats::<A>(stats, &place, rows, max, normaliser);
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn hard_argmax_gather_kernel<F: Float, A: Float>(
    logits: &Tensor<F>,    // [outer, classes, inner]
    values: &Tensor<F>,    // [outer, classes, inner, features]
    hard: &mut Tensor<F>,  // [outer, 1, inner, features]
    soft: &mut Tensor<F>,  // [outer, 1, inner, features]
    stats: &mut Tensor<A>, // [outer, 2, inner]
    rows: &Rows,
    logits_steps: &Steps,
    values_steps: &Steps,
    reciprocal: InputScalar,
    #[comptime] tile: usize,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, 1, layout);
    let start = row_start(&place, logits_steps);
    let (max, index) =
        find_first_max::<F, A>(logits, start, logits_steps, rows, place.lane, layout);
    let normaliser = expected_values::<F, A>(
        logits,
        values,
        soft,
        &place,
        logits_steps,
        values_steps,
        max,
        index,
        reciprocal.get::<A>(),
        rows,
        tile,
        layout,
    );
    write_stats::<A>(stats, &place, rows, max, normaliser);
    if place.live {
        // A row of nothing but NaN has no index either.
        let chosen = select(index == rows.classes as u32, 0, index as usize);
        let from = row_start(&place, values_steps) + chosen * values_steps.class;
        let to = (place.outer * rows.inner + place.inner) * rows.features;
        let mut feature = place.lane;
        while feature < rows.features {
            let value = values[from + feature * values_steps.feature];
            let value = select(normaliser == A::new(0.0_f32), F::new(0.0_f32), value);
            hard[to + feature] = select(is_nan::<A>(normaliser), F::cast_from(normaliser), value);
            feature += layout.lanes;
        }
    }
}

/// What both forward forms have in common on the host.
struct Forward {
    sizes: Sizes,
    logits: View,
    values: View,
    out: CubeTensor,
    stats: CubeTensor,
    layout: Layout,
    tile: usize,
    elements: [ElemType; 2],
}

impl Forward {
    fn new(op: &str, logits: CubeTensor, values: CubeTensor, dim: usize) -> Self {
        let rank = logits.meta.num_dims();
        check_shapes(op, &logits, &values, dim);
        let (elements, stats_dtype) = elements(op, &logits.client, logits.dtype);
        let sizes = Sizes::of(&values, dim, rank);
        let out = output(&values, resized(&values, dim, 1), values.dtype);
        let stats = output(&logits, resized(&logits, dim, 2), stats_dtype);
        let logits = View::new(logits, dim, rank);
        let values = View::new(values, dim, rank);
        let tile = if sizes.features > 1 { FEATURE_TILE } else { 1 };
        // The maximum, its index, the sums and the normaliser.
        let shared_bytes = stats_dtype.size() * (2 * tile + 2) + size_of::<u32>();
        let layout = Layout::choose(
            &out.client,
            sizes.rows(),
            sizes.classes,
            logits.classes_contiguous(),
            shared_bytes,
        );
        Forward {
            sizes,
            logits,
            values,
            out,
            stats,
            layout,
            tile,
            elements,
        }
    }
}

/// Panics unless `values` has the shape and dtype of `logits`, up to trailing features, and a row has an entry.
pub(super) fn check_shapes(op: &str, logits: &CubeTensor, values: &CubeTensor, dim: usize) {
    let (shape, rank) = (logits.meta.shape(), logits.meta.num_dims());
    assert!(
        dim < rank,
        "{op}: dim must be less than the rank {rank}, got {dim}"
    );
    assert!(
        shape[dim] > 0,
        "{op}: logits must have at least one class along dim {dim}, got shape {shape:?}"
    );
    let values_shape = values.meta.shape();
    assert!(
        values_shape.len() >= rank && values_shape[..rank] == shape[..],
        "{op}: values must have the shape of logits {shape:?}, up to trailing features, got {values_shape:?}"
    );
    assert!(
        logits.dtype == values.dtype,
        "{op}: values must have the dtype of logits {:?}, got {:?}",
        logits.dtype,
        values.dtype
    );
}

/// The expected value of the choice that `logits` describe: `y = Σ w_i V_i`, `w = softmax(logits / temperature)` along `dim`.
///
/// # Shapes
/// - `logits`: `[.., n, ..]`, n at `dim`
/// - `values`: the shape of `logits`, then any feature dimensions
/// - first result: the shape of `values` with size 1 at `dim`
/// - second result: the statistics, see the crate's documentation
///
/// # Panics
/// If shapes or dtypes do not match, or the device cannot compute with the dtype.
pub fn soft_argmax_gather(
    logits: CubeTensor,
    values: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    let op = "soft_argmax_gather";
    let f = Forward::new(op, logits, values, dim);
    if f.sizes.rows() == 0 {
        return (f.out, f.stats);
    }
    if f.sizes.features == 0 {
        let logits = f.logits.tensor;
        let (_, stats) = soft_argmax_gather(logits.clone(), logits, dim, temperature);
        return (f.out, stats);
    }
    let cubes = cube_count(op, &f.out.client, f.sizes.rows().div_ceil(f.layout.rows));
    let addresses = address_type(&[&f.logits.tensor, &f.values.tensor, &f.out, &f.stats]);
    // SAFETY: the views' strides stay inside their tensors, the outputs are contiguous and of the sizes given, and units beyond
    // the last row read row 0 and write nothing.
    unsafe {
        soft_argmax_gather_kernel::launch_unchecked(
            &f.out.client,
            cubes,
            f.layout.cube_dim(),
            addresses,
            f.logits.tensor.clone().into_tensor_arg(),
            f.values.tensor.clone().into_tensor_arg(),
            f.out.clone().into_tensor_arg(),
            f.stats.clone().into_tensor_arg(),
            f.sizes.launch(&f.layout),
            f.logits.launch_steps(),
            f.values.launch_steps(),
            reciprocal(temperature, f.elements[1]),
            f.tile,
            f.layout,
            f.elements,
        );
    }
    (f.out, f.stats)
}

/// The value of the likeliest choice, exactly `V_argmax` (the lowest index on ties), beside [`soft_argmax_gather`]'s results.
///
/// The three results are: the chosen value, the soft value (which the backward pass needs), the statistics.
///
/// # Panics
/// As [`soft_argmax_gather`].
pub fn hard_argmax_gather(
    logits: CubeTensor,
    values: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let op = "hard_argmax_gather";
    let f = Forward::new(op, logits, values, dim);
    let hard = output(&f.out, f.out.meta.shape().clone(), f.out.dtype);
    if f.sizes.rows() == 0 {
        return (hard, f.out, f.stats);
    }
    if f.sizes.features == 0 {
        let logits = f.logits.tensor;
        let (_, stats) = soft_argmax_gather(logits.clone(), logits, dim, temperature);
        return (hard, f.out, stats);
    }
    let cubes = cube_count(op, &f.out.client, f.sizes.rows().div_ceil(f.layout.rows));
    let addresses = address_type(&[&f.logits.tensor, &f.values.tensor, &f.out, &f.stats]);
    // SAFETY: as in `soft_argmax_gather`; the index chosen is that of a class.
    unsafe {
        hard_argmax_gather_kernel::launch_unchecked(
            &f.out.client,
            cubes,
            f.layout.cube_dim(),
            addresses,
            f.logits.tensor.clone().into_tensor_arg(),
            f.values.tensor.clone().into_tensor_arg(),
            hard.clone().into_tensor_arg(),
            f.out.clone().into_tensor_arg(),
            f.stats.clone().into_tensor_arg(),
            f.sizes.launch(&f.layout),
            f.logits.launch_steps(),
            f.values.launch_steps(),
            reciprocal(temperature, f.elements[1]),
            f.tile,
            f.layout,
            f.elements,
        );
    }
    (hard, f.out, f.stats)
}
