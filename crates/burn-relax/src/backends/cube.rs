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
}
