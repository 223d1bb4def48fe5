//! Normalised powers.

use burn_core::backend::Backend;

use super::{
    float::Float,
    powers::{pow, safe_ln, slope},
    row::{decided, normalise},
};

/// See [`RelaxOps::power_softmax`](crate::dispatch::RelaxOps::power_softmax).
pub(super) fn power_softmax<B: Backend>(
    values: Float<B>,
    power: Float<B>,
    dim: usize,
) -> (Float<B>, Float<B>) {
    let values = positive(values);
    let max = values.clone().max_dim(dim);
    let raised = pow(&relative(&values, &max), &power);
    let sum = raised.clone().sum_dim(dim);
    let (_, largest) = max.limits();
    let max = max.clone().fill(&max.greater(largest), largest);
    let probs = normalise(raised, &sum);
    (probs, Float::cat(vec![max, sum], dim))
}

/// What rounding has carried below 0 is 0.
fn positive<B: Backend>(values: Float<B>) -> Float<B> {
    let below = values.lower(0.0);
    values.fill(&below, 0.0)
}

/// `values / max`, 0 in a row of zeros, 1 at the infinite entries of a row.
fn relative<B: Backend>(values: &Float<B>, max: &Float<B>) -> Float<B> {
    let max = max.clone().fill(&max.equal_to(0.0), 1.0);
    let (_, largest) = values.limits();
    let infinite = values.greater(largest);
    values.clone().div(&max).fill(&infinite, 1.0)
}

/// With `u = v / max` and `S = Σ u^p`: `p u^(p-1) (g - <y, g>) / (max S)` for the values, `<g, J(y) ln u>` for the power;
/// see [`RelaxOps::power_softmax_backward`](crate::dispatch::RelaxOps::power_softmax_backward).
pub(super) fn power_softmax_backward<B: Backend>(
    values: Float<B>,
    power: Float<B>,
    output: Float<B>,
    stats: Float<B>,
    grad: Float<B>,
    dim: usize,
) -> (Float<B>, Float<B>) {
    let (max, sum) = (stats.narrow(dim, 0), stats.narrow(dim, 1));
    let ratio = relative(&positive(values), &max);
    let scale = max.clone().mul(&sum);
    // Rows of zeros, and those that hold +inf.
    let empty = scale.equal_to(0.0).or(&decided(&max));

    let centred = grad.clone().sub(&output.clone().mul(&grad).sum_dim(dim));
    let grad_values = slope(&ratio, &power)
        .mul(&centred)
        .div(&scale.fill(&empty, 1.0))
        .fill(&empty, 0.0);
    let grad_power = output
        .mul(&centred)
        .mul(&safe_ln(&ratio))
        .sum_dim(dim)
        .fill(&empty, 0.0);
    (grad_values, grad_power)
}
