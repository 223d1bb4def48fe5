use burn_core::backend::{Dispatch, DispatchTensor};
use burn_core::tensor::{AsIndex, Tensor};

use crate::{
    check,
    coefficient::{Coefficient, tempered},
    dispatch::RelaxOps,
    parts::dtype::store,
};

/// The expected value under the softmax of the logits.
///
/// A classifier head scores the classes and a second head gives each class a value; this is the differentiable read-out:
/// `y = Σ_i p_i V_i` with `p = softmax(x / T)`. The value at the argmax with such a gradient, and other maps, are
/// [`Relaxation::gather`](super::Relaxation::gather).
///
/// It is not an expected loss: for a squared error `Σ p (V - t)² = (y - t)² + Var_p(V)`. See
/// [`expected_loss`](crate::loss::expected_loss) and [`free_energy_loss`](crate::loss::free_energy_loss), which train better when every
/// class's cost can be computed.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` of rank `D`, `n ≥ 1` along `dim`
/// - values: the logits' shape, then any feature dimensions (rank `DV ≥ D`)
/// - output: the values' shape with size 1 along `dim`
///
/// # Arguments
///
/// * `logits` - Unnormalised scores; `-inf` forbids an entry, and its value then does not matter, NaN included.
/// * `values` - One value, or one feature block, per class.
/// * `dim` - The axis of the classes in the logits; negative counts from the logits' end.
/// * `temperature` - Finite and greater than 0: a number, or a tensor with one value per row ([`Coefficient`]).
///
/// # Gradient
///
/// Values: `p_i g`. Logits: `p_i (<V_i, g> - <y, g>) / T`.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, the values' shape does not begin with the logits', or the temperature is
/// out of its domain or of a shape that does not fit.
///
/// # Numerical behaviour
///
/// Exact for logits up to ±10⁴. Ties share. A row of `-inf` gives 0.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::soft_argmax_gather;
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &device);
/// let values = Tensor::<3>::from_floats([[[10.0, 1.0], [20.0, 2.0], [30.0, 3.0]]], &device);
/// let mean = soft_argmax_gather(logits, values, 1, 1.0);
/// assert_eq!(mean.dims(), [1, 1, 2]);
/// let mean = mean.into_data().try_to_vec::<f32>().unwrap();
/// assert!((mean[0] - 25.435_902).abs() < 1e-5 && (mean[1] - 2.543_590_2).abs() < 1e-6);
/// ```
#[track_caller]
pub fn soft_argmax_gather<const D: usize, const DV: usize>(
    logits: Tensor<D>,
    values: Tensor<DV>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
) -> Tensor<DV> {
    let op = "soft_argmax_gather";
    let (logits, dim) = check::logits(op, logits, dim);
    let values = values.dequantize();
    check::values_of(op, &logits, &values);
    soft_argmax_gather_of(op, logits, values, dim, temperature.into())
}

/// [`soft_argmax_gather`] for an operator whose name the messages have, of checked tensors.
#[track_caller]
pub(crate) fn soft_argmax_gather_of<const D: usize, const DV: usize>(
    op: &str,
    logits: Tensor<D>,
    values: Tensor<DV>,
    dim: usize,
    temperature: Coefficient<D>,
) -> Tensor<DV> {
    gathered(op, logits, values, temperature, dim, |logits, values, t| {
        <Dispatch as RelaxOps>::soft_argmax_gather(logits, values, dim, t).0
    })
}

/// The value at the argmax, with the expected value's gradient for the logits and its own for the chosen value.
#[track_caller]
pub(super) fn hard_argmax_gather_of<const D: usize, const DV: usize>(
    op: &str,
    logits: Tensor<D>,
    values: Tensor<DV>,
    dim: usize,
    temperature: Coefficient<D>,
) -> Tensor<DV> {
    gathered(op, logits, values, temperature, dim, |logits, values, t| {
        <Dispatch as RelaxOps>::hard_argmax_gather(logits, values, dim, t).0
    })
}

/// What `gather` makes of logits, values in their dtype and a number for the temperature, in the values' own dtype.
#[track_caller]
fn gathered<const D: usize, const DV: usize>(
    op: &str,
    logits: Tensor<D>,
    values: Tensor<DV>,
    temperature: Coefficient<D>,
    dim: usize,
    gather: impl FnOnce(DispatchTensor, DispatchTensor, f64) -> DispatchTensor,
) -> Tensor<DV> {
    let dtype = values.dtype();
    let (logits, temperature) = tempered(op, logits, dim, temperature);
    let values = store(values, logits.dtype());
    let output = gather(logits.into_dispatch(), values.into_dispatch(), temperature);
    store(Tensor::from_dispatch(output), dtype)
}
