//! The capped simplex without sorting: the threshold by halving a bracket, then exactly on its piece.

use burn_core::backend::Backend;

use super::{
    float::{Float, Mask},
    row::{decided, normalise, row},
};

/// Halvings that leave nothing between two numbers of a row.
const HALVINGS_F32: usize = 40;

/// As many for f64.
const HALVINGS_F64: usize = 80;

/// Exact steps on the piece that the halvings found; the second corrects the rounding of the first.
const STEPS: usize = 2;

/// `clip(z - t, 0, 1)`, 0 at forbidden entries.
fn clipped<B: Backend>(z: &Float<B>, t: &Float<B>, forbidden: &Mask<B>) -> Float<B> {
    let shifted = z.clone().sub(t);
    let (low, high) = (shifted.lower(0.0), shifted.greater(1.0));
    shifted
        .fill(&low, 0.0)
        .fill(&high, 1.0)
        .fill(forbidden, 0.0)
}

/// Where `0 < p < 1`.
fn free<B: Backend>(probs: &Float<B>) -> Mask<B> {
    probs.greater(0.0).and(&probs.lower(1.0))
}

/// See [`RelaxOps::budget`](crate::dispatch::RelaxOps::budget).
pub(super) fn budget<B: Backend>(
    logits: Float<B>,
    k: Float<B>,
    dim: usize,
) -> (Float<B>, Float<B>) {
    let halvings = if logits.limits().1 > f64::from(f32::MAX) {
        HALVINGS_F64
    } else {
        HALVINGS_F32
    };
    let row = row(&logits, dim, 1.0);
    let fixed = decided(&row.max);
    let allowed = row.forbidden.clone().not().float(&logits).sum_dim(dim);
    let smallest = row.gaps.clone().neg().max_dim(dim).neg();
    let mut low = smallest.add_scalar(-1.0);
    let mut high = low.clone().mul_scalar(0.0);
    for _ in 0..halvings {
        let middle = low.clone().add(&high).mul_scalar(0.5);
        let total = clipped(&row.gaps, &middle, &row.forbidden).sum_dim(dim);
        let below = total.lower_than(&k);
        high = high.replace(&below, &middle);
        low = middle.replace(&below, &low);
    }
    // The logits relative to a number near the threshold: those in question keep their digits, however large they are.
    let gaps = logits.sub(&low.clone().add(&row.max));
    let mut offset = low.mul_scalar(0.0);
    for _ in 0..STEPS {
        let probs = clipped(&gaps, &offset, &row.forbidden);
        let count = free(&probs).float(&probs).sum_dim(dim);
        let missing = probs.sum_dim(dim).sub(&k);
        let step = normalise(missing, &count).fill(&count.equal_to(0.0), 0.0);
        offset = offset.add(&step);
    }
    let probs = clipped(&gaps, &offset, &row.forbidden);

    // Rows whose budget is out of reach, or that hold +inf, do not depend on their logits.
    let ones = allowed.clone().mul_scalar(0.0).add_scalar(1.0);
    let share = normalise(k.clone().mul(&ones), &allowed);
    let share = share.clone().fill(&share.greater(1.0), 1.0);
    let full = k.clone().mul(&ones).lower_than(&allowed).not();
    let nothing = k.mul(&ones).greater(0.0).not();
    let constant = fixed.clone().or(&full);
    let shape = probs.shape();
    let share = share.expand(shape.clone()).fill(&row.forbidden, 0.0);
    let unknown = row.sum.is_nan();
    let probs = probs
        .replace(&constant.expand(shape.clone()), &share)
        .fill(&nothing.expand(shape.clone()), 0.0)
        .fill(&unknown.clone().expand(shape), f64::NAN);
    let count = free(&probs).float(&probs).sum_dim(dim).fill(&fixed, 0.0);
    let (max, count) = (
        row.max.fill(&unknown, f64::NAN),
        count.fill(&unknown, f64::NAN),
    );
    (probs, Float::cat(vec![max, count], dim))
}

/// `g - mean g` over the entries strictly between 0 and 1, and that mean; see
/// [`RelaxOps::budget_backward`](crate::dispatch::RelaxOps::budget_backward).
pub(super) fn budget_backward<B: Backend>(
    probs: Float<B>,
    stats: Float<B>,
    grad: Float<B>,
    dim: usize,
) -> (Float<B>, Float<B>) {
    let max = stats.narrow(dim, 0);
    let fixed = decided(&max);
    let unknown = max.is_nan();
    let held = free(&probs).not();
    let grad = grad.fill(&held, 0.0);
    let count = held.clone().not().float(&probs).sum_dim(dim);
    let mean = normalise(grad.clone().sum_dim(dim), &count)
        .fill(&fixed, 0.0)
        .fill(&unknown, f64::NAN);
    let shape = grad.shape();
    let grad_logits = grad
        .sub(&mean)
        .fill(&held, 0.0)
        .fill(&fixed.expand(shape.clone()), 0.0)
        .fill(&unknown.expand(shape), f64::NAN);
    (grad_logits, mean)
}
