//! Categorical samples and log-probabilities.

use burn_core::backend::{
    Backend, TensorMetadata, get_or_init_device_settings,
    tensor::{FloatTensor, IntTensor},
};
use burn_core::tensor::{IndexingUpdateOp, Shape};

use super::{
    choice::noise,
    float::Float,
    gather::first_argmax,
    row::{decided, row, stack, weights_from_stats},
    softmax::log_probs,
};
use crate::Seed;

/// See [`RelaxOps::sample_categorical`](crate::RelaxOps::sample_categorical).
pub fn sample_categorical<B: Backend>(
    logits: FloatTensor<B>,
    dim: usize,
    samples: usize,
    temperature: f64,
    seed: Seed,
) -> (IntTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let dtype = logits.dtype();
    let logits = Float::<B>::load(logits);
    let row = row(&logits, dim, temperature);
    let gaps = row.gaps.clone().fill(&row.forbidden, f64::NEG_INFINITY);
    let indices = draw(gaps, dim, samples, seed);
    let log_probs = B::float_gather(dim, log_probs(&row).0, indices.clone());
    (
        indices,
        Float::<B>(log_probs).store(dtype),
        stack(vec![row.max, row.sum], dim),
    )
}

/// The argmax of `gaps` with fresh noise, `samples` times for each row.
fn draw<B: Backend>(gaps: Float<B>, dim: usize, samples: usize, seed: Seed) -> IntTensor<B> {
    let shape = gaps.shape();
    let rank = shape.num_dims();
    let mut drawn = shape.to_vec();
    drawn[dim] = samples;
    if shape.num_elements() == 0 {
        let device = gaps.0.device();
        let dtype = get_or_init_device_settings::<B>(&device).int_dtype;
        return B::int_zeros(Shape::from(drawn), &device, dtype);
    }
    let (rows, classes) = (shape.num_elements() / shape[dim], shape[dim]);
    let gaps = gaps
        .classes_last(dim)
        .reshape(Shape::new([rows, 1, classes]));

    let draws = Shape::new([rows, samples, classes]);
    let noise = noise(&gaps, draws, 2, samples, seed);
    let forbidden = gaps.lower(gaps.limits().0).expand(noise.shape());
    let scores = noise.add(&gaps).fill(&forbidden, f64::NEG_INFINITY);
    let indices = first_argmax::<B>(scores.0, 2);

    drawn[dim..].rotate_left(1);
    let mut back: Vec<usize> = (0..rank).collect();
    back[dim..].rotate_right(1);
    B::int_permute(B::int_reshape(indices, Shape::from(drawn)), &back)
}

/// See [`RelaxOps::categorical_log_prob`](crate::RelaxOps::categorical_log_prob).
pub fn categorical_log_prob<B: Backend>(
    logits: FloatTensor<B>,
    indices: IntTensor<B>,
    dim: usize,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = logits.dtype();
    let row = row(&Float::<B>::load(logits), dim, 1.0);
    let log_prob = B::float_gather(dim, log_probs(&row).0, indices);
    (
        Float::<B>(log_prob).store(dtype),
        stack(vec![row.max, row.sum], dim),
    )
}

/// `Σ_s g_s (1[i = k_s] - p_i) / T` over the samples of allowed classes;
/// see [`RelaxOps::categorical_log_prob_backward`](crate::RelaxOps::categorical_log_prob_backward).
pub fn categorical_log_prob_backward<B: Backend>(
    logits: FloatTensor<B>,
    indices: IntTensor<B>,
    stats: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    temperature: f64,
) -> FloatTensor<B> {
    let dtype = logits.dtype();
    let logits = Float::<B>::load(logits);
    let stats = Float::<B>(stats);
    let (probs, _) = weights_from_stats(&logits, &stats, dim, temperature);
    // Samples of forbidden classes have nothing to say.
    let drawn = Float::<B>(B::float_gather(dim, logits.0, indices.clone()));
    let grad = Float::load(grad).fill(&drawn.lower(drawn.limits().0), 0.0);
    let total = grad.clone().sum_dim(dim);
    let unchosen = probs.equal_to(0.0);
    let others = probs.mul(&total).neg().fill(&unchosen, 0.0);
    let all = B::float_scatter(dim, others.0, indices, grad.0, IndexingUpdateOp::Add);
    Float::<B>(all)
        .div_scalar(temperature)
        .fill(&decided(&stats.narrow(dim, 0)), 0.0)
        .store(dtype)
}
