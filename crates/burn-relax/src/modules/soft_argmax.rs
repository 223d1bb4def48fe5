use burn_core as burn;
use burn_core::module::Module;
use burn_core::tensor::Tensor;

use super::config::{config, one_line_display};
use crate::{
    Coefficient, Coordinates, SimplexMap, check, soft_argmax_with_map,
    windowed_soft_argmax_with_map,
};

config! {
    /// Configuration of [`SoftArgmax`].
    SoftArgmaxConfig {
        /// The axis of the classes; negative counts from the end. Default: -1.
        dim: isize = -1, with_dim;
        /// Of the softmax; finite and greater than 0. Default: 1.
        temperature: f64 = 1.0, with_temperature;
        /// Coordinate of the first class; finite. Default: 0.
        base: f64 = 0.0, with_base;
        /// Distance between neighbouring classes; finite. Default: 1.
        step: f64 = 1.0, with_step;
        /// Restricts the mean to this distance from the argmax, in units of the coordinates; at least 0. Default: no
        /// restriction.
        half_width: Option<f64> = None, with_half_width;
        /// How the logits become weights. Default: the softmax.
        map: SimplexMap = SimplexMap::Softmax, with_map;
    }
}

/// Expected index or coordinate under the softmax of the logits; see [`soft_argmax`](crate::soft_argmax).
///
/// Created with [`SoftArgmaxConfig`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct SoftArgmax {
    /// The axis of the classes.
    #[module(skip)]
    pub dim: isize,
    /// Of the softmax.
    #[module(skip)]
    pub temperature: f64,
    /// Coordinate of the first class.
    #[module(skip)]
    pub base: f64,
    /// Distance between neighbouring classes.
    #[module(skip)]
    pub step: f64,
    /// Largest distance from the argmax that takes part.
    #[module(skip)]
    pub half_width: Option<f64>,
    /// How the logits become weights.
    #[module(skip)]
    pub map: SimplexMap,
}

one_line_display!(SoftArgmax {
    dim,
    temperature,
    base,
    step,
    half_width,
    map
});

impl SoftArgmaxConfig {
    /// Initializes the module.
    ///
    /// # Panics
    ///
    /// If a setting is out of its domain.
    #[track_caller]
    pub fn init(&self) -> SoftArgmax {
        let op = "SoftArgmax";
        check::positive(op, "temperature", self.temperature);
        check::finite(op, "base", self.base);
        check::finite(op, "step", self.step);
        self.map.check(op);
        if let Some(half_width) = self.half_width {
            check::not_negative(op, "half_width", half_width);
        }
        SoftArgmax {
            dim: self.dim,
            temperature: self.temperature,
            base: self.base,
            step: self.step,
            half_width: self.half_width,
            map: self.map,
        }
    }
}

impl SoftArgmax {
    /// # Shapes
    ///
    /// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
    /// - output: `[.., 1, ..]`
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
        let coordinates = Coordinates::Index {
            base: self.base,
            step: self.step,
        };
        match self.half_width {
            None => soft_argmax_with_map(logits, self.dim, temperature, self.map, coordinates),
            Some(w) => windowed_soft_argmax_with_map(
                logits,
                self.dim,
                temperature,
                self.map,
                coordinates,
                w,
            ),
        }
    }
}
