//! Gradients of the read-outs: `w_i <V_i - y, g> / T` for the logits, and for the values `w_i g`, or `g` at the chosen class alone.
//!
//! Statistics and soft output make every class independent of the others, so that rows are cut into pieces and no unit waits for
//! another. Only a chosen class must be found first, as the hard forward pass found it.

use burn_backend::Shape;
use burn_cubecl::{cubecl, ops::numeric::zeros_client, tensor::CubeTensor};
use cubecl::prelude::*;

use crate::parts::{
    launch::{Launch, Walk},
    math::is_nan,
    partials::{handed_on_index, merged_first, merged_max, partial_at},
    prelude::*,
    reduce::find_first_max,
    row::Place,
    special::is_excluded,
    stats::{Known, known},
    view::{Row, View, WIDEST_VECTOR},
};

/// Numbers that a chunk hands on where a class is chosen: the maximum and its class.
const PARTS: usize = 2;

/// The share of the upstream gradient that values get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Share {
    /// Nothing: nobody wants to know.
    None,
    /// The gradient times their weights.
    Weights,
    /// The gradient at the class that the hard form returned, 0 elsewhere.
    Chosen,
}

/// The class of the row's maximum, the number of classes if there is none; in the first of two launches it has no meaning.
#[cube]
fn chosen_class<F: Float, A: Float, N: Size>(
    logits: &Row<'_, F, N>,
    partials: &mut Tensor<A>,
    place: &Place,
) -> u32 {
    let phase = comptime!(place.rows.phase);
    if comptime!(phase == Phase::Finish) {
        let max = merged_max::<A>(&*partials, place, PARTS);
        let (_chunk, index) = merged_first::<A, N>(&*partials, place, max, 1usize, PARTS);
        index
    } else {
        let (max, index) = find_first_max::<F, A, N>(logits, place);
        if comptime!(phase == Phase::Partial) {
            if place.speaks_for_chunk() {
                let at = partial_at(place, place.chunk, PARTS);
                partials[at] = max;
                partials[at + 1] = handed_on_index::<A, N>(index, place);
            }
        }
        index
    }
}

/// The gradient of a logit from what its value is above the mean, times the upstream gradient.
#[cube]
fn slope<A: Float>(x: A, weight: A, advantage: A, reciprocal: A, row: &Known<A>) -> A {
    let fixed = is_excluded::<A>(x, row.max) || row.decided;
    select(fixed, zero::<A>(), weight * advantage * reciprocal)
}

/// The gradient of a value.
#[cube]
fn value_slope<A: Float>(
    x: A,
    weight: A,
    upstream: A,
    chosen: bool,
    row: &Known<A>,
    #[comptime] share: Share,
) -> A {
    if comptime!(share == Share::Chosen) {
        let slope = select(chosen, upstream, zero::<A>());
        select(is_nan::<A>(row.normaliser), row.normaliser, slope)
    } else {
        let excluded = is_excluded::<A>(x, row.max);
        select(excluded, zero::<A>(), weight * upstream)
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn single_backward_kernel<F: Float, A: Float, N: Size>(
    logits: &Grid<'_, F, N>,                // [outer, classes, inner]
    values: &Grid<'_, F, N>,                // [outer, classes, inner]
    stats: &Grid<'_, A, Const<1>>,          // [outer, 2, inner]
    soft: &Grid<'_, F, Const<1>>,           // [outer, 1, inner]
    grad: &Grid<'_, F, Const<1>>,           // [outer, 1, inner]
    grad_logits: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    grad_values: &mut Tensor<Vector<F, N>>, // [outer, classes, inner], or anything if nobody wants it
    partials: &mut Tensor<A>,               // [rows, chunks, 2], or anything if no class is chosen
    rows: Rows,
    reciprocal: InputScalar,
    #[comptime] share: Share,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let logits = logits.row(&place);
    let chosen = if comptime!(share == Share::Chosen) {
        chosen_class::<F, A, N>(&logits, partials, &place)
    } else {
        0u32.runtime()
    };
    if comptime!(phase != Phase::Partial) {
        let both = logits.beside(&values.row(&place));
        let reciprocal = reciprocal.get::<A>();
        let row = known::<A>(stats, &place);
        let mean = soft.row(&place).first::<A>();
        let upstream = grad.row(&place).first::<A>();
        let mut of_logits = Vector::<F, N>::empty();
        let mut of_values = Vector::<F, N>::empty();
        both.each::<A>(&place, |class, x, value| {
            let weight = row.weight(x, reciprocal);
            // `<V - y, g>` rather than `<V, g> - <y, g>`: the difference of neighbours is exact.
            let advantage = (value - mean) * upstream;
            let slope = slope::<A>(x, weight, advantage, reciprocal, &row);
            class.put::<F, A, N>(slope, &mut of_logits, grad_logits, &place);
            if comptime!(share != Share::None) {
                let chosen = class.number::<N>() as u32 == chosen;
                let slope = value_slope::<A>(x, weight, upstream, chosen, &row, share);
                class.put::<F, A, N>(slope, &mut of_values, grad_values, &place);
            }
        });
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn features_backward_kernel<F: Float, A: Float>(
    logits: &Grid<'_, F, Const<1>>, // [outer, classes, inner]
    values: &Grid<'_, F, Const<1>>, // [outer, classes, inner, features]
    stats: &Grid<'_, A, Const<1>>,  // [outer, 2, inner]
    soft: &Grid<'_, F, Const<1>>,   // [outer, 1, inner, features]
    grad: &Grid<'_, F, Const<1>>,   // [outer, 1, inner, features]
    grad_logits: &mut Tensor<F>,    // [outer, classes, inner]
    grad_values: &mut Tensor<F>,    // [outer, classes, inner, features]
    partials: &mut Tensor<A>,       // [rows, chunks, 2], or anything if no class is chosen
    rows: Rows,
    reciprocal: InputScalar,
    #[comptime] share: Share,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let logits = logits.row(&place);
    let chosen = if comptime!(share == Share::Chosen) {
        chosen_class::<F, A, Const<1>>(&logits, partials, &place)
    } else {
        0u32.runtime()
    };
    if comptime!(phase != Phase::Partial) {
        if place.live {
            let values = values.row(&place);
            let soft = soft.row(&place);
            let grad = grad.row(&place);
            let reciprocal = reciprocal.get::<A>();
            let row = known::<A>(stats, &place);
            let features = place.rows.features;
            place.each(|i| {
                let x = logits.value::<A>(i, 0usize);
                let weight = row.weight(x, reciprocal);
                let chosen = i as u32 == chosen;
                let to = place.at(i);
                let mut advantage = zero::<A>();
                for f in 0..features {
                    let value = values.value::<A>(i, f);
                    let mean = soft.value::<A>(0usize, f);
                    let upstream = grad.value::<A>(0usize, f);
                    advantage += (value - mean) * upstream;
                    let slope = value_slope::<A>(x, weight, upstream, chosen, &row, share);
                    grad_values[to * features + f] = F::cast_from(slope);
                }
                let slope = slope::<A>(x, weight, advantage, reciprocal, &row);
                grad_logits[to] = F::cast_from(slope);
            });
        }
    }
}

/// Gradients of [`soft_argmax_gather`](crate::soft_argmax_gather) with respect to logits and values: `w_i <V_i - y, g> / T` and `w_i g`.
///
/// `stats` and `soft` are the forward's results, `grad` has the shape of `soft`.
///
/// # Panics
/// As [`soft_argmax_gather`](crate::soft_argmax_gather).
pub fn soft_argmax_gather_backward(
    logits: CubeTensor,
    values: CubeTensor,
    stats: CubeTensor,
    soft: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    let call = Call::new("soft_argmax_gather_backward", &logits, dim).with_values(&values);
    let tensors = [logits, values, stats, soft, grad];
    backward(call, tensors, temperature, Share::Weights)
}

/// Straight-through gradients of [`hard_argmax_gather`](crate::hard_argmax_gather): for the logits those of the soft form, for the values
/// the upstream gradient at the chosen class, 0 elsewhere.
///
/// `stats` and `soft` are the forward's results, `grad` has the shape of `soft`. A row that is all `-inf` chose nothing: its values get 0. In
/// a row that holds NaN all values get NaN.
///
/// # Panics
/// As [`hard_argmax_gather`](crate::hard_argmax_gather).
pub fn hard_argmax_gather_backward(
    logits: CubeTensor,
    values: CubeTensor,
    stats: CubeTensor,
    soft: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    let call = Call::new("hard_argmax_gather_backward", &logits, dim).with_values(&values);
    let tensors = [logits, values, stats, soft, grad];
    backward(call, tensors, temperature, Share::Chosen)
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
    output: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    temperature: f64,
) -> CubeTensor {
    let mut call = Call::new("soft_argmax_backward", &logits, dim);
    let coordinates = call.coordinates(coordinates);
    let unwanted = call.result(Shape::from([WIDEST_VECTOR]));
    let grad_logits = call.per_class();
    let [logits, stats, output, grad] = call.views([logits, stats, output, grad]);
    let views = [logits, coordinates, stats, output, grad];
    let grads = [grad_logits, unwanted];
    run(&call, &views, &grads, temperature, Share::None);
    let [grad_logits, _] = grads;
    grad_logits
}

/// The gradients of either gather.
fn backward(
    mut call: Call,
    tensors: [CubeTensor; 5],
    temperature: f64,
    share: Share,
) -> (CubeTensor, CubeTensor) {
    let [logits, values, ..] = &tensors;
    let grad_values = call.result(values.meta.shape().clone());
    if call.features == 0 {
        let (client, device) = (logits.client.clone(), logits.device.clone());
        let zeros = zeros_client(client, device, call.shape, logits.dtype);
        return (zeros, grad_values);
    }
    let grads = [call.per_class(), grad_values];
    let views = call.views(tensors);
    run(&call, &views, &grads, temperature, share);
    let [grad_logits, grad_values] = grads;
    (grad_logits, grad_values)
}

/// The launch: only a chosen class must be found in the row before. Pieces of a row take `walks` loop iterations for each group.
fn cut(walk: Walk<'_>, share: Share, features: usize, walks: usize) -> Launch<'_> {
    // The maximum with its index; a walk to find it, and one that reads and writes.
    let walks_with_class = 2 + WIDEST_VECTOR * features;
    let need = Need::walks(walks_with_class).numbers(1).indices(1);
    match share {
        Share::Chosen => walk.split(PARTS, need),
        Share::None | Share::Weights => walk.independent(walks),
    }
}

/// Launches a kernel for logits, values, statistics, the soft output and the upstream gradient.
fn run(
    call: &Call,
    [logits, values, stats, soft, grad]: &[View; 5],
    [grad_logits, grad_values]: &[CubeTensor; 2],
    temperature: f64,
    share: Share,
) {
    if call.features == 1 {
        let walk = call.walk(&[logits, values]);
        launch!(
            single_backward_kernel, cut(walk, share, 1, 1), |at|
            vectors [logits, values] singles [stats, soft, grad] results [grad_logits, grad_values] partials;
            call.reciprocal(temperature), share, call.elements
        );
    } else {
        let walk = call.walk_singly(logits);
        launch!(
            features_backward_kernel, cut(walk, share, call.features, 1 + call.features), |at|
            singles [logits, values, stats, soft, grad] results [grad_logits, grad_values] partials;
            call.reciprocal(temperature), share, call.elements
        );
    }
}
