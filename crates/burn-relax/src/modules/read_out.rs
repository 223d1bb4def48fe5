//! What a selector's strategies make of values.

use burn_core::tensor::Tensor;

use crate::{
    Coordinates,
    functions::{gather_classes, is_forbidden, spread},
    soft_argmax,
};

/// `Σ_k gate_k V_k`; what stands at a forbidden class does not matter.
pub(super) fn weighted<const D: usize, const DV: usize>(
    logits: &Tensor<D>,
    gate: Tensor<D>,
    values: Tensor<DV>,
    dim: usize,
) -> Tensor<DV> {
    let mut leading = [1; DV];
    leading[..D].copy_from_slice(&logits.dims());
    let full = values.dims();
    let forbidden = spread(is_forbidden(logits).reshape(leading), full);
    let values = values.mask_fill(forbidden, 0.0);
    gate.reshape(leading).mul(values).sum_dim(dim)
}

/// The value between the two neighbours of the soft-argmax of the index.
pub(super) fn interpolated<const D: usize, const DV: usize>(
    logits: Tensor<D>,
    values: Tensor<DV>,
    dim: usize,
    temperature: f64,
) -> Tensor<DV> {
    let classes = logits.dims()[dim];
    let index = soft_argmax(logits.clone(), dim, temperature, Coordinates::index());
    let last = (classes - 1) as f64;
    let index = index.clamp(0.0, last);
    let low = index
        .clone()
        .detach()
        .floor()
        .clamp(0.0, (last - 1.0).max(0.0));
    let share = index.sub(low.clone());
    let low = low.int();
    let high = low.clone().add_scalar(1).clamp(0, classes as i64 - 1);
    let mut leading = [1; DV];
    leading[..D].copy_from_slice(&share.dims());
    let share = share.reshape(leading);
    let at_low = gather_classes(&logits, values.clone(), low, dim);
    let at_high = gather_classes(&logits, values, high, dim);
    at_low.clone().add(at_high.sub(at_low).mul(share))
}

/// The value at the rounded soft-argmax of the index: what comes back to the logits is the gradient of rounding, 0.
pub(super) fn rounded<const D: usize, const DV: usize>(
    logits: Tensor<D>,
    values: Tensor<DV>,
    dim: usize,
    temperature: f64,
) -> Tensor<DV> {
    let index = soft_argmax(logits.clone(), dim, temperature, Coordinates::index()).round();
    let picked = gather_classes(&logits, values, index.clone().detach().int(), dim);
    // Burn's autodiff lets go of a graph only once a gradient came through it: a 0 must, or training slows from step to step.
    let nothing = index.clone().sub(index.detach());
    let mut leading = [1; DV];
    leading[..D].copy_from_slice(&nothing.dims());
    picked.add(nothing.reshape(leading))
}
