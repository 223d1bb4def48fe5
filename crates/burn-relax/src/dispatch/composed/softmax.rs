//! Softmax with a temperature.

use burn_core::backend::Backend;

use super::{
    float::Float,
    row::{decided, normalise, row},
};

/// See [`RelaxOps::softmax`](crate::dispatch::RelaxOps::softmax).
pub(super) fn softmax<B: Backend>(
    logits: Float<B>,
    dim: usize,
    temperature: f64,
) -> (Float<B>, Float<B>) {
    let row = row(&logits, dim, temperature);
    let stats = row.stats(dim);
    (normalise(row.exp, &row.sum), stats)
}

/// `p (g - <p, g>) / T`; see [`RelaxOps::softmax_backward`](crate::dispatch::RelaxOps::softmax_backward).
pub(super) fn softmax_backward<B: Backend>(
    probs: Float<B>,
    stats: Float<B>,
    grad: Float<B>,
    dim: usize,
    temperature: f64,
) -> Float<B> {
    let grad = grad.fill(&probs.equal_to(0.0), 0.0);
    let mean = probs.clone().mul(&grad).sum_dim(dim);
    probs
        .mul(&grad.sub(&mean))
        .div_scalar(temperature)
        .fill(&decided(&stats.narrow(dim, 0)), 0.0)
}
