//! What is done with a chosen class, or with the weights of all.

use burn_core::backend::Dispatch;

use burn_core::tensor::{Bool, Int, Tensor};

use super::{
    centred::{Chances, is_forbidden, spread},
    constant::Constant,
    dtype::{load, store},
    labels::wide,
};
use crate::dispatch::RelaxOps;

/// Index of the first largest entry.
pub(crate) fn first_argmax<const D: usize>(logits: Tensor<D>, dim: usize) -> Tensor<D, Int> {
    Tensor::from_dispatch(<Dispatch as RelaxOps>::argmax(logits.into_dispatch(), dim))
}

/// The values, or feature blocks, at `indices` `[.., K, ..]` along `dim`; 0 in rows where nothing can be chosen.
pub(crate) fn gather_classes<const D: usize, const DV: usize>(
    logits: &Tensor<D>,
    values: Tensor<DV>,
    indices: Tensor<D, Int>,
    dim: usize,
) -> Tensor<DV> {
    let mut leading = [1; DV];
    leading[..D].copy_from_slice(&indices.dims());
    let mut picked = values.dims();
    picked[dim] = leading[dim];
    let mut rows = leading;
    rows[dim] = 1;
    let nothing = is_forbidden(&logits.clone().constant().max_dim(dim));
    let (dtype, indices) = (values.dtype(), wide(indices));
    // Loaded, since the gradients of a class that is gathered more than once add up.
    let gathered = load(values).gather(dim, spread(indices.reshape(leading), picked));
    store(gathered, dtype).mask_fill(spread(nothing.reshape(rows), picked), 0.0)
}

/// Whether a class is the one at `indices`, for tensors of the logits' shape.
pub(crate) fn is_class<const D: usize>(
    logits: &Tensor<D>,
    indices: Tensor<D, Int>,
    dim: usize,
) -> Tensor<D, Bool> {
    let mut line = [1; D];
    line[dim] = logits.dims()[dim];
    let indices = wide(indices);
    let options = (&logits.device(), indices.dtype());
    let classes = Tensor::<1, Int>::arange(0..line[dim] as i64, options).reshape(line);
    spread(classes, logits.dims()).equal(spread(indices, logits.dims()))
}

/// 1 at `indices`, 0 elsewhere and at forbidden entries.
pub(crate) fn one_hot<const D: usize>(
    logits: &Tensor<D>,
    indices: Tensor<D, Int>,
    dim: usize,
) -> Tensor<D> {
    logits
        .zeros_like()
        .constant()
        .mask_fill(is_class(logits, indices, dim), 1.0)
        .mask_fill(is_forbidden(logits), 0.0)
}

pub(crate) fn combine<const D: usize>(hard: Tensor<D>, soft: Tensor<D>) -> Tensor<D> {
    hard.constant().add(soft.clone().sub(soft.constant()))
}

/// `Σ p V` along `dim`, `V` being ignored where `p` is 0.
pub(crate) fn expected<const D: usize, const DV: usize>(
    probs: Tensor<D>,
    values: Tensor<DV>,
    dim: usize,
) -> Tensor<DV> {
    let mut shape = [1; DV];
    shape[..D].copy_from_slice(&probs.dims());
    let probs: Tensor<DV> = probs.reshape(shape);
    let unused = spread(probs.clone().equal_scalar(0.0), values.dims());
    values.mask_fill(unused, 0.0).mul(probs).sum_dim(dim)
}

/// `Σ_k gate_k V_k`, in at least f32 and rounded once to the values' dtype; what stands at a forbidden class does not matter.
pub(crate) fn weighted<const D: usize, const DV: usize>(
    logits: &Tensor<D>,
    gate: Tensor<D>,
    values: Tensor<DV>,
    dim: usize,
) -> Tensor<DV> {
    let mut leading = [1; DV];
    leading[..D].copy_from_slice(&logits.dims());
    let (full, dtype) = (values.dims(), values.dtype());
    let forbidden = spread(is_forbidden(logits).reshape(leading), full);
    let values = load(values.mask_fill(forbidden, 0.0));
    store(load(gate).reshape(leading).mul(values).sum_dim(dim), dtype)
}

/// The values with those of forbidden classes replaced by the largest of the row's others, as a constant: whatever is computed of
/// them is as harmless as what is computed of these. Where nothing can be chosen they are 0.
pub(crate) fn allowed_values<const D: usize, const DV: usize>(
    logits: &Tensor<D>,
    values: Tensor<DV>,
    dim: usize,
) -> Tensor<DV> {
    let mut leading = [1; DV];
    leading[..D].copy_from_slice(&logits.dims());
    let mut rows = leading;
    rows[dim] = 1;
    let full = values.dims();
    if full.contains(&0) {
        return values;
    }
    let logits = logits.clone().constant();
    let Chances {
        forbidden, empty, ..
    } = Chances::new(&logits, &logits.clone().max_dim(dim));
    let forbidden = spread(forbidden.reshape(leading), full);
    let held = values.clone().constant();
    let other = held
        .mask_fill(forbidden.clone(), f64::NEG_INFINITY)
        .max_dim(dim);
    let other = other
        .clone()
        .mask_fill(spread(empty.reshape(rows), other.dims()), 0.0);
    values.mask_where(forbidden, spread(other, full))
}
