use burn_core as burn;
use burn_core::module::{Flag, Module, Param};
use burn_core::tensor::{Device, Tensor};

use super::{
    config::{config, one_line_display},
    mode::Mode,
    seeds::{SeedStream, StepCount},
};
use crate::{
    check,
    relax::{Relaxation, RelaxationConfig},
};

config! {
    /// Configuration of [`Choice`].
    ChoiceConfig {
        /// The axis of the classes; negative counts from the end. Default: -1.
        dim: isize = -1, with_dim;
        /// How the choice is relaxed. Default: the softmax at temperature 1.
        relaxation: RelaxationConfig = RelaxationConfig::default(), with_relaxation;
        /// Key of the draws, for reproducible ones. Two modules of one seed draw the same numbers: give each its own.
        /// Default: drawn once from the device's generator.
        seed: Option<u64> = None, with_seed;
    }
}

/// Weights of a choice: any [`Relaxation`] as a layer, for instance a Gumbel-softmax or a straight-through argmax.
///
/// In training every call draws new noise, and schedules go on by a step. In inference, which is on a device without autodiff or
/// after [`freeze`](burn_core::module::Module::freeze), there is no noise: a soft choice gives the weights of its map, any other
/// the one-hot of the argmax.
///
/// Created with [`ChoiceConfig`]. The counts of draws and steps are not part of a saved record.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{RelaxationConfig, nn::ChoiceConfig};
///
/// let relaxation = RelaxationConfig::softmax(0.5).gumbel().hard();
/// let sampler = ChoiceConfig::new().with_relaxation(relaxation).with_seed(Some(3)).init();
/// let logits = Tensor::<2>::zeros([1000, 2], &Device::flex().autodiff());
/// let share = sampler.forward(logits).narrow(1, 0, 1).mean().into_scalar::<f32>();
/// assert!((share - 0.5).abs() < 4.0 * 0.5 / 1000f32.sqrt());
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Choice {
    /// The axis of the classes.
    #[module(skip)]
    pub dim: isize,
    /// How the choice is relaxed.
    #[module(skip)]
    pub relaxation: RelaxationConfig,
    /// Whether to behave as during training; cleared by freezing.
    pub training: Param<Flag>,
    #[module(skip)]
    seeds: SeedStream,
    #[module(skip)]
    steps: StepCount,
}

one_line_display!(Choice { dim, relaxation in words });

impl ChoiceConfig {
    /// Initializes the module.
    ///
    /// # Panics
    ///
    /// If a number of the relaxation is out of its domain, or its parts do not go together.
    #[track_caller]
    pub fn init(&self) -> Choice {
        self.init_as("Choice")
    }

    /// [`init`](Self::init) as the part of a module whose name the messages have.
    #[track_caller]
    pub(super) fn init_as(&self, op: &str) -> Choice {
        self.relaxation.check(op);
        Choice {
            dim: self.dim,
            relaxation: self.relaxation,
            training: Param::from_bool(true),
            seeds: SeedStream::new(self.seed),
            steps: StepCount::default(),
        }
    }
}

impl Choice {
    /// # Shapes
    ///
    /// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
    /// - output: the same
    #[track_caller]
    pub fn forward<const D: usize>(&self, logits: Tensor<D>) -> Tensor<D> {
        self.next(&logits).weights(logits, self.dim)
    }

    /// The choice of the next call for these logits, for the read-outs that this module does not have. In training it draws
    /// and goes on by a step.
    #[must_use]
    #[track_caller]
    pub fn next<const D: usize>(&self, logits: &Tensor<D>) -> Relaxation<D> {
        let dim = check::dim::<D>("Choice", self.dim);
        if !self.mode(&logits.device()).trains() {
            return self.relaxation.at_inference(self.steps.get());
        }
        let step = self.steps.next();
        if self.relaxation.is_stochastic() {
            self.relaxation.at(step, self.seeds.next(logits, dim))
        } else {
            self.relaxation.at(step, 0)
        }
    }

    /// Whether it behaves as in training for tensors of a device.
    #[must_use]
    pub fn mode(&self, device: &Device) -> Mode {
        Mode::new(&self.training, device)
    }

    /// The step that schedules are at: the number of calls in training, or what was set.
    pub fn step(&self) -> usize {
        self.steps.get()
    }

    /// Sets the step of the schedules, for several calls in one step or for a training that goes on.
    pub fn set_step(&self, step: usize) {
        self.steps.set(step);
    }
}
