//! The softmax of logits with Gumbel noise.

use burn_core::backend::{Backend, tensor::FloatTensor};
use burn_relax_kernels::Seed;

use super::{
    float::Float,
    perturb::{with_noise, with_seed},
    row::{Row, normalise},
};

/// See [`RelaxOps::gumbel_softmax`](crate::dispatch::RelaxOps::gumbel_softmax).
pub fn gumbel_softmax<B: Backend>(
    logits: FloatTensor<B>,
    dim: usize,
    temperature: f64,
    seed: Seed,
) -> (FloatTensor<B>, FloatTensor<B>) {
    with_seed::<B>(logits, dim, temperature, seed, (true, soft))
}

/// See [`RelaxOps::gumbel_softmax_with_noise`](crate::dispatch::RelaxOps::gumbel_softmax_with_noise).
pub fn gumbel_softmax_with_noise<B: Backend>(
    logits: FloatTensor<B>,
    noise: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    with_noise::<B>(logits, noise, dim, temperature, (true, soft))
}

fn soft<B: Backend>(_scores: Float<B>, sampled: Row<B>, _dim: usize) -> Float<B> {
    normalise(sampled.exp, &sampled.sum)
}
