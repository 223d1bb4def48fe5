//! The table of contents of the library's backend operations.
//!
//! Every differentiable operation is a pair `op` / `op_backward` over backend primitives. A backend takes a pair from its
//! kernels, or inherits the default body of [`composed`](crate::composed); the autodiff backend registers the pair as one
//! node. Arguments are checked before they arrive here, by the public functions.
//!
//! `stats` is the row statistics tensor: the logits' shape with size 2 along `dim`, holding the row maximum and the
//! normaliser `Σ exp((x - max) / T)`. A row whose maximum is `+inf` stores the largest finite number and the count of its
//! infinite entries; a row that is all `-inf` stores the lowest finite number and 0. See `docs/numerics.md`.

use burn_core as burn;
use burn_core::backend::{
    Backend, backend_extension,
    tensor::{FloatTensor, IntTensor},
};

use crate::{Seed, composed};

/// Backend operations behind the public functions, one pair for each operator that has a kernel.
///
/// Implemented for every Burn backend this crate is compiled with; call the functions of the crate root instead.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cubecl-backend"),
    LibTorch: cfg(feature = "tch"),
    Remote: cfg(feature = "remote"),
    Capture: cfg(feature = "capture"),
    Autodiff: cfg(feature = "autodiff"),
)]
pub trait RelaxOps: Backend {
    /// `softmax(logits / T)` along `dim`; returns the weights and the row statistics.
    fn softmax_with_stats(
        logits: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::softmax_with_stats::<Self>(logits, dim, temperature)
    }

    /// Gradient of [`softmax_with_stats`](RelaxOps::softmax_with_stats) with respect to the logits, from the saved weights.
    fn softmax_backward(
        probs: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> FloatTensor<Self> {
        composed::softmax_backward::<Self>(probs, stats, grad, dim, temperature)
    }

    /// Logarithm of the softmax along `dim`; returns it with the row statistics.
    fn log_softmax_with_stats(
        logits: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::log_softmax_with_stats::<Self>(logits, dim)
    }

    /// Gradient of [`log_softmax_with_stats`](RelaxOps::log_softmax_with_stats) with respect to the logits, from the saved output.
    fn log_softmax_backward(
        log_probs: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
    ) -> FloatTensor<Self> {
        composed::log_softmax_backward::<Self>(log_probs, stats, grad, dim)
    }

    /// Expected coordinate under the softmax; `coordinates` has one entry per class.
    fn soft_argmax(
        logits: FloatTensor<Self>,
        coordinates: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::soft_argmax::<Self>(logits, coordinates, dim, temperature)
    }

    /// Gradient of [`soft_argmax`](RelaxOps::soft_argmax) with respect to the logits.
    fn soft_argmax_backward(
        logits: FloatTensor<Self>,
        coordinates: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        output: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> FloatTensor<Self> {
        composed::soft_argmax_backward::<Self>(
            logits,
            coordinates,
            stats,
            output,
            grad,
            dim,
            temperature,
        )
    }

    /// Expected value under the softmax: `values` has the logits' shape, then optional feature dimensions.
    fn soft_argmax_gather(
        logits: FloatTensor<Self>,
        values: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::soft_argmax_gather::<Self>(logits, values, dim, temperature)
    }

    /// The value at the argmax, the expected value, and the row statistics.
    fn hard_argmax_gather(
        logits: FloatTensor<Self>,
        values: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        composed::hard_argmax_gather::<Self>(logits, values, dim, temperature)
    }

    /// Gradients of [`soft_argmax_gather`](RelaxOps::soft_argmax_gather) with respect to logits and values.
    fn soft_argmax_gather_backward(
        logits: FloatTensor<Self>,
        values: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        soft: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::soft_argmax_gather_backward::<Self>(
            logits,
            values,
            stats,
            soft,
            grad,
            dim,
            temperature,
        )
    }

    /// Power sharpening; `power` holds one value, or one for each row with size 1 along `dim`.
    fn gradual_argmax(
        values: FloatTensor<Self>,
        power: FloatTensor<Self>,
        dim: usize,
    ) -> FloatTensor<Self> {
        composed::gradual_argmax::<Self>(values, power, dim)
    }

    /// Gradients of [`gradual_argmax`](RelaxOps::gradual_argmax) with respect to values and, if `of_power`, the power (one per
    /// row): without, what comes out for it has no meaning.
    fn gradual_argmax_backward(
        values: FloatTensor<Self>,
        power: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        of_power: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::gradual_argmax_backward::<Self>(values, power, grad, dim, of_power)
    }

    /// `v^p / Σ v^p` and its row statistics; `power` holds one value, or one for each row with size 1 along `dim`.
    fn power_softmax(
        values: FloatTensor<Self>,
        power: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::power_softmax::<Self>(values, power, dim)
    }

    /// Gradients of [`power_softmax`](RelaxOps::power_softmax) with respect to values and power (one per row).
    fn power_softmax_backward(
        values: FloatTensor<Self>,
        power: FloatTensor<Self>,
        output: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::power_softmax_backward::<Self>(values, power, output, stats, grad, dim)
    }

    /// `-T log Σ softmax(logits) exp(-cost / T)` along `dim`, and four row statistics: maximum and normaliser of the
    /// logits, then two that the backward pass of the same body reads.
    fn free_energy(
        logits: FloatTensor<Self>,
        cost: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::free_energy::<Self>(logits, cost, dim, temperature)
    }

    /// Gradients of [`free_energy`](RelaxOps::free_energy) with respect to logits and cost.
    fn free_energy_backward(
        logits: FloatTensor<Self>,
        cost: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::free_energy_backward::<Self>(logits, cost, stats, grad, dim, temperature)
    }

    /// Entmax along `dim`; returns the weights and two row statistics: the maximum, and the number of entries with weight.
    fn entmax(
        logits: FloatTensor<Self>,
        dim: usize,
        alpha: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::entmax::<Self>(logits, dim, alpha)
    }

    /// Gradient of [`entmax`](RelaxOps::entmax) with respect to the logits, from the saved weights.
    fn entmax_backward(
        probs: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        alpha: f64,
    ) -> FloatTensor<Self> {
        composed::entmax_backward::<Self>(probs, stats, grad, dim, alpha)
    }

    /// [`entmax`](RelaxOps::entmax) with one `alpha`, or one for each row with size 1 along `dim`.
    fn entmax_rows(
        logits: FloatTensor<Self>,
        alpha: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::entmax_rows::<Self>(logits, alpha, dim)
    }

    /// Gradients of [`entmax_rows`](RelaxOps::entmax_rows) with respect to logits and alpha (one per row).
    fn entmax_rows_backward(
        probs: FloatTensor<Self>,
        alpha: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::entmax_rows_backward::<Self>(probs, alpha, stats, grad, dim)
    }

    /// Weights in `[0, 1]` with a given sum along `dim`, and two row statistics: the maximum, and the number of entries strictly
    /// between 0 and 1; `budget` holds one value, or one for each row with size 1 along `dim`.
    fn budget(
        logits: FloatTensor<Self>,
        budget: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::budget::<Self>(logits, budget, dim)
    }

    /// Gradients of [`budget`](RelaxOps::budget) with respect to logits and budget (one per row).
    fn budget_backward(
        probs: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::budget_backward::<Self>(probs, stats, grad, dim)
    }

    /// Lowest index of the largest entry along `dim`; NaN counts as largest, an all `-inf` row gives 0.
    fn first_argmax(logits: FloatTensor<Self>, dim: usize) -> IntTensor<Self> {
        composed::first_argmax::<Self>(logits, dim)
    }

    /// The value at the argmax: `values` has the logits' shape, then optional feature dimensions.
    fn argmax_gather(
        logits: FloatTensor<Self>,
        values: FloatTensor<Self>,
        dim: usize,
    ) -> FloatTensor<Self> {
        composed::argmax_gather::<Self>(logits, values, dim)
    }

    /// Gradient of [`argmax_gather`](RelaxOps::argmax_gather) with respect to the values.
    fn argmax_gather_backward(
        logits: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
    ) -> FloatTensor<Self> {
        composed::argmax_gather_backward::<Self>(logits, grad, dim)
    }

    /// One-hot of the first argmax, and for its gradient, that of a softmax, the maximum of every row and its normaliser, or 1 where a
    /// backend sums the weights in the backward pass.
    fn straight_through_argmax(
        logits: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::straight_through_argmax::<Self>(logits, dim, temperature)
    }

    /// Gradient of [`straight_through_argmax`](RelaxOps::straight_through_argmax): that of `softmax(logits / T)`.
    fn straight_through_argmax_backward(
        logits: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> FloatTensor<Self> {
        composed::straight_through_argmax_backward::<Self>(logits, stats, grad, dim, temperature)
    }

    /// `softmax((logits + G) / T)` with the Gumbel noise of `seed`, numbered along `dim` first, and the statistics of the
    /// perturbed rows, for [`softmax_backward`](RelaxOps::softmax_backward).
    fn gumbel_softmax(
        logits: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
        seed: Seed,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::gumbel_softmax::<Self>(logits, dim, temperature, seed)
    }

    /// As [`gumbel_softmax`](RelaxOps::gumbel_softmax) with given noise.
    fn gumbel_softmax_with_noise(
        logits: FloatTensor<Self>,
        noise: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::gumbel_softmax_with_noise::<Self>(logits, noise, dim, temperature)
    }

    /// One-hot of the first argmax of `logits + G` with the Gumbel noise of `seed`, and for its gradient the statistics of the perturbed
    /// rows, as in [`straight_through_argmax`](RelaxOps::straight_through_argmax).
    fn gumbel_argmax(
        logits: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
        seed: Seed,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::gumbel_argmax::<Self>(logits, dim, temperature, seed)
    }

    /// Gradient of [`gumbel_argmax`](RelaxOps::gumbel_argmax): that of `softmax((logits + G) / T)`, the noise made again.
    fn gumbel_argmax_backward(
        logits: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
        seed: Seed,
    ) -> FloatTensor<Self> {
        composed::gumbel_argmax_backward::<Self>(logits, stats, grad, dim, temperature, seed)
    }

    /// As [`gumbel_argmax`](RelaxOps::gumbel_argmax) with given noise.
    fn gumbel_argmax_with_noise(
        logits: FloatTensor<Self>,
        noise: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::gumbel_argmax_with_noise::<Self>(logits, noise, dim, temperature)
    }

    /// Gradient of [`gumbel_argmax_with_noise`](RelaxOps::gumbel_argmax_with_noise), the same for logits and noise.
    fn gumbel_argmax_with_noise_backward(
        logits: FloatTensor<Self>,
        noise: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> FloatTensor<Self> {
        composed::gumbel_argmax_with_noise_backward::<Self>(
            logits,
            noise,
            stats,
            grad,
            dim,
            temperature,
        )
    }

    /// `samples` classes per row drawn from `softmax(logits / T)` with the noise of `seed`, numbered row, sample, class; their
    /// log-probabilities; and the row statistics.
    fn sample_categorical(
        logits: FloatTensor<Self>,
        dim: usize,
        samples: usize,
        temperature: f64,
        seed: Seed,
    ) -> (IntTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        composed::sample_categorical::<Self>(logits, dim, samples, temperature, seed)
    }

    /// `log softmax(logits)` at the given classes, any number of them per row, and the row statistics.
    fn categorical_log_prob(
        logits: FloatTensor<Self>,
        indices: IntTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::categorical_log_prob::<Self>(logits, indices, dim)
    }

    /// Gradient of `log softmax(logits / T)` at the given classes with respect to the logits.
    fn categorical_log_prob_backward(
        logits: FloatTensor<Self>,
        indices: IntTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> FloatTensor<Self> {
        composed::categorical_log_prob_backward::<Self>(
            logits,
            indices,
            stats,
            grad,
            dim,
            temperature,
        )
    }
}
