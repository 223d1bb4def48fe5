use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Int, Tensor};

use crate::{
    check,
    coefficient::Coefficient,
    dispatch::RelaxOps,
    parts::{
        choose::{combine, first_argmax, one_hot},
        constant::Constant,
        dtype::held,
    },
    relax::softmax::softmax_of,
};

/// Exactly `hard` in the forward pass, the gradient of `soft` in the backward pass.
///
/// Computed as `hard + (soft - detach(soft))`: in this order the parenthesis is exactly 0 and the forward value is `hard`
/// to the bit. Every `hard` option of the library is this combinator.
///
/// # Shapes
///
/// - hard, soft, output: the same
///
/// # Gradient
///
/// To `soft`, unchanged; `hard` gets none.
///
/// # Panics
///
/// If the shapes or the dtypes differ.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::straight_through;
///
/// let soft = Tensor::<1>::from_floats([0.4, 0.6], &Device::flex().autodiff()).require_grad();
/// let rounded = straight_through(soft.clone().round(), soft.clone());
/// assert_eq!(rounded.clone().into_data().try_to_vec::<f32>().unwrap(), [0.0, 1.0]);
/// let grads = rounded.sum().backward();
/// assert_eq!(soft.grad(&grads).unwrap().into_data().try_to_vec::<f32>().unwrap(), [1.0, 1.0]);
/// ```
///
/// # References
///
/// Bengio, Léonard, Courville, 2013, arXiv:1308.3432.
#[track_caller]
pub fn straight_through<const D: usize>(hard: Tensor<D>, soft: Tensor<D>) -> Tensor<D> {
    let (hard, soft) = (hard.dequantize(), soft.dequantize());
    check::alike("straight_through", ["hard", "soft"], &hard, &soft);
    combine(hard, soft)
}

/// The one-hot of the argmax with the gradient of the softmax.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same; exactly 0 or 1
///
/// # Arguments
///
/// * `logits` - Unnormalised scores; `-inf` forbids an entry.
/// * `dim` - The axis of the classes; negative counts from the end.
/// * `temperature` - Of the backward pass, the only one an argmax has: a number or one per row ([`Coefficient`]).
///
/// # Gradient
///
/// That of [`softmax`](crate::relax::softmax) at `temperature`.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or the temperature is out of its domain or of a shape that does not fit.
///
/// # Numerical behaviour
///
/// Ties go to the lowest index; a row of `-inf` gives zeros; a row with NaN gives NaN.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::straight_through_argmax;
///
/// let device = Device::flex().autodiff();
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &device).require_grad();
/// let choice = straight_through_argmax(logits.clone(), 0, 1.0);
/// assert_eq!(choice.to_data().try_to_vec::<f32>().unwrap(), [0.0, 0.0, 1.0]);
///
/// let upstream = Tensor::<1>::from_floats([1.0, 2.0, 3.0], &device);
/// let grads = choice.mul(upstream).sum().backward();
/// let gradient = logits.grad(&grads).unwrap().into_data().try_to_vec::<f32>().unwrap();
/// assert!((gradient[2] - 0.270_286).abs() < 1e-5);
/// ```
#[track_caller]
pub fn straight_through_argmax<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let op = "straight_through_argmax";
    let (logits, dim) = check::logits(op, logits, dim);
    straight_through_argmax_of(op, logits, dim, temperature.into())
}

/// [`straight_through_argmax`] for an operator whose name the messages have, of checked logits.
#[track_caller]
pub(super) fn straight_through_argmax_of<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    dim: usize,
    temperature: Coefficient<D>,
) -> Tensor<D> {
    if let Coefficient::Number(temperature) = temperature {
        check::positive(op, "temperature", temperature);
        let temperature = held(temperature, logits.dtype());
        let logits = logits.into_dispatch();
        let (hard, _) = <Dispatch as RelaxOps>::straight_through_argmax(logits, dim, temperature);
        return Tensor::from_dispatch(hard);
    }
    let indices = first_argmax(logits.clone().constant(), dim);
    let soft = softmax_of(op, logits.clone(), dim, temperature);
    straight_through_with(logits, indices, dim, soft)
}

/// The one-hot of given indices with the gradient of the weights `soft`.
pub(super) fn straight_through_with<const D: usize>(
    logits: Tensor<D>,
    indices: Tensor<D, Int>,
    dim: usize,
    soft: Tensor<D>,
) -> Tensor<D> {
    let hard = one_hot(&logits, indices, dim);
    // A shader compiler may take `soft - soft` for 0 even where it is NaN.
    let unknown = soft.clone().constant().is_nan();
    combine(hard.mask_fill(unknown, f64::NAN), soft)
}

/// The one-hot of given indices with the gradient of the softmax: what [`Relaxation::sampled`](super::Relaxation::sampled) does
/// with the indices that it draws.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - indices: `[.., 1, ..]`, each in `0..n`
/// - output: the logits'
///
/// # Gradient
///
/// That of [`softmax`](crate::relax::softmax) at `temperature`.
///
/// # Panics
///
/// As [`straight_through_argmax`], and if the indices' shape does not fit or one is no class. They are read back for it, except in
/// a browser.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Int, Tensor};
/// use burn_relax::relax::straight_through_with_indices;
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &device);
/// let indices = Tensor::<2, Int>::from_ints([[1]], &device);
/// let choice = straight_through_with_indices(logits, indices, 1, 1.0);
/// assert_eq!(choice.into_data().try_to_vec::<f32>().unwrap(), [0.0, 1.0, 0.0]);
/// ```
#[track_caller]
pub fn straight_through_with_indices<const D: usize>(
    logits: Tensor<D>,
    indices: Tensor<D, Int>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let op = "straight_through_with_indices";
    let (logits, dim) = check::logits(op, logits, dim);
    check::one_per_row(op, "indices", logits.shape(), indices.shape(), dim);
    check::indices(op, "indices", &indices, logits.dims()[dim]);
    let soft = softmax_of(op, logits.clone(), dim, temperature.into());
    straight_through_with(logits, indices, dim, soft)
}
