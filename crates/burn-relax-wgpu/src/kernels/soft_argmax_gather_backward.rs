//! Gradient of the soft-argmax gather, `w_i <V_i - y, g> / T` and `w_i g`.
//!
//! Statistics and soft output make every class independent of the others, so that rows are cut into chunks and no unit waits for
//! another.

use burn_cubecl::{cubecl, ops::numeric::zeros_client, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    reduce::{divisor, is_excluded, raw_weight},
    row::{Layout, Rows, place, row_start},
    soft_argmax_gather::check_shapes,
    view::{Sizes, Steps, View, address_type, cube_count, elements, output, reciprocal},
};

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
    span: usize,
    logits_steps: &Steps,
    values_steps: &Steps,
    stats_steps: &Steps,
    soft_steps: &Steps,
    grad_steps: &Steps,
    reciprocal: InputScalar,
    #[comptime] single: bool,
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

    let first_mean = A::cast_from(soft[soft_start]);
    let first_grad = A::cast_from(grad[grad_start]);

    let end = min((place.chunk + 1) * span, rows.classes);
    let mut i = place.chunk * span + place.lane;
    while i < end {
        let x = A::cast_from(logits[logits_start + i * logits_steps.class]);
        let weight = raw_weight::<A>(x, max, reciprocal) / normaliser;
        let excluded = is_excluded::<A>(x, max);
        let from = values_start + i * values_steps.class;
        let to = (place.outer * rows.classes + i) * rows.inner + place.inner;
        // `<V - y, g>` rather than `<V, g> - <y, g>`: the difference of neighbours is exact.
        let mut advantage = zero;
        if comptime!(single) {
            advantage = (A::cast_from(values[from]) - first_mean) * first_grad;
            grad_values[to] = F::cast_from(select(excluded, zero, weight * first_grad));
        } else {
            for f in 0..rows.features {
                let value = A::cast_from(values[from + f * values_steps.feature]);
                let mean = A::cast_from(soft[soft_start + f * soft_steps.feature]);
                let upstream = A::cast_from(grad[grad_start + f * grad_steps.feature]);
                advantage += (value - mean) * upstream;
                grad_values[to * rows.features + f] =
                    F::cast_from(select(excluded, zero, weight * upstream));
            }
        }
        let slope = weight * advantage * reciprocal;
        grad_logits[to] = F::cast_from(select(excluded || decided, zero, slope));
        i += layout.lanes;
    }
}

/// Gradients of [`soft_argmax_gather`](crate::soft_argmax_gather) with respect to logits and values, which are also the straight-through gradients of
/// [`hard_argmax_gather`](crate::hard_argmax_gather): `w_i <V_i - y, g> / T` and `w_i g`.
///
/// `stats` and `soft` are the forward's results, `grad` has the shape of `soft`.
///
/// # Panics
/// As [`soft_argmax_gather`](crate::soft_argmax_gather).
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
    let (layout, span) = Layout::independent(
        &client,
        sizes.rows(),
        sizes.classes,
        logits.classes_contiguous(),
    );
    let chunks = sizes.classes.div_ceil(span);
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
            sizes.launch(&layout),
            chunks,
            span,
            logits.launch_steps(),
            values.launch_steps(),
            stats.launch_steps(),
            soft.launch_steps(),
            grad.launch_steps(),
            reciprocal(temperature, elements[1]),
            sizes.features == 1,
            layout,
            elements,
        );
    }
    (grad_logits, grad_values)
}
