//! The value at a place between two classes.

use burn_core::tensor::Tensor;

use crate::{
    parts::{
        choose::{allowed_values, gather_classes},
        constant::Constant,
        dtype::{load, store},
        labels::index_dtype,
    },
    relax::{Coordinates, soft_argmax},
};

/// The value between the two neighbours of the soft-argmax of the index, in at least f32 and rounded once; of a forbidden
/// neighbour the value does not matter.
pub(super) fn interpolated<const D: usize, const DV: usize>(
    logits: Tensor<D>,
    values: Tensor<DV>,
    dim: usize,
    temperature: f64,
) -> Tensor<DV> {
    let (classes, dtype) = (logits.dims()[dim], values.dtype());
    let values = load(allowed_values(&logits, values, dim));
    let logits = load(logits);
    let index = soft_argmax(logits.clone(), dim, temperature, Coordinates::index());
    let last = (classes - 1) as f64;
    let index = index.clamp(0.0, last);
    let low = index
        .clone()
        .constant()
        .floor()
        .clamp(0.0, (last - 1.0).max(0.0));
    let share = index.sub(low.clone());
    let low = low.cast(index_dtype(&logits.device()));
    let high = low.clone().add_scalar(1).clamp(0, classes as i64 - 1);
    let mut leading = [1; DV];
    leading[..D].copy_from_slice(&share.dims());
    let share = share.reshape(leading);
    let at_low = gather_classes(&logits, values.clone(), low, dim);
    let at_high = gather_classes(&logits, values, high, dim);
    store(at_low.clone().add(at_high.sub(at_low).mul(share)), dtype)
}
