//! Shapes and dtypes of fused operations' outputs, for backends that execute lazily.

use burn_core::backend::fusion::custom::TensorSpec;
use burn_core::tensor::DType;

/// Row statistics are never shorter than f32.
fn stats(logits: &TensorSpec, dim: usize) -> TensorSpec {
    let mut shape = logits.shape.clone();
    shape[dim] = 2;
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
