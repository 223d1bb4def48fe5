//! One training step and one validation step, as Burn's `Learner` calls them.

use crate::strategy::trainer::Trainer;
use crate::training::metrics::{ClassesUsed, Cost, HardError};
use crate::training::minibatches::Minibatch;
use burn::module::Module;
use burn::tensor::{ExecutionError, Int, Tensor, TensorReadError};
use burn::train::metric::Adaptor;
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use burn_relax::{argmax, argmax_gather};
use combined_network::network::CombinedNetwork;

/// The network with what only its training needs.
#[derive(Module, Debug)]
pub struct Trainee {
    /// What is trained.
    pub network: CombinedNetwork,
    /// The choice, which knows how it is trained.
    pub trainer: Trainer,
    /// Squared size of one rescaled unit in the units of the data.
    pub unit: f64,
}

impl TrainStep for Trainee {
    type Input = Minibatch;
    type Output = Trained;

    fn step(&self, batch: Minibatch) -> TrainOutput<Trained> {
        let (logits, values) = self.network.forward(batch.inputs);
        let squared_error = |values: Tensor<2>| (values - batch.targets.clone()).square();
        let cost = match (batch.classes, &batch.part) {
            (Some(classes), _) => Trainer::taught(logits, values, classes, squared_error),
            (None, None) => self.trainer.loss(logits, values, squared_error),
            (None, Some(part)) => {
                let trainer = self.trainer.part(part.step, part.first);
                trainer.loss(logits, values, squared_error)
            }
        };
        let cost = match batch.part {
            None => cost.mean(),
            // Burn adds the devices' gradients up.
            Some(part) => cost.mean() * part.share,
        };
        TrainOutput::new(
            self,
            cost.backward(),
            Trained {
                cost: cost.detach(),
            },
        )
    }
}

impl InferenceStep for Trainee {
    type Input = Minibatch;
    type Output = Validated;

    fn step(&self, batch: Minibatch) -> Validated {
        let (logits, values) = self.network.forward(batch.inputs);
        let [_, classes] = logits.dims();
        let value = argmax_gather(logits.clone(), values, 1);
        Validated {
            errors: (value - batch.targets).square(),
            unit: self.unit,
            chosen: argmax(logits, 1),
            classes,
        }
    }
}

/// What a training step reports.
pub struct Trained {
    cost: Tensor<1>,
}

/// What a validation step reports.
pub struct Validated {
    errors: Tensor<2>,
    unit: f64,
    chosen: Tensor<2, Int>,
    classes: usize,
}

impl Validated {
    /// The squared error of each row, in the network's units.
    pub(crate) fn errors(&self) -> Result<Vec<f32>, TensorReadError> {
        Ok(self.errors.clone().try_into_data()?.iter().collect())
    }
}

impl ItemLazy for Trained {
    fn sync(self) -> Result<Self, ExecutionError> {
        self.cost.device().flush()?;
        Ok(Self {
            cost: self.cost.without_autodiff(),
        })
    }
}

impl ItemLazy for Validated {
    fn sync(self) -> Result<Self, ExecutionError> {
        self.errors.device().flush()?;
        Ok(self)
    }
}

impl Adaptor<Cost> for Trained {
    fn adapt(&self) -> Cost {
        Cost(self.cost.clone())
    }
}

impl Adaptor<HardError> for Validated {
    fn adapt(&self) -> HardError {
        HardError {
            rescaled: self.errors.clone().mean(),
            unit: self.unit,
        }
    }
}

impl Adaptor<ClassesUsed> for Validated {
    fn adapt(&self) -> ClassesUsed {
        ClassesUsed {
            chosen: self.chosen.clone(),
            classes: self.classes,
        }
    }
}
