use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Tensor};

#[cfg(feature = "debug-validation")]
use crate::parts::dtype::epsilon;
use crate::{check, coefficient::Coefficient, dispatch::RelaxOps};

/// Turns values in `[0, 1]` gradually into the indicator of their maximum as the power grows.
///
/// `y_i = 1 - (1 - v_i)^p` where `v_i` is the maximum along `dim`, else `v_i^p`. At `p = 1` it is the identity; as `p`
/// goes to infinity every maximum goes to 1 and everything else to 0.
///
/// # Shapes
///
/// - values: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Arguments
///
/// * `values` - In `[0, 1]`, for instance probabilities.
/// * `dim` - The axis of the classes; negative counts from the end.
/// * `power` - Finite and greater than 0: a number, or a tensor with one value per row ([`Coefficient`]).
///
/// # Gradient
///
/// Elementwise, no cross terms: `p (1 - v)^(p-1)` at a maximum, `p v^(p-1)` elsewhere. For the power:
/// `-(1 - v)^p ln(1 - v)` at a maximum, `v^p ln v` elsewhere. Below power 1 the infinite slope at 0 is taken as 0.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or the power is out of its domain or of a shape that does not fit. With
/// the feature `debug-validation` also if a value lies outside `[0, 1]` by more than rounding.
///
/// # Numerical behaviour
///
/// Values beyond an end of `[0, 1]`, where rounding may carry them, count as that end, with its slope. The result is not normalised (see [`power_softmax`](super::power_softmax)); every tied maximum goes to 1; a row of zeros stays 0; where the
/// maximum changes hands the output jumps by `1 - (1 - v)^p - v^p`; the losers' gradient never learns who won.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let values = Tensor::<1>::from_floats([0.1304, 0.5134, 0.7426, 0.7159, 0.5705], &Device::flex());
/// let sharper = burn_relax::gradual_argmax(values, 0, 2.0).into_data().try_to_vec::<f32>().unwrap();
/// assert!((sharper[2] - 0.9337).abs() < 1e-4 && (sharper[3] - 0.5125).abs() < 1e-4);
/// ```
#[track_caller]
pub fn gradual_argmax<const D: usize>(
    values: Tensor<D>,
    dim: impl AsIndex,
    power: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let op = "gradual_argmax";
    let (values, dim, power) = unit_values(op, values, dim, power);
    power.apply(values, dim, |values, power| {
        <Dispatch as RelaxOps>::gradual_argmax(values, power, dim)
    })
}

/// Values in `[0, 1]`, their axis and a power for them, checked.
#[track_caller]
pub(super) fn unit_values<const D: usize>(
    op: &str,
    values: Tensor<D>,
    dim: impl AsIndex,
    power: impl Into<Coefficient<D>>,
) -> (Tensor<D>, usize, Coefficient<D>) {
    let (values, dim) = check::floats(op, "values", values, dim);
    let power = power.into();
    power.check(op, "power", &values, dim);
    // But for rounding, which does not count.
    #[cfg(feature = "debug-validation")]
    check::values(
        op,
        "values",
        &values,
        |v| (v - 0.5).abs() <= 0.5 + 4.0 * epsilon(values.dtype()),
        "lie in [0, 1]",
    );
    (values, dim, power)
}
