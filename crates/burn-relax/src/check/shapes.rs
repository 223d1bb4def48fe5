//! Checks of axes and shapes.

use burn_core::tensor::{AsIndex, Shape, Tensor, kind::Basic};

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

/// One entry per class.
#[track_caller]
pub(crate) fn one_per_class(op: &str, argument: &str, classes: usize, got: usize) {
    assert!(
        got == classes,
        "{op}: {argument} must have one entry for each of the {classes} classes, got {got}"
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

/// The rank of what is read out of a heatmap of rank `D`.
#[track_caller]
pub(crate) fn output_rank<const D: usize, const DO: usize>(op: &str) {
    assert!(
        (1..=D).contains(&DO),
        "{op}: the output rank must be in 1..={D} for a heatmap of rank {D}, got {DO}"
    );
}

/// A shape with an entry in every dimension.
#[track_caller]
pub(crate) fn sizes(op: &str, argument: &str, shape: &[usize]) {
    assert!(
        !shape.contains(&0),
        "{op}: {argument} must have sizes of at least 1, got {shape:?}"
    );
}
