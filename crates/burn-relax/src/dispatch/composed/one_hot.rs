//! The chosen class as a one-hot row.

use burn_core::backend::{Backend, TensorMetadata, get_or_init_device_settings, tensor::IntTensor};
use burn_core::tensor::Shape;

use super::{
    argmax::argmax,
    float::{Float, Mask},
    row::Row,
};

/// The one-hot of the argmax of `scores` in rows of logits: 0 where nothing can be chosen, NaN in a row with NaN.
pub(super) fn one_hot<B: Backend>(scores: Float<B>, row: &Row<B>, dim: usize) -> Float<B> {
    let shape = row.exp.shape();
    let chosen = is_class(argmax(scores, dim), shape.clone(), dim);
    chosen
        .float(&row.exp)
        .fill(&row.forbidden, 0.0)
        .fill(&row.sum.is_nan().expand(shape), f64::NAN)
}

/// Where the class of an entry is the index of its row.
fn is_class<B: Backend>(index: IntTensor<B>, shape: Shape, dim: usize) -> Mask<B> {
    let device = index.device();
    let mut along = vec![1; shape.num_dims()];
    along[dim] = shape[dim];
    let classes = B::int_arange(0..shape[dim] as i64, &device, index.dtype().into());
    let classes = B::int_reshape(classes, Shape::from(along));
    let dtype = get_or_init_device_settings::<B>(&device).bool_dtype;
    Mask::new(B::int_equal(
        B::int_expand(classes, shape.clone()),
        B::int_expand(index, shape),
        dtype,
    ))
}
