use burn_core as burn;
use burn_core::module::Module;
use burn_core::tensor::Tensor;

use super::{
    choice::{Choice, ChoiceConfig},
    config::{config, one_line_display},
};
use crate::{coefficient::Coefficient, relax::RelaxationConfig};

config! {
    /// Configuration of [`SoftArgmaxGather`].
    SoftArgmaxGatherConfig {
        /// The axis of the classes in the logits; negative counts from the end. Default: -1.
        dim: isize = -1, with_dim;
        /// How the choice is relaxed. Default: the softmax at temperature 1.
        relaxation: RelaxationConfig = RelaxationConfig::default(), with_relaxation;
        /// Key of the draws of a stochastic choice, for reproducible ones. Two modules of one seed draw the same numbers: give each its own.
        /// Default: drawn once from the device's generator.
        seed: Option<u64> = None, with_seed;
    }
}

/// Value of the chosen class, differentiable in the choice; see [`Relaxation::gather`](crate::Relaxation::gather).
///
/// It behaves in training and in inference as [`Choice`] does. Created with [`SoftArgmaxGatherConfig`].
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{RelaxationConfig, nn::SoftArgmaxGatherConfig};
///
/// let hard = RelaxationConfig::softmax(1.0).hard();
/// let gather = SoftArgmaxGatherConfig::new().with_relaxation(hard).init();
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &device);
/// let values = Tensor::<2>::from_floats([[10.0, 20.0, 30.0]], &device);
/// assert_eq!(gather.forward(logits, values).into_scalar::<f32>(), 30.0);
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct SoftArgmaxGather {
    /// The choice whose value it reads.
    pub choice: Choice,
}

one_line_display!(SoftArgmaxGather { choice });

impl SoftArgmaxGatherConfig {
    /// Initializes the module.
    ///
    /// # Panics
    ///
    /// If a number of the relaxation is out of its domain, or its parts do not go together.
    #[track_caller]
    pub fn init(&self) -> SoftArgmaxGather {
        let choice = ChoiceConfig::new()
            .with_dim(self.dim)
            .with_relaxation(self.relaxation)
            .with_seed(self.seed);
        SoftArgmaxGather {
            choice: choice.init_as("SoftArgmaxGather"),
        }
    }
}

impl SoftArgmaxGather {
    /// # Shapes
    ///
    /// - logits: `[.., n, ..]` of rank `D`, `n ≥ 1` along `dim`
    /// - values: the logits' shape, then any feature dimensions (rank `DV ≥ D`)
    /// - output: the values' shape with size 1 along `dim`
    #[track_caller]
    pub fn forward<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
    ) -> Tensor<DV> {
        let choice = self.choice.next(&logits);
        choice.gather(logits, values, self.choice.dim)
    }

    /// [`forward`](Self::forward) with a temperature of the caller's, for instance one per row with a gradient.
    #[track_caller]
    pub fn forward_with_temperature<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
        temperature: impl Into<Coefficient<D>>,
    ) -> Tensor<DV> {
        let choice = self.choice.next(&logits).with_temperature(temperature);
        choice.gather(logits, values, self.choice.dim)
    }
}
