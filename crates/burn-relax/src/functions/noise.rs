use burn_core::tensor::{AsIndex, DType, Shape, Tensor, TensorCreationOptions, TensorData};
use burn_relax_kernels::{Element, gumbel};

use crate::{Seed, check};

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
/// use burn_relax::gumbel_noise;
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
    rows(shape, dim, 1, seed.into(), options.into())
}

/// Noise for logits of `shape`, of which `draws` rows belong together: generated with the classes innermost, then moved to `dim`.
pub(super) fn rows<const D: usize>(
    shape: [usize; D],
    dim: usize,
    draws: usize,
    seed: Seed,
    options: TensorCreationOptions,
) -> Tensor<D> {
    let dtype = options.dtype.unwrap_or(DType::F32);
    let data = noise_data(&shape, dim, draws, seed, dtype);
    classes_back(Tensor::from_data(data, options), dim)
}

/// The axis `dim` behind the others, which keep their order.
///
/// By exchanges: burn-fusion 0.22.1 describes a permutation of floats as one of integers, which ends a remote session.
pub(super) fn classes_last<const D: usize>(tensor: Tensor<D>, dim: usize) -> Tensor<D> {
    (dim..D - 1).fold(tensor, |tensor, axis| tensor.swap_dims(axis, axis + 1))
}

/// The last axis back at `dim`.
pub(super) fn classes_back<const D: usize>(tensor: Tensor<D>, dim: usize) -> Tensor<D> {
    let swap = |tensor: Tensor<D>, axis| tensor.swap_dims(axis, axis + 1);
    (dim..D - 1).rev().fold(tensor, swap)
}

/// Gumbel noise for logits of `shape`, in f64 or f32, with the elements of a row next to each other: `dim` is the last axis.
pub(crate) fn noise_data(
    shape: &[usize],
    dim: usize,
    draws: usize,
    seed: Seed,
    dtype: DType,
) -> TensorData {
    let mut innermost = shape.to_vec();
    innermost[dim..].rotate_left(1);
    let count = shape.iter().product();
    let first = seed.element(0, draws * shape[dim]);
    match dtype {
        DType::F64 => TensorData::new(draw::<f64>(seed, first, count), Shape::from(innermost)),
        _ => TensorData::new(draw::<f32>(seed, first, count), Shape::from(innermost)),
    }
}

fn draw<F: Element>(seed: Seed, first: u64, count: usize) -> Vec<F> {
    let mut noise = Vec::with_capacity(count);
    gumbel(seed, first, &mut noise.spare_capacity_mut()[..count]);
    // SAFETY: `gumbel` writes every element of the slice it is given.
    unsafe { noise.set_len(count) };
    noise
}
