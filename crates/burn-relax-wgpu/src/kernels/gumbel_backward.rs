//! The gradient of the hard Gumbel-softmax, that of the soft form.
//!
//! The noise is made a second time: nothing of the logits' size is kept.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    blocks::{block, block_vector, kept, put},
    gumbel::{Form, noise_of, noise_view},
    lanes::row_sum,
    noise::{BLOCK, Seeds, seeds},
    perturb::{Noise, find_block_max, perturbed_block},
    reduce::{divisor, raw_weight},
    row::{Layout, Need, Rows, place, row_start},
    view::{
        Sizes, Steps, View, address_type, check_same, cube_count, elements, output, reciprocal,
        unsplit_plan,
    },
};

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn hard_backward_kernel<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,          // [outer, classes, inner]
    noise: &Tensor<Vector<F, N>>,           // [outer, classes, inner], or anything if it is drawn
    stats: &Tensor<A>,                      // [outer, 2, inner]
    grad: &Tensor<Vector<F, N>>,            // [outer, classes, inner]
    grad_logits: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    rows: &Rows,
    steps: &Steps,
    noise_steps: &Steps,
    stats_steps: &Steps,
    grad_steps: &Steps,
    seeds: &Seeds,
    reciprocal: InputScalar,
    never: InputScalar,
    #[comptime] form: Form,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let zero = A::new(0.0_f32);
    let reciprocal = reciprocal.get::<A>();
    let never = never.get::<A>();
    // The temperature divides the sum of logit and noise: the logit alone keeps its scale.
    let one = A::new(1.0_f32);
    let from = noise_of(&place, rows, seeds, form.source);
    let skip = from.skip;
    let start = row_start(&place, steps);
    let noise_start = row_start(&place, noise_steps);
    let stats_start = row_start(&place, stats_steps);
    let grad_start = row_start(&place, grad_steps);
    let best = stats[stats_start];
    let normaliser = divisor::<A>(stats[stats_start + stats_steps.class]);
    let max = find_block_max::<F, A, N>(logits, start, steps, &place, rows, skip, never, layout);

    let mut sum = zero;
    let mut begin = place.first;
    while begin < place.end {
        let end = min(begin + rows.block, place.end);
        let mut part = zero;
        let mut g = begin;
        while g < end {
            let mut p = perturbed_block::<F, A, N>(
                logits,
                noise,
                start,
                noise_start,
                steps,
                noise_steps,
                rows,
                &from,
                seeds,
                g,
                max,
                one,
                never,
                form.source,
                false,
            );
            let upstream =
                block::<F, A, N>(grad, grad_start, grad_steps.class, rows, skip, g, zero);
            #[unroll]
            for j in 0..BLOCK {
                p[j] = raw_weight::<A>(p[j], best, reciprocal) / normaliser;
                part += select(p[j] == zero, zero, p[j] * upstream[j]);
            }
            if comptime!(form.kept) {
                put::<F, A, N>(grad_logits, &p, &place, rows, skip, g);
            }
            g += layout.lanes;
        }
        sum += part;
        begin += rows.block;
    }
    let mean = row_sum::<A>(sum, place.lane, layout);

    let decided = best >= A::max_value();
    let mut g = place.first;
    while g < place.end {
        let p = if comptime!(form.kept) {
            kept::<F, A, N>(&*grad_logits, &place, rows, skip, g, zero)
        } else {
            let mut p = perturbed_block::<F, A, N>(
                logits,
                noise,
                start,
                noise_start,
                steps,
                noise_steps,
                rows,
                &from,
                seeds,
                g,
                max,
                one,
                never,
                form.source,
                false,
            );
            #[unroll]
            for j in 0..BLOCK {
                p[j] = raw_weight::<A>(p[j], best, reciprocal) / normaliser;
            }
            p
        };
        let upstream = block::<F, A, N>(grad, grad_start, grad_steps.class, rows, skip, g, zero);
        let mut slopes = Array::<A>::new(4usize);
        #[unroll]
        for j in 0..BLOCK {
            let slope = p[j] * (upstream[j] - mean) * reciprocal;
            slopes[j] = select(decided || p[j] == zero, zero, slope);
        }
        put::<F, A, N>(grad_logits, &slopes, &place, rows, skip, g);
        g += layout.lanes;
    }
}

/// Gradient of [`gumbel_argmax`](crate::gumbel_argmax), that of the soft form: `p (g - <p, g>) / T` with the perturbed weights `p`, made again from
/// the same noise.
///
/// # Panics
/// As [`gumbel_softmax`](crate::gumbel_softmax).
pub fn gumbel_argmax_backward(
    logits: CubeTensor,
    noise: Noise,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    temperature: f64,
) -> CubeTensor {
    let op = "gumbel_argmax_backward";
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
    let (noise, source, seed) = noise_view(op, noise, &logits, dim);
    let form = Form {
        hard: true,
        source,
        kept: elements[0] == elements[1],
    };
    let vector = block_vector(&sizes, &[&logits, &noise, &grad]);
    let groups = source.groups(sizes.classes);
    let need = Need {
        shared_bytes: 2 * stats_dtype.size(),
        walks: 4,
    };
    let plan = unsplit_plan(&logits, &sizes, groups, need);
    let addresses = address_type(&[&logits.tensor, &noise.tensor, &stats.tensor, &grad.tensor]);
    // SAFETY: the views' strides stay inside their tensors, the output is contiguous and of the size given, entries of a block
    // outside the row read class 0 and are not written, and neither are those of units beyond the last row.
    unsafe {
        hard_backward_kernel::launch_unchecked(
            &out.client,
            cube_count(op, &out.client, plan.cubes(sizes.rows())),
            plan.layout.cube_dim(),
            addresses,
            vector,
            logits.tensor.clone().into_tensor_arg(),
            noise.tensor.clone().into_tensor_arg(),
            stats.tensor.clone().into_tensor_arg(),
            grad.tensor.clone().into_tensor_arg(),
            out.clone().into_tensor_arg(),
            sizes.launch(&plan, groups),
            logits.launch_vector_steps(vector),
            noise.launch_vector_steps(vector),
            stats.launch_steps(),
            grad.launch_vector_steps(vector),
            seeds(seed),
            reciprocal(temperature, elements[1]),
            InputScalar::new(f64::NEG_INFINITY, elements[1]),
            form,
            plan.layout,
            elements,
        );
    }
    out
}
