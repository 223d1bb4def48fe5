//! Shapes and dtypes of fused operations' outputs, for backends that execute lazily.

use burn_core::backend::fusion::custom::TensorSpec;
use burn_core::tensor::DType;

use crate::Seed;

/// Maximum and normaliser.
fn stats(logits: &TensorSpec, dim: usize) -> TensorSpec {
    statistics(logits, dim, 2)
}

/// Row statistics are never shorter than f32.
fn statistics(logits: &TensorSpec, dim: usize, count: usize) -> TensorSpec {
    let mut shape = logits.shape.clone();
    shape[dim] = count;
    let dtype = match logits.dtype {
        DType::F64 => DType::F64,
        _ => DType::F32,
    };
    TensorSpec::new(shape, dtype)
}

fn read_out(values: &TensorSpec, dim: usize) -> TensorSpec {
    let mut shape = values.shape.clone();
    shape[dim] = 1;
    TensorSpec::new(shape, values.dtype)
}

pub(crate) fn map_to_simplex(
    logits: &TensorSpec,
    dim: &usize,
    _temperature: &f64,
) -> (TensorSpec, TensorSpec) {
    (logits.clone(), stats(logits, *dim))
}

pub(crate) fn log_map_to_simplex(logits: &TensorSpec, dim: &usize) -> (TensorSpec, TensorSpec) {
    (logits.clone(), stats(logits, *dim))
}

pub(crate) fn gather(
    logits: &TensorSpec,
    values: &TensorSpec,
    dim: &usize,
    _temperature: &f64,
) -> (TensorSpec, TensorSpec) {
    (read_out(values, *dim), stats(logits, *dim))
}

pub(crate) fn hard_gather(
    logits: &TensorSpec,
    values: &TensorSpec,
    dim: &usize,
    _temperature: &f64,
) -> (TensorSpec, TensorSpec, TensorSpec) {
    let output = read_out(values, *dim);
    (output.clone(), output, stats(logits, *dim))
}

#[allow(clippy::too_many_arguments)]
pub(crate) fn gather_backward(
    logits: &TensorSpec,
    values: &TensorSpec,
    _stats: &TensorSpec,
    _soft: &TensorSpec,
    _grad: &TensorSpec,
    _dim: &usize,
    _temperature: &f64,
) -> (TensorSpec, TensorSpec) {
    (logits.clone(), values.clone())
}

pub(crate) fn log_prob(
    logits: &TensorSpec,
    indices: &TensorSpec,
    dim: &usize,
) -> (TensorSpec, TensorSpec) {
    let log_probs = TensorSpec::new(indices.shape.clone(), logits.dtype);
    (log_probs, stats(logits, *dim))
}

pub(crate) fn soft_argmax(
    logits: &TensorSpec,
    _coordinates: &TensorSpec,
    dim: &usize,
    _temperature: &f64,
) -> (TensorSpec, TensorSpec) {
    (read_out(logits, *dim), stats(logits, *dim))
}

/// Of the power there is one gradient for each row, whether it had one value or as many.
fn of_power(values: &TensorSpec, power: &TensorSpec, dim: usize) -> TensorSpec {
    TensorSpec::new(read_out(values, dim).shape, power.dtype)
}

pub(crate) fn gradual_backward(
    values: &TensorSpec,
    power: &TensorSpec,
    _grad: &TensorSpec,
    dim: &usize,
) -> (TensorSpec, TensorSpec) {
    (values.clone(), of_power(values, power, *dim))
}

pub(crate) fn power(
    values: &TensorSpec,
    _power: &TensorSpec,
    dim: &usize,
) -> (TensorSpec, TensorSpec) {
    (values.clone(), stats(values, *dim))
}

pub(crate) fn power_backward(
    values: &TensorSpec,
    power: &TensorSpec,
    _output: &TensorSpec,
    _stats: &TensorSpec,
    _grad: &TensorSpec,
    dim: &usize,
) -> (TensorSpec, TensorSpec) {
    (values.clone(), of_power(values, power, *dim))
}

pub(crate) fn free_energy(
    logits: &TensorSpec,
    _cost: &TensorSpec,
    dim: &usize,
    _temperature: &f64,
) -> (TensorSpec, TensorSpec) {
    (read_out(logits, *dim), statistics(logits, *dim, 4))
}

pub(crate) fn free_energy_backward(
    logits: &TensorSpec,
    cost: &TensorSpec,
    _stats: &TensorSpec,
    _grad: &TensorSpec,
    _dim: &usize,
    _temperature: &f64,
) -> (TensorSpec, TensorSpec) {
    (logits.clone(), cost.clone())
}

/// Indices of classes: `size` of them for each row.
fn indices(logits: &TensorSpec, dim: usize, size: usize) -> TensorSpec {
    let mut shape = logits.shape.clone();
    shape[dim] = size;
    TensorSpec::new(shape, DType::I32)
}

pub(crate) fn first_argmax(logits: &TensorSpec, dim: &usize) -> TensorSpec {
    indices(logits, *dim, 1)
}

pub(crate) fn argmax_gather(_logits: &TensorSpec, values: &TensorSpec, dim: &usize) -> TensorSpec {
    read_out(values, *dim)
}

pub(crate) fn argmax_gather_backward(
    logits: &TensorSpec,
    grad: &TensorSpec,
    dim: &usize,
) -> TensorSpec {
    let mut shape = grad.shape.clone();
    shape[*dim] = logits.shape[*dim];
    TensorSpec::new(shape, grad.dtype)
}

pub(crate) fn perturbed(
    logits: &TensorSpec,
    dim: &usize,
    _temperature: &f64,
    _seed: &Seed,
) -> (TensorSpec, TensorSpec) {
    (logits.clone(), stats(logits, *dim))
}

pub(crate) fn perturbed_by(
    logits: &TensorSpec,
    _noise: &TensorSpec,
    dim: &usize,
    _temperature: &f64,
) -> (TensorSpec, TensorSpec) {
    (logits.clone(), stats(logits, *dim))
}

pub(crate) fn sample(
    logits: &TensorSpec,
    dim: &usize,
    samples: &usize,
    _temperature: &f64,
    _seed: &Seed,
) -> (TensorSpec, TensorSpec, TensorSpec) {
    let index = indices(logits, *dim, *samples);
    let log_prob = TensorSpec::new(index.shape.clone(), logits.dtype);
    (index, log_prob, stats(logits, *dim))
}

pub(crate) fn sparse_rows(
    logits: &TensorSpec,
    _alpha: &TensorSpec,
    dim: &usize,
) -> (TensorSpec, TensorSpec) {
    (logits.clone(), stats(logits, *dim))
}

pub(crate) fn sparse_rows_backward(
    probs: &TensorSpec,
    _alpha: &TensorSpec,
    _stats: &TensorSpec,
    _grad: &TensorSpec,
    dim: &usize,
) -> (TensorSpec, TensorSpec) {
    (probs.clone(), read_out(probs, *dim))
}

pub(crate) fn budget_backward(
    probs: &TensorSpec,
    _stats: &TensorSpec,
    _grad: &TensorSpec,
    dim: &usize,
) -> (TensorSpec, TensorSpec) {
    (probs.clone(), read_out(probs, *dim))
}
