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

/// A tensor that gradients can be asked for.
#[track_caller]
pub(crate) fn autodiff<const D: usize>(op: &str, argument: &str, tensor: &Tensor<D>) {
    let device = tensor.device();
    assert!(
        device.is_autodiff(),
        "{op}: {argument} must be on a device with autodiff, got {device:?}"
    );
}

/// Something that a setting asks for.
#[track_caller]
pub(crate) fn given(op: &str, argument: &str, reason: &str, given: bool) {
    assert!(
        given,
        "{op}: {argument} must be given for {reason}, got none"
    );
}

/// Few enough combinations of `choices` among `classes` to list them all.
#[track_caller]
pub(crate) fn enumerable(
    op: &str,
    classes: usize,
    choices: usize,
    most: usize,
    count: Option<usize>,
) {
    assert!(
        count.is_some_and(|count| count <= most),
        "{op}: the number of outcomes must be at most {most} to list them all, got {classes} to the power of {choices}{}",
        count.map_or_else(String::new, |count| format!(" = {count}"))
    );
}

/// What a caller's cost returns for the values it was asked about.
#[track_caller]
pub(crate) fn cost(op: &str, expected: Shape, shape: Shape) {
    assert!(
        shape == expected,
        "{op}: cost must have the shape {:?} for the values it was given, got {:?}",
        &expected[..],
        &shape[..]
    );
}

/// The axis of choices that share one cost, which is not the classes' own.
#[track_caller]
pub(crate) fn joint_dim<const D: usize>(
    op: &str,
    joint_dim: Option<isize>,
    dim: usize,
) -> Option<usize> {
    let index = joint_dim?;
    let rank = D as isize;
    let joint = index.rem_euclid(rank) as usize;
    assert!(
        (-rank..rank).contains(&index) && joint != dim,
        "{op}: joint_dim must be in {}..{rank} and differ from dim for a tensor of rank {rank}, got {index}",
        -rank
    );
    Some(joint)
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

/// The axis that is chosen over, along which there is something to choose.
#[track_caller]
pub(crate) fn class_dim<const D: usize>(op: &str, logits: &Tensor<D>, dim: impl AsIndex) -> usize {
    let dim = self::dim::<D>(op, dim);
    not_empty(op, "logits", logits, dim);
    dim
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

/// A shape that broadcasts to another of the same rank.
#[track_caller]
pub(crate) fn broadcasts(op: &str, argument: &str, full: Shape, shape: Shape) {
    let fits = shape
        .iter()
        .zip(full.iter())
        .all(|(&size, &full)| size == 1 || size == full);
    assert!(
        fits,
        "{op}: {argument} must have size 1 or that of {:?} in every dimension, got {:?}",
        &full[..],
        &shape[..]
    );
}

/// A tensor with exactly one dimension more than the result.
#[track_caller]
pub(crate) fn one_rank_less<const D: usize, const DO: usize>(op: &str, argument: &str) {
    assert!(
        D + 1 == DO,
        "{op}: {argument} must have rank {} for a result of rank {D}, got {DO}",
        D + 1
    );
}

/// One entry for each row of the logits.
#[track_caller]
pub(crate) fn one_per_row(op: &str, argument: &str, logits: Shape, shape: Shape, dim: usize) {
    let mut rows = logits;
    rows[dim] = 1;
    same_shape(op, argument, "one row of the logits", rows, shape);
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

/// An alpha above that of the softmax.
#[track_caller]
pub(crate) fn greater_than_one(op: &str, argument: &str, value: f64) {
    assert!(
        value.is_finite() && value > 1.0,
        "{op}: {argument} must be a finite number greater than 1, got {value}"
    );
}

/// A number of classes to choose, whole or not.
#[track_caller]
pub(crate) fn at_most_classes(op: &str, argument: &str, classes: usize, value: f64) {
    assert!(
        value <= classes as f64,
        "{op}: {argument} must be at most the number of classes, {classes}, got {value}"
    );
}

/// A shape that is laid against the last axes of a tensor.
#[track_caller]
pub(crate) fn at_most_rank<const D: usize>(op: &str, argument: &str, shape: &[usize]) {
    assert!(
        shape.len() <= D,
        "{op}: {argument} must have at most the rank of the logits, {D}, got shape {shape:?}"
    );
}

/// A map that only the softmax can take the place of.
#[track_caller]
pub(crate) fn softmax(op: &str, softmax: bool) {
    assert!(
        softmax,
        "{op}: map must be the softmax for a Rao-Blackwellised gradient, got another"
    );
}

/// The rank of what is read out of a heatmap of rank `D`.
#[track_caller]
pub(crate) fn output_rank<const D: usize, const DO: usize>(op: &str) {
    assert!(
        (1..=D).contains(&DO),
        "{op}: the output rank must be in 1..={D} for a heatmap of rank {D}, got {DO}"
    );
}
