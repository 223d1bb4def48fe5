//! Row statistics and weights, the shared first half of every softmax-based operator.

use burn_core::backend::Backend;

use super::float::{Float, Mask};

/// What the softmax of a row needs: unnormalised weights, row maximum (finite) and normaliser.
pub(super) struct Row<B: Backend> {
    /// `exp((x - max) / T)`, 0 at forbidden entries.
    pub(super) exp: Float<B>,
    /// `(x - max) / T`, 0 at forbidden and infinite entries.
    pub(super) gaps: Float<B>,
    pub(super) max: Float<B>,
    pub(super) sum: Float<B>,
    pub(super) forbidden: Mask<B>,
}

impl<B: Backend> Row<B> {
    /// The statistics tensor: maximum and normaliser next to each other along `dim`.
    pub(super) fn stats(&self, dim: usize) -> Float<B> {
        Float::cat(vec![self.max.clone(), self.sum.clone()], dim)
    }
}

/// Statistics of `logits`, which are in the computation dtype.
pub(super) fn row<B: Backend>(logits: &Float<B>, dim: usize, temperature: f64) -> Row<B> {
    let (lowest, largest) = logits.limits();
    let top = logits.clone().max_dim(dim);
    let empty = top.lower(lowest);
    let decided = top.greater(largest);
    let max = top.fill(&empty, lowest).fill(&decided, largest);
    let (exp, gaps, forbidden) = weights(logits, &max, temperature);
    let sum = exp.clone().sum_dim(dim);
    Row {
        exp,
        gaps,
        max,
        sum,
        forbidden,
    }
}

/// Unnormalised weights of `logits` given the row maximum; also the gaps and the mask of entries without weight.
fn weights<B: Backend>(
    logits: &Float<B>,
    max: &Float<B>,
    temperature: f64,
) -> (Float<B>, Float<B>, Mask<B>) {
    let (lowest, largest) = logits.limits();
    let shape = logits.shape();
    let infinite = logits.greater(largest);
    let decided = decided(max).expand(shape.clone());
    let forbidden = logits
        .lower(lowest)
        .or(&decided.and(&infinite.clone().not()));
    let blocked = forbidden.clone().or(&infinite);
    let gaps = logits
        .clone()
        .sub(max)
        .fill(&blocked, 0.0)
        .div_scalar(temperature);
    let exp = gaps.clone().exp().fill(&forbidden, 0.0);
    (exp, gaps, forbidden)
}

/// Rows that hold a `+inf`: their weights are constant and their logits get no gradient.
pub(super) fn decided<B: Backend>(max: &Float<B>) -> Mask<B> {
    let (_, largest) = max.limits();
    max.equal_to(largest)
}

/// `parts / sum`, where a row without any weight stays 0.
pub(super) fn normalise<B: Backend>(exp: Float<B>, sum: &Float<B>) -> Float<B> {
    let empty = sum.equal_to(0.0);
    exp.div(&sum.clone().fill(&empty, 1.0))
}

/// Softmax weights and their mask of forbidden entries, recomputed from saved statistics.
pub(super) fn weights_from_stats<B: Backend>(
    logits: &Float<B>,
    stats: &Float<B>,
    dim: usize,
    temperature: f64,
) -> (Float<B>, Mask<B>) {
    let max = stats.narrow(dim, 0);
    let sum = stats.narrow(dim, 1);
    let (exp, _, forbidden) = weights(logits, &max, temperature);
    (normalise(exp, &sum), forbidden)
}
