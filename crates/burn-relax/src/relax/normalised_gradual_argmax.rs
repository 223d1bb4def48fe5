use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Tensor};

use super::gradual_argmax::unit_values;
use crate::{coefficient::Coefficient, dispatch::RelaxOps};

/// The [`gradual_argmax`](super::gradual_argmax) over its sum: from the values' own proportions at power 1 to weights that the
/// maxima share, as the power grows.
///
/// `w = y / Σ y` with `y_i = 1 - (1 - v_i)^p` where `v_i` is the maximum along `dim`, else `v_i^p`.
///
/// # Shapes
///
/// - values: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same, on the simplex
///
/// # Arguments
///
/// * `values` - In `[0, 1]`, for instance probabilities.
/// * `dim` - The axis of the classes; negative counts from the end.
/// * `power` - Finite and greater than 0: a number, or a tensor with one value per row ([`Coefficient`]).
///
/// # Gradient
///
/// That of the gradual argmax for the upstream gradient `(g - <w, g>) / Σ y`.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or the power is out of its domain or of a shape that does not fit. With
/// the feature `debug-validation` also if a value lies outside `[0, 1]` by more than rounding.
///
/// # Numerical behaviour
///
/// Values beyond an end of `[0, 1]` count as that end. A row of zeros gives zeros and gets no gradient. Where the maximum changes hands the output jumps, as that of the gradual
/// argmax does; [`power_softmax`](super::power_softmax) has no jump.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::relax::normalised_gradual_argmax;
///
/// let values = Tensor::<1>::from_floats([0.2, 0.5, 0.3], &Device::flex());
/// let weights = normalised_gradual_argmax(values, 0, 2.0).into_data().try_to_vec::<f32>().unwrap();
/// // .04, .75 and .09 over .88.
/// assert!((weights[0] - 0.0455).abs() < 1e-4 && (weights[1] - 0.8523).abs() < 1e-4);
/// ```
#[track_caller]
pub fn normalised_gradual_argmax<const D: usize>(
    values: Tensor<D>,
    dim: impl AsIndex,
    power: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let op = "normalised_gradual_argmax";
    normalised_gradual_argmax_of(op, values, dim, power)
}

/// [`normalised_gradual_argmax`] for an operator whose name the messages have.
#[track_caller]
pub(super) fn normalised_gradual_argmax_of<const D: usize>(
    op: &str,
    values: Tensor<D>,
    dim: impl AsIndex,
    power: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let (values, dim, power) = unit_values(op, values, dim, power);
    power.apply(values, dim, |values, power| {
        <Dispatch as RelaxOps>::normalised_gradual_argmax(values, power, dim).0
    })
}
