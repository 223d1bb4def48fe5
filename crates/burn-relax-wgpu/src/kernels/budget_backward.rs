//! The capped simplex: its gradients, from its saved weights.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    budget::is_free,
    lanes::{row_sums, sum_slots},
    math::is_nan,
    reduce::{divisor, merged_sum, partial_at, speaks_for_chunk},
    row::{Layout, Need, Phase, Rows, output_start, place, row_start, speaks_for_row},
    view::{
        Sizes, Steps, View, address_type, check_same, cube_count, elements, output, partials, plan,
        resized, vector_size,
    },
};

/// Numbers that a chunk hands on: `Σ g` over the entries strictly between 0 and 1, and their number.
const PARTS: usize = 2;

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn budget_backward_kernel<F: Float, A: Float, N: Size>(
    probs: &Tensor<Vector<F, N>>,           // [outer, classes, inner]
    stats: &Tensor<A>,                      // [outer, 2, inner]
    grad: &Tensor<Vector<F, N>>,            // [outer, classes, inner]
    grad_logits: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    grad_budget: &mut Tensor<F>,            // [outer, 1, inner]
    partials: &mut Tensor<A>,               // [rows, chunks, 2]
    rows: &Rows,
    steps: &Steps,
    stats_steps: &Steps,
    grad_steps: &Steps,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let (zero, one) = (A::new(0.0_f32), A::new(1.0_f32));
    let start = row_start(&place, steps);
    let grad_start = row_start(&place, grad_steps);
    let stats_start = row_start(&place, stats_steps);
    let decided = stats[stats_start] >= A::max_value();
    let known = stats[stats_start + stats_steps.class];

    let mut sums = Array::<A>::new(2usize);
    sums[0] = zero;
    sums[1] = zero;
    if comptime!(phase == Phase::Finish) {
        sums[0] = merged_sum::<A>(&*partials, &place, rows, 0usize, PARTS);
        sums[1] = merged_sum::<A>(&*partials, &place, rows, 1usize, PARTS);
    } else {
        let mut from = place.first;
        while from < place.end {
            let end = min(from + rows.block, place.end);
            let mut sum = zero;
            let mut count = zero;
            let mut g = from;
            while g < end {
                let p = Vector::<A, N>::cast_from(probs[start + g * steps.class]);
                let upstream = Vector::<A, N>::cast_from(grad[grad_start + g * grad_steps.class]);
                #[unroll]
                for i in 0..N::value() {
                    let free = is_free::<A>(p.extract(i));
                    sum += select(free, upstream.extract(i), zero);
                    count += select(free, one, zero);
                }
                g += layout.lanes;
            }
            sums[0] += sum;
            sums[1] += count;
            from += rows.block;
        }
        let mut shared = sum_slots::<A>(2usize, layout);
        row_sums::<A>(&mut sums, &mut shared, place.lane, 2usize, layout);
    }
    if comptime!(phase == Phase::Partial) {
        if speaks_for_chunk(&place) {
            let at = partial_at(&place, rows, place.chunk, PARTS);
            partials[at] = sums[0];
            partials[at + 1] = sums[1];
        }
    } else if place.live {
        let mean = sums[0] / divisor::<A>(sums[1]);
        // What all entries have in a row that holds `+inf` or NaN.
        let fixed = decided || is_nan::<A>(known);
        let constant = select(decided, zero, known);
        let to = output_start(&place, rows);
        let mut g = place.first;
        while g < place.end {
            let p = Vector::<A, N>::cast_from(probs[start + g * steps.class]);
            let upstream = Vector::<A, N>::cast_from(grad[grad_start + g * grad_steps.class]);
            let mut slopes = Vector::<F, N>::empty();
            #[unroll]
            for i in 0..N::value() {
                let slope = select(is_free::<A>(p.extract(i)), upstream.extract(i) - mean, zero);
                slopes.insert(i, F::cast_from(select(fixed, constant, slope)));
            }
            grad_logits[to + g * rows.inner] = slopes;
            g += layout.lanes;
        }
        if speaks_for_row(&place) {
            grad_budget[place.row] = F::cast_from(select(fixed, constant, mean));
        }
    }
}

/// Gradients of [`budget`](crate::budget) from its results: for the logits `g - mean g` over the entries strictly between 0 and 1, for the budget,
/// one per row, that mean; both 0 where there are none, and in rows that hold `+inf`.
///
/// # Panics
/// If `grad` has another shape or dtype than `probs`, or the device cannot compute with the dtype.
pub fn budget_backward(
    probs: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
) -> (CubeTensor, CubeTensor) {
    let op = "budget_backward";
    let rank = probs.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &probs.client, probs.dtype);
    check_same(op, "grad", &grad, &probs);
    let sizes = Sizes::of(&probs, dim, rank);
    let grad_logits = output(&probs, probs.meta.shape().clone(), probs.dtype);
    let grad_budget = output(&probs, resized(&probs, dim, 1), probs.dtype);
    if sizes.rows() == 0 {
        return (grad_logits, grad_budget);
    }
    sizes.check_classes(op);
    let [probs, stats, grad] = [probs, stats, grad].map(|tensor| View::new(tensor, dim, rank));
    let vector = vector_size(&sizes, &[&probs, &grad]);
    let groups = sizes.classes / vector;
    // Two sums; two walks, one with blocks.
    let need = Need {
        shared_bytes: 2 * stats_dtype.size(),
        walks: 3,
    };
    let plan = plan(&probs, &sizes, groups, need);
    let partials = partials(&grad_logits, stats_dtype, &plan, sizes.rows(), PARTS);
    let addresses = address_type(&[&probs.tensor, &stats.tensor, &grad.tensor, &grad_logits]);
    for &phase in plan.phases() {
        // SAFETY: the views' strides stay inside their tensors, the outputs are contiguous and of the sizes given, units beyond the
        // last row read row 0 and write nothing, and partial results are written before they are read.
        unsafe {
            budget_backward_kernel::launch_unchecked(
                &grad_logits.client,
                cube_count(op, &grad_logits.client, plan.cubes(sizes.rows())),
                plan.layout.cube_dim(),
                addresses,
                vector,
                probs.tensor.clone().into_tensor_arg(),
                stats.tensor.clone().into_tensor_arg(),
                grad.tensor.clone().into_tensor_arg(),
                grad_logits.clone().into_tensor_arg(),
                grad_budget.clone().into_tensor_arg(),
                partials.clone().into_tensor_arg(),
                sizes.launch(&plan, groups),
                probs.launch_vector_steps(vector),
                stats.launch_steps(),
                grad.launch_vector_steps(vector),
                phase,
                plan.layout,
                elements,
            );
        }
    }
    (grad_logits, grad_budget)
}
