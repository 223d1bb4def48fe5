//! What a network chooses for the rows of a table, in the units of the data.

use crate::data::scaling::Scaling;
use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};
use combined_network::network::CombinedNetwork;
use combined_network::task::Rows;

/// Rows per forward pass at inference; fixed, so that the same rows give the same bits wherever they are evaluated.
const CHUNK: usize = 1024;

/// The network's answer for one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The chosen class.
    pub class: usize,
    /// The classifier's probability of it.
    pub probability: f32,
    /// The class's value: the output, in the units of the data.
    pub value: f64,
}

/// The hard choices of a network.
pub fn choices(
    network: &CombinedNetwork,
    rows: &Rows,
    scaling: Scaling,
    device: &Device,
) -> Result<Vec<Choice>> {
    let features = rows.features.max(1);
    let mut choices = Vec::with_capacity(rows.inputs.len() / features);
    for inputs in rows.inputs.chunks(CHUNK * features) {
        let shape = [inputs.len() / features, features];
        let inputs = Tensor::from_data(TensorData::new(inputs.to_vec(), shape), device);
        let (classes, probabilities, values) = network.choose(inputs);
        let classes = classes.try_into_data()?;
        let probabilities = probabilities.try_into_data()?;
        let values = values.try_into_data()?;
        let numbers = probabilities.iter::<f32>().zip(values.iter::<f64>());
        choices.extend(
            classes
                .iter::<i64>()
                .zip(numbers)
                .map(|(class, (probability, value))| Choice {
                    class: class as usize,
                    probability,
                    value: scaling.backward(value),
                }),
        );
    }
    Ok(choices)
}

/// Mean squared error of the choices.
pub fn mean_squared_error(choices: &[Choice], targets: &[f64]) -> f64 {
    let error = |(choice, target): (&Choice, &f64)| (choice.value - target).powi(2);
    choices.iter().zip(targets).map(error).sum::<f64>() / choices.len().max(1) as f64
}

/// Number of classes chosen in more than 2 % of the rows.
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
