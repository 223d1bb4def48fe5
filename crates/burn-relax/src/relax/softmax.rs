use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Tensor};

use crate::{
    check,
    coefficient::{Coefficient, tempered},
    dispatch::RelaxOps,
    parts::dtype::store,
};

/// Softmax with a temperature: the smooth stand-in for the one-hot of the argmax.
///
/// Solves `max_p <p, x> + T H(p)` over the simplex, with `H` the entropy; as `T` goes to 0 the weights become the one-hot
/// of the argmax, ties sharing.
///
/// `p_i = exp((x_i - max x) / T) / Σ_j exp((x_j - max x) / T)`
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Arguments
///
/// * `logits` - Unnormalised scores; `-inf` forbids an entry.
/// * `dim` - The axis of the classes; negative counts from the end.
/// * `temperature` - Finite and greater than 0: a number, or a tensor with one value per row ([`Coefficient`]).
///
/// # Gradient
///
/// `p (g - <p, g>) / T` for the logits, `-<p (g - <p, g>), x> / T²` for the temperature.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or the temperature is out of its domain or of a shape that does not fit.
///
/// # Numerical behaviour
///
/// Exact for logits up to ±10⁴; `+inf` entries share the weight and get no gradient; a row of `-inf` gives zeros.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, f32::NEG_INFINITY, 0.5], &Device::flex());
/// let probs = burn_relax::softmax(logits, 0, 0.5).into_data().try_to_vec::<f32>().unwrap();
/// assert_eq!(probs[2], 0.0);
/// assert!((probs[3] - 0.727_475).abs() < 1e-5);
/// ```
#[track_caller]
pub fn softmax<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let (logits, dim) = check::logits("softmax", logits, dim);
    softmax_of("softmax", logits, dim, temperature.into())
}

/// [`softmax`] for an operator whose name the messages have, of checked logits.
#[track_caller]
pub(crate) fn softmax_of<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    dim: usize,
    temperature: Coefficient<D>,
) -> Tensor<D> {
    let dtype = logits.dtype();
    let (logits, temperature) = tempered(op, logits, dim, temperature);
    let (probs, _) = <Dispatch as RelaxOps>::softmax(logits.into_dispatch(), dim, temperature);
    store(Tensor::from_dispatch(probs), dtype)
}

/// Logarithm of the [`softmax`] at temperature 1, stable where the probabilities underflow.
///
/// `log p_i = x_i - max x - log Σ_j exp(x_j - max x)`
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Gradient
///
/// `g - p Σ g`, the sum over entries that are not forbidden.
///
/// # Panics
///
/// If `dim` is out of range or the axis is empty.
///
/// # Numerical behaviour
///
/// Forbidden entries (`-inf`) stay `-inf`, with a gradient of 0.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let logits = Tensor::<1>::from_floats([1000.0, 0.0], &Device::flex());
/// let log_probs = burn_relax::log_softmax(logits, -1).into_data().try_to_vec::<f32>().unwrap();
/// assert_eq!(log_probs, [0.0, -1000.0]);
/// ```
#[track_caller]
pub fn log_softmax<const D: usize>(logits: Tensor<D>, dim: impl AsIndex) -> Tensor<D> {
    let (logits, dim) = check::logits("log_softmax", logits, dim);
    let (log_probs, _) = <Dispatch as RelaxOps>::log_softmax(logits.into_dispatch(), dim);
    Tensor::from_dispatch(log_probs)
}
