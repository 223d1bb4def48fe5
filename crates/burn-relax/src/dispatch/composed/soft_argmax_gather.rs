//! The expected value, and the value at the argmax with the expectation's gradient for the logits.

use burn_core::backend::{Backend, TensorMetadata, tensor::FloatTensor};

use super::{
    argmax_gather::{argmax_gather_backward, picked_value},
    float::Float,
    row::{Row, decided, normalise, row, stack, weights_from_stats},
};

/// See [`RelaxOps::soft_argmax_gather`](crate::dispatch::RelaxOps::soft_argmax_gather).
pub fn soft_argmax_gather<B: Backend>(
    logits: FloatTensor<B>,
    values: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = values.dtype();
    let row = row(&Float::<B>::load(logits), dim, temperature);
    let soft = expected_value(&row, &Float::load(values), dim);
    (soft.store(dtype), stack(vec![row.max, row.sum], dim))
}

/// `Σ w V` over `dim`; values of forbidden entries do not matter, whatever they are.
fn expected_value<B: Backend>(row: &Row<B>, values: &Float<B>, dim: usize) -> Float<B> {
    let rank = values.shape().num_dims();
    let weights = normalise(row.exp.clone(), &row.sum).append_dims(rank);
    let forbidden = row.forbidden.clone().append_dims(rank);
    let values = values.clone().fill(&forbidden.expand(values.shape()), 0.0);
    weights.mul(&values).sum_dim(dim)
}

/// See [`RelaxOps::hard_argmax_gather`](crate::dispatch::RelaxOps::hard_argmax_gather).
pub fn hard_argmax_gather<B: Backend>(
    logits: FloatTensor<B>,
    values: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let dtype = values.dtype();
    let row = row(&Float::<B>::load(logits.clone()), dim, temperature);
    let soft = expected_value(&row, &Float::load(values.clone()), dim);

    let hard = picked_value(logits, values, &row.sum, dim);
    (
        hard.store(dtype),
        soft.store(dtype),
        stack(vec![row.max, row.sum], dim),
    )
}

/// Gradients `w (<V, g> - <soft, g>) / T` and `w g`;
/// see [`RelaxOps::soft_argmax_gather_backward`](crate::dispatch::RelaxOps::soft_argmax_gather_backward).
#[allow(clippy::too_many_arguments)]
pub fn soft_argmax_gather_backward<B: Backend>(
    logits: FloatTensor<B>,
    values: FloatTensor<B>,
    stats: FloatTensor<B>,
    soft: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (logits_dtype, values_dtype) = (logits.dtype(), values.dtype());
    let (logits, values) = (Float::<B>::load(logits), Float::<B>::load(values));
    let (soft, grad) = (Float::load(soft), Float::<B>::load(grad));
    let stats = Float::<B>(stats);
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
    (
        grad_logits.store(logits_dtype),
        grad_values.store(values_dtype),
    )
}

/// The expected value's gradient for the logits, the upstream one for the value at the argmax;
/// see [`RelaxOps::hard_argmax_gather_backward`](crate::dispatch::RelaxOps::hard_argmax_gather_backward).
#[allow(clippy::too_many_arguments)]
pub fn hard_argmax_gather_backward<B: Backend>(
    logits: FloatTensor<B>,
    values: FloatTensor<B>,
    stats: FloatTensor<B>,
    soft: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let grad_values = argmax_gather_backward::<B>(logits.clone(), grad.clone(), dim);
    let (grad_logits, _) =
        soft_argmax_gather_backward::<B>(logits, values, stats, soft, grad, dim, temperature);
    (grad_logits, grad_values)
}
