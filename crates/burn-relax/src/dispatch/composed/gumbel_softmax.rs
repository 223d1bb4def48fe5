//! The softmax of logits with Gumbel noise.

use burn_core::backend::Backend;
use burn_relax_kernels::Seed;

use super::{
    float::Float,
    perturb::{Perturbed, noise},
    row::normalise,
};

/// See [`RelaxOps::gumbel_softmax`](crate::dispatch::RelaxOps::gumbel_softmax).
pub(super) fn gumbel_softmax<B: Backend>(
    logits: Float<B>,
    dim: usize,
    temperature: f64,
    seed: Seed,
) -> (Float<B>, Float<B>) {
    let noise = noise(&logits, logits.shape(), dim, 1, seed);
    gumbel_softmax_with_noise(logits, noise, dim, temperature)
}

/// See [`RelaxOps::gumbel_softmax_with_noise`](crate::dispatch::RelaxOps::gumbel_softmax_with_noise).
pub(super) fn gumbel_softmax_with_noise<B: Backend>(
    logits: Float<B>,
    noise: Float<B>,
    dim: usize,
    temperature: f64,
) -> (Float<B>, Float<B>) {
    let Perturbed { sampled, stats, .. } = Perturbed::silent(&logits, noise, dim, temperature);
    (normalise(sampled.exp, &sampled.sum), stats)
}
