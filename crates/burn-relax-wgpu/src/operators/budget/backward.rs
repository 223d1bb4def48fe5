//! The capped simplex: its gradients, from its saved weights.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use crate::parts::{
    math::is_nan,
    prelude::*,
    special::{divisor, is_free},
    stats::known,
};

/// Two sums; two walks, one with blocks.
const NEED: Need = Need::walks(3).numbers(2);

/// Numbers that a chunk hands on: `Σ g` over the entries strictly between 0 and 1, and their number.
const PARTS: usize = 2;

#[cube(launch_unchecked, address_type = "dynamic")]
fn budget_backward_kernel<F: Float, A: Float, N: Size>(
    probs: &Grid<'_, F, N>,                 // [outer, classes, inner]
    grad: &Grid<'_, F, N>,                  // [outer, classes, inner]
    stats: &Grid<'_, A, Const<1>>,          // [outer, 2, inner]
    grad_logits: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    grad_budget: &mut Tensor<F>,            // [outer, 1, inner]
    partials: &mut Tensor<A>,               // [rows, chunks, 2]
    rows: Rows,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let (zero, one) = (zero::<A>(), one::<A>());
    let both = probs.row(&place).beside(&grad.row(&place));
    let row = known::<A>(stats, &place);

    let sums = both.split_sums::<A>(partials, PARTS, &place, PARTS, |sums, _, p, upstream| {
        let free = is_free::<A>(p);
        sums[0] += select(free, upstream, zero);
        sums[1] += select(free, one, zero);
    });
    if comptime!(phase != Phase::Partial) {
        let mean = sums[0] / divisor::<A>(sums[1]);
        // What all entries have in a row that holds `+inf` or NaN.
        let fixed = row.decided || is_nan::<A>(row.normaliser);
        let constant = select(row.decided, zero, row.normaliser);
        both.write::<A>(grad_logits, &place, |p, upstream| {
            let slope = select(is_free::<A>(p), upstream - mean, zero);
            select(fixed, constant, slope)
        });
        if place.speaks_for_row() {
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
    let mut call = Call::backward("budget_backward", &probs, &grad, dim);
    let (grad_logits, grad_budget) = (call.per_class(), call.one_per_row());
    let [probs, stats, grad] = call.views([probs, stats, grad]);
    launch!(
        budget_backward_kernel, call.walk(&[&probs, &grad]).split(PARTS, NEED), |at|
        vectors [probs, grad] singles [stats] results [grad_logits, grad_budget] partials;
        call.elements
    );
    (grad_logits, grad_budget)
}
