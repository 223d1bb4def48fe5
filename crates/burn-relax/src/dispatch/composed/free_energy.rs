//! The free energy of costs under a softmax.

use burn_core::backend::Backend;

use super::{
    float::Float,
    row::{Row, decided, normalise, row},
};

/// Prior and posterior rows, `p ~ exp(x)` and `r ~ p exp(-f / T)`, and the least finite cost: taking it off first keeps
/// `f / T` in range and `F` precise at any temperature.
fn rows<B: Backend>(
    logits: &Float<B>,
    cost: Float<B>,
    dim: usize,
    temperature: f64,
) -> (Row<B>, Row<B>, Float<B>) {
    let prior = row(logits, dim, 1.0);
    let (_, largest) = logits.limits();
    let least = cost.clone().fill(&prior.forbidden, f64::INFINITY);
    let least = least.neg().max_dim(dim).neg();
    let least = least.clone().fill(&least.greater(largest), 0.0);
    let cost = cost.sub(&least).fill(&prior.forbidden, 0.0);
    let joint = prior
        .gaps
        .clone()
        .sub(&cost.div_scalar(temperature))
        .fill(&prior.forbidden, f64::NEG_INFINITY);
    let posterior = row(&joint, dim, 1.0);
    (prior, posterior, least)
}

/// `F = min f - T (log Σ exp(x - max - (f - min f)/T) - log Σ exp(x - max))`; the statistics hold maximum and normaliser of
/// both sums, and the lowest cost.
///
/// See [`RelaxOps::free_energy`](crate::dispatch::RelaxOps::free_energy).
pub(super) fn free_energy<B: Backend>(
    logits: Float<B>,
    cost: Float<B>,
    dim: usize,
    temperature: f64,
) -> (Float<B>, Float<B>) {
    let (prior, posterior, least) = rows(&logits, cost, dim, temperature);
    let nothing = prior.sum.equal_to(0.0);
    let hopeless = posterior.sum.equal_to(0.0);
    let log_ratio = posterior
        .sum
        .clone()
        .fill(&hopeless, 1.0)
        .ln()
        .sub(&prior.sum.clone().fill(&nothing, 1.0).ln());
    let energy = posterior
        .max
        .clone()
        .fill(&hopeless, 0.0)
        .add(&log_ratio)
        .mul_scalar(-temperature)
        .add(&least)
        .fill(&hopeless, f64::INFINITY)
        .fill(&nothing, 0.0);
    let stats = Float::cat(
        vec![prior.max, prior.sum, least, posterior.max, posterior.sum],
        dim,
    );
    (energy, stats)
}

/// `T (p - r) g` and `r g`; see [`RelaxOps::free_energy_backward`](crate::dispatch::RelaxOps::free_energy_backward).
pub(super) fn free_energy_backward<B: Backend>(
    logits: Float<B>,
    cost: Float<B>,
    _stats: Float<B>,
    grad: Float<B>,
    dim: usize,
    temperature: f64,
) -> (Float<B>, Float<B>) {
    let (prior, posterior, _) = rows(&logits, cost, dim, temperature);
    let hopeless = posterior.sum.equal_to(0.0);
    let grad = grad.fill(&hopeless, 0.0);
    let probs = normalise(prior.exp, &prior.sum);
    let responsibilities = normalise(posterior.exp, &posterior.sum);
    let grad_logits = probs
        .sub(&responsibilities)
        .mul(&grad)
        .mul_scalar(temperature)
        .fill(&prior.forbidden, 0.0)
        .fill(&decided(&prior.max), 0.0);
    let grad_cost = responsibilities.mul(&grad).fill(&prior.forbidden, 0.0);
    (grad_logits, grad_cost)
}
