//! One-hot choices, straight through and with Gumbel noise.

use burn_core::backend::{
    Backend, TensorMetadata, get_or_init_device_settings,
    tensor::{FloatTensor, IntTensor},
};
use burn_core::tensor::Shape;

use super::{
    float::{Float, Mask},
    gather::first_argmax,
    row::{Row, decided, normalise, row, stack, weights_from_stats},
};
use crate::{Seed, functions::noise_data};

/// The one-hot of the argmax of `scores` in rows of logits: 0 where nothing can be chosen, NaN in a row with NaN.
pub(super) fn one_hot<B: Backend>(scores: FloatTensor<B>, row: &Row<B>, dim: usize) -> Float<B> {
    let shape = row.exp.shape();
    let chosen = is_class::<B>(first_argmax::<B>(scores, dim), shape.clone(), dim);
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

/// See [`RelaxOps::straight_through_argmax`](crate::RelaxOps::straight_through_argmax).
pub fn straight_through_argmax<B: Backend>(
    logits: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = logits.dtype();
    let row = row(&Float::<B>::load(logits.clone()), dim, temperature);
    let hard = one_hot::<B>(logits, &row, dim);
    (hard.store(dtype), stack(vec![row.max, row.sum], dim))
}

/// `p (g - <p, g>) / T`;
/// see [`RelaxOps::straight_through_argmax_backward`](crate::RelaxOps::straight_through_argmax_backward).
pub fn straight_through_argmax_backward<B: Backend>(
    logits: FloatTensor<B>,
    stats: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> FloatTensor<B> {
    let dtype = logits.dtype();
    soft_gradient::<B>(&Float::load(logits), stats, grad, dim, temperature).store(dtype)
}

fn soft_gradient<B: Backend>(
    logits: &Float<B>,
    stats: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> Float<B> {
    let stats = Float::<B>(stats);
    let (probs, _) = weights_from_stats(logits, &stats, dim, temperature);
    let grad = Float::<B>::load(grad).fill(&probs.equal_to(0.0), 0.0);
    let mean = probs.clone().mul(&grad).sum_dim(dim);
    probs
        .mul(&grad.sub(&mean))
        .div_scalar(temperature)
        .fill(&decided(&stats.narrow(dim, 0)), 0.0)
}

/// The Gumbel noise of `seed` beside `logits`, numbered along `dim` first, `draws` rows for each of the logits.
pub(super) fn noise<B: Backend>(
    logits: &Float<B>,
    shape: Shape,
    dim: usize,
    draws: usize,
    seed: Seed,
) -> Float<B> {
    let data = noise_data(&shape, dim, draws, seed, logits.0.dtype());
    let noise = B::float_from_data(data, &logits.0.device());
    Float(noise).classes_back(dim)
}

/// `(x - max) + noise` with forbidden entries `-inf`; rows that hold a `+inf` get none where the noise is `silent` there.
fn perturbed<B: Backend>(row: &Row<B>, noise: Float<B>, silent: bool) -> Float<B> {
    let shape = row.gaps.shape();
    let noise = if silent {
        noise.fill(&decided(&row.max).expand(shape), 0.0)
    } else {
        noise
    };
    row.gaps
        .clone()
        .add(&noise)
        .fill(&row.forbidden, f64::NEG_INFINITY)
}

/// The statistics of perturbed rows, which keep the mark of a `+inf`.
fn perturbed_stats<B: Backend>(row: &Row<B>, perturbed: &Row<B>, dim: usize) -> FloatTensor<B> {
    let (_, largest) = row.max.limits();
    let max = perturbed.max.clone().fill(&decided(&row.max), largest);
    stack(vec![max, perturbed.sum.clone()], dim)
}

/// See [`RelaxOps::gumbel_softmax`](crate::RelaxOps::gumbel_softmax).
pub fn gumbel_softmax<B: Backend>(
    logits: FloatTensor<B>,
    dim: usize,
    temperature: f64,
    seed: Seed,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = logits.dtype();
    let logits = Float::<B>::load(logits);
    let noise = noise(&logits, logits.shape(), dim, 1, seed);
    let (probs, stats) = soft(logits, noise, dim, temperature);
    (probs.store(dtype), stats)
}

/// See [`RelaxOps::gumbel_softmax_with_noise`](crate::RelaxOps::gumbel_softmax_with_noise).
pub fn gumbel_softmax_with_noise<B: Backend>(
    logits: FloatTensor<B>,
    noise: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = logits.dtype();
    let (probs, stats) = soft::<B>(Float::load(logits), Float::load(noise), dim, temperature);
    (probs.store(dtype), stats)
}

fn soft<B: Backend>(
    logits: Float<B>,
    noise: Float<B>,
    dim: usize,
    temperature: f64,
) -> (Float<B>, FloatTensor<B>) {
    let unperturbed = row(&logits, dim, 1.0);
    let scores = perturbed(&unperturbed, noise, true);
    let sampled = row(&scores, dim, temperature);
    let stats = perturbed_stats(&unperturbed, &sampled, dim);
    (normalise(sampled.exp, &sampled.sum), stats)
}

/// See [`RelaxOps::gumbel_argmax`](crate::RelaxOps::gumbel_argmax).
pub fn gumbel_argmax<B: Backend>(
    logits: FloatTensor<B>,
    dim: usize,
    temperature: f64,
    seed: Seed,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = logits.dtype();
    let logits = Float::<B>::load(logits);
    let noise = noise(&logits, logits.shape(), dim, 1, seed);
    let (hard, stats) = hard(logits, noise, dim, temperature);
    (hard.store(dtype), stats)
}

/// See [`RelaxOps::gumbel_argmax_with_noise`](crate::RelaxOps::gumbel_argmax_with_noise).
pub fn gumbel_argmax_with_noise<B: Backend>(
    logits: FloatTensor<B>,
    noise: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = logits.dtype();
    let (hard, stats) = hard::<B>(Float::load(logits), Float::load(noise), dim, temperature);
    (hard.store(dtype), stats)
}

fn hard<B: Backend>(
    logits: Float<B>,
    noise: Float<B>,
    dim: usize,
    temperature: f64,
) -> (Float<B>, FloatTensor<B>) {
    let unperturbed = row(&logits, dim, 1.0);
    let scores = perturbed(&unperturbed, noise, false);
    let sampled = row(&scores, dim, temperature);
    let stats = perturbed_stats(&unperturbed, &sampled, dim);
    (one_hot::<B>(scores.0, &sampled, dim), stats)
}

/// See [`RelaxOps::gumbel_argmax_backward`](crate::RelaxOps::gumbel_argmax_backward).
pub fn gumbel_argmax_backward<B: Backend>(
    logits: FloatTensor<B>,
    stats: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    temperature: f64,
    seed: Seed,
) -> FloatTensor<B> {
    let dtype = logits.dtype();
    let logits = Float::<B>::load(logits);
    let noise = noise(&logits, logits.shape(), dim, 1, seed);
    hard_gradient(logits, noise, stats, grad, dim, temperature).store(dtype)
}

/// See [`RelaxOps::gumbel_argmax_with_noise_backward`](crate::RelaxOps::gumbel_argmax_with_noise_backward).
pub fn gumbel_argmax_with_noise_backward<B: Backend>(
    logits: FloatTensor<B>,
    noise: FloatTensor<B>,
    stats: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> FloatTensor<B> {
    let dtype = logits.dtype();
    let (logits, noise) = (Float::<B>::load(logits), Float::load(noise));
    hard_gradient(logits, noise, stats, grad, dim, temperature).store(dtype)
}

fn hard_gradient<B: Backend>(
    logits: Float<B>,
    noise: Float<B>,
    stats: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> Float<B> {
    let scores = perturbed(&row(&logits, dim, 1.0), noise, false);
    soft_gradient(&scores, stats, grad, dim, temperature)
}
