//! Softmax with a temperature.

use burn_core::backend::{Backend, TensorMetadata, tensor::FloatTensor};

use super::{
    float::Float,
    row::{decided, normalise, row, stack},
};

/// See [`RelaxOps::softmax`](crate::dispatch::RelaxOps::softmax).
pub fn softmax<B: Backend>(
    logits: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = logits.dtype();
    let row = row(&Float::<B>::load(logits), dim, temperature);
    let probs = normalise(row.exp, &row.sum);
    (probs.store(dtype), stack(vec![row.max, row.sum], dim))
}

/// `p (g - <p, g>) / T`; see [`RelaxOps::softmax_backward`](crate::dispatch::RelaxOps::softmax_backward).
pub fn softmax_backward<B: Backend>(
    probs: FloatTensor<B>,
    stats: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> FloatTensor<B> {
    let dtype = probs.dtype();
    let (probs, grad) = (Float::<B>::load(probs), Float::load(grad));
    let fixed = decided(&Float::<B>(stats).narrow(dim, 0));
    let grad = grad.fill(&probs.equal_to(0.0), 0.0);
    let mean = probs.clone().mul(&grad).sum_dim(dim);
    probs
        .mul(&grad.sub(&mean))
        .div_scalar(temperature)
        .fill(&fixed, 0.0)
        .store(dtype)
}
