//! Logarithm of the softmax.

use burn_core::backend::Backend;

use super::{
    float::Float,
    row::{Row, decided, row},
};

/// See [`RelaxOps::log_softmax`](crate::dispatch::RelaxOps::log_softmax).
pub(super) fn log_softmax<B: Backend>(logits: Float<B>, dim: usize) -> (Float<B>, Float<B>) {
    let row = row(&logits, dim, 1.0);
    (log_probs(&row), row.stats(dim))
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
pub(super) fn log_softmax_backward<B: Backend>(
    log_probs: Float<B>,
    stats: Float<B>,
    grad: Float<B>,
    dim: usize,
) -> Float<B> {
    let fixed = decided(&stats.narrow(dim, 0));
    let forbidden = log_probs.lower(log_probs.limits().0);
    let grad = grad.fill(&forbidden, 0.0);
    let probs = log_probs.fill(&forbidden, 0.0).exp().fill(&forbidden, 0.0);
    let total = grad.clone().sum_dim(dim);
    grad.sub(&probs.mul(&total)).fill(&fixed, 0.0)
}
