use burn_core as burn;
use burn_core::module::Module;
use burn_core::tensor::Tensor;

use super::config::{config, one_line_display};
use crate::{
    check,
    coefficient::Coefficient,
    relax::{gradual_argmax::gradual_argmax, power_softmax::power_softmax},
};

config! {
    /// Configuration of [`GradualArgmax`].
    GradualArgmaxConfig {
        /// The axis of the classes; negative counts from the end. Default: -1.
        dim: isize = -1, with_dim;
        /// 1 leaves the values, infinity gives the argmax; finite and greater than 0. Default: 1.
        power: f64 = 1.0, with_power;
        /// Takes the normalised twin, [`power_softmax`](crate::relax::power_softmax). Default: false.
        normalized: bool = false, with_normalized;
    }
}

/// Values in `[0, 1]` on their way to their argmax; see [`gradual_argmax`](crate::relax::gradual_argmax) and [`power_softmax`](crate::relax::power_softmax).
///
/// Created with [`GradualArgmaxConfig`]; raise [`power`](Self::power) during training with a
/// [`Schedule`](crate::Schedule).
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct GradualArgmax {
    /// The axis of the classes.
    #[module(skip)]
    pub dim: isize,
    /// How far the values have gone.
    #[module(skip)]
    pub power: f64,
    /// Whether the result is normalised.
    #[module(skip)]
    pub normalized: bool,
}

one_line_display!(GradualArgmax {
    dim,
    power,
    normalized
});

impl GradualArgmaxConfig {
    /// Initializes the module.
    ///
    /// # Panics
    ///
    /// If the power is not finite and greater than 0.
    #[track_caller]
    pub fn init(&self) -> GradualArgmax {
        check::positive("GradualArgmax", "power", self.power);
        GradualArgmax {
            dim: self.dim,
            power: self.power,
            normalized: self.normalized,
        }
    }
}

impl GradualArgmax {
    /// # Shapes
    ///
    /// - values: `[.., n, ..]` with `n ≥ 1` along `dim`, in `[0, 1]`
    /// - output: the same
    #[track_caller]
    pub fn forward<const D: usize>(&self, values: Tensor<D>) -> Tensor<D> {
        self.forward_with_power(values, self.power)
    }

    /// [`forward`](Self::forward) with a power of the caller's, for instance one per row with a gradient.
    #[track_caller]
    pub fn forward_with_power<const D: usize>(
        &self,
        values: Tensor<D>,
        power: impl Into<Coefficient<D>>,
    ) -> Tensor<D> {
        if self.normalized {
            power_softmax(values, self.dim, power)
        } else {
            gradual_argmax(values, self.dim, power)
        }
    }
}
