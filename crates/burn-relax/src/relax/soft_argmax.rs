use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Tensor};

use super::coordinates::Coordinates;
use crate::{
    check,
    coefficient::{Coefficient, tempered},
    dispatch::RelaxOps,
    parts::dtype::{load, store},
};

/// The expected index, or coordinate, under the softmax of the logits.
///
/// `E = Σ_i p_i c_i` with `p = softmax(x / T)`.
///
/// With several modes the mean is a place nobody voted for: `[1, 0, 1]` at `T = 0.01` gives index 1. Use
/// [`Relaxation::windowed_coordinate`](super::Relaxation::windowed_coordinate) there.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., 1, ..]`
///
/// # Arguments
///
/// * `logits` - Unnormalised scores; `-inf` forbids an entry.
/// * `dim` - The axis of the classes; negative counts from the end.
/// * `temperature` - Finite and greater than 0: a number, or a tensor with one value per row ([`Coefficient`]).
/// * `coordinates` - [`Coordinates::index()`], a base and a step, or a tensor `[n]` in the user's units.
///
/// # Gradient
///
/// Logits: `p_i (c_i - E) g / T`. Given coordinates: `Σ_rows p_i g`.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, the number of coordinates is not `n`, base or step are not finite, or the
/// temperature is out of its domain or of a shape that does not fit.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{relax::Coordinates, soft_argmax};
///
/// let logits = Tensor::<1>::from_floats([0.0, 1.0, 0.0, -1.0], &Device::flex());
/// let index = soft_argmax(logits, 0, 0.1, Coordinates::index());
/// assert!((index.into_scalar::<f32>() - 1.0).abs() < 1e-4);
/// ```
#[track_caller]
pub fn soft_argmax<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    coordinates: impl Into<Coordinates>,
) -> Tensor<D> {
    let op = "soft_argmax";
    let (logits, dim) = check::logits(op, logits, dim);
    let coordinates = coordinates.into().into_tensor(op, &logits, dim);
    soft_argmax_of(op, logits, dim, temperature.into(), coordinates)
}

/// [`soft_argmax`] for an operator whose name the messages have, of checked logits, at coordinates `[n]` in at least f32: a short
/// dtype has too few digits for the numbers of classes.
#[track_caller]
pub(super) fn soft_argmax_of<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    dim: usize,
    temperature: Coefficient<D>,
    coordinates: Tensor<1>,
) -> Tensor<D> {
    let dtype = logits.dtype();
    temperature.check(op, "temperature", &logits, dim);
    let (logits, temperature) = tempered(op, load(logits), dim, temperature.load());
    let (output, _) = <Dispatch as RelaxOps>::soft_argmax(
        logits.into_dispatch(),
        coordinates.into_dispatch(),
        dim,
        temperature,
    );
    store(Tensor::from_dispatch(output), dtype)
}
