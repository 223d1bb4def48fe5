use burn_core::tensor::{AsIndex, Tensor, TensorCreationOptions};

use burn_relax_kernels::Seed;

use crate::{check, parts::noise};

/// Standard Gumbel noise `-ln(-ln u)`, the same for a seed on every backend and for any number of threads.
///
/// The uniforms come from Philox 4x32-10, lie strictly inside `(0, 1)` and depend on the seed and on the element's place
/// only: its row and its position along `dim`, rows counted in row-major order of the other axes.
///
/// # Shapes
///
/// - output: `shape`, for logits of that shape whose classes lie along `dim`
///
/// # Arguments
///
/// * `seed` - A number, or a [`Seed`] with a step of its own.
/// * `options` - Device, or device and dtype.
///
/// # Panics
///
/// If `dim` is out of range.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::distribution::gumbel_noise;
///
/// let noise: Tensor<2> = gumbel_noise([1000, 10], 1, 42, &Device::flex());
/// // The mean of a standard Gumbel is Euler's constant, its standard deviation 1.2825.
/// assert!((noise.mean().into_scalar::<f32>() - 0.577).abs() < 4.0 * 1.2825 / 100.0);
/// ```
///
/// # References
///
/// Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3".
#[track_caller]
pub fn gumbel_noise<const D: usize>(
    shape: [usize; D],
    dim: impl AsIndex,
    seed: impl Into<Seed>,
    options: impl Into<TensorCreationOptions>,
) -> Tensor<D> {
    let dim = check::dim::<D>("gumbel_noise", dim);
    noise::rows(shape, dim, 1, seed.into(), options.into())
}
