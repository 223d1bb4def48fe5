//! Power sharpening on the simplex.

use burn_core::backend::Backend;

use super::{
    float::Float,
    gradual_argmax::{gradual_argmax, gradual_argmax_backward},
    powers::unit,
    row::normalise,
};

/// See [`RelaxOps::normalised_gradual_argmax`](crate::dispatch::RelaxOps::normalised_gradual_argmax).
pub(super) fn normalised_gradual_argmax<B: Backend>(
    values: Float<B>,
    power: Float<B>,
    dim: usize,
) -> (Float<B>, Float<B>) {
    let max = unit(values.clone().max_dim(dim));
    let gates = gradual_argmax(values, power, dim);
    let sum = gates.clone().sum_dim(dim);
    let probs = normalise(gates, &sum);
    (probs, Float::cat(vec![max, sum], dim))
}

/// The gradual argmax' gradients of `(g - <y, g>) / Σ`; see
/// [`RelaxOps::normalised_gradual_argmax_backward`](crate::dispatch::RelaxOps::normalised_gradual_argmax_backward).
pub(super) fn normalised_gradual_argmax_backward<B: Backend>(
    values: Float<B>,
    power: Float<B>,
    output: Float<B>,
    stats: Float<B>,
    grad: Float<B>,
    dim: usize,
    of_power: bool,
) -> (Float<B>, Float<B>) {
    let sum = stats.narrow(dim, 1);
    let centred = grad.clone().sub(&output.mul(&grad).sum_dim(dim));
    let grad = normalise(centred, &sum).fill(&sum.equal_to(0.0), 0.0);
    gradual_argmax_backward(values, power, grad, dim, of_power)
}
