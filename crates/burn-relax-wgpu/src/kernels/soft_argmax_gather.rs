//! Expected value of a choice: `y = Σ w_i V_i` with `w = softmax(x / T)`, its hard form `V_argmax`, and their gradient.
//!
//! Forward, the lanes of a row find its maximum, then sum normaliser and weighted values in a second walk, the features in tiles
//! that fit registers. Backward, statistics and soft output make every class independent of the others, so that rows are cut into
//! chunks and no unit waits for another.

use burn_cubecl::{cubecl, ops::numeric::zeros_client, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    math::is_nan,
    reduce::{
        SUM_BLOCK, divisor, find_max, is_excluded, raw_weight, row_first_max, row_sums, sum_slots,
        write_stats,
    },
    row::{Layout, Place, Rows, place, row_start},
    view::{Sizes, Steps, View, address_type, cube_count, elements, output, reciprocal, resized},
};

/// Features summed in one walk through a row: their sums stay in registers on any device, and the weight is computed
/// once for all of them.
const FEATURE_TILE: usize = 4;

/// Classes a lane of the backward kernel handles: enough to pay for finding its place, few enough to split long rows over the device.
const BACKWARD_CLASSES_PER_LANE: usize = 8;

/// Weighted sums over a row and its normaliser, for the features from `feature` on: `tile` sums, then the normaliser.
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
    lane: usize,
    #[comptime] tile: usize,
    #[comptime] layout: Layout,
) -> Array<A> {
    let mut sums = Array::<A>::new(comptime!(tile + 1));
    let mut parts = Array::<A>::new(comptime!(tile + 1));
    #[unroll]
    for s in 0..comptime!(tile + 1) {
        sums[s] = A::new(0.0_f32);
    }
    let block = comptime!(layout.lanes * SUM_BLOCK);
    let mut start = lane;
    while start < rows.classes {
        let end = min(start + block, rows.classes);
        #[unroll]
        for s in 0..comptime!(tile + 1) {
            parts[s] = A::new(0.0_f32);
        }
        let mut i = start;
        while i < end {
            let x = A::cast_from(logits[logits_start + i * logits_steps.class]);
            let weight = raw_weight::<A>(x, max, reciprocal);
            let excluded = is_excluded::<A>(x, max);
            let at = values_start + i * values_steps.class;
            #[unroll]
            for s in 0..tile {
                // Beyond the last feature the last one is summed again, and not stored.
                let f = min(feature + s, rows.features - 1);
                let value = A::cast_from(values[at + f * values_steps.feature]);
                parts[s] += weight * select(excluded, A::new(0.0_f32), value);
            }
            parts[tile] += weight;
            i += layout.lanes;
        }
        #[unroll]
        for s in 0..comptime!(tile + 1) {
            sums[s] += parts[s];
        }
        start += block;
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
    reciprocal: A,
    rows: &Rows,
    #[comptime] tile: usize,
    #[comptime] layout: Layout,
) -> A {
    let logits_start = row_start(place, logits_steps);
    let values_start = row_start(place, values_steps);
    let out_start = (place.outer * rows.inner + place.inner) * rows.features;
    let mut shared = sum_slots::<A>(comptime!(tile + 1), layout);
    let mut normaliser = A::new(0.0_f32);
    let mut feature = 0usize;
    while feature < rows.features {
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
            place.lane,
            tile,
            layout,
        );
        row_sums::<A>(
            &mut sums,
            &mut shared,
            place.lane,
            comptime!(tile + 1),
            layout,
        );
        normaliser = sums[tile];
        if place.live && place.lane == 0 {
            #[unroll]
            for s in 0..tile {
                if feature + s < rows.features {
                    out[out_start + feature + s] = F::cast_from(sums[s] / divisor::<A>(normaliser));
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
    let max = find_max::<F, A>(logits, start, logits_steps, rows, place.lane, layout);
    let normaliser = expected_values::<F, A>(
        logits,
        values,
        out,
        &place,
        logits_steps,
        values_steps,
        max,
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
    let none = rows.classes as u32;
    let mut max = A::min_value();
    let mut index = none;
    let mut i = place.lane;
    while i < rows.classes {
        let x = A::cast_from(logits[start + i * logits_steps.class]);
        // The second case is an entry that is exactly the smallest finite number.
        let better = x > max || (index == none && x == max);
        max = select(better, x, max);
        index = select(better, i as u32, index);
        i += layout.lanes;
    }
    let (max, index) = row_first_max::<A>(max, index, place.lane, layout);
    let max = select(max > A::max_value(), A::max_value(), max);
    let normaliser = expected_values::<F, A>(
        logits,
        values,
        soft,
        &place,
        logits_steps,
        values_steps,
        max,
        reciprocal.get::<A>(),
        rows,
        tile,
        layout,
    );
    write_stats::<A>(stats, &place, rows, max, normaliser);
    if place.live {
        // A row of nothing but NaN has no index either.
        let chosen = select(index == none, 0, index as usize);
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

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn soft_argmax_gather_backward_kernel<F: Float, A: Float>(
    logits: &Tensor<F>,          // [outer, classes, inner]
    values: &Tensor<F>,          // [outer, classes, inner, features]
    stats: &Tensor<A>,           // [outer, 2, inner]
    soft: &Tensor<F>,            // [outer, 1, inner, features]
    grad: &Tensor<F>,            // [outer, 1, inner, features]
    grad_logits: &mut Tensor<F>, // [outer, classes, inner]
    grad_values: &mut Tensor<F>, // [outer, classes, inner, features]
    rows: &Rows,
    chunks: usize,
    logits_steps: &Steps,
    values_steps: &Steps,
    stats_steps: &Steps,
    soft_steps: &Steps,
    grad_steps: &Steps,
    reciprocal: InputScalar,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, chunks, layout);
    if !place.live {
        terminate!();
    }
    let reciprocal = reciprocal.get::<A>();
    let zero = A::new(0.0_f32);
    let logits_start = row_start(&place, logits_steps);
    let values_start = row_start(&place, values_steps);
    let soft_start = row_start(&place, soft_steps);
    let grad_start = row_start(&place, grad_steps);
    let stats_start = row_start(&place, stats_steps);
    let max = stats[stats_start];
    let normaliser = divisor::<A>(stats[stats_start + stats_steps.class]);
    let decided = max >= A::max_value();

    let span = comptime!(layout.lanes * BACKWARD_CLASSES_PER_LANE);
    let end = min((place.chunk + 1) * span, rows.classes);
    let mut i = place.chunk * span + place.lane;
    while i < end {
        let x = A::cast_from(logits[logits_start + i * logits_steps.class]);
        let weight = raw_weight::<A>(x, max, reciprocal) / normaliser;
        let excluded = is_excluded::<A>(x, max);
        let from = values_start + i * values_steps.class;
        let to = (place.outer * rows.classes + i) * rows.inner + place.inner;
        let mut advantage = zero;
        for f in 0..rows.features {
            let value = A::cast_from(values[from + f * values_steps.feature]);
            let mean = A::cast_from(soft[soft_start + f * soft_steps.feature]);
            let upstream = A::cast_from(grad[grad_start + f * grad_steps.feature]);
            // `<V - y, g>` rather than `<V, g> - <y, g>`: the difference of neighbours is exact.
            advantage += (value - mean) * upstream;
            grad_values[to * rows.features + f] =
                F::cast_from(select(excluded, zero, weight * upstream));
        }
        let slope = weight * advantage * reciprocal;
        grad_logits[to] = F::cast_from(select(excluded || decided, zero, slope));
        i += layout.lanes;
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
        let shared_bytes = stats_dtype.size() * (tile + 2) + size_of::<u32>();
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
fn check_shapes(op: &str, logits: &CubeTensor, values: &CubeTensor, dim: usize) {
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
            f.sizes.launch(),
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
            f.sizes.launch(),
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

/// Gradients of [`soft_argmax_gather`] with respect to logits and values, which are also the straight-through gradients of
/// [`hard_argmax_gather`]: `w_i <V_i - y, g> / T` and `w_i g`.
///
/// `stats` and `soft` are the forward's results, `grad` has the shape of `soft`.
///
/// # Panics
/// As [`soft_argmax_gather`].
#[allow(clippy::too_many_arguments)]
pub fn soft_argmax_gather_backward(
    logits: CubeTensor,
    values: CubeTensor,
    stats: CubeTensor,
    soft: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    let op = "soft_argmax_gather_backward";
    check_shapes(op, &logits, &values, dim);
    let rank = logits.meta.num_dims();
    let (elements, _) = elements(op, &logits.client, logits.dtype);
    let sizes = Sizes::of(&values, dim, rank);
    let client = logits.client.clone();
    let grad_logits = output(&logits, logits.meta.shape().clone(), logits.dtype);
    let grad_values = output(&values, values.meta.shape().clone(), values.dtype);
    if sizes.rows() == 0 {
        return (grad_logits, grad_values);
    }
    if sizes.features == 0 {
        let shape = logits.meta.shape().clone();
        let zeros = zeros_client(client, logits.device.clone(), shape, logits.dtype);
        return (zeros, grad_values);
    }
    let [logits, values, stats, soft, grad] =
        [logits, values, stats, soft, grad].map(|tensor| View::new(tensor, dim, rank));
    let classes_contiguous = logits.classes_contiguous();
    // No unit waits for another here: only neighbours in memory matter, so that every unit may have its own row where the
    // classes are not contiguous.
    let layout = Layout::choose(&client, sizes.rows(), sizes.classes, classes_contiguous, 1);
    let chunks = sizes
        .classes
        .div_ceil(layout.lanes * BACKWARD_CLASSES_PER_LANE);
    let cubes = cube_count(op, &client, (sizes.rows() * chunks).div_ceil(layout.rows));
    let addresses = address_type(&[&logits.tensor, &values.tensor, &grad_values]);
    // SAFETY: the views' strides stay inside their tensors, the outputs are contiguous and of the sizes given, units beyond the
    // last chunk of the last row end at once, and classes are compared with the row's length.
    unsafe {
        soft_argmax_gather_backward_kernel::launch_unchecked(
            &client,
            cubes,
            layout.cube_dim(),
            addresses,
            logits.tensor.clone().into_tensor_arg(),
            values.tensor.clone().into_tensor_arg(),
            stats.tensor.clone().into_tensor_arg(),
            soft.tensor.clone().into_tensor_arg(),
            grad.tensor.clone().into_tensor_arg(),
            grad_logits.clone().into_tensor_arg(),
            grad_values.clone().into_tensor_arg(),
            sizes.launch(),
            chunks,
            logits.launch_steps(),
            values.launch_steps(),
            stats.launch_steps(),
            soft.launch_steps(),
            grad.launch_steps(),
            reciprocal(temperature, elements[1]),
            layout,
            elements,
        );
    }
    (grad_logits, grad_values)
}
