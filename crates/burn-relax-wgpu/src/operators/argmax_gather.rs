//! The value at the largest logit.
//!
//! Of the values only those chosen are read. The backward pass finds the index again, which reads the logits once and keeps nothing.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use crate::parts::{
    call::resized,
    choice::{CHOICE_PARTS, choice_need, choose},
    prelude::*,
};

#[cube(launch_unchecked, address_type = "dynamic")]
fn argmax_gather_kernel<F: Float, A: Float, N: Size>(
    logits: &Grid<'_, F, N>,        // [outer, classes, inner]
    values: &Grid<'_, F, Const<1>>, // [outer, classes, inner, features]
    out: &mut Tensor<F>,            // [outer, 1, inner, features]
    partials: &mut Tensor<A>,       // [rows, chunks, 4]
    rows: Rows,
    nan: InputScalar,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let choice = choose::<F, A, N>(&logits.row(&place), partials, &place);
    if comptime!(phase != Phase::Partial) {
        if place.live {
            let values = values.row(&place);
            let to = place.row * place.rows.features;
            let mut feature = place.lane;
            while feature < place.rows.features {
                let value = values.value::<F>(choice.index, feature);
                let value = select(choice.nothing, zero::<F>(), value);
                out[to + feature] = select(choice.unknown, F::cast_from(nan.get::<A>()), value);
                feature = place.next(feature);
            }
        }
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn argmax_gather_backward_kernel<F: Float, A: Float, N: Size>(
    logits: &Grid<'_, F, N>,      // [outer, classes, inner]
    grad: &Grid<'_, F, Const<1>>, // [outer, 1, inner, features]
    grad_values: &mut Tensor<F>,  // [outer, classes, inner, features]
    partials: &mut Tensor<A>,     // [rows, chunks, 4]
    rows: Rows,
    nan: InputScalar,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let choice = choose::<F, A, N>(&logits.row(&place), partials, &place);
    if comptime!(phase != Phase::Partial) {
        if place.live {
            let grad = grad.row(&place);
            place.each(|g| {
                #[unroll]
                for k in 0..N::value() {
                    let class = g * N::value() + k;
                    let to = place.number_at(class, place.rows.classes) * place.rows.features;
                    let chosen = class == choice.index && !choice.nothing;
                    for feature in 0..place.rows.features {
                        let upstream = grad.value::<F>(0usize, feature);
                        let slope = select(chosen, upstream, zero::<F>());
                        let slope = select(choice.unknown, F::cast_from(nan.get::<A>()), slope);
                        grad_values[to + feature] = slope;
                    }
                }
            });
        }
    }
}

/// The value at the argmax along `dim`, exactly; the lowest index on ties. A row of `-inf` gives 0, a row that holds NaN gives NaN.
///
/// # Shapes
/// - `logits`: `[.., n, ..]`, n at `dim`
/// - `values`: the shape of `logits`, then any feature dimensions
/// - result: the shape of `values` with size 1 at `dim`
///
/// # Panics
/// If shapes or dtypes do not match, or the device cannot compute with the dtype.
pub fn argmax_gather(logits: CubeTensor, values: CubeTensor, dim: usize) -> CubeTensor {
    let mut call = Call::new("argmax_gather", &logits, dim).with_values(&values);
    let out = call.result(resized(values.meta.shape(), dim, 1));
    let [logits, values] = call.views([logits, values]);
    let need = choice_need(call.features);
    launch!(
        argmax_gather_kernel, call.walk(&[&logits]).split_once(CHOICE_PARTS, need), |at|
        vectors [logits] singles [values] results [out] partials;
        call.scalar(f64::NAN), call.elements
    );
    out
}

/// Gradient of [`argmax_gather`] with respect to the values: the upstream gradient at the argmax, 0 elsewhere.
///
/// # Panics
/// As [`argmax_gather`].
pub fn argmax_gather_backward(logits: CubeTensor, grad: CubeTensor, dim: usize) -> CubeTensor {
    let mut call = Call::new("argmax_gather_backward", &logits, dim);
    let shape = resized(grad.meta.shape(), dim, call.classes);
    let grad_values = call.output(shape, grad.dtype);
    let mut call = call.with_values(&grad_values);
    let [logits, grad] = call.views([logits, grad]);
    let need = choice_need(call.features);
    launch!(
        argmax_gather_backward_kernel, call.walk(&[&logits]).split(CHOICE_PARTS, need), |at|
        vectors [logits] singles [grad] results [grad_values] partials;
        call.scalar(f64::NAN), call.elements
    );
    grad_values
}
