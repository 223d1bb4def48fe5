use burn_core::{
    backend::tensor::{FloatTensor, IntTensor},
    tensor::DType,
};
use burn_cubecl::CubeBackend;
use burn_relax_wgpu::{self as kernels, Noise};

use crate::{RelaxOps, Seed};

impl RelaxOps for CubeBackend {
    fn softmax_with_stats(
        logits: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::softmax(logits, dim, temperature)
    }

    fn softmax_backward(
        probs: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> FloatTensor<Self> {
        kernels::softmax_backward(probs, stats, grad, dim, temperature)
    }

    fn log_softmax_with_stats(
        logits: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::log_softmax(logits, dim)
    }

    fn log_softmax_backward(
        log_probs: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
    ) -> FloatTensor<Self> {
        kernels::log_softmax_backward(log_probs, stats, grad, dim)
    }

    fn soft_argmax(
        logits: FloatTensor<Self>,
        coordinates: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::soft_argmax(logits, coordinates, dim, temperature)
    }

    fn soft_argmax_backward(
        logits: FloatTensor<Self>,
        coordinates: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        output: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> FloatTensor<Self> {
        kernels::soft_argmax_backward(logits, coordinates, stats, output, grad, dim, temperature)
    }

    fn soft_argmax_gather(
        logits: FloatTensor<Self>,
        values: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::soft_argmax_gather(logits, values, dim, temperature)
    }

    fn hard_argmax_gather(
        logits: FloatTensor<Self>,
        values: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        kernels::hard_argmax_gather(logits, values, dim, temperature)
    }

    fn soft_argmax_gather_backward(
        logits: FloatTensor<Self>,
        values: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        soft: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::soft_argmax_gather_backward(logits, values, stats, soft, grad, dim, temperature)
    }

    fn gradual_argmax(
        values: FloatTensor<Self>,
        power: FloatTensor<Self>,
        dim: usize,
    ) -> FloatTensor<Self> {
        kernels::gradual_argmax(values, power, dim)
    }

    fn gradual_argmax_backward(
        values: FloatTensor<Self>,
        power: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::gradual_argmax_backward(values, power, grad, dim)
    }

    fn power_softmax(
        values: FloatTensor<Self>,
        power: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::power_softmax(values, power, dim)
    }

    /// The weights are computed again from the statistics: that reads less than the saved output.
    fn power_softmax_backward(
        values: FloatTensor<Self>,
        power: FloatTensor<Self>,
        _output: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::power_softmax_backward(values, power, stats, grad, dim)
    }

    fn free_energy(
        logits: FloatTensor<Self>,
        cost: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::free_energy(logits, cost, dim, temperature)
    }

    fn free_energy_backward(
        logits: FloatTensor<Self>,
        cost: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::free_energy_backward(logits, cost, stats, grad, dim, temperature)
    }

    fn entmax(
        logits: FloatTensor<Self>,
        dim: usize,
        alpha: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::entmax(logits, dim, alpha)
    }

    fn entmax_backward(
        probs: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        alpha: f64,
    ) -> FloatTensor<Self> {
        kernels::entmax_backward(probs, stats, grad, dim, alpha)
    }

    fn entmax_rows(
        logits: FloatTensor<Self>,
        alpha: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::entmax_rows(logits, alpha, dim)
    }

    fn entmax_rows_backward(
        probs: FloatTensor<Self>,
        alpha: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::entmax_rows_backward(probs, alpha, stats, grad, dim)
    }

    fn budget(
        logits: FloatTensor<Self>,
        budget: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::budget(logits, budget, dim)
    }

    fn budget_backward(
        probs: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::budget_backward(probs, stats, grad, dim)
    }

    fn first_argmax(logits: FloatTensor<Self>, dim: usize) -> IntTensor<Self> {
        kernels::argmax(logits, dim, INDEX)
    }

    fn argmax_gather(
        logits: FloatTensor<Self>,
        values: FloatTensor<Self>,
        dim: usize,
    ) -> FloatTensor<Self> {
        kernels::argmax_gather(logits, values, dim)
    }

    fn argmax_gather_backward(
        logits: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
    ) -> FloatTensor<Self> {
        kernels::argmax_gather_backward(logits, grad, dim)
    }

    fn straight_through_argmax(
        logits: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::straight_through_argmax(logits, dim, temperature)
    }

    fn straight_through_argmax_backward(
        logits: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> FloatTensor<Self> {
        kernels::straight_through_argmax_backward(logits, stats, grad, dim, temperature)
    }

    fn gumbel_softmax(
        logits: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
        seed: Seed,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::gumbel_softmax(logits, drawn(seed), dim, temperature)
    }

    fn gumbel_softmax_with_noise(
        logits: FloatTensor<Self>,
        noise: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::gumbel_softmax(logits, Noise::Given(noise), dim, temperature)
    }

    fn gumbel_argmax(
        logits: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
        seed: Seed,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::gumbel_argmax(logits, drawn(seed), dim, temperature)
    }

    fn gumbel_argmax_backward(
        logits: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
        seed: Seed,
    ) -> FloatTensor<Self> {
        kernels::gumbel_argmax_backward(logits, drawn(seed), stats, grad, dim, temperature)
    }

    fn gumbel_argmax_with_noise(
        logits: FloatTensor<Self>,
        noise: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::gumbel_argmax(logits, Noise::Given(noise), dim, temperature)
    }

    fn gumbel_argmax_with_noise_backward(
        logits: FloatTensor<Self>,
        noise: FloatTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> FloatTensor<Self> {
        kernels::gumbel_argmax_backward(logits, Noise::Given(noise), stats, grad, dim, temperature)
    }

    fn sample_categorical(
        logits: FloatTensor<Self>,
        dim: usize,
        samples: usize,
        temperature: f64,
        seed: Seed,
    ) -> (IntTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let seed = [seed.key, seed.step, seed.row];
        kernels::sample_categorical(logits, dim, samples, temperature, seed, INDEX)
    }

    fn categorical_log_prob(
        logits: FloatTensor<Self>,
        indices: IntTensor<Self>,
        dim: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        kernels::categorical_log_prob(logits, indices, dim)
    }

    fn categorical_log_prob_backward(
        logits: FloatTensor<Self>,
        indices: IntTensor<Self>,
        stats: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        dim: usize,
        temperature: f64,
    ) -> FloatTensor<Self> {
        kernels::categorical_log_prob_backward(logits, indices, stats, grad, dim, temperature)
    }
}

/// Indices of classes on every CubeCL device: WGSL has no longer integers, and a fused operation is described where nobody
/// knows the device.
pub(super) const INDEX: DType = DType::I32;

fn drawn(seed: Seed) -> Noise {
    Noise::Drawn {
        key: seed.key,
        step: seed.step,
        row: seed.row,
    }
}
