//! The one-hot of the argmax with the gradient of a softmax.

use burn_core::backend::Backend;

use super::{
    float::Float,
    one_hot::one_hot,
    row::{row, weights_from_stats},
    softmax::softmax_backward,
};

/// See [`RelaxOps::straight_through_argmax`](crate::dispatch::RelaxOps::straight_through_argmax).
pub(super) fn straight_through_argmax<B: Backend>(
    logits: Float<B>,
    dim: usize,
    temperature: f64,
) -> (Float<B>, Float<B>) {
    let row = row(&logits, dim, temperature);
    (one_hot(logits, &row, dim), row.stats(dim))
}

/// The softmax's gradient;
/// see [`RelaxOps::straight_through_argmax_backward`](crate::dispatch::RelaxOps::straight_through_argmax_backward).
pub(super) fn straight_through_argmax_backward<B: Backend>(
    logits: Float<B>,
    stats: Float<B>,
    grad: Float<B>,
    dim: usize,
    temperature: f64,
) -> Float<B> {
    let (probs, _) = weights_from_stats(&logits, &stats, dim, temperature);
    softmax_backward(probs, stats, grad, dim, temperature)
}
