//! The expected coordinate.

use burn_core::backend::{Backend, TensorMetadata, tensor::FloatTensor};
use burn_core::tensor::Shape;

use super::{
    float::Float,
    row::weights_from_stats,
    soft_argmax_gather::{soft_argmax_gather, soft_argmax_gather_backward},
};

/// `coordinates` laid along `dim` and repeated over the rows.
fn coordinates_like<B: Backend>(
    coordinates: FloatTensor<B>,
    shape: Shape,
    dim: usize,
) -> FloatTensor<B> {
    let mut dims = vec![1; shape.num_dims()];
    dims[dim] = shape[dim];
    Float::<B>(coordinates)
        .reshape(Shape::from(dims))
        .expand(shape)
        .0
}

/// See [`RelaxOps::soft_argmax`](crate::dispatch::RelaxOps::soft_argmax).
pub fn soft_argmax<B: Backend>(
    logits: FloatTensor<B>,
    coordinates: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let coordinates = coordinates_like::<B>(coordinates, logits.shape(), dim);
    soft_argmax_gather::<B>(logits, coordinates, dim, temperature)
}

/// See [`RelaxOps::soft_argmax_backward`](crate::dispatch::RelaxOps::soft_argmax_backward).
#[allow(clippy::too_many_arguments)]
pub fn soft_argmax_backward<B: Backend>(
    logits: FloatTensor<B>,
    coordinates: FloatTensor<B>,
    stats: FloatTensor<B>,
    output: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> FloatTensor<B> {
    let coordinates = coordinates_like::<B>(coordinates, logits.shape(), dim);
    soft_argmax_gather_backward::<B>(logits, coordinates, stats, output, grad, dim, temperature).0
}

/// Gradient of [`soft_argmax`] with respect to the coordinates: `Σ w g` over the rows.
pub fn soft_argmax_backward_coordinates<B: Backend>(
    logits: FloatTensor<B>,
    stats: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> FloatTensor<B> {
    let dtype = logits.dtype();
    let logits = Float::<B>::load(logits);
    let (weights, forbidden) = weights_from_stats(&logits, &Float(stats), dim, temperature);
    let mut grad = weights.mul(&Float::load(grad)).fill(&forbidden, 0.0);
    for other in (0..grad.shape().num_dims()).filter(|&d| d != dim) {
        grad = grad.sum_dim(other);
    }
    let classes = grad.shape()[dim];
    grad.reshape(Shape::new([classes])).store(dtype)
}
