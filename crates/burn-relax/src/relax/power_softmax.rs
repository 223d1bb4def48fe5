use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Tensor};

#[cfg(feature = "debug-validation")]
use crate::parts::dtype::epsilon;
use crate::{check, coefficient::Coefficient, dispatch::RelaxOps};

/// The normalised twin of [`gradual_argmax`](super::gradual_argmax): `v^p / Σ v^p`, the softmax of `p ln v`.
///
/// # Shapes
///
/// - values: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same, on the simplex
///
/// # Arguments
///
/// * `values` - Not negative.
/// * `dim` - The axis of the classes; negative counts from the end.
/// * `power` - Finite and greater than 0: a number, or a tensor with one value per row ([`Coefficient`]).
///
/// # Gradient
///
/// `(p / v) y (g - <y, g>)` for the values, with its limit at `v = 0` (infinite below power 1, taken as 0);
/// `<g, y (ln v - <y, ln v>)>` for the power.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or the power is out of its domain or of a shape that does not fit. With
/// the feature `debug-validation` also if a value is negative by more than rounding.
///
/// # Numerical behaviour
///
/// Computed relative to the row's maximum, so that no power over- or underflows it; a row of zeros gives zeros. A value
/// below 0, where rounding may carry it, counts as 0.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let values = Tensor::<1>::from_floats([1.0, 2.0, 0.0], &Device::flex());
/// let probs = burn_relax::power_softmax(values, 0, 2.0).into_data().try_to_vec::<f32>().unwrap();
/// assert!((probs[0] - 0.2).abs() < 1e-6 && (probs[1] - 0.8).abs() < 1e-6 && probs[2] == 0.0);
/// ```
#[track_caller]
pub fn power_softmax<const D: usize>(
    values: Tensor<D>,
    dim: impl AsIndex,
    power: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let op = "power_softmax";
    let (values, dim) = check::floats(op, "values", values, dim);
    let power = power.into();
    power.check(op, "power", &values, dim);
    #[cfg(feature = "debug-validation")]
    check::values(
        op,
        "values",
        &values,
        |v| v >= -4.0 * epsilon(values.dtype()),
        "be 0 or greater",
    );
    power_softmax_of(values, dim, power)
}

/// [`power_softmax`] of checked arguments.
pub(crate) fn power_softmax_of<const D: usize>(
    values: Tensor<D>,
    dim: usize,
    power: Coefficient<D>,
) -> Tensor<D> {
    power.apply(values, dim, |values, power| {
        <Dispatch as RelaxOps>::power_softmax(values, power, dim).0
    })
}
