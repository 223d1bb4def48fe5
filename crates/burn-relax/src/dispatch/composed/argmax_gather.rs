//! The value at the argmax.

use burn_core::backend::{
    Backend, TensorMetadata,
    tensor::{FloatTensor, IntTensor},
};
use burn_core::tensor::Shape;

use super::{argmax::argmax, float::Float, one_hot::one_hot, row::row};

/// See [`RelaxOps::argmax_gather`](crate::dispatch::RelaxOps::argmax_gather).
pub fn argmax_gather<B: Backend>(
    logits: FloatTensor<B>,
    values: FloatTensor<B>,
    dim: usize,
) -> FloatTensor<B> {
    let dtype = values.dtype();
    let row = row(&Float::<B>::load(logits.clone()), dim, 1.0);
    picked_value(logits, values, &row.sum, dim).store(dtype)
}

/// The value at the argmax; a row without any choice gives 0, a NaN in the normaliser reaches its row and no other.
pub(super) fn picked_value<B: Backend>(
    logits: FloatTensor<B>,
    values: FloatTensor<B>,
    sum: &Float<B>,
    dim: usize,
) -> Float<B> {
    let mut picked = values.shape();
    picked[dim] = 1;
    let index = class_index::<B>(logits, picked.clone(), dim);
    let sum = sum.clone().append_dims(picked.num_dims());
    Float::load(B::float_gather(dim, values, index))
        .fill(&sum.equal_to(0.0).expand(picked.clone()), 0.0)
        .fill(&sum.is_nan().expand(picked), f64::NAN)
}

/// The argmax, repeated over the feature dimensions of `picked`.
fn class_index<B: Backend>(logits: FloatTensor<B>, picked: Shape, dim: usize) -> IntTensor<B> {
    let mut dims = logits.shape().to_vec();
    dims[dim] = 1;
    dims.resize(picked.num_dims(), 1);
    let index = B::int_reshape(argmax::<B>(logits, dim), Shape::from(dims));
    B::int_expand(index, picked)
}

/// The upstream gradient at the argmax; see [`RelaxOps::argmax_gather_backward`](crate::dispatch::RelaxOps::argmax_gather_backward).
pub fn argmax_gather_backward<B: Backend>(
    logits: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
) -> FloatTensor<B> {
    let dtype = grad.dtype();
    let row = row(&Float::<B>::load(logits.clone()), dim, 1.0);
    let rank = grad.shape().num_dims();
    let hot = one_hot::<B>(logits, &row, dim).append_dims(rank);
    // A gradient of 0 at the others, whatever the upstream one is.
    let losers = hot.equal_to(0.0);
    let mut values = grad.shape();
    values[dim] = hot.shape()[dim];
    let grad = Float::<B>::load(grad).expand(values.clone());
    hot.mul(&grad)
        .fill(&losers.expand(values), 0.0)
        .store(dtype)
}
