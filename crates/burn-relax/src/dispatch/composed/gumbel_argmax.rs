//! The one-hot of the argmax of logits with Gumbel noise.

use burn_core::backend::Backend;
use burn_relax_kernels::Seed;

use super::{
    float::Float,
    one_hot::one_hot,
    perturb::{Perturbed, noise, perturbed},
    row::row,
    straight_through_argmax::straight_through_argmax_backward,
};

/// See [`RelaxOps::gumbel_argmax`](crate::dispatch::RelaxOps::gumbel_argmax).
pub(super) fn gumbel_argmax<B: Backend>(
    logits: Float<B>,
    dim: usize,
    temperature: f64,
    seed: Seed,
) -> (Float<B>, Float<B>) {
    let noise = noise(&logits, logits.shape(), dim, 1, seed);
    gumbel_argmax_with_noise(logits, noise, dim, temperature)
}

/// See [`RelaxOps::gumbel_argmax_with_noise`](crate::dispatch::RelaxOps::gumbel_argmax_with_noise).
pub(super) fn gumbel_argmax_with_noise<B: Backend>(
    logits: Float<B>,
    noise: Float<B>,
    dim: usize,
    temperature: f64,
) -> (Float<B>, Float<B>) {
    let row = Perturbed::new(&logits, noise, dim, temperature);
    (one_hot(row.scores, &row.sampled, dim), row.stats)
}

/// See [`RelaxOps::gumbel_argmax_backward`](crate::dispatch::RelaxOps::gumbel_argmax_backward).
pub(super) fn gumbel_argmax_backward<B: Backend>(
    logits: Float<B>,
    stats: Float<B>,
    grad: Float<B>,
    dim: usize,
    temperature: f64,
    seed: Seed,
) -> Float<B> {
    let noise = noise(&logits, logits.shape(), dim, 1, seed);
    gumbel_argmax_with_noise_backward(logits, noise, stats, grad, dim, temperature)
}

/// See [`RelaxOps::gumbel_argmax_with_noise_backward`](crate::dispatch::RelaxOps::gumbel_argmax_with_noise_backward).
pub(super) fn gumbel_argmax_with_noise_backward<B: Backend>(
    logits: Float<B>,
    noise: Float<B>,
    stats: Float<B>,
    grad: Float<B>,
    dim: usize,
    temperature: f64,
) -> Float<B> {
    let scores = perturbed(&row(&logits, dim, 1.0), noise);
    straight_through_argmax_backward(scores, stats, grad, dim, temperature)
}
