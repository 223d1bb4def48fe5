//! The one-hot of the argmax, and the gradient of the softmax it stands for, `p (g - <p, g>) / T`, from logits and statistics.
//!
//! Nothing of the logits' size is kept between the two: the weights are computed again.

use burn_backend::DType;
use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    lanes::row_sum,
    math::is_nan,
    reduce::{
        divisor, find_first_max, find_normaliser, handed_on_index, merged_first, merged_max,
        merged_normaliser, merged_sum, partial_at, raw_weight, speaks_for_chunk, write_stats,
    },
    row::{Layout, Need, Phase, Rows, output_start, place, row_start},
    view::{
        Sizes, Steps, View, address_type, check_same, cube_count, elements, output, partials, plan,
        reciprocal, resized, vector_size,
    },
};

/// Numbers that a chunk hands on: maximum, normaliser, class of the maximum.
const FORWARD_PARTS: usize = 3;

/// The entry of a one-hot row; its index is the number of classes if there is none.
#[cube]
pub(crate) fn one_hot<A: Float>(class: usize, index: u32, normaliser: A) -> A {
    let chosen = class as u32 == index && normaliser > A::new(0.0_f32);
    let entry = select(chosen, A::new(1.0_f32), A::new(0.0_f32));
    select(is_nan::<A>(normaliser), normaliser, entry)
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn straight_through_kernel<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,   // [outer, classes, inner]
    hard: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    stats: &mut Tensor<A>,           // [outer, 2, inner]
    partials: &mut Tensor<A>,        // [rows, chunks, 3]
    rows: &Rows,
    steps: &Steps,
    reciprocal: InputScalar,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let start = row_start(&place, steps);
    let reciprocal = reciprocal.get::<A>();
    let (max, index, sum) = if comptime!(phase == Phase::Finish) {
        let max = merged_max::<A>(&*partials, &place, rows, FORWARD_PARTS);
        let sum = merged_normaliser::<A>(&*partials, &place, rows, max, reciprocal, FORWARD_PARTS);
        let (_chunk, index) =
            merged_first::<A, N>(&*partials, &place, rows, max, 2usize, FORWARD_PARTS);
        (max, index, sum)
    } else {
        let (max, index) = find_first_max::<F, A, N>(logits, start, steps, &place, rows, layout);
        let sum =
            find_normaliser::<F, A, N>(logits, start, steps, &place, rows, max, reciprocal, layout);
        (max, index, sum)
    };
    if comptime!(phase == Phase::Partial) {
        if speaks_for_chunk(&place) {
            let at = partial_at(&place, rows, place.chunk, FORWARD_PARTS);
            partials[at] = max;
            partials[at + 1] = sum;
            partials[at + 2] = handed_on_index::<A, N>(index, &place, rows);
        }
    } else {
        write_stats::<A>(stats, &place, rows, max, sum);
        if place.live {
            let to = output_start(&place, rows);
            let mut g = place.first;
            while g < place.end {
                let mut y = Vector::<F, N>::empty();
                #[unroll]
                for k in 0..N::value() {
                    let entry = one_hot::<A>(g * N::value() + k, index, sum);
                    y.insert(k, F::cast_from(entry));
                }
                hard[to + g * rows.inner] = y;
                g += layout.lanes;
            }
        }
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn straight_through_backward_kernel<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,          // [outer, classes, inner]
    stats: &Tensor<A>,                      // [outer, 2, inner]
    grad: &Tensor<Vector<F, N>>,            // [outer, classes, inner]
    grad_logits: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    partials: &mut Tensor<A>,               // [rows, chunks, 1]
    rows: &Rows,
    logits_steps: &Steps,
    stats_steps: &Steps,
    grad_steps: &Steps,
    reciprocal: InputScalar,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let zero = A::new(0.0_f32);
    let logits_start = row_start(&place, logits_steps);
    let grad_start = row_start(&place, grad_steps);
    let stats_start = row_start(&place, stats_steps);
    let reciprocal = reciprocal.get::<A>();
    let max = stats[stats_start];
    let normaliser = divisor::<A>(stats[stats_start + stats_steps.class]);
    let mean = if comptime!(phase == Phase::Finish) {
        merged_sum::<A>(&*partials, &place, rows, 0usize, 1usize)
    } else {
        let mut sum = zero;
        let mut from = place.first;
        while from < place.end {
            let end = min(from + rows.block, place.end);
            let mut part = zero;
            let mut g = from;
            while g < end {
                let x = Vector::<A, N>::cast_from(logits[logits_start + g * logits_steps.class]);
                let upstream = Vector::<A, N>::cast_from(grad[grad_start + g * grad_steps.class]);
                #[unroll]
                for k in 0..N::value() {
                    let p = raw_weight::<A>(x.extract(k), max, reciprocal) / normaliser;
                    part += select(p == zero, zero, p * upstream.extract(k));
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
            partials[partial_at(&place, rows, place.chunk, 1usize)] = mean;
        }
    } else if place.live {
        let decided = max >= A::max_value();
        let to = output_start(&place, rows);
        let mut g = place.first;
        while g < place.end {
            let x = Vector::<A, N>::cast_from(logits[logits_start + g * logits_steps.class]);
            let upstream = Vector::<A, N>::cast_from(grad[grad_start + g * grad_steps.class]);
            let mut slopes = Vector::<F, N>::empty();
            #[unroll]
            for k in 0..N::value() {
                let p = raw_weight::<A>(x.extract(k), max, reciprocal) / normaliser;
                let slope = p * (upstream.extract(k) - mean) * reciprocal;
                let fixed = decided || p == zero;
                slopes.insert(k, F::cast_from(select(fixed, zero, slope)));
            }
            grad_logits[to + g * rows.inner] = slopes;
            g += layout.lanes;
        }
    }
}

/// The maximum with its index, and a sum; at most three walks with blocks.
fn need(stats_dtype: DType) -> Need {
    Need {
        shared_bytes: 2 * stats_dtype.size() + size_of::<u32>(),
        walks: 4,
    }
}

/// The one-hot of the argmax along `dim`, the lowest index on ties, and the row statistics of the softmax at `temperature`.
///
/// A row that is all `-inf` gives zeros, a row that holds NaN is NaN.
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn straight_through_argmax(
    logits: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    let op = "straight_through_argmax";
    let rank = logits.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &logits.client, logits.dtype);
    let sizes = Sizes::of(&logits, dim, rank);
    let hard = output(&logits, logits.meta.shape().clone(), logits.dtype);
    let stats = output(&logits, resized(&logits, dim, 2), stats_dtype);
    if sizes.rows() == 0 {
        return (hard, stats);
    }
    sizes.check_classes(op);
    let logits = View::new(logits, dim, rank);
    let vector = vector_size(&sizes, &[&logits]);
    let groups = sizes.classes / vector;
    let plan = plan(&logits, &sizes, groups, need(stats_dtype));
    let partials = partials(&hard, stats_dtype, &plan, sizes.rows(), FORWARD_PARTS);
    let addresses = address_type(&[&logits.tensor, &hard, &stats, &partials]);
    for &phase in plan.phases() {
        // SAFETY: the view's strides stay inside its tensor, the outputs are contiguous and of the sizes given, units beyond the
        // last row read row 0 and write nothing, and partial results are written before they are read.
        unsafe {
            straight_through_kernel::launch_unchecked(
                &hard.client,
                cube_count(op, &hard.client, plan.cubes(sizes.rows())),
                plan.layout.cube_dim(),
                addresses,
                vector,
                logits.tensor.clone().into_tensor_arg(),
                hard.clone().into_tensor_arg(),
                stats.clone().into_tensor_arg(),
                partials.clone().into_tensor_arg(),
                sizes.launch(&plan, groups),
                logits.launch_vector_steps(vector),
                reciprocal(temperature, elements[1]),
                phase,
                plan.layout,
                elements,
            );
        }
    }
    (hard, stats)
}

/// Gradient of [`straight_through_argmax`], that of the softmax it stands for: `p (g - <p, g>) / T`. What `grad` holds where
/// `p` is 0 does not matter.
///
/// # Panics
/// As [`straight_through_argmax`].
pub fn straight_through_argmax_backward(
    logits: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    temperature: f64,
) -> CubeTensor {
    let op = "straight_through_argmax_backward";
    let rank = logits.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &logits.client, logits.dtype);
    check_same(op, "grad", &grad, &logits);
    let sizes = Sizes::of(&logits, dim, rank);
    let out = output(&logits, logits.meta.shape().clone(), logits.dtype);
    if sizes.rows() == 0 {
        return out;
    }
    sizes.check_classes(op);
    let [logits, stats, grad] = [logits, stats, grad].map(|tensor| View::new(tensor, dim, rank));
    let vector = vector_size(&sizes, &[&logits, &grad]);
    let groups = sizes.classes / vector;
    let plan = plan(&logits, &sizes, groups, need(stats_dtype));
    let partials = partials(&out, stats_dtype, &plan, sizes.rows(), 1);
    let addresses = address_type(&[&logits.tensor, &stats.tensor, &grad.tensor, &out]);
    for &phase in plan.phases() {
        // SAFETY: as in `straight_through_argmax`.
        unsafe {
            straight_through_backward_kernel::launch_unchecked(
                &out.client,
                cube_count(op, &out.client, plan.cubes(sizes.rows())),
                plan.layout.cube_dim(),
                addresses,
                vector,
                logits.tensor.clone().into_tensor_arg(),
                stats.tensor.clone().into_tensor_arg(),
                grad.tensor.clone().into_tensor_arg(),
                out.clone().into_tensor_arg(),
                partials.clone().into_tensor_arg(),
                sizes.launch(&plan, groups),
                logits.launch_vector_steps(vector),
                stats.launch_steps(),
                grad.launch_vector_steps(vector),
                reciprocal(temperature, elements[1]),
                phase,
                plan.layout,
                elements,
            );
        }
    }
    out
}
