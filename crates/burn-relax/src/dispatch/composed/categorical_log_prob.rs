//! Log-probabilities of given classes.

use burn_core::backend::{Backend, tensor::IntTensor};
use burn_core::tensor::IndexingUpdateOp;

use super::{
    float::Float,
    log_softmax::log_probs,
    row::{decided, row, weights_from_stats},
};

/// See [`RelaxOps::categorical_log_prob`](crate::dispatch::RelaxOps::categorical_log_prob).
pub(super) fn categorical_log_prob<B: Backend>(
    logits: Float<B>,
    indices: IntTensor<B>,
    dim: usize,
) -> (Float<B>, Float<B>) {
    let row = row(&logits, dim, 1.0);
    (log_probs(&row).gather(dim, indices), row.stats(dim))
}

/// `Σ_s g_s (1[i = k_s] - p_i) / T` over the samples of allowed classes;
/// see [`RelaxOps::categorical_log_prob_backward`](crate::dispatch::RelaxOps::categorical_log_prob_backward).
pub(super) fn categorical_log_prob_backward<B: Backend>(
    logits: Float<B>,
    indices: IntTensor<B>,
    stats: Float<B>,
    grad: Float<B>,
    dim: usize,
    temperature: f64,
) -> Float<B> {
    let (probs, _) = weights_from_stats(&logits, &stats, dim, temperature);
    // Samples of forbidden classes have nothing to say.
    let drawn = logits.gather(dim, indices.clone());
    let grad = grad.fill(&drawn.lower(drawn.limits().0), 0.0);
    let total = grad.clone().sum_dim(dim);
    let unchosen = probs.equal_to(0.0);
    let others = probs.mul(&total).neg().fill(&unchosen, 0.0);
    let all = B::float_scatter(dim, others.0, indices, grad.0, IndexingUpdateOp::Add);
    Float(all)
        .div_scalar(temperature)
        .fill(&decided(&stats.narrow(dim, 0)), 0.0)
}
