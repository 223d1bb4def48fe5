//! The index of the largest logit. No distribution is built.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use crate::parts::{
    call::INDEX,
    choice::{CHOICE_PARTS, choice_need, choose},
    prelude::*,
};

#[cube(launch_unchecked, address_type = "dynamic")]
fn argmax_kernel<F: Float, A: Float, I: Int, N: Size>(
    logits: &Grid<'_, F, N>,  // [outer, classes, inner]
    index: &mut Tensor<I>,    // [outer, 1, inner]
    partials: &mut Tensor<A>, // [rows, chunks, 4]
    rows: Rows,
    #[define(F, A, I)] _elements: [ElemType; 3],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let choice = choose::<F, A, N>(&logits.row(&place), partials, &place);
    if comptime!(phase != Phase::Partial) {
        if place.speaks_for_row() {
            index[place.row] = I::cast_from(choice.index as u32);
        }
    }
}

/// The index of the largest entry along `dim`, in [`INDEX`]: the lowest one on ties, 0 in a row of `-inf`. NaN counts as the largest.
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn argmax(logits: CubeTensor, dim: usize) -> CubeTensor {
    let mut call = Call::new("argmax", &logits, dim);
    let index = call.per_row(1, INDEX);
    let logits = call.view(logits);
    launch!(
        argmax_kernel, call.walk(&[&logits]).split_once(CHOICE_PARTS, choice_need(1)), |at|
        vectors [logits] results [index] partials;
        call.elements_and(INDEX)
    );
    index
}
