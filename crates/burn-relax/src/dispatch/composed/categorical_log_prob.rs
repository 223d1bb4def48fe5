//! Log-probabilities of given classes.

use burn_core::backend::{
    Backend, TensorMetadata,
    tensor::{FloatTensor, IntTensor},
};
use burn_core::tensor::IndexingUpdateOp;

use super::{
    float::Float,
    log_softmax::log_probs,
    row::{decided, row, stack, weights_from_stats},
};

/// See [`RelaxOps::categorical_log_prob`](crate::dispatch::RelaxOps::categorical_log_prob).
pub fn categorical_log_prob<B: Backend>(
    logits: FloatTensor<B>,
    indices: IntTensor<B>,
    dim: usize,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = logits.dtype();
    let row = row(&Float::<B>::load(logits), dim, 1.0);
    let log_prob = B::float_gather(dim, log_probs(&row).0, indices);
    (
        Float::<B>(log_prob).store(dtype),
        stack(vec![row.max, row.sum], dim),
    )
}

/// `Σ_s g_s (1[i = k_s] - p_i) / T` over the samples of allowed classes;
/// see [`RelaxOps::categorical_log_prob_backward`](crate::dispatch::RelaxOps::categorical_log_prob_backward).
pub fn categorical_log_prob_backward<B: Backend>(
    logits: FloatTensor<B>,
    indices: IntTensor<B>,
    stats: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> FloatTensor<B> {
    let dtype = logits.dtype();
    let logits = Float::<B>::load(logits);
    let stats = Float::<B>(stats);
    let (probs, _) = weights_from_stats(&logits, &stats, dim, temperature);
    // Samples of forbidden classes have nothing to say.
    let drawn = Float::<B>(B::float_gather(dim, logits.0, indices.clone()));
    let grad = Float::load(grad).fill(&drawn.lower(drawn.limits().0), 0.0);
    let total = grad.clone().sum_dim(dim);
    let unchosen = probs.equal_to(0.0);
    let others = probs.mul(&total).neg().fill(&unchosen, 0.0);
    let all = B::float_scatter(dim, others.0, indices, grad.0, IndexingUpdateOp::Add);
    Float::<B>(all)
        .div_scalar(temperature)
        .fill(&decided(&stats.narrow(dim, 0)), 0.0)
        .store(dtype)
}
