//! The one-hot of the argmax of logits with Gumbel noise.

use burn_core::backend::{Backend, TensorMetadata, tensor::FloatTensor};
use burn_relax_kernels::Seed;

use super::{
    float::Float,
    one_hot::one_hot,
    perturb::{noise, perturbed, with_noise, with_seed},
    row::{Row, row},
    straight_through_argmax::soft_gradient,
};

/// See [`RelaxOps::gumbel_argmax`](crate::dispatch::RelaxOps::gumbel_argmax).
pub fn gumbel_argmax<B: Backend>(
    logits: FloatTensor<B>,
    dim: usize,
    temperature: f64,
    seed: Seed,
) -> (FloatTensor<B>, FloatTensor<B>) {
    with_seed::<B>(logits, dim, temperature, seed, (false, hard))
}

/// See [`RelaxOps::gumbel_argmax_with_noise`](crate::dispatch::RelaxOps::gumbel_argmax_with_noise).
pub fn gumbel_argmax_with_noise<B: Backend>(
    logits: FloatTensor<B>,
    noise: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    with_noise::<B>(logits, noise, dim, temperature, (false, hard))
}

fn hard<B: Backend>(scores: Float<B>, sampled: Row<B>, dim: usize) -> Float<B> {
    one_hot::<B>(scores.0, &sampled, dim)
}

/// See [`RelaxOps::gumbel_argmax_backward`](crate::dispatch::RelaxOps::gumbel_argmax_backward).
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

/// See [`RelaxOps::gumbel_argmax_with_noise_backward`](crate::dispatch::RelaxOps::gumbel_argmax_with_noise_backward).
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
