//! The expected value, and the value at the argmax with the expectation's gradient for the logits.

use burn_core::backend::Backend;

use super::{
    argmax_gather::{argmax_gather_backward, picked_value},
    float::Float,
    row::{Row, decided, normalise, row, weights_from_stats},
};

/// See [`RelaxOps::soft_argmax_gather`](crate::dispatch::RelaxOps::soft_argmax_gather).
pub(super) fn soft_argmax_gather<B: Backend>(
    logits: Float<B>,
    values: Float<B>,
    dim: usize,
    temperature: f64,
) -> (Float<B>, Float<B>) {
    let row = row(&logits, dim, temperature);
    (expected_value(&row, values, dim), row.stats(dim))
}

/// `Σ w V` over `dim`; values of forbidden entries do not matter, whatever they are.
fn expected_value<B: Backend>(row: &Row<B>, values: Float<B>, dim: usize) -> Float<B> {
    let shape = values.shape();
    let weights = normalise(row.exp.clone(), &row.sum).append_dims(shape.num_dims());
    let forbidden = row.forbidden.clone().append_dims(shape.num_dims());
    weights
        .mul(&values.fill(&forbidden.expand(shape), 0.0))
        .sum_dim(dim)
}

/// See [`RelaxOps::hard_argmax_gather`](crate::dispatch::RelaxOps::hard_argmax_gather).
pub(super) fn hard_argmax_gather<B: Backend>(
    logits: Float<B>,
    values: Float<B>,
    dim: usize,
    temperature: f64,
) -> (Float<B>, Float<B>, Float<B>) {
    let row = row(&logits, dim, temperature);
    let stats = row.stats(dim);
    let soft = expected_value(&row, values.clone(), dim);
    (picked_value(logits, values, row.sum, dim), soft, stats)
}

/// Gradients `w (<V, g> - <soft, g>) / T` and `w g`;
/// see [`RelaxOps::soft_argmax_gather_backward`](crate::dispatch::RelaxOps::soft_argmax_gather_backward).
pub(super) fn soft_argmax_gather_backward<B: Backend>(
    logits: Float<B>,
    values: Float<B>,
    stats: Float<B>,
    soft: Float<B>,
    grad: Float<B>,
    dim: usize,
    temperature: f64,
) -> (Float<B>, Float<B>) {
    let (rank, row_rank) = (values.shape().num_dims(), logits.shape().num_dims());
    let (weights, forbidden) = weights_from_stats(&logits, &stats, dim, temperature);
    let spread = forbidden.clone().append_dims(rank).expand(values.shape());
    let values = values.fill(&spread, 0.0);
    // The saved output is rounded, and a winner's gradient is small beside that. Around it, the mean of what is left is exact.
    let advantage = values.sub(&soft).mul(&grad).sum_trailing(row_rank);
    let rounding = weights.clone().mul(&advantage).sum_dim(dim);
    let advantage = advantage.sub(&rounding);
    let grad_logits = weights
        .clone()
        .mul(&advantage)
        .div_scalar(temperature)
        .fill(&forbidden, 0.0)
        .fill(&decided(&stats.narrow(dim, 0)), 0.0);
    let grad_values = weights.append_dims(rank).mul(&grad).fill(&spread, 0.0);
    (grad_logits, grad_values)
}

/// The expected value's gradient for the logits, the upstream one for the value at the argmax;
/// see [`RelaxOps::hard_argmax_gather_backward`](crate::dispatch::RelaxOps::hard_argmax_gather_backward).
pub(super) fn hard_argmax_gather_backward<B: Backend>(
    logits: Float<B>,
    values: Float<B>,
    stats: Float<B>,
    soft: Float<B>,
    grad: Float<B>,
    dim: usize,
    temperature: f64,
) -> (Float<B>, Float<B>) {
    let grad_values = argmax_gather_backward(logits.clone(), grad.clone(), dim);
    let (grad_logits, _) =
        soft_argmax_gather_backward(logits, values, stats, soft, grad, dim, temperature);
    (grad_logits, grad_values)
}
