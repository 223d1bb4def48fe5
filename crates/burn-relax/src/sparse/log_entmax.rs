use burn_core::tensor::{AsIndex, Tensor};

use super::entmax::entmax_of;
use crate::{
    check,
    coefficient::Coefficient,
    parts::dtype::{load, store},
    relax::softmax::log_softmax,
};

/// The logarithm of [`sparsemax`](crate::sparse::sparsemax): `-inf`, with a gradient of 0, outside the support.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Panics
///
/// As [`sparsemax`](crate::sparse::sparsemax).
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &Device::flex());
/// let logs = burn_relax::sparse::log_sparsemax(logits, 0).into_data().try_to_vec::<f32>().unwrap();
/// assert!(logs[0] == f32::NEG_INFINITY && (logs[1] - 0.25f32.ln()).abs() < 1e-6);
/// ```
#[track_caller]
pub fn log_sparsemax<const D: usize>(logits: Tensor<D>, dim: impl AsIndex) -> Tensor<D> {
    log_map("log_sparsemax", logits, dim, Coefficient::Number(2.0))
}

/// The logarithm of [`entmax15`](crate::sparse::entmax15): `-inf`, with a gradient of 0, outside the support.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Panics
///
/// As [`entmax15`](crate::sparse::entmax15).
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &Device::flex());
/// let logs = burn_relax::sparse::log_entmax15(logits, 0).into_data().try_to_vec::<f32>().unwrap();
/// assert!(logs[0] == f32::NEG_INFINITY && (logs[1] - 0.326_007f32.ln()).abs() < 1e-5);
/// ```
#[track_caller]
pub fn log_entmax15<const D: usize>(logits: Tensor<D>, dim: impl AsIndex) -> Tensor<D> {
    log_map("log_entmax15", logits, dim, Coefficient::Number(1.5))
}

/// The logarithm of [`entmax`](crate::sparse::entmax): `-inf`, with a gradient of 0, outside the support; [`log_softmax`](crate::log_softmax) at the number 1.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Panics
///
/// As [`entmax`](crate::sparse::entmax).
///
/// # Numerical behaviour
///
/// A weight below the smallest normal number counts as outside the support, except at the number 1.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let logits = Tensor::<1>::from_floats([1000.0, 0.0], &Device::flex());
/// let logs = burn_relax::sparse::log_entmax(logits.clone(), 0, 1.0).into_data().try_to_vec::<f32>().unwrap();
/// assert_eq!(logs, [0.0, -1000.0]);
/// let logs = burn_relax::sparse::log_entmax(logits, 0, 1.2).into_data().try_to_vec::<f32>().unwrap();
/// assert_eq!(logs, [0.0, f32::NEG_INFINITY]);
/// ```
#[track_caller]
pub fn log_entmax<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    alpha: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    log_map("log_entmax", logits, dim, alpha.into())
}

#[track_caller]
fn log_map<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    dim: impl AsIndex,
    alpha: Coefficient<D>,
) -> Tensor<D> {
    let (logits, dim) = check::logits(op, logits, dim);
    if let Coefficient::Number(1.0) = alpha {
        return log_softmax(logits, dim);
    }
    let dtype = logits.dtype();
    alpha.check(op, "alpha", &logits, dim);
    let probs = entmax_of(op, load(logits), dim, alpha.load());
    let outside = probs.clone().equal_scalar(0.0);
    let logs = probs
        .mask_fill(outside.clone(), 1.0)
        .log()
        .mask_fill(outside, f64::NEG_INFINITY);
    store(logs, dtype)
}
