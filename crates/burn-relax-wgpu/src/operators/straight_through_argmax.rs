//! The one-hot of the argmax, and the gradient of the softmax it stands for, `p (g - <p, g>) / T`, from logits and statistics.
//!
//! Nothing of the logits' size is kept between the two: the weights are computed again.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::softmax::{Kind, backward};
use crate::parts::{
    partials::{handed_on_index, merged_first, merged_max, merged_normaliser, partial_at},
    prelude::*,
    reduce::{find_first_max, find_normaliser},
    special::one_hot,
    stats::write_stats,
};

/// The maximum with its index, and a sum; at most three walks with blocks.
const NEED: Need = Need::walks(4).numbers(2).indices(1);

/// Numbers that a chunk hands on: maximum, normaliser, class of the maximum.
const PARTS: usize = 3;

#[cube(launch_unchecked, address_type = "dynamic")]
fn straight_through_kernel<F: Float, A: Float, N: Size>(
    logits: &Grid<'_, F, N>,         // [outer, classes, inner]
    hard: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    stats: &mut Tensor<A>,           // [outer, 2, inner]
    partials: &mut Tensor<A>,        // [rows, chunks, 3]
    rows: Rows,
    reciprocal: InputScalar,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let reciprocal = reciprocal.get::<A>();
    let (max, index, sum) = if comptime!(phase == Phase::Finish) {
        let max = merged_max::<A>(&*partials, &place, PARTS);
        let sum = merged_normaliser::<A>(&*partials, &place, max, reciprocal, PARTS);
        let (_chunk, index) = merged_first::<A, N>(&*partials, &place, max, 2usize, PARTS);
        (max, index, sum)
    } else {
        let logits = logits.row(&place);
        let (max, index) = find_first_max::<F, A, N>(&logits, &place);
        let sum = find_normaliser::<F, A, N>(&logits, &place, max, reciprocal);
        (max, index, sum)
    };
    if comptime!(phase == Phase::Partial) {
        if place.speaks_for_chunk() {
            let at = partial_at(&place, place.chunk, PARTS);
            partials[at] = max;
            partials[at + 1] = sum;
            partials[at + 2] = handed_on_index::<A, N>(index, &place);
        }
    } else {
        write_stats::<A>(stats, &place, max, sum);
        if place.live {
            place.each(|g| {
                let mut y = Vector::<F, N>::empty();
                #[unroll]
                for k in 0..N::value() {
                    let entry = one_hot::<A>(g * N::value() + k, index, sum);
                    y.insert(k, F::cast_from(entry));
                }
                hard[place.at(g)] = y;
            });
        }
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
    let mut call = Call::new("straight_through_argmax", &logits, dim);
    let (hard, stats) = (call.per_class(), call.stats(2));
    let logits = call.view(logits);
    launch!(
        straight_through_kernel, call.walk(&[&logits]).split(PARTS, NEED), |at|
        vectors [logits] results [hard, stats] partials;
        call.reciprocal(temperature), call.elements
    );
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
    backward(op, [logits, stats, grad], dim, temperature, Kind::Logits)
}
