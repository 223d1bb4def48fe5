//! Logarithm of the softmax.

use burn_core::backend::{Backend, TensorMetadata, tensor::FloatTensor};

use super::{
    float::Float,
    row::{Row, decided, row, stack},
};

/// See [`RelaxOps::log_softmax`](crate::dispatch::RelaxOps::log_softmax).
pub fn log_softmax<B: Backend>(
    logits: FloatTensor<B>,
    dim: usize,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = logits.dtype();
    let row = row(&Float::<B>::load(logits), dim, 1.0);
    let log_probs = log_probs(&row);
    (log_probs.store(dtype), stack(vec![row.max, row.sum], dim))
}

/// `(x - max) / T - ln Σ exp((x - max) / T)`, `-inf` at forbidden entries.
pub(super) fn log_probs<B: Backend>(row: &Row<B>) -> Float<B> {
    let empty = row.sum.equal_to(0.0);
    let log_sum = row.sum.clone().fill(&empty, 1.0).ln();
    row.gaps
        .clone()
        .sub(&log_sum)
        .fill(&row.forbidden, f64::NEG_INFINITY)
}

/// `g - p Σ g` over allowed entries; see [`RelaxOps::log_softmax_backward`](crate::dispatch::RelaxOps::log_softmax_backward).
pub fn log_softmax_backward<B: Backend>(
    log_probs: FloatTensor<B>,
    stats: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
) -> FloatTensor<B> {
    let dtype = log_probs.dtype();
    let (log_probs, grad) = (Float::<B>::load(log_probs), Float::load(grad));
    let fixed = decided(&Float::<B>(stats).narrow(dim, 0));
    let forbidden = log_probs.lower(log_probs.limits().0);
    let grad = grad.fill(&forbidden, 0.0);
    let probs = log_probs.fill(&forbidden, 0.0).exp().fill(&forbidden, 0.0);
    let total = grad.clone().sum_dim(dim);
    grad.sub(&probs.mul(&total)).fill(&fixed, 0.0).store(dtype)
}
