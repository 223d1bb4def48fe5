//! The value at the argmax.

use burn_core::backend::{Backend, tensor::IntTensor};
use burn_core::tensor::Shape;

use super::{argmax::argmax, float::Float, one_hot::one_hot, row::row};

/// See [`RelaxOps::argmax_gather`](crate::dispatch::RelaxOps::argmax_gather).
pub(super) fn argmax_gather<B: Backend>(
    logits: Float<B>,
    values: Float<B>,
    dim: usize,
) -> Float<B> {
    let sum = row(&logits, dim, 1.0).sum;
    picked_value(logits, values, sum, dim)
}

/// The value at the argmax; a row without any choice gives 0, a NaN in the normaliser reaches its row and no other.
pub(super) fn picked_value<B: Backend>(
    logits: Float<B>,
    values: Float<B>,
    sum: Float<B>,
    dim: usize,
) -> Float<B> {
    let mut picked = values.shape();
    picked[dim] = 1;
    let index = class_index(logits, picked.clone(), dim);
    let sum = sum.append_dims(picked.num_dims());
    values
        .gather(dim, index)
        .fill(&sum.equal_to(0.0).expand(picked.clone()), 0.0)
        .fill(&sum.is_nan().expand(picked), f64::NAN)
}

/// The argmax, repeated over the feature dimensions of `picked`.
fn class_index<B: Backend>(logits: Float<B>, picked: Shape, dim: usize) -> IntTensor<B> {
    let mut dims = logits.shape().to_vec();
    dims[dim] = 1;
    dims.resize(picked.num_dims(), 1);
    let index = B::int_reshape(argmax(logits, dim), Shape::from(dims));
    B::int_expand(index, picked)
}

/// The upstream gradient at the argmax; see [`RelaxOps::argmax_gather_backward`](crate::dispatch::RelaxOps::argmax_gather_backward).
pub(super) fn argmax_gather_backward<B: Backend>(
    logits: Float<B>,
    grad: Float<B>,
    dim: usize,
) -> Float<B> {
    let row = row(&logits, dim, 1.0);
    let hot = one_hot(logits, &row, dim).append_dims(grad.shape().num_dims());
    // A gradient of 0 at the others, whatever the upstream one is.
    let losers = hot.equal_to(0.0);
    let mut values = grad.shape();
    values[dim] = hot.shape()[dim];
    let grad = grad.expand(values.clone());
    hot.mul(&grad).fill(&losers.expand(values), 0.0)
}
