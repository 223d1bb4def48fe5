//! Gradient of the soft-argmax gather, `w_i <V_i - y, g> / T` and `w_i g`, and that of soft-argmax, which is the first of them.
//!
//! Statistics and soft output make every class independent of the others, so that rows are cut into chunks and no unit waits for
//! another.

use burn_backend::Shape;
use burn_cubecl::{cubecl, ops::numeric::zeros_client, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    reduce::{divisor, is_excluded, raw_weight},
    row::{Layout, Place, Rows, output_start, place, row_start},
    soft_argmax_gather::{check_shapes, coordinates_view},
    view::{
        Sizes, Steps, View, WIDEST_VECTOR, address_type, cube_count, elements, independent_plan,
        output, reciprocal, vector_size,
    },
};

/// What the classes of a row have in common.
#[derive(CubeType)]
struct Given<A: Float> {
    max: A,
    normaliser: A,
    reciprocal: A,
    /// Whether the row holds `+inf`.
    decided: bool,
}

#[cube]
fn given<A: Float>(
    stats: &Tensor<A>,
    place: &Place,
    stats_steps: &Steps,
    reciprocal: A,
) -> Given<A> {
    let start = row_start(place, stats_steps);
    let max = stats[start];
    Given::<A> {
        max,
        normaliser: divisor::<A>(stats[start + stats_steps.class]),
        reciprocal,
        decided: max >= A::max_value(),
    }
}

/// The weight of an entry.
#[cube]
fn weight<A: Float>(x: A, row: &Given<A>) -> A {
    raw_weight::<A>(x, row.max, row.reciprocal) / row.normaliser
}

/// The gradient of a logit from what its value is above the mean, times the upstream gradient.
#[cube]
fn slope<A: Float>(x: A, weight: A, advantage: A, row: &Given<A>) -> A {
    let fixed = is_excluded::<A>(x, row.max) || row.decided;
    select(fixed, A::new(0.0_f32), weight * advantage * row.reciprocal)
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn single_backward_kernel<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,          // [outer, classes, inner]
    values: &Tensor<Vector<F, N>>,          // [outer, classes, inner]
    stats: &Tensor<A>,                      // [outer, 2, inner]
    soft: &Tensor<F>,                       // [outer, 1, inner]
    grad: &Tensor<F>,                       // [outer, 1, inner]
    grad_logits: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    grad_values: &mut Tensor<Vector<F, N>>, // [outer, classes, inner], or anything if nobody wants it
    rows: &Rows,
    logits_steps: &Steps,
    values_steps: &Steps,
    stats_steps: &Steps,
    soft_steps: &Steps,
    grad_steps: &Steps,
    reciprocal: InputScalar,
    #[comptime] with_values: bool,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    if !place.live {
        terminate!();
    }
    let row = given::<A>(stats, &place, stats_steps, reciprocal.get::<A>());
    let mean = A::cast_from(soft[row_start(&place, soft_steps)]);
    let upstream = A::cast_from(grad[row_start(&place, grad_steps)]);
    let logits_start = row_start(&place, logits_steps);
    let values_start = row_start(&place, values_steps);
    let to = output_start(&place, rows);
    let mut g = place.first;
    while g < place.end {
        let x = Vector::<A, N>::cast_from(logits[logits_start + g * logits_steps.class]);
        let value = Vector::<A, N>::cast_from(values[values_start + g * values_steps.class]);
        let mut of_logits = Vector::<F, N>::empty();
        let mut of_values = Vector::<F, N>::empty();
        #[unroll]
        for k in 0..N::value() {
            let x = x.extract(k);
            let weight = weight::<A>(x, &row);
            // `<V - y, g>` rather than `<V, g> - <y, g>`: the difference of neighbours is exact.
            let advantage = (value.extract(k) - mean) * upstream;
            of_logits.insert(k, F::cast_from(slope::<A>(x, weight, advantage, &row)));
            let excluded = is_excluded::<A>(x, row.max);
            let given = select(excluded, A::new(0.0_f32), weight * upstream);
            of_values.insert(k, F::cast_from(given));
        }
        grad_logits[to + g * rows.inner] = of_logits;
        if comptime!(with_values) {
            grad_values[to + g * rows.inner] = of_values;
        }
        g += layout.lanes;
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn features_backward_kernel<F: Float, A: Float>(
    logits: &Tensor<F>,          // [outer, classes, inner]
    values: &Tensor<F>,          // [outer, classes, inner, features]
    stats: &Tensor<A>,           // [outer, 2, inner]
    soft: &Tensor<F>,            // [outer, 1, inner, features]
    grad: &Tensor<F>,            // [outer, 1, inner, features]
    grad_logits: &mut Tensor<F>, // [outer, classes, inner]
    grad_values: &mut Tensor<F>, // [outer, classes, inner, features]
    rows: &Rows,
    logits_steps: &Steps,
    values_steps: &Steps,
    stats_steps: &Steps,
    soft_steps: &Steps,
    grad_steps: &Steps,
    reciprocal: InputScalar,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    if !place.live {
        terminate!();
    }
    let zero = A::new(0.0_f32);
    let row = given::<A>(stats, &place, stats_steps, reciprocal.get::<A>());
    let logits_start = row_start(&place, logits_steps);
    let values_start = row_start(&place, values_steps);
    let soft_start = row_start(&place, soft_steps);
    let grad_start = row_start(&place, grad_steps);
    let mut i = place.first;
    while i < place.end {
        let x = A::cast_from(logits[logits_start + i * logits_steps.class]);
        let weight = weight::<A>(x, &row);
        let excluded = is_excluded::<A>(x, row.max);
        let from = values_start + i * values_steps.class;
        let to = output_start(&place, rows) + i * rows.inner;
        let mut advantage = zero;
        for f in 0..rows.features {
            let value = A::cast_from(values[from + f * values_steps.feature]);
            let mean = A::cast_from(soft[soft_start + f * soft_steps.feature]);
            let upstream = A::cast_from(grad[grad_start + f * grad_steps.feature]);
            advantage += (value - mean) * upstream;
            grad_values[to * rows.features + f] =
                F::cast_from(select(excluded, zero, weight * upstream));
        }
        grad_logits[to] = F::cast_from(slope::<A>(x, weight, advantage, &row));
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
    let views = [logits, values, stats, soft, grad].map(|tensor| View::new(tensor, dim, rank));
    if sizes.features == 1 {
        let grads = [grad_logits.clone(), grad_values.clone()];
        launch_single(op, &sizes, &views, &grads, true, temperature, elements);
        return (grad_logits, grad_values);
    }
    let [logits, values, stats, soft, grad] = &views;
    let plan = independent_plan(logits, &sizes, sizes.classes, 1 + sizes.features);
    let addresses = address_type(&[&logits.tensor, &values.tensor, &grad_values]);
    // SAFETY: as in `launch_single`.
    unsafe {
        features_backward_kernel::launch_unchecked(
            &client,
            cube_count(op, &client, plan.cubes(sizes.rows())),
            plan.layout.cube_dim(),
            addresses,
            logits.tensor.clone().into_tensor_arg(),
            values.tensor.clone().into_tensor_arg(),
            stats.tensor.clone().into_tensor_arg(),
            soft.tensor.clone().into_tensor_arg(),
            grad.tensor.clone().into_tensor_arg(),
            grad_logits.clone().into_tensor_arg(),
            grad_values.clone().into_tensor_arg(),
            sizes.launch(&plan, sizes.classes),
            logits.launch_steps(),
            values.launch_steps(),
            stats.launch_steps(),
            soft.launch_steps(),
            grad.launch_steps(),
            reciprocal(temperature, elements[1]),
            plan.layout,
            elements,
        );
    }
    (grad_logits, grad_values)
}

/// Gradient of [`soft_argmax`](crate::soft_argmax) with respect to the logits: `w_i (c_i - y) g / T`.
///
/// `stats` and `output` are the forward's results, `grad` has the shape of `output`.
///
/// # Panics
/// As [`soft_argmax`](crate::soft_argmax).
pub fn soft_argmax_backward(
    logits: CubeTensor,
    coordinates: CubeTensor,
    stats: CubeTensor,
    soft: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    temperature: f64,
) -> CubeTensor {
    let op = "soft_argmax_backward";
    let rank = logits.meta.num_dims();
    let (elements, _) = elements(op, &logits.client, logits.dtype);
    let coordinates = coordinates_view(op, &logits, coordinates, dim);
    let sizes = Sizes::of(&logits, dim, rank);
    let grad_logits = output(&logits, logits.meta.shape().clone(), logits.dtype);
    if sizes.rows() == 0 {
        return grad_logits;
    }
    let unwanted = output(&logits, Shape::from([WIDEST_VECTOR]), logits.dtype);
    let [logits, stats, soft, grad] =
        [logits, stats, soft, grad].map(|tensor| View::new(tensor, dim, rank));
    let views = [logits, coordinates, stats, soft, grad];
    let grads = [grad_logits.clone(), unwanted];
    launch_single(op, &sizes, &views, &grads, false, temperature, elements);
    grad_logits
}

/// Launches the kernel for one value per class.
fn launch_single(
    op: &str,
    sizes: &Sizes,
    views: &[View; 5],
    grads: &[CubeTensor; 2],
    with_values: bool,
    temperature: f64,
    elements: [ElemType; 2],
) {
    let [logits, values, stats, soft, grad] = views;
    let [grad_logits, grad_values] = grads;
    let client = &grad_logits.client;
    let vector = vector_size(sizes, &[logits, values]);
    let groups = sizes.classes / vector;
    let plan = independent_plan(logits, sizes, groups, 1);
    let addresses = address_type(&[&logits.tensor, &values.tensor, grad_logits]);
    // SAFETY: the views' strides stay inside their tensors, the outputs are contiguous and of the sizes given, units beyond the
    // last chunk of the last row end at once, classes are compared with the row's length, and the second gradient is written
    // only where it is wanted.
    unsafe {
        single_backward_kernel::launch_unchecked(
            client,
            cube_count(op, client, plan.cubes(sizes.rows())),
            plan.layout.cube_dim(),
            addresses,
            vector,
            logits.tensor.clone().into_tensor_arg(),
            values.tensor.clone().into_tensor_arg(),
            stats.tensor.clone().into_tensor_arg(),
            soft.tensor.clone().into_tensor_arg(),
            grad.tensor.clone().into_tensor_arg(),
            grad_logits.clone().into_tensor_arg(),
            grad_values.clone().into_tensor_arg(),
            sizes.launch(&plan, groups),
            logits.launch_vector_steps(vector),
            values.launch_vector_steps(vector),
            stats.launch_steps(),
            soft.launch_steps(),
            grad.launch_steps(),
            reciprocal(temperature, elements[1]),
            with_values,
            plan.layout,
            elements,
        );
    }
}
