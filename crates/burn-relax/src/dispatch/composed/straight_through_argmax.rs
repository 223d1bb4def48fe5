//! The one-hot of the argmax with the gradient of a softmax.

use burn_core::backend::{Backend, TensorMetadata, tensor::FloatTensor};

use super::{
    float::Float,
    one_hot::one_hot,
    row::{decided, row, stack, weights_from_stats},
};

/// See [`RelaxOps::straight_through_argmax`](crate::dispatch::RelaxOps::straight_through_argmax).
pub fn straight_through_argmax<B: Backend>(
    logits: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = logits.dtype();
    let row = row(&Float::<B>::load(logits.clone()), dim, temperature);
    let hard = one_hot::<B>(logits, &row, dim);
    (hard.store(dtype), stack(vec![row.max, row.sum], dim))
}

/// `p (g - <p, g>) / T`;
/// see [`RelaxOps::straight_through_argmax_backward`](crate::dispatch::RelaxOps::straight_through_argmax_backward).
pub fn straight_through_argmax_backward<B: Backend>(
    logits: FloatTensor<B>,
    stats: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> FloatTensor<B> {
    let dtype = logits.dtype();
    soft_gradient::<B>(&Float::load(logits), stats, grad, dim, temperature).store(dtype)
}

pub(super) fn soft_gradient<B: Backend>(
    logits: &Float<B>,
    stats: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> Float<B> {
    let stats = Float::<B>(stats);
    let (probs, _) = weights_from_stats(logits, &stats, dim, temperature);
    let grad = Float::<B>::load(grad).fill(&probs.equal_to(0.0), 0.0);
    let mean = probs.clone().mul(&grad).sum_dim(dim);
    probs
        .mul(&grad.sub(&mean))
        .div_scalar(temperature)
        .fill(&decided(&stats.narrow(dim, 0)), 0.0)
}
