use burn_core::backend::{
    Backend, TensorMetadata, get_or_init_device_settings,
    tensor::{FloatTensor, IntTensor},
};
use burn_core::tensor::Shape;

use super::{
    choice::one_hot,
    float::Float,
    row::{Row, decided, normalise, row, stack, weights_from_stats},
};

/// See [`RelaxOps::soft_argmax_gather`](crate::RelaxOps::soft_argmax_gather).
pub fn soft_argmax_gather<B: Backend>(
    logits: FloatTensor<B>,
    values: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = values.dtype();
    let row = row(&Float::<B>::load(logits), dim, temperature);
    let soft = expected_value(&row, &Float::load(values), dim);
    (soft.store(dtype), stack(vec![row.max, row.sum], dim))
}

/// See [`RelaxOps::hard_argmax_gather`](crate::RelaxOps::hard_argmax_gather).
pub fn hard_argmax_gather<B: Backend>(
    logits: FloatTensor<B>,
    values: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let dtype = values.dtype();
    let row = row(&Float::<B>::load(logits.clone()), dim, temperature);
    let soft = expected_value(&row, &Float::load(values.clone()), dim);

    let hard = picked_value(logits, values, &row.sum, dim);
    (
        hard.store(dtype),
        soft.store(dtype),
        stack(vec![row.max, row.sum], dim),
    )
}

/// The value at the argmax; a row without any choice gives 0, a NaN in the normaliser reaches its row and no other.
fn picked_value<B: Backend>(
    logits: FloatTensor<B>,
    values: FloatTensor<B>,
    sum: &Float<B>,
    dim: usize,
) -> Float<B> {
    let mut picked = values.shape();
    picked[dim] = 1;
    let index = class_index::<B>(logits, picked.clone(), dim);
    let sum = sum.clone().append_dims(picked.num_dims());
    Float::load(B::float_gather(dim, values, index))
        .fill(&sum.equal_to(0.0).expand(picked.clone()), 0.0)
        .fill(&sum.is_nan().expand(picked), f64::NAN)
}

/// The argmax, repeated over the feature dimensions of `picked`.
fn class_index<B: Backend>(logits: FloatTensor<B>, picked: Shape, dim: usize) -> IntTensor<B> {
    let mut dims = logits.shape().to_vec();
    dims[dim] = 1;
    dims.resize(picked.num_dims(), 1);
    let index = B::int_reshape(first_argmax::<B>(logits, dim), Shape::from(dims));
    B::int_expand(index, picked)
}

/// See [`RelaxOps::argmax_gather`](crate::RelaxOps::argmax_gather).
pub fn argmax_gather<B: Backend>(
    logits: FloatTensor<B>,
    values: FloatTensor<B>,
    dim: usize,
) -> FloatTensor<B> {
    let dtype = values.dtype();
    let row = row(&Float::<B>::load(logits.clone()), dim, 1.0);
    picked_value(logits, values, &row.sum, dim).store(dtype)
}

/// The upstream gradient at the argmax; see [`RelaxOps::argmax_gather_backward`](crate::RelaxOps::argmax_gather_backward).
pub fn argmax_gather_backward<B: Backend>(
    logits: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
) -> FloatTensor<B> {
    let dtype = grad.dtype();
    let row = row(&Float::<B>::load(logits.clone()), dim, 1.0);
    let rank = grad.shape().num_dims();
    let hot = one_hot::<B>(logits, &row, dim).append_dims(rank);
    // A gradient of 0 at the others, whatever the upstream one is.
    let losers = hot.equal_to(0.0);
    let mut values = grad.shape();
    values[dim] = hot.shape()[dim];
    let grad = Float::<B>::load(grad).expand(values.clone());
    hot.mul(&grad)
        .fill(&losers.expand(values), 0.0)
        .store(dtype)
}

/// `Σ w V` over `dim`; values of forbidden entries do not matter, whatever they are.
fn expected_value<B: Backend>(row: &Row<B>, values: &Float<B>, dim: usize) -> Float<B> {
    let rank = values.shape().num_dims();
    let weights = normalise(row.exp.clone(), &row.sum).append_dims(rank);
    let forbidden = row.forbidden.clone().append_dims(rank);
    let values = values.clone().fill(&forbidden.expand(values.shape()), 0.0);
    weights.mul(&values).sum_dim(dim)
}

/// Gradients `w (<V, g> - <soft, g>) / T` and `w g`;
/// see [`RelaxOps::soft_argmax_gather_backward`](crate::RelaxOps::soft_argmax_gather_backward).
#[allow(clippy::too_many_arguments)]
pub fn soft_argmax_gather_backward<B: Backend>(
    logits: FloatTensor<B>,
    values: FloatTensor<B>,
    stats: FloatTensor<B>,
    soft: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (logits_dtype, values_dtype) = (logits.dtype(), values.dtype());
    let (logits, values) = (Float::<B>::load(logits), Float::<B>::load(values));
    let (soft, grad) = (Float::load(soft), Float::<B>::load(grad));
    let stats = Float::<B>(stats);
    let (rank, row_rank) = (values.shape().num_dims(), logits.shape().num_dims());

    let (weights, forbidden) = weights_from_stats(&logits, &stats, dim, temperature);
    let spread = forbidden.clone().append_dims(rank).expand(values.shape());
    let values = values.fill(&spread, 0.0);
    // The saved output is rounded, and a winner's gradient is small beside that. Around it, the mean of what is left is exact.
    let advantage = values.sub(&soft).mul(&grad).sum_trailing(row_rank);
    let rounding = weights.clone().mul(&advantage).sum_dim(dim);
    let advantage = advantage.sub(&rounding);
    let grad_logits = weights
        .clone()
        .mul(&advantage)
        .div_scalar(temperature)
        .fill(&forbidden, 0.0)
        .fill(&decided(&stats.narrow(dim, 0)), 0.0);
    let grad_values = weights.append_dims(rank).mul(&grad).fill(&spread, 0.0);
    (
        grad_logits.store(logits_dtype),
        grad_values.store(values_dtype),
    )
}

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

/// See [`RelaxOps::soft_argmax`](crate::RelaxOps::soft_argmax).
pub fn soft_argmax<B: Backend>(
    logits: FloatTensor<B>,
    coordinates: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let coordinates = coordinates_like::<B>(coordinates, logits.shape(), dim);
    soft_argmax_gather::<B>(logits, coordinates, dim, temperature)
}

/// See [`RelaxOps::soft_argmax_backward`](crate::RelaxOps::soft_argmax_backward).
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

/// See [`RelaxOps::first_argmax`](crate::RelaxOps::first_argmax).
pub fn first_argmax<B: Backend>(logits: FloatTensor<B>, dim: usize) -> IntTensor<B> {
    let device = logits.device();
    let dtype = get_or_init_device_settings::<B>(&device).int_dtype;
    let shape = logits.shape();
    let classes = shape[dim];
    let logits = Float::<B>(logits);
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
