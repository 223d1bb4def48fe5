//! Classes drawn from the softmax.

use burn_core::backend::{Backend, TensorMetadata, tensor::IntTensor};
use burn_core::tensor::Shape;
use burn_relax_kernels::Seed;

use super::{argmax::argmax, float::Float, log_softmax::log_probs, perturb::noise, row::row};
use crate::dispatch::kinds::index_dtype;

/// See [`RelaxOps::sample_categorical`](crate::dispatch::RelaxOps::sample_categorical).
pub(super) fn sample_categorical<B: Backend>(
    logits: Float<B>,
    dim: usize,
    samples: usize,
    temperature: f64,
    seed: Seed,
) -> (IntTensor<B>, Float<B>, Float<B>) {
    let row = row(&logits, dim, temperature);
    let gaps = row.gaps.clone().fill(&row.forbidden, f64::NEG_INFINITY);
    let indices = draw(gaps, dim, samples, seed);
    // A row with NaN has no probabilities: it shows the first NaN.
    let mut shape = logits.shape();
    shape[dim] = samples;
    let unknown = row.sum.is_nan().expand(shape.clone());
    let first = B::int_expand(argmax(logits, dim), shape);
    let indices = B::int_mask_where(indices, unknown.primitive(), first);
    let log_prob = log_probs(&row).gather(dim, indices.clone());
    (indices, log_prob, row.stats(dim))
}

/// The argmax of `gaps` with fresh noise, `samples` times for each row.
fn draw<B: Backend>(gaps: Float<B>, dim: usize, samples: usize, seed: Seed) -> IntTensor<B> {
    let shape = gaps.shape();
    let rank = shape.num_dims();
    let mut drawn = shape.to_vec();
    drawn[dim] = samples;
    if shape.num_elements() == 0 {
        let device = gaps.0.device();
        let dtype = index_dtype::<B>(&device);
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
    let indices = argmax(scores, 2);

    drawn[dim..].rotate_left(1);
    let mut back: Vec<usize> = (0..rank).collect();
    back[dim..].rotate_right(1);
    B::int_permute(B::int_reshape(indices, Shape::from(drawn)), &back)
}
