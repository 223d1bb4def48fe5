//! The network: a classifier that picks, a regression layer that is picked from.

use crate::data::{Rows, Task};
use crate::random::{Purpose, generator};
use crate::scaling::Scaling;
use anyhow::Result;
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use burn_relax::{argmax, argmax_gather, softmax};
use chacha20::ChaCha8Rng;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// Rows per forward pass at inference; fixed, so that the same rows give the same bits wherever they are evaluated.
const CHUNK: usize = 1024;

/// The sizes of a [`CombinedNetwork`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CombinedNetworkConfig {
    /// Input features.
    pub features: usize,
    /// Hidden units of the classifier.
    pub hidden: usize,
    /// Classes, and values to pick from.
    pub classes: usize,
}

impl CombinedNetworkConfig {
    /// The sizes for a task: 32 hidden units.
    #[must_use]
    pub fn new(task: Task) -> Self {
        Self {
            features: task.features(),
            hidden: 32,
            classes: task.classes(),
        }
    }

    /// A network whose weights and biases are uniform in ±1/√fan-in.
    ///
    /// The numbers come from a generator on the host, not from the backend's: every backend starts from the same bits.
    #[must_use]
    pub fn init(&self, seed: u64, device: &Device) -> CombinedNetwork {
        let mut rng = generator(seed, Purpose::Parameters);
        CombinedNetwork {
            hidden: linear(self.features, self.hidden, &mut rng, device),
            classifier: linear(self.hidden, self.classes, &mut rng, device),
            regression: linear(self.features, self.classes, &mut rng, device),
        }
    }
}

fn linear(inputs: usize, outputs: usize, rng: &mut ChaCha8Rng, device: &Device) -> Linear {
    let bound = 1.0 / (inputs as f32).sqrt();
    let mut uniform = |count: usize| -> Vec<f32> {
        (0..count)
            .map(|_| rng.random_range(-bound..bound))
            .collect()
    };
    let weight = TensorData::new(uniform(inputs * outputs), [inputs, outputs]);
    let bias = TensorData::new(uniform(outputs), [outputs]);
    Linear {
        weight: Param::from_data(weight, device),
        bias: Some(Param::from_data(bias, device)),
    }
}

/// Classifier `Linear–ReLU–Linear` and regression `Linear`; the output is the value of the classifier's argmax.
#[derive(Module, Debug)]
pub struct CombinedNetwork {
    /// First layer of the classifier.
    pub hidden: Linear,
    /// Second layer of the classifier: one logit per class.
    pub classifier: Linear,
    /// One value per class.
    pub regression: Linear,
}

impl CombinedNetwork {
    /// Logits and values, both `[rows, classes]`.
    pub fn forward(&self, inputs: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let logits = self
            .classifier
            .forward(relu(self.hidden.forward(inputs.clone())));
        (logits, self.regression.forward(inputs))
    }

    /// The hard choice: what the network is for.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn choose(&self, rows: &Rows, scaling: Scaling, device: &Device) -> Result<Vec<Choice>> {
        let mut choices = Vec::with_capacity(rows.len());
        for inputs in rows.inputs.chunks(CHUNK * rows.features.max(1)) {
            let shape = [inputs.len() / rows.features, rows.features];
            let inputs = Tensor::from_data(TensorData::new(inputs.to_vec(), shape), device);
            let (logits, values) = self.forward(inputs);
            let classes = argmax(logits.clone(), 1).try_into_data()?;
            let probabilities = softmax(logits.clone(), 1, 1.0).max_dim(1).try_into_data()?;
            let values = argmax_gather(logits, values, 1).try_into_data()?;
            let numbers = probabilities.iter::<f32>().zip(values.iter::<f64>());
            choices.extend(classes.iter::<i64>().zip(numbers).map(
                |(class, (probability, value))| Choice {
                    class: class as usize,
                    probability,
                    value: scaling.backward(value) as f32,
                },
            ));
        }
        Ok(choices)
    }
}

/// The network's answer for one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The chosen class.
    pub class: usize,
    /// The classifier's probability of it.
    pub probability: f32,
    /// The class's value: the output, in the units of the data.
    pub value: f32,
}

/// Mean squared error of the choices.
#[must_use]
pub fn mean_squared_error(choices: &[Choice], targets: &[f32]) -> f64 {
    let error =
        |(choice, target): (&Choice, &f32)| (f64::from(choice.value) - f64::from(*target)).powi(2);
    choices.iter().zip(targets).map(error).sum::<f64>() / choices.len().max(1) as f64
}

/// Number of classes chosen in more than 2 % of the rows.
#[must_use]
pub fn classes_used(chosen: impl IntoIterator<Item = usize>, classes: usize) -> usize {
    let mut counts = vec![0_usize; classes];
    let mut rows = 0;
    for class in chosen {
        counts[class] += 1;
        rows += 1;
    }
    counts
        .into_iter()
        .filter(|&count| count * 50 > rows)
        .count()
}
