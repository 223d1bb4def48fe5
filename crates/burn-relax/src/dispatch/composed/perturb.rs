//! Rows of logits with Gumbel noise.

use burn_core::backend::{Backend, TensorMetadata};
use burn_core::tensor::Shape;
use burn_relax_kernels::Seed;

use super::{
    float::Float,
    row::{Row, decided, row},
};
use crate::parts::noise::noise_data;

/// Logits with noise, what a softmax of them needs, and their statistics, which keep the mark of a `+inf`.
pub(super) struct Perturbed<B: Backend> {
    pub(super) scores: Float<B>,
    pub(super) sampled: Row<B>,
    pub(super) stats: Float<B>,
}

impl<B: Backend> Perturbed<B> {
    pub(super) fn new(logits: &Float<B>, noise: Float<B>, dim: usize, temperature: f64) -> Self {
        Self::of(&row(logits, dim, 1.0), noise, dim, temperature)
    }

    /// Without noise in rows that hold a `+inf`.
    pub(super) fn silent(logits: &Float<B>, noise: Float<B>, dim: usize, temperature: f64) -> Self {
        let row = row(logits, dim, 1.0);
        let noise = noise.fill(&decided(&row.max).expand(logits.shape()), 0.0);
        Self::of(&row, noise, dim, temperature)
    }

    fn of(unperturbed: &Row<B>, noise: Float<B>, dim: usize, temperature: f64) -> Self {
        let scores = perturbed(unperturbed, noise);
        let sampled = row(&scores, dim, temperature);
        let (_, largest) = unperturbed.max.limits();
        let max = (sampled.max.clone()).fill(&decided(&unperturbed.max), largest);
        let stats = Float::cat(vec![max, sampled.sum.clone()], dim);
        Self {
            scores,
            sampled,
            stats,
        }
    }
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

/// `(x - max) + noise` with forbidden entries `-inf`.
pub(super) fn perturbed<B: Backend>(row: &Row<B>, noise: Float<B>) -> Float<B> {
    row.gaps
        .clone()
        .add(&noise)
        .fill(&row.forbidden, f64::NEG_INFINITY)
}
