//! The expected coordinate.

use burn_core::backend::Backend;
use burn_core::tensor::Shape;

use super::{
    float::Float,
    row::weights_from_stats,
    soft_argmax_gather::{soft_argmax_gather, soft_argmax_gather_backward},
};

/// `coordinates` laid along `dim` and repeated over the rows.
fn coordinates_like<B: Backend>(coordinates: Float<B>, shape: Shape, dim: usize) -> Float<B> {
    let mut dims = vec![1; shape.num_dims()];
    dims[dim] = shape[dim];
    coordinates.reshape(Shape::from(dims)).expand(shape)
}

/// See [`RelaxOps::soft_argmax`](crate::dispatch::RelaxOps::soft_argmax).
pub(super) fn soft_argmax<B: Backend>(
    logits: Float<B>,
    coordinates: Float<B>,
    dim: usize,
    temperature: f64,
) -> (Float<B>, Float<B>) {
    let coordinates = coordinates_like(coordinates, logits.shape(), dim);
    soft_argmax_gather(logits, coordinates, dim, temperature)
}

/// See [`RelaxOps::soft_argmax_backward`](crate::dispatch::RelaxOps::soft_argmax_backward).
pub(super) fn soft_argmax_backward<B: Backend>(
    logits: Float<B>,
    coordinates: Float<B>,
    stats: Float<B>,
    output: Float<B>,
    grad: Float<B>,
    dim: usize,
    temperature: f64,
) -> Float<B> {
    let coordinates = coordinates_like(coordinates, logits.shape(), dim);
    soft_argmax_gather_backward(logits, coordinates, stats, output, grad, dim, temperature).0
}

/// `Σ w g` over the rows;
/// see [`RelaxOps::soft_argmax_backward_coordinates`](crate::dispatch::RelaxOps::soft_argmax_backward_coordinates).
pub(super) fn soft_argmax_backward_coordinates<B: Backend>(
    logits: Float<B>,
    stats: Float<B>,
    grad: Float<B>,
    dim: usize,
    temperature: f64,
) -> Float<B> {
    let (weights, forbidden) = weights_from_stats(&logits, &stats, dim, temperature);
    let mut grad = weights.mul(&grad).fill(&forbidden, 0.0);
    for other in (0..grad.shape().num_dims()).filter(|&d| d != dim) {
        grad = grad.sum_dim(other);
    }
    let classes = grad.shape()[dim];
    grad.reshape(Shape::new([classes]))
}
