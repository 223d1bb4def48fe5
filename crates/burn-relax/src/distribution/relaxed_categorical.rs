use burn_core::tensor::{AsIndex, Tensor};

use crate::{
    check,
    coefficient::Coefficient,
    parts::{
        centred::{Centred, finite_or_zero},
        dtype::{load, store},
    },
    relax::softmax::log_softmax,
};

/// Log density of the relaxed sample on the simplex (the Concrete distribution) at `weights`.
///
/// `log Γ(n) + (n-1) ln T + Σ (x_i - (T+1) ln y_i) - n log Σ exp(x_i - T ln y_i)`
///
/// # Shapes
///
/// - logits, weights: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., 1, ..]`
///
/// # Arguments
///
/// * `logits` - Finite.
/// * `weights` - Points inside the simplex: every entry greater than 0, sum 1.
/// * `temperature` - Finite and greater than 0: a number, or a tensor with one value per row ([`Coefficient`]).
///
/// # Gradient
///
/// Exact for logits, weights and a tensor temperature.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, the shapes differ, or the temperature is out of its domain or of a shape
/// that does not fit.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::distribution::relaxed_categorical_log_density;
///
/// let device = Device::flex();
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &device);
/// let weights = Tensor::<1>::from_floats([0.2, 0.3, 0.5], &device);
/// let density = relaxed_categorical_log_density(logits, weights, 0, 0.5).into_scalar::<f32>();
/// assert!((density + 1.418_76).abs() < 1e-5);
/// ```
#[track_caller]
pub fn relaxed_categorical_log_density<const D: usize>(
    logits: Tensor<D>,
    weights: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let op = "relaxed_categorical_log_density";
    let dim = check::class_dim(op, &logits, dim);
    check::beside(op, "weights", &logits, &weights);
    let temperature = temperature.into();
    temperature.check(op, "temperature", &logits, dim);
    let dtype = logits.dtype();
    // A constant in all logits changes nothing; a large one would take the digits of the others.
    let logits = Centred::new(load(logits), dim).map(|gaps| gaps);
    let weights = load(weights);
    let temperature = temperature.load().into_tensor(&logits, dim);

    let classes = logits.dims()[dim];
    let log_gamma: f64 = (2..classes).map(|k| (k as f64).ln()).sum();
    let log_weights = weights.log();
    let tilted = logits - log_weights.clone() * temperature.clone();
    // Σ(x - T ln y) - n log Σ exp(x - T ln y) is the sum of a log-softmax.
    let joint = finite_or_zero(log_softmax(tilted, dim)).sum_dim(dim);
    let volume = temperature.log() * (classes as f64 - 1.0);
    store(joint - log_weights.sum_dim(dim) + volume + log_gamma, dtype)
}
