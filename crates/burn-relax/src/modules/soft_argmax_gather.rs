use burn_core as burn;
use burn_core::module::Module;
use burn_core::tensor::Tensor;

use super::config::{config, one_line_display};
use crate::{Coefficient, SimplexMap, check, soft_argmax_gather_with_map};

config! {
    /// Configuration of [`SoftArgmaxGather`].
    SoftArgmaxGatherConfig {
        /// The axis of the classes in the logits; negative counts from the end. Default: -1.
        dim: isize = -1, with_dim;
        /// Of the softmax; finite and greater than 0. Default: 1.
        temperature: f64 = 1.0, with_temperature;
        /// Exact choice forward, soft gradient backward. Default: false.
        hard: bool = false, with_hard;
        /// How the logits become weights. Default: the softmax.
        map: SimplexMap = SimplexMap::Softmax, with_map;
    }
}

/// Value of the chosen class, differentiable in the choice; see [`soft_argmax_gather`](crate::soft_argmax_gather).
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
    /// How the logits become weights.
    #[module(skip)]
    pub map: SimplexMap,
}

one_line_display!(SoftArgmaxGather {
    dim,
    temperature,
    hard,
    map
});

impl SoftArgmaxGatherConfig {
    /// Initializes the module.
    ///
    /// # Panics
    ///
    /// If the temperature, or the map's alpha, is not finite and greater than 0.
    #[track_caller]
    pub fn init(&self) -> SoftArgmaxGather {
        check::positive("SoftArgmaxGather", "temperature", self.temperature);
        self.map.check("SoftArgmaxGather");
        SoftArgmaxGather {
            dim: self.dim,
            temperature: self.temperature,
            hard: self.hard,
            map: self.map,
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
        soft_argmax_gather_with_map(logits, values, self.dim, temperature, self.map, self.hard)
    }
}
