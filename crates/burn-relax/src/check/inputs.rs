//! Checks of the tensors that an operator is handed.

use burn_core::tensor::{AsIndex, DType, Int, Tensor, try_read_sync};

use super::{
    device::supported,
    shapes::{dim, not_empty, same_shape},
};

/// Logits to choose among: as plain floats where they are quantised, with their axis as a position from the front.
#[track_caller]
pub(crate) fn logits<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    dim: impl AsIndex,
) -> (Tensor<D>, usize) {
    floats(op, "logits", logits, dim)
}

/// As [`logits`], for a tensor of another name.
#[track_caller]
pub(crate) fn floats<const D: usize>(
    op: &str,
    argument: &str,
    tensor: Tensor<D>,
    dim: impl AsIndex,
) -> (Tensor<D>, usize) {
    supported(op, argument, &tensor.device());
    let dim = self::dim::<D>(op, dim);
    not_empty(op, argument, &tensor, dim);
    (tensor.dequantize(), dim)
}

/// Indices that are classes. They are read back, except where that cannot be waited for, in a browser.
#[track_caller]
pub(crate) fn indices<const D: usize>(
    op: &str,
    argument: &str,
    indices: &Tensor<D, Int>,
    classes: usize,
) {
    let Some(Ok(data)) = try_read_sync(indices.to_data_async()) else {
        return;
    };
    let is_class = |&index: &i64| usize::try_from(index).is_ok_and(|index| index < classes);
    let outside = data.iter::<i64>().find(|index| !is_class(index));
    assert!(
        outside.is_none(),
        "{op}: {argument} must be in 0..{classes}, got {}",
        outside.unwrap_or_default()
    );
}

/// A tensor that gradients can be asked for.
#[track_caller]
pub(crate) fn autodiff<const D: usize>(op: &str, argument: &str, tensor: &Tensor<D>) {
    let device = tensor.device();
    assert!(
        device.is_autodiff(),
        "{op}: {argument} must be on a device with autodiff, got {device:?}"
    );
}

/// Reads the tensor back and checks that every value lies in `domain`; NaN never does.
#[cfg(feature = "debug-validation")]
#[track_caller]
pub(crate) fn values<const D: usize>(
    op: &str,
    argument: &str,
    tensor: &Tensor<D>,
    domain: impl Fn(f64) -> bool,
    condition: &str,
) {
    let data = tensor.to_data().convert::<f64>();
    let outside = data.iter::<f64>().find(|&value| !domain(value));
    assert!(
        outside.is_none(),
        "{op}: {argument} must {condition}, got {}",
        outside.unwrap_or_default()
    );
}

/// Two tensors that meet in one operation hold the same float type.
#[track_caller]
pub(crate) fn same_dtype(op: &str, argument: &str, other: &str, expected: DType, dtype: DType) {
    assert!(
        dtype == expected,
        "{op}: {argument} must have the dtype of {other}, {expected:?}, got {dtype:?}"
    );
}

/// Two tensors of one shape and dtype.
#[track_caller]
pub(crate) fn alike<const D: usize>(
    op: &str,
    [argument, other]: [&str; 2],
    tensor: &Tensor<D>,
    expected: &Tensor<D>,
) {
    same_shape(op, argument, other, expected.shape(), tensor.shape());
    same_dtype(op, argument, other, expected.dtype(), tensor.dtype());
}

/// A tensor beside the logits: their shape and dtype.
#[track_caller]
pub(crate) fn beside<const D: usize>(
    op: &str,
    argument: &str,
    logits: &Tensor<D>,
    tensor: &Tensor<D>,
) {
    alike(op, [argument, "the logits"], tensor, logits);
}

/// Values begin with the dimensions of the logits and share their dtype.
#[track_caller]
pub(crate) fn values_of<const D: usize, const DV: usize>(
    op: &str,
    logits: &Tensor<D>,
    values: &Tensor<DV>,
) {
    same_dtype(op, "values", "the logits", logits.dtype(), values.dtype());
    let (logits, shape) = (logits.shape(), values.shape());
    let rank = logits.num_dims();
    assert!(
        shape.num_dims() >= rank && shape[..rank] == logits[..],
        "{op}: values must have the logits' shape {:?}, then any feature dimensions, got {:?}",
        &logits[..],
        &shape[..]
    );
}
