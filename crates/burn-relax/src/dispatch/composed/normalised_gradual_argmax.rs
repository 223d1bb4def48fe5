//! Power sharpening on the simplex.

use burn_core::backend::{Backend, TensorMetadata, tensor::FloatTensor};

use super::{
    float::Float,
    gradual_argmax::{gradual_argmax, gradual_argmax_backward},
    row::normalise,
};

/// See [`RelaxOps::normalised_gradual_argmax`](crate::dispatch::RelaxOps::normalised_gradual_argmax).
pub fn normalised_gradual_argmax<B: Backend>(
    values: FloatTensor<B>,
    power: FloatTensor<B>,
    dim: usize,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = values.dtype();
    let (values, power) = (Float::<B>::load(values), Float::<B>::load(power));
    let max = values.clone().max_dim(dim);
    let gates = Float::<B>(gradual_argmax::<B>(values.0, power.0, dim));
    let sum = gates.clone().sum_dim(dim);
    let probs = normalise(gates, &sum);
    (probs.store(dtype), Float::cat(vec![max, sum], dim).0)
}

/// The gradual argmax' gradients of `(g - <y, g>) / Σ`; see
/// [`RelaxOps::normalised_gradual_argmax_backward`](crate::dispatch::RelaxOps::normalised_gradual_argmax_backward).
pub fn normalised_gradual_argmax_backward<B: Backend>(
    values: FloatTensor<B>,
    power: FloatTensor<B>,
    output: FloatTensor<B>,
    stats: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    of_power: bool,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (dtype, power_dtype) = (values.dtype(), power.dtype());
    let (values, power) = (Float::<B>::load(values), Float::<B>::load(power));
    let (output, grad) = (Float::<B>::load(output), Float::<B>::load(grad));
    let sum = Float::<B>(stats).narrow(dim, 1);
    let centred = grad.clone().sub(&output.mul(&grad).sum_dim(dim));
    let grad = normalise(centred, &sum).fill(&sum.equal_to(0.0), 0.0);
    let (grad_values, grad_power) =
        gradual_argmax_backward::<B>(values.0, power.0, grad.0, dim, of_power);
    (
        Float::<B>(grad_values).store(dtype),
        Float::<B>(grad_power).store(power_dtype),
    )
}
