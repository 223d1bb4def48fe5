use burn_core::tensor::{AsIndex, Tensor};

use crate::{check, relax::soft_argmax_gather::soft_argmax_gather_of};

/// The exact expectation of the cost of a choice drawn from `softmax(logits)`: no sampling, no variance.
///
/// `E f = Σ_k p_k f_k`
///
/// The right tool for the *gradient of the expectation* whenever the cost of every class can be computed. As a training
/// objective it tends to commit to few classes before the values have specialised;
/// [`free_energy_loss`](crate::loss::free_energy_loss) does not.
///
/// # Shapes
///
/// - logits, cost: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., 1, ..]`
///
/// # Arguments
///
/// * `cost` - To be minimised; at forbidden classes it does not matter, NaN and infinity included.
///
/// # Gradient
///
/// Logits: `p_k (f_k - E f) g`. Cost: `p_k g`.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or the shapes differ.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &device);
/// let cost = Tensor::<1>::from_floats([1.0, 0.0, 3.0], &device);
/// let expected = burn_relax::loss::expected_loss(logits, cost, 0).into_scalar::<f32>();
/// assert!((expected - 1.825_214).abs() < 1e-5);
/// ```
#[track_caller]
pub fn expected_loss<const D: usize>(
    logits: Tensor<D>,
    cost: Tensor<D>,
    dim: impl AsIndex,
) -> Tensor<D> {
    let op = "expected_loss";
    let (logits, dim) = check::logits(op, logits, dim);
    let cost = cost.dequantize();
    check::beside(op, "cost", &logits, &cost);
    soft_argmax_gather_of(op, logits, cost, dim, 1.0.into())
}
