//! The first of the largest entries.

use burn_core::backend::{Backend, TensorMetadata, tensor::IntTensor};
use burn_core::tensor::Shape;

use super::float::Float;
use crate::dispatch::kinds::index_dtype;

/// See [`RelaxOps::argmax`](crate::dispatch::RelaxOps::argmax).
pub(super) fn argmax<B: Backend>(logits: Float<B>, dim: usize) -> IntTensor<B> {
    let device = logits.0.device();
    let dtype = index_dtype::<B>(&device);
    let shape = logits.shape();
    let classes = shape[dim];
    let logits = logits.clone().fill(&logits.is_nan(), f64::INFINITY);
    let beaten = logits.lower_than(&logits.clone().max_dim(dim));

    let mut along = vec![1; shape.num_dims()];
    along[dim] = classes;
    let index = B::int_arange(0..classes as i64, &device, dtype);
    let index = B::int_expand(B::int_reshape(index, Shape::from(along)), shape);
    let last = (classes - 1) as i64;
    let index = B::int_mask_fill(index, beaten.primitive(), last.into());
    B::int_min_dim(index, dim)
}
