//! What is done with a chosen class, or with the weights of all.

use burn_core::backend::Dispatch;

use super::constant::Constant;
use burn_core::tensor::{Int, Tensor};

use super::centred::{is_forbidden, spread};
use crate::dispatch::RelaxOps;

pub(crate) fn first_argmax<const D: usize>(logits: Tensor<D>, dim: usize) -> Tensor<D, Int> {
    Tensor::from_dispatch(<Dispatch as RelaxOps>::argmax(
        logits.dequantize().into_dispatch(),
        dim,
    ))
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
    values
        .gather(dim, spread(indices.reshape(leading), picked))
        .mask_fill(spread(nothing.reshape(rows), picked), 0.0)
}

/// 1 at `indices`, 0 elsewhere and at forbidden entries.
pub(crate) fn one_hot<const D: usize>(
    logits: &Tensor<D>,
    indices: Tensor<D, Int>,
    dim: usize,
) -> Tensor<D> {
    let mut line = [1; D];
    line[dim] = logits.dims()[dim];
    let options = (&logits.device(), indices.dtype());
    let classes = Tensor::<1, Int>::arange(0..line[dim] as i64, options).reshape(line);
    let chosen = spread(classes, logits.dims()).equal(spread(indices, logits.dims()));
    logits
        .zeros_like()
        .constant()
        .mask_fill(chosen, 1.0)
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

/// `Σ_k gate_k V_k`; what stands at a forbidden class does not matter.
pub(crate) fn weighted<const D: usize, const DV: usize>(
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
