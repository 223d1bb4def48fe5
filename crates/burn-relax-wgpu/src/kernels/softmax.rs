//! `softmax(x / T)` and `log_softmax(x)`, with their gradients.
//!
//! All four walk through a row like the gather does: its lanes find what belongs to the whole row (forward its maximum and
//! normaliser, backward one sum), then write their classes.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    math::{exp_nonpositive, ln_from_one},
    reduce::{divisor, find_max, is_excluded, raw_weight, row_sums, sum_slots, write_stats},
    row::{Layout, Place, Rows, place, row_start},
    view::{Sizes, Steps, View, address_type, cube_count, elements, output, reciprocal, resized},
};

/// The row's normaliser.
#[cube]
fn normaliser<F: Float, A: Float>(
    logits: &Tensor<F>,
    start: usize,
    steps: &Steps,
    rows: &Rows,
    max: A,
    reciprocal: A,
    lane: usize,
    #[comptime] layout: Layout,
) -> A {
    let mut sums = Array::<A>::new(1usize);
    sums[0] = A::new(0.0_f32);
    let mut from = lane;
    while from < rows.classes {
        let end = min(from + rows.block, rows.classes);
        let mut part = A::new(0.0_f32);
        let mut i = from;
        while i < end {
            let x = A::cast_from(logits[start + i * steps.class]);
            part += raw_weight::<A>(x, max, reciprocal);
            i += layout.lanes;
        }
        sums[0] += part;
        from += rows.block;
    }
    let mut shared = sum_slots::<A>(1usize, layout);
    row_sums::<A>(&mut sums, &mut shared, lane, 1usize, layout);
    sums[0]
}

/// Offset of a row's first element in a contiguous output of the logits' shape; its classes are `rows.inner` apart.
#[cube]
fn output_start(place: &Place, rows: &Rows) -> usize {
    place.outer * rows.classes * rows.inner + place.inner
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn softmax_kernel<F: Float, A: Float>(
    logits: &Tensor<F>,    // [outer, classes, inner]
    probs: &mut Tensor<F>, // [outer, classes, inner]
    stats: &mut Tensor<A>, // [outer, 2, inner]
    rows: &Rows,
    steps: &Steps,
    reciprocal: InputScalar,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, 1, layout);
    let reciprocal = reciprocal.get::<A>();
    let start = row_start(&place, steps);
    let max = find_max::<F, A>(logits, start, steps, rows, place.lane, layout);
    let sum = normaliser::<F, A>(
        logits, start, steps, rows, max, reciprocal, place.lane, layout,
    );
    write_stats::<A>(stats, &place, rows, max, sum);
    if place.live {
        let divisor = divisor::<A>(sum);
        let to = output_start(&place, rows);
        let mut i = place.lane;
        while i < rows.classes {
            let x = A::cast_from(logits[start + i * steps.class]);
            let weight = raw_weight::<A>(x, max, reciprocal) / divisor;
            probs[to + i * rows.inner] = F::cast_from(weight);
            i += layout.lanes;
        }
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn log_softmax_kernel<F: Float, A: Float>(
    logits: &Tensor<F>,        // [outer, classes, inner]
    log_probs: &mut Tensor<F>, // [outer, classes, inner]
    stats: &mut Tensor<A>,     // [outer, 2, inner]
    rows: &Rows,
    steps: &Steps,
    // `-inf` comes from the host: WGSL has no literal for it.
    never: InputScalar,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, 1, layout);
    let never = never.get::<A>();
    let one = A::new(1.0_f32);
    let start = row_start(&place, steps);
    let max = find_max::<F, A>(logits, start, steps, rows, place.lane, layout);
    let sum = normaliser::<F, A>(logits, start, steps, rows, max, one, place.lane, layout);
    write_stats::<A>(stats, &place, rows, max, sum);
    if place.live {
        let log_sum = ln_from_one::<A>(divisor::<A>(sum));
        let decided = max >= A::max_value();
        let to = output_start(&place, rows);
        let mut i = place.lane;
        while i < rows.classes {
            let x = A::cast_from(logits[start + i * steps.class]);
            let gap = select(decided, A::new(0.0_f32), x - max);
            let log_prob = select(is_excluded::<A>(x, max), never, gap - log_sum);
            log_probs[to + i * rows.inner] = F::cast_from(log_prob);
            i += layout.lanes;
        }
    }
}

/// What the backward kernels sum over a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Backward {
    /// Of probabilities: `<p, g>` over the classes with any.
    Softmax,
    /// Of log-probabilities: `Σ g` over the allowed classes.
    LogSoftmax,
}

/// Whether the upstream gradient of a class is ignored.
#[cube]
fn is_ignored<A: Float>(y: A, #[comptime] kind: Backward) -> bool {
    match comptime!(kind) {
        Backward::Softmax => y == A::new(0.0_f32),
        Backward::LogSoftmax => y < A::min_value(),
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn backward_kernel<F: Float, A: Float>(
    result: &Tensor<F>, // [outer, classes, inner], probabilities or their logarithms
    stats: &Tensor<A>,  // [outer, 2, inner]
    grad: &Tensor<F>,   // [outer, classes, inner]
    grad_logits: &mut Tensor<F>, // [outer, classes, inner]
    rows: &Rows,
    result_steps: &Steps,
    stats_steps: &Steps,
    grad_steps: &Steps,
    reciprocal: InputScalar,
    #[comptime] kind: Backward,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, 1, layout);
    let zero = A::new(0.0_f32);
    let result_start = row_start(&place, result_steps);
    let grad_start = row_start(&place, grad_steps);
    let mut sums = Array::<A>::new(1usize);
    sums[0] = zero;
    let mut from = place.lane;
    while from < rows.classes {
        let end = min(from + rows.block, rows.classes);
        let mut part = zero;
        let mut i = from;
        while i < end {
            let y = A::cast_from(result[result_start + i * result_steps.class]);
            let upstream = A::cast_from(grad[grad_start + i * grad_steps.class]);
            let term = match comptime!(kind) {
                Backward::Softmax => y * upstream,
                Backward::LogSoftmax => upstream,
            };
            part += select(is_ignored::<A>(y, kind), zero, term);
            i += layout.lanes;
        }
        sums[0] += part;
        from += rows.block;
    }
    let mut shared = sum_slots::<A>(1usize, layout);
    row_sums::<A>(&mut sums, &mut shared, place.lane, 1usize, layout);
    let sum = sums[0];
    if place.live {
        let reciprocal = reciprocal.get::<A>();
        let decided = stats[row_start(&place, stats_steps)] >= A::max_value();
        let to = output_start(&place, rows);
        let mut i = place.lane;
        while i < rows.classes {
            let y = A::cast_from(result[result_start + i * result_steps.class]);
            let upstream = A::cast_from(grad[grad_start + i * grad_steps.class]);
            let slope = match comptime!(kind) {
                Backward::Softmax => y * (upstream - sum) * reciprocal,
                Backward::LogSoftmax => upstream - exp_nonpositive::<A>(y) * sum,
            };
            let fixed = decided || is_ignored::<A>(y, kind);
            grad_logits[to + i * rows.inner] = F::cast_from(select(fixed, zero, slope));
            i += layout.lanes;
        }
    }
}

/// The weights `softmax(logits / temperature)` along `dim`, and the row statistics.
///
/// # Shapes
/// - `logits`: `[.., n, ..]`, n at `dim`
/// - first result: that of `logits`
/// - second result: the statistics, see the crate's documentation
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn softmax(logits: CubeTensor, dim: usize, temperature: f64) -> (CubeTensor, CubeTensor) {
    forward("softmax", logits, dim, Forward::Softmax { temperature })
}

/// The log-probabilities `log_softmax(logits)` along `dim`, and the row statistics; shapes as for [`softmax`].
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn log_softmax(logits: CubeTensor, dim: usize) -> (CubeTensor, CubeTensor) {
    forward("log_softmax", logits, dim, Forward::LogSoftmax)
}

/// Gradient of [`softmax`] from its results: `p (g - <p, g>) / T`. What `grad` holds where `p` is 0 does not matter.
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn softmax_backward(
    probs: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    temperature: f64,
) -> CubeTensor {
    backward(
        "softmax_backward",
        probs,
        stats,
        grad,
        dim,
        temperature,
        Backward::Softmax,
    )
}

/// Gradient of [`log_softmax`] from its results: `g - p Σ g` over the allowed entries.
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn log_softmax_backward(
    log_probs: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
) -> CubeTensor {
    backward(
        "log_softmax_backward",
        log_probs,
        stats,
        grad,
        dim,
        1.0,
        Backward::LogSoftmax,
    )
}

/// Which forward kernel.
enum Forward {
    Softmax { temperature: f64 },
    LogSoftmax,
}

/// Launches a forward kernel.
fn forward(op: &str, logits: CubeTensor, dim: usize, kind: Forward) -> (CubeTensor, CubeTensor) {
    let rank = logits.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &logits.client, logits.dtype);
    let sizes = Sizes::of(&logits, dim, rank);
    let out = output(&logits, logits.meta.shape().clone(), logits.dtype);
    let stats = output(&logits, resized(&logits, dim, 2), stats_dtype);
    if sizes.rows() == 0 {
        return (out, stats);
    }
    check_classes(op, &sizes);
    let logits = View::new(logits, dim, rank);
    // The maximum and the normaliser.
    let shared_bytes = 2 * stats_dtype.size();
    let layout = layout(&logits, &sizes, shared_bytes);
    let cubes = cube_count(op, &out.client, sizes.rows().div_ceil(layout.rows));
    let addresses = address_type(&[&logits.tensor, &out, &stats]);
    let client = out.client.clone();
    let (out_arg, stats_arg) = (
        out.clone().into_tensor_arg(),
        stats.clone().into_tensor_arg(),
    );
    let steps = logits.launch_steps();
    let logits_arg = logits.tensor.into_tensor_arg();
    // SAFETY: the view's strides stay inside its tensor, the outputs are contiguous and of the sizes given, and units beyond the
    // last row read row 0 and write nothing.
    unsafe {
        match kind {
            Forward::Softmax { temperature } => softmax_kernel::launch_unchecked(
                &client,
                cubes,
                layout.cube_dim(),
                addresses,
                logits_arg,
                out_arg,
                stats_arg,
                sizes.launch(&layout),
                steps,
                reciprocal(temperature, elements[1]),
                layout,
                elements,
            ),
            Forward::LogSoftmax => log_softmax_kernel::launch_unchecked(
                &client,
                cubes,
                layout.cube_dim(),
                addresses,
                logits_arg,
                out_arg,
                stats_arg,
                sizes.launch(&layout),
                steps,
                InputScalar::new(f64::NEG_INFINITY, elements[1]),
                layout,
                elements,
            ),
        }
    }
    (out, stats)
}

/// Launches the backward kernel.
fn backward(
    op: &str,
    result: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    temperature: f64,
    kind: Backward,
) -> CubeTensor {
    let rank = result.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &result.client, result.dtype);
    assert!(
        grad.meta.shape() == result.meta.shape() && grad.dtype == result.dtype,
        "{op}: grad must have shape {:?} and dtype {:?}, got {:?} and {:?}",
        result.meta.shape(),
        result.dtype,
        grad.meta.shape(),
        grad.dtype
    );
    let sizes = Sizes::of(&result, dim, rank);
    let out = output(&result, result.meta.shape().clone(), result.dtype);
    if sizes.rows() == 0 {
        return out;
    }
    check_classes(op, &sizes);
    let [result, stats, grad] = [result, stats, grad].map(|tensor| View::new(tensor, dim, rank));
    let layout = layout(&result, &sizes, stats_dtype.size());
    let cubes = cube_count(op, &out.client, sizes.rows().div_ceil(layout.rows));
    let addresses = address_type(&[&result.tensor, &stats.tensor, &grad.tensor, &out]);
    // SAFETY: as in `forward`.
    unsafe {
        backward_kernel::launch_unchecked(
            &out.client,
            cubes,
            layout.cube_dim(),
            addresses,
            result.tensor.clone().into_tensor_arg(),
            stats.tensor.clone().into_tensor_arg(),
            grad.tensor.clone().into_tensor_arg(),
            out.clone().into_tensor_arg(),
            sizes.launch(&layout),
            result.launch_steps(),
            stats.launch_steps(),
            grad.launch_steps(),
            reciprocal(temperature, elements[1]),
            kind,
            layout,
            elements,
        );
    }
    out
}

/// The layout for walking through `view`.
fn layout(view: &View, sizes: &Sizes, shared_bytes: usize) -> Layout {
    Layout::choose(
        &view.tensor.client,
        sizes.rows(),
        sizes.classes,
        view.classes_contiguous(),
        shared_bytes,
    )
}

/// Panics unless a row has an entry.
fn check_classes(op: &str, sizes: &Sizes) {
    assert!(
        sizes.classes > 0,
        "{op}: logits must have at least one class along dim, got 0"
    );
}
