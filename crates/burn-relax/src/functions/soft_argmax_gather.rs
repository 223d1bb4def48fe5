use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Tensor};

use crate::{
    RelaxOps, check,
    coefficient::Coefficient,
    functions::{store, tempered},
};

/// The expected value under the softmax of the logits, or the value at the argmax with that expectation's gradient.
///
/// A classifier head scores the classes and a second head gives each class a value; this is the differentiable read-out:
/// `y = Σ_i p_i V_i` with `p = softmax(x / T)`. With `hard` the forward pass returns exactly `V_k`, `k = argmax x`, and the
/// backward pass is that of the soft read-out (straight-through).
///
/// It is not an expected loss: for a squared error `Σ p (V - t)² = (y - t)² + Var_p(V)`. See
/// [`expected_cost`](crate::expected_cost) and [`free_energy_cost`](crate::free_energy_cost), which train better when every
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
/// * `hard` - Exact choice forward, soft gradient backward.
///
/// # Gradient
///
/// Values: `p_i g`. Logits: `p_i (<V_i, g> - <y, g>) / T`, with `y` the soft output also when `hard`.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, the values' shape does not begin with the logits', or the temperature is
/// out of its domain or of a shape that does not fit.
///
/// # Numerical behaviour
///
/// Exact for logits up to ±10⁴. Ties: the soft form shares, the hard form takes the lowest index. A row of `-inf` gives 0.
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
/// let hard = soft_argmax_gather(logits, values, 1, 1.0, true);
/// assert_eq!(hard.dims(), [1, 1, 2]);
/// assert_eq!(hard.into_data().try_to_vec::<f32>().unwrap(), [30.0, 3.0]);
/// ```
#[track_caller]
pub fn soft_argmax_gather<const D: usize, const DV: usize>(
    logits: Tensor<D>,
    values: Tensor<DV>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    hard: bool,
) -> Tensor<DV> {
    let op = "soft_argmax_gather";
    let dim = check::dim::<D>(op, dim);
    check::values_of(op, &logits, &values);
    let dtype = values.dtype();
    let (logits, temperature) = tempered(op, logits, dim, temperature);
    let values = store(values.dequantize(), logits.dtype());
    let (logits, values) = (logits.into_dispatch(), values.into_dispatch());
    let output = if hard {
        <Dispatch as RelaxOps>::hard_argmax_gather(logits, values, dim, temperature).0
    } else {
        <Dispatch as RelaxOps>::soft_argmax_gather(logits, values, dim, temperature).0
    };
    store(Tensor::from_dispatch(output), dtype)
}
