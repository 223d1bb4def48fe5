use burn_core::backend::{Backend, TensorMetadata, tensor::FloatTensor};

use super::{
    float::Float,
    row::{Row, decided, normalise, row, stack},
};

/// See [`RelaxOps::softmax_with_stats`](crate::RelaxOps::softmax_with_stats).
pub fn softmax_with_stats<B: Backend>(
    logits: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = logits.dtype();
    let row = row(&Float::<B>::load(logits), dim, temperature);
    let probs = normalise(row.exp, &row.sum);
    (probs.store(dtype), stack(vec![row.max, row.sum], dim))
}

/// `p (g - <p, g>) / T`; see [`RelaxOps::softmax_backward`](crate::RelaxOps::softmax_backward).
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

/// See [`RelaxOps::log_softmax_with_stats`](crate::RelaxOps::log_softmax_with_stats).
pub fn log_softmax_with_stats<B: Backend>(
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

/// `g - p Σ g` over allowed entries; see [`RelaxOps::log_softmax_backward`](crate::RelaxOps::log_softmax_backward).
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
