//! `softmax(x / T)` and `log_softmax(x)`, with their gradients.
//!
//! All four walk through a row like the gather does: its lanes find what belongs to the whole row (forward its maximum and
//! normaliser, backward one sum), then write their classes. The parts of a split row find the same of themselves first.

use burn_backend::DType;
use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    lanes::row_sum,
    math::{exp_nonpositive, ln_positive},
    reduce::{
        divisor, find_max, find_normaliser, is_excluded, merged_max, merged_normaliser, merged_sum,
        partial_at, raw_weight, speaks_for_chunk, write_stats,
    },
    row::{Layout, Need, Phase, Rows, output_start, place, row_start},
    view::{
        Sizes, Steps, View, address_type, check_same, cube_count, elements, output, partials, plan,
        reciprocal, resized, vector_size,
    },
};

/// What a softmax kernel writes, or differentiates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// Probabilities. Their gradient needs `<p, g>` over the classes with any.
    Probs,
    /// Their logarithms. The gradient needs `Σ g` over the allowed classes.
    LogProbs,
}

/// Numbers that a chunk hands on: maximum and normaliser.
const FORWARD_PARTS: usize = 2;

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn softmax_kernel<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,  // [outer, classes, inner]
    out: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    stats: &mut Tensor<A>,          // [outer, 2, inner]
    partials: &mut Tensor<A>,       // [rows, chunks, 2]
    rows: &Rows,
    steps: &Steps,
    reciprocal: InputScalar,
    // `-inf` comes from the host: WGSL has no literal for it.
    never: InputScalar,
    #[comptime] kind: Kind,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let start = row_start(&place, steps);
    let reciprocal = reciprocal.get::<A>();
    let never = never.get::<A>();
    let (max, sum) = if comptime!(phase == Phase::Finish) {
        let max = merged_max::<A>(&*partials, &place, rows, FORWARD_PARTS);
        let sum = merged_normaliser::<A>(&*partials, &place, rows, max, reciprocal, FORWARD_PARTS);
        (max, sum)
    } else {
        let max = find_max::<F, A, N>(logits, start, steps, &place, layout);
        let sum =
            find_normaliser::<F, A, N>(logits, start, steps, &place, rows, max, reciprocal, layout);
        (max, sum)
    };
    if comptime!(phase == Phase::Partial) {
        if speaks_for_chunk(&place) {
            let at = partial_at(&place, rows, place.chunk, FORWARD_PARTS);
            partials[at] = max;
            partials[at + 1] = sum;
        }
    } else {
        write_stats::<A>(stats, &place, rows, max, sum);
        if place.live {
            let divisor = divisor::<A>(sum);
            let log_sum = match comptime!(kind) {
                Kind::Probs => A::new(0.0_f32),
                Kind::LogProbs => ln_positive::<A>(divisor),
            };
            let decided = max >= A::max_value();
            let to = output_start(&place, rows);
            let mut g = place.first;
            while g < place.end {
                let x = Vector::<A, N>::cast_from(logits[start + g * steps.class]);
                let mut y = Vector::<F, N>::empty();
                #[unroll]
                for k in 0..N::value() {
                    let x = x.extract(k);
                    let value = match comptime!(kind) {
                        Kind::Probs => raw_weight::<A>(x, max, reciprocal) / divisor,
                        Kind::LogProbs => {
                            let gap = select(decided, A::new(0.0_f32), x - max);
                            select(is_excluded::<A>(x, max), never, gap - log_sum)
                        }
                    };
                    y.insert(k, F::cast_from(value));
                }
                out[to + g * rows.inner] = y;
                g += layout.lanes;
            }
        }
    }
}

/// Whether the upstream gradient of a class is ignored.
#[cube]
fn is_ignored<A: Float>(y: A, #[comptime] kind: Kind) -> bool {
    match comptime!(kind) {
        Kind::Probs => y == A::new(0.0_f32),
        Kind::LogProbs => y < A::min_value(),
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn backward_kernel<F: Float, A: Float, N: Size>(
    result: &Tensor<Vector<F, N>>, // [outer, classes, inner], probabilities or their logarithms
    stats: &Tensor<A>,             // [outer, 2, inner]
    grad: &Tensor<Vector<F, N>>,   // [outer, classes, inner]
    grad_logits: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    partials: &mut Tensor<A>,      // [rows, chunks, 1]
    rows: &Rows,
    result_steps: &Steps,
    stats_steps: &Steps,
    grad_steps: &Steps,
    reciprocal: InputScalar,
    #[comptime] kind: Kind,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let zero = A::new(0.0_f32);
    let result_start = row_start(&place, result_steps);
    let grad_start = row_start(&place, grad_steps);
    let sum = if comptime!(phase == Phase::Finish) {
        merged_sum::<A>(&*partials, &place, rows, 0usize, 1usize)
    } else {
        let mut sum = zero;
        let mut from = place.first;
        while from < place.end {
            let end = min(from + rows.block, place.end);
            let mut part = zero;
            let mut g = from;
            while g < end {
                let y = Vector::<A, N>::cast_from(result[result_start + g * result_steps.class]);
                let upstream = Vector::<A, N>::cast_from(grad[grad_start + g * grad_steps.class]);
                #[unroll]
                for k in 0..N::value() {
                    let (y, upstream) = (y.extract(k), upstream.extract(k));
                    let term = match comptime!(kind) {
                        Kind::Probs => y * upstream,
                        Kind::LogProbs => upstream,
                    };
                    part += select(is_ignored::<A>(y, kind), zero, term);
                }
                g += layout.lanes;
            }
            sum += part;
            from += rows.block;
        }
        row_sum::<A>(sum, place.lane, layout)
    };
    if comptime!(phase == Phase::Partial) {
        if speaks_for_chunk(&place) {
            partials[partial_at(&place, rows, place.chunk, 1usize)] = sum;
        }
    } else if place.live {
        let reciprocal = reciprocal.get::<A>();
        let decided = stats[row_start(&place, stats_steps)] >= A::max_value();
        let to = output_start(&place, rows);
        let mut g = place.first;
        while g < place.end {
            let y = Vector::<A, N>::cast_from(result[result_start + g * result_steps.class]);
            let upstream = Vector::<A, N>::cast_from(grad[grad_start + g * grad_steps.class]);
            let mut slopes = Vector::<F, N>::empty();
            #[unroll]
            for k in 0..N::value() {
                let (y, upstream) = (y.extract(k), upstream.extract(k));
                let slope = match comptime!(kind) {
                    Kind::Probs => y * (upstream - sum) * reciprocal,
                    Kind::LogProbs => upstream - exp_nonpositive::<A>(y) * sum,
                };
                let fixed = decided || is_ignored::<A>(y, kind);
                slopes.insert(k, F::cast_from(select(fixed, zero, slope)));
            }
            grad_logits[to + g * rows.inner] = slopes;
            g += layout.lanes;
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
    forward("softmax", logits, dim, temperature, Kind::Probs)
}

/// The log-probabilities `log_softmax(logits)` along `dim`, and the row statistics; shapes as for [`softmax`].
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn log_softmax(logits: CubeTensor, dim: usize) -> (CubeTensor, CubeTensor) {
    forward("log_softmax", logits, dim, 1.0, Kind::LogProbs)
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
    let op = "softmax_backward";
    backward(op, probs, stats, grad, dim, temperature, Kind::Probs)
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
    let op = "log_softmax_backward";
    backward(op, log_probs, stats, grad, dim, 1.0, Kind::LogProbs)
}

/// The maximum and a sum; at most three walks with blocks.
fn need(stats_dtype: DType) -> Need {
    Need {
        shared_bytes: 2 * stats_dtype.size(),
        walks: 4,
    }
}

/// Launches the forward kernel.
fn forward(
    op: &str,
    logits: CubeTensor,
    dim: usize,
    temperature: f64,
    kind: Kind,
) -> (CubeTensor, CubeTensor) {
    let rank = logits.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &logits.client, logits.dtype);
    let sizes = Sizes::of(&logits, dim, rank);
    let out = output(&logits, logits.meta.shape().clone(), logits.dtype);
    let stats = output(&logits, resized(&logits, dim, 2), stats_dtype);
    if sizes.rows() == 0 {
        return (out, stats);
    }
    sizes.check_classes(op);
    let logits = View::new(logits, dim, rank);
    let vector = vector_size(&sizes, &[&logits]);
    let groups = sizes.classes / vector;
    let plan = plan(&logits, &sizes, groups, need(stats_dtype));
    let partials = partials(&out, stats_dtype, &plan, sizes.rows(), FORWARD_PARTS);
    let addresses = address_type(&[&logits.tensor, &out, &stats, &partials]);
    for &phase in plan.phases() {
        // SAFETY: the view's strides stay inside its tensor, the outputs are contiguous and of the sizes given, units beyond the
        // last row read row 0 and write nothing, and partial results are written before they are read.
        unsafe {
            softmax_kernel::launch_unchecked(
                &out.client,
                cube_count(op, &out.client, plan.cubes(sizes.rows())),
                plan.layout.cube_dim(),
                addresses,
                vector,
                logits.tensor.clone().into_tensor_arg(),
                out.clone().into_tensor_arg(),
                stats.clone().into_tensor_arg(),
                partials.clone().into_tensor_arg(),
                sizes.launch(&plan, groups),
                logits.launch_vector_steps(vector),
                reciprocal(temperature, elements[1]),
                InputScalar::new(f64::NEG_INFINITY, elements[1]),
                kind,
                phase,
                plan.layout,
                elements,
            );
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
    kind: Kind,
) -> CubeTensor {
    let rank = result.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &result.client, result.dtype);
    check_same(op, "grad", &grad, &result);
    let sizes = Sizes::of(&result, dim, rank);
    let out = output(&result, result.meta.shape().clone(), result.dtype);
    if sizes.rows() == 0 {
        return out;
    }
    sizes.check_classes(op);
    let [result, stats, grad] = [result, stats, grad].map(|tensor| View::new(tensor, dim, rank));
    let vector = vector_size(&sizes, &[&result, &grad]);
    let groups = sizes.classes / vector;
    let plan = plan(&result, &sizes, groups, need(stats_dtype));
    let partials = partials(&out, stats_dtype, &plan, sizes.rows(), 1);
    let addresses = address_type(&[&result.tensor, &stats.tensor, &grad.tensor, &out]);
    for &phase in plan.phases() {
        // SAFETY: as in `forward`.
        unsafe {
            backward_kernel::launch_unchecked(
                &out.client,
                cube_count(op, &out.client, plan.cubes(sizes.rows())),
                plan.layout.cube_dim(),
                addresses,
                vector,
                result.tensor.clone().into_tensor_arg(),
                stats.tensor.clone().into_tensor_arg(),
                grad.tensor.clone().into_tensor_arg(),
                out.clone().into_tensor_arg(),
                partials.clone().into_tensor_arg(),
                sizes.launch(&plan, groups),
                result.launch_vector_steps(vector),
                stats.launch_steps(),
                grad.launch_vector_steps(vector),
                reciprocal(temperature, elements[1]),
                kind,
                phase,
                plan.layout,
                elements,
            );
        }
    }
    out
}
