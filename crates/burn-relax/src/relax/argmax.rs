use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Int, Tensor};

use crate::{check, dispatch::RelaxOps, parts::choose::first_argmax};

/// Index of the largest entry along `dim`, the lowest one among ties, on every backend alike.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., 1, ..]`
///
/// # Gradient
///
/// None: indices are integers.
///
/// # Panics
///
/// If `dim` is out of range or the axis is empty.
///
/// # Numerical behaviour
///
/// A row that is all `-inf` gives 0. NaN counts as largest.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let logits = Tensor::<2>::from_floats([[1.0, 3.0, 3.0]], &Device::flex());
/// assert_eq!(burn_relax::argmax(logits, 1).into_scalar::<i64>(), 1);
/// ```
#[track_caller]
pub fn argmax<const D: usize>(logits: Tensor<D>, dim: impl AsIndex) -> Tensor<D, Int> {
    let (logits, dim) = check::logits("argmax", logits, dim);
    first_argmax(logits, dim)
}

/// The value of the chosen class, for inference: `V_k` at `k = argmax x`.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` of rank `D`
/// - values: the logits' shape, then any feature dimensions
/// - output: the values' shape with size 1 along `dim`
///
/// # Gradient
///
/// To the chosen value only; the logits get none. For a gradient through the choice see
/// [`soft_argmax_gather`](crate::soft_argmax_gather).
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or the values' shape does not begin with the logits'.
///
/// # Numerical behaviour
///
/// A row that is all `-inf` gives 0: nothing can be chosen.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &device);
/// let values = Tensor::<2>::from_floats([[10.0, 20.0, 30.0]], &device);
/// assert_eq!(burn_relax::argmax_gather(logits, values, 1).into_scalar::<f32>(), 30.0);
/// ```
#[track_caller]
pub fn argmax_gather<const D: usize, const DV: usize>(
    logits: Tensor<D>,
    values: Tensor<DV>,
    dim: impl AsIndex,
) -> Tensor<DV> {
    let op = "argmax_gather";
    let (logits, dim) = check::logits(op, logits, dim);
    let values = values.dequantize();
    check::values_of(op, &logits, &values);
    Tensor::from_dispatch(<Dispatch as RelaxOps>::argmax_gather(
        logits.into_dispatch(),
        values.into_dispatch(),
        dim,
    ))
}
