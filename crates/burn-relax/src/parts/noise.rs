//! Gumbel noise beside logits, and the order of axes that it is made in.

use burn_core::tensor::{DType, Shape, Tensor, TensorCreationOptions, TensorData};
use burn_relax_kernels::{Element, gumbel};

use burn_relax_kernels::Seed;

/// Noise for logits of `shape`, of which `draws` rows belong together: generated with the classes innermost, then moved to `dim`.
pub(crate) fn rows<const D: usize>(
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
pub(crate) fn classes_last<const D: usize>(tensor: Tensor<D>, dim: usize) -> Tensor<D> {
    (dim..D - 1).fold(tensor, |tensor, axis| tensor.swap_dims(axis, axis + 1))
}

/// The last axis back at `dim`.
pub(crate) fn classes_back<const D: usize>(tensor: Tensor<D>, dim: usize) -> Tensor<D> {
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
