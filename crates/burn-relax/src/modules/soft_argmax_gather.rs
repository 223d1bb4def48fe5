use burn_core as burn;
use burn_core::module::Module;
use burn_core::tensor::Tensor;

use super::config::{config, one_line_display};
use crate::{Coefficient, check, soft_argmax_gather};

config! {
    /// Configuration of [`SoftArgmaxGather`].
    SoftArgmaxGatherConfig {
        /// The axis of the classes in the logits; negative counts from the end. Default: -1.
        dim: isize = -1, with_dim;
        /// Of the softmax; finite and greater than 0. Default: 1.
        temperature: f64 = 1.0, with_temperature;
        /// Exact choice forward, soft gradient backward. Default: false.
        hard: bool = false, with_hard;
    }
}

/// Value of the chosen class, differentiable in the choice; see [`soft_argmax_gather`].
///
/// Created with [`SoftArgmaxGatherConfig`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct SoftArgmaxGather {
    /// The axis of the classes in the logits.
    #[module(skip)]
    pub dim: isize,
    /// Of the softmax.
    #[module(skip)]
    pub temperature: f64,
    /// Exact choice forward, soft gradient backward.
    #[module(skip)]
    pub hard: bool,
}

one_line_display!(SoftArgmaxGather {
    dim,
    temperature,
    hard
});

impl SoftArgmaxGatherConfig {
    /// Initializes the module.
    ///
    /// # Panics
    ///
    /// If the temperature is not finite and greater than 0.
    #[track_caller]
    pub fn init(&self) -> SoftArgmaxGather {
        check::positive("SoftArgmaxGather", "temperature", self.temperature);
        SoftArgmaxGather {
            dim: self.dim,
            temperature: self.temperature,
            hard: self.hard,
        }
    }
}

impl SoftArgmaxGather {
    /// # Shapes
    ///
    /// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
    /// - values: the logits' shape, then any feature dimensions
    /// - output: the values' shape with size 1 along `dim`
    #[track_caller]
    pub fn forward<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
    ) -> Tensor<DV> {
        self.forward_with_temperature(logits, values, self.temperature)
    }

    /// [`forward`](Self::forward) with a temperature of the caller's, for instance one per row with a gradient.
    #[track_caller]
    pub fn forward_with_temperature<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
        temperature: impl Into<Coefficient<D>>,
    ) -> Tensor<DV> {
        soft_argmax_gather(logits, values, self.dim, temperature, self.hard)
    }
}
