use burn_core::tensor::{AsIndex, Tensor};

use super::relaxation::Relaxation;
use burn_relax_kernels::Seed;

use crate::{check, coefficient::Coefficient};

/// A relaxed sample from `softmax(logits)`: `softmax((x + G) / T)` with Gumbel noise `G`.
///
/// The exact sample forward, the one-hot of `argmax(x + G)`, with this gradient is
/// [`Relaxation::softmax(temperature).gumbel(seed).hard()`](super::Relaxation).
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
/// * `seed` - Same seed, same draw, on every backend and for any number of threads: give each layer a key or a step of its own,
///   `Seed::new(key, step)`.
///
/// # Gradient
///
/// `y (g - <y, g>) / T` with `y` the relaxed sample. A biased estimate of the gradient of
/// `E f(sample)`; bias goes to 0 and variance up as the temperature goes to 0.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or the temperature is out of its domain or of a shape that does not fit.
///
/// # Randomness
///
/// Counter-based ([`Seed`], [`gumbel_noise`](crate::distribution::gumbel_noise)); [`Relaxation::noise`](super::Relaxation::noise) takes
/// the noise.
///
/// # Numerical behaviour
///
/// The maximum is subtracted before the noise is added, so rows of ±10⁴ keep the noise's precision.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::gumbel_softmax;
///
/// let logits = Tensor::<2>::zeros([4, 3], &Device::flex());
/// let sample = gumbel_softmax(logits.clone(), 1, 0.5, 3);
/// assert!((sample.clone().sum().into_scalar::<f32>() - 4.0).abs() < 1e-6);
/// assert_eq!(sample.into_data(), gumbel_softmax(logits, 1, 0.5, 3).into_data());
/// ```
///
/// # References
///
/// Jang, Gu, Poole, 2017, arXiv:1611.01144; Maddison, Mnih, Teh, 2017, arXiv:1611.00712.
#[track_caller]
pub fn gumbel_softmax<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    seed: impl Into<Seed>,
) -> Tensor<D> {
    let op = "gumbel_softmax";
    let (logits, dim) = check::logits(op, logits, dim);
    Relaxation::softmax(temperature)
        .gumbel(seed)
        .weights_of(op, logits, dim)
}
