//! Gradients of draw after draw, and the time that they take.

use std::time::{Duration, Instant};

use burn_core::tensor::Tensor;

use super::moments::Moments;

/// What is measured of an estimator.
pub(super) struct Measure<const D: usize> {
    logits: Tensor<D>,
    pub(super) moments: Moments,
    pub(super) time: Duration,
    pub(super) draws: usize,
}

/// One draw, from the moment that it begins.
pub(super) struct Draw<const D: usize> {
    start: Instant,
    leaf: Tensor<D>,
}

impl<const D: usize> Draw<D> {
    /// The logits whose gradient is asked for.
    pub(super) fn logits(&self) -> Tensor<D> {
        self.leaf.clone()
    }
}

impl<const D: usize> Measure<D> {
    /// Gradients come in blocks that do not depend on each other.
    pub(super) fn new(logits: Tensor<D>, block: usize) -> Self {
        let count = logits.dims().iter().product();
        Self {
            logits,
            moments: Moments::new(count, block),
            time: Duration::ZERO,
            draws: 0,
        }
    }

    pub(super) fn draw(&self) -> Draw<D> {
        Draw {
            start: Instant::now(),
            leaf: self.logits.clone().require_grad(),
        }
    }

    /// Takes the gradient of the sum of a draw's loss.
    pub(super) fn add(&mut self, draw: Draw<D>, loss: Tensor<D>) {
        let loss = loss.sum();
        let grads = loss.is_tracked().then(|| loss.backward());
        let gradient = grads.and_then(|grads| draw.leaf.grad(&grads));
        let gradient = gradient.map(|gradient| gradient.into_data());
        self.time += draw.start.elapsed();
        self.draws += 1;
        let count = self.logits.dims().iter().product();
        match gradient {
            Some(data) => self.moments.add(&data.iter::<f64>().collect::<Vec<_>>()),
            None => self.moments.add(&vec![0.0; count]),
        }
    }
}
