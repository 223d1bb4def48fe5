//! Rows of logits with Gumbel noise.

use burn_core::backend::{Backend, TensorMetadata, tensor::FloatTensor};
use burn_core::tensor::Shape;
use burn_relax_kernels::Seed;

use super::{
    float::Float,
    row::{Row, decided, row, stack},
};
use crate::parts::noise::noise_data;

/// What an operator makes of perturbed scores and the row of them.
pub(super) type Choice<B> = fn(Float<B>, Row<B>, usize) -> Float<B>;

/// The choice among logits with the noise of a seed, and the statistics; as in [`with_noise`].
pub(super) fn with_seed<B: Backend>(
    logits: FloatTensor<B>,
    dim: usize,
    temperature: f64,
    seed: Seed,
    how: (bool, Choice<B>),
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = logits.dtype();
    let logits = Float::<B>::load(logits);
    let noise = noise(&logits, logits.shape(), dim, 1, seed);
    let (choice, stats) = choose(&logits, noise, dim, temperature, how);
    (choice.store(dtype), stats)
}

/// The choice among logits with given noise, and the statistics; `how` says whether rows that hold a `+inf` are silent, and what
/// the choice is.
pub(super) fn with_noise<B: Backend>(
    logits: FloatTensor<B>,
    noise: FloatTensor<B>,
    dim: usize,
    temperature: f64,
    how: (bool, Choice<B>),
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = logits.dtype();
    let (logits, noise) = (Float::<B>::load(logits), Float::load(noise));
    let (choice, stats) = choose(&logits, noise, dim, temperature, how);
    (choice.store(dtype), stats)
}

fn choose<B: Backend>(
    logits: &Float<B>,
    noise: Float<B>,
    dim: usize,
    temperature: f64,
    (silent, choice): (bool, Choice<B>),
) -> (Float<B>, FloatTensor<B>) {
    let unperturbed = row(logits, dim, 1.0);
    let scores = perturbed(&unperturbed, noise, silent);
    let sampled = row(&scores, dim, temperature);
    let stats = perturbed_stats(&unperturbed, &sampled, dim);
    (choice(scores, sampled, dim), stats)
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
pub(super) fn perturbed<B: Backend>(row: &Row<B>, noise: Float<B>, silent: bool) -> Float<B> {
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
