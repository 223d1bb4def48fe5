use burn_core as burn;
use burn_core::module::Module;
use burn_core::tensor::Tensor;

use super::{
    choice::{Choice, ChoiceConfig},
    config::{config, one_line_display},
};
use crate::{
    check,
    coefficient::Coefficient,
    relax::{Coordinates, Relaxation, RelaxationConfig},
};

config! {
    /// Configuration of [`SoftArgmax`].
    SoftArgmaxConfig {
        /// The axis of the classes; negative counts from the end. Default: -1.
        dim: isize = -1, with_dim;
        /// How the choice is relaxed. Default: the softmax at temperature 1.
        relaxation: RelaxationConfig = RelaxationConfig::default(), with_relaxation;
        /// Coordinate of the first class; finite. Default: 0.
        base: f64 = 0.0, with_base;
        /// Distance between neighbouring classes; finite. Default: 1.
        step: f64 = 1.0, with_step;
        /// Largest distance from the argmax that takes part, in units of the coordinates; at least 0. Default: no limit.
        half_width: Option<f64> = None, with_half_width;
        /// Key of the draws of a stochastic choice, for reproducible ones. Two modules of one seed draw the same numbers: give each its own.
        /// Default: drawn once from the device's generator.
        seed: Option<u64> = None, with_seed;
    }
}

/// Index or coordinate of the choice; see [`Relaxation::coordinate`](crate::Relaxation::coordinate).
///
/// It behaves in training and in inference as [`Choice`] does. Created with [`SoftArgmaxConfig`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct SoftArgmax {
    /// The choice whose place it reads.
    pub choice: Choice,
    /// Coordinate of the first class.
    #[module(skip)]
    pub base: f64,
    /// Distance between neighbouring classes.
    #[module(skip)]
    pub step: f64,
    /// Largest distance from the argmax that takes part.
    #[module(skip)]
    pub half_width: Option<f64>,
}

one_line_display!(SoftArgmax {
    choice,
    base,
    step,
    half_width
});

impl SoftArgmaxConfig {
    /// Initializes the module.
    ///
    /// # Panics
    ///
    /// If a setting is out of its domain, or the relaxation's parts do not go together.
    #[track_caller]
    pub fn init(&self) -> SoftArgmax {
        let op = "SoftArgmax";
        check::finite(op, "base", self.base);
        check::finite(op, "step", self.step);
        if let Some(half_width) = self.half_width {
            check::not_negative(op, "half_width", half_width);
        }
        let choice = ChoiceConfig::new()
            .with_dim(self.dim)
            .with_relaxation(self.relaxation)
            .with_seed(self.seed);
        SoftArgmax {
            choice: choice.init_as(op),
            base: self.base,
            step: self.step,
            half_width: self.half_width,
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
        self.read_out(self.choice.next(&logits), logits)
    }

    /// [`forward`](Self::forward) with a temperature of the caller's, for instance one per row with a gradient.
    #[track_caller]
    pub fn forward_with_temperature<const D: usize>(
        &self,
        logits: Tensor<D>,
        temperature: impl Into<Coefficient<D>>,
    ) -> Tensor<D> {
        let choice = self.choice.next(&logits).with_temperature(temperature);
        self.read_out(choice, logits)
    }

    #[track_caller]
    fn read_out<const D: usize>(&self, choice: Relaxation<D>, logits: Tensor<D>) -> Tensor<D> {
        let (dim, base, step) = (self.choice.dim, self.base, self.step);
        let coordinates = Coordinates::Index { base, step };
        match self.half_width {
            None => choice.coordinate(logits, dim, coordinates),
            Some(half_width) => choice.windowed_coordinate(logits, dim, coordinates, half_width),
        }
    }
}
