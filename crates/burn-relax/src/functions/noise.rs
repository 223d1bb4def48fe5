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
    let (data, axes) = noise_data(&shape, dim, draws, seed, dtype);
    let axes: [isize; D] = core::array::from_fn(|axis| axes[axis] as isize);
    Tensor::from_data(data, options).permute(axes)
}

/// Gumbel noise, in f64 or f32, with the elements of a row next to each other, and the order of axes that leads to `shape`.
pub(crate) fn noise_data(
    shape: &[usize],
    dim: usize,
    draws: usize,
    seed: Seed,
    dtype: DType,
) -> (TensorData, Vec<usize>) {
    let mut innermost = shape.to_vec();
    innermost[dim..].rotate_left(1);
    let count = shape.iter().product();
    let first = seed.element(0, draws * shape[dim]);
    let data = match dtype {
        DType::F64 => TensorData::new(draw::<f64>(seed, first, count), Shape::from(innermost)),
        _ => TensorData::new(draw::<f32>(seed, first, count), Shape::from(innermost)),
    };
    let mut axes: Vec<usize> = (0..shape.len()).collect();
    axes[dim..].rotate_right(1);
    (data, axes)
}

fn draw<F: Element>(seed: Seed, first: u64, count: usize) -> Vec<F> {
    let mut noise = Vec::with_capacity(count);
    gumbel(seed, first, &mut noise.spare_capacity_mut()[..count]);
    // SAFETY: `gumbel` writes every element of the slice it is given.
    unsafe { noise.set_len(count) };
    noise
}
