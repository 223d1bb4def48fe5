//! Every argument check of the library, and the one form of its messages:
//! `<op>: <argument> must <condition>, got <value>`.

use burn_core::tensor::{AsIndex, DType, Shape, Tensor, kind::Basic};

/// The axis as a position from the front.
#[track_caller]
pub(crate) fn dim<const D: usize>(op: &str, dim: impl AsIndex) -> usize {
    let index = dim.as_index();
    let rank = D as isize;
    assert!(
        (-rank..rank).contains(&index),
        "{op}: dim must be in {}..{rank} for a tensor of rank {rank}, got {index}",
        -rank
    );
    index.rem_euclid(rank) as usize
}

/// The axis chosen over has an entry to choose.
#[track_caller]
pub(crate) fn not_empty<const D: usize, K: Basic>(
    op: &str,
    argument: &str,
    tensor: &Tensor<D, K>,
    dim: usize,
) {
    assert!(
        tensor.dims()[dim] > 0,
        "{op}: {argument} must have at least one entry along dim {dim}, got shape {:?}",
        tensor.dims()
    );
}

/// A temperature, power or other positive number.
#[track_caller]
pub(crate) fn positive(op: &str, argument: &str, value: f64) {
    assert!(
        value.is_finite() && value > 0.0,
        "{op}: {argument} must be a finite number greater than 0, got {value}"
    );
}

/// A rate or weight that may be zero.
#[track_caller]
pub(crate) fn not_negative(op: &str, argument: &str, value: f64) {
    assert!(
        value.is_finite() && value >= 0.0,
        "{op}: {argument} must be a finite number of at least 0, got {value}"
    );
}

/// A count of samples, steps or the like.
#[track_caller]
pub(crate) fn at_least(op: &str, argument: &str, least: usize, value: usize) {
    assert!(
        value >= least,
        "{op}: {argument} must be at least {least}, got {value}"
    );
}

/// Two tensors that meet in one kernel hold the same float type.
#[track_caller]
pub(crate) fn same_dtype(op: &str, argument: &str, expected: DType, dtype: DType) {
    assert!(
        dtype == expected,
        "{op}: {argument} must have the dtype of the logits, {expected:?}, got {dtype:?}"
    );
}

/// Values begin with the dimensions of the logits and share their dtype.
#[track_caller]
pub(crate) fn values_of<const D: usize, const DV: usize>(
    op: &str,
    logits: &Tensor<D>,
    values: &Tensor<DV>,
) {
    same_dtype(op, "values", logits.dtype(), values.dtype());
    let (logits, shape) = (logits.shape(), values.shape());
    let rank = logits.num_dims();
    assert!(
        shape.num_dims() >= rank && shape[..rank] == logits[..],
        "{op}: values must have the logits' shape {:?}, then any feature dimensions, got {:?}",
        &logits[..],
        &shape[..]
    );
}

/// A tensor beside the logits: their shape and dtype.
#[track_caller]
pub(crate) fn beside<const D: usize>(
    op: &str,
    argument: &str,
    logits: &Tensor<D>,
    tensor: &Tensor<D>,
) {
    same_shape(op, argument, "the logits", logits.shape(), tensor.shape());
    same_dtype(op, argument, logits.dtype(), tensor.dtype());
}

/// Two tensors of one shape.
#[track_caller]
pub(crate) fn same_shape(op: &str, argument: &str, other: &str, expected: Shape, shape: Shape) {
    assert!(
        shape == expected,
        "{op}: {argument} must have the shape of {other}, {:?}, got {:?}",
        &expected[..],
        &shape[..]
    );
}

/// `tensor` agrees with the logits in every dimension but the axis, where any positive size is allowed.
#[track_caller]
pub(crate) fn same_rows(op: &str, argument: &str, logits: Shape, shape: Shape, dim: usize) {
    let mut expected = logits.clone();
    expected[dim] = shape[dim];
    assert!(
        shape == expected,
        "{op}: {argument} must have the logits' shape {:?} outside dim {dim}, got {:?}",
        &logits[..],
        &shape[..]
    );
}

/// One value per row: size 1 along the axis, and 1 or the logits' size elsewhere.
#[track_caller]
pub(crate) fn per_row(op: &str, argument: &str, logits: Shape, shape: Shape, dim: usize) {
    let fits = shape
        .iter()
        .zip(logits.iter())
        .enumerate()
        .all(|(d, (&size, &full))| size == 1 || (d != dim && size == full));
    assert!(
        fits,
        "{op}: {argument} must have size 1 along dim {dim} and 1 or the size of {:?} elsewhere, got {:?}",
        &logits[..],
        &shape[..]
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

/// Any finite number.
#[track_caller]
pub(crate) fn finite(op: &str, argument: &str, value: f64) {
    assert!(
        value.is_finite(),
        "{op}: {argument} must be a finite number, got {value}"
    );
}

/// One entry per class.
#[track_caller]
pub(crate) fn classes(op: &str, argument: &str, classes: usize, got: usize) {
    assert!(
        got == classes,
        "{op}: {argument} must have one entry for each of the {classes} classes, got {got}"
    );
}

/// A share in `[0, 1)`.
#[track_caller]
pub(crate) fn share(op: &str, argument: &str, value: f64) {
    assert!(
        (0.0..1.0).contains(&value),
        "{op}: {argument} must be in [0, 1), got {value}"
    );
}
