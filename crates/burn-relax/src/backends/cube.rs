use burn_core::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;
use burn_relax_wgpu as kernels;

use crate::RelaxOps;

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
}
