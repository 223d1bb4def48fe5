use burn_core as burn;
use burn_core::module::Module;
use burn_core::tensor::Tensor;

use super::config::{config, one_line_display};
use crate::{Coefficient, SimplexMap, check, straight_through_argmax_with_map};

config! {
    /// Configuration of [`StraightThroughArgmax`].
    StraightThroughArgmaxConfig {
        /// The axis of the classes; negative counts from the end. Default: -1.
        dim: isize = -1, with_dim;
        /// Of the backward pass; finite and greater than 0. Default: 1.
        temperature: f64 = 1.0, with_temperature;
        /// How the logits become weights. Default: the softmax.
        map: SimplexMap = SimplexMap::Softmax, with_map;
    }
}

/// One-hot of the argmax with the gradient of the softmax; see [`straight_through_argmax`](crate::straight_through_argmax).
///
/// Created with [`StraightThroughArgmaxConfig`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct StraightThroughArgmax {
    /// The axis of the classes.
    #[module(skip)]
    pub dim: isize,
    /// Of the backward pass.
    #[module(skip)]
    pub temperature: f64,
    /// How the logits become weights.
    #[module(skip)]
    pub map: SimplexMap,
}

one_line_display!(StraightThroughArgmax {
    dim,
    temperature,
    map
});

impl StraightThroughArgmaxConfig {
    /// Initializes the module.
    ///
    /// # Panics
    ///
    /// If the temperature, or the map's alpha, is not finite and greater than 0.
    #[track_caller]
    pub fn init(&self) -> StraightThroughArgmax {
        check::positive("StraightThroughArgmax", "temperature", self.temperature);
        self.map.check("StraightThroughArgmax");
        StraightThroughArgmax {
            dim: self.dim,
            temperature: self.temperature,
            map: self.map,
        }
    }
}

impl StraightThroughArgmax {
    /// # Shapes
    ///
    /// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
    /// - output: the same; exactly 0 or 1
    #[track_caller]
    pub fn forward<const D: usize>(&self, logits: Tensor<D>) -> Tensor<D> {
        self.forward_with_temperature(logits, self.temperature)
    }

    /// [`forward`](Self::forward) with a temperature of the caller's, for instance one per row with a gradient.
    #[track_caller]
    pub fn forward_with_temperature<const D: usize>(
        &self,
        logits: Tensor<D>,
        temperature: impl Into<Coefficient<D>>,
    ) -> Tensor<D> {
        straight_through_argmax_with_map(logits, self.dim, temperature, self.map)
    }
}
