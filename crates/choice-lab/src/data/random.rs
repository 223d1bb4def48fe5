//! Seeded random numbers on the host, the same on every backend and platform.
//!
//! Each purpose draws from its own stream, so that a change to one does not move the others. Stream 0 draws a task.

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, TensorData};
use combined_network::network::{CombinedNetwork, CombinedNetworkConfig};
use combined_network::task::generator;
use rand::RngExt;
use rand::seq::SliceRandom;

/// A network whose weights and biases are uniform in ±1/√fan-in, the same bits on every backend.
pub fn network(config: CombinedNetworkConfig, seed: u64, device: &Device) -> CombinedNetwork {
    let mut rng = generator(seed, 1);
    let mut linear = |inputs: usize, outputs: usize| {
        let bound = 1.0 / (inputs as f32).sqrt();
        let mut uniform = |shape: &[usize]| {
            let numbers = (0..shape.iter().product()).map(|_| rng.random_range(-bound..bound));
            TensorData::new(numbers.collect::<Vec<f32>>(), shape)
        };
        Linear {
            weight: Param::from_data(uniform(&[inputs, outputs]), device),
            bias: Some(Param::from_data(uniform(&[outputs]), device)),
        }
    };
    CombinedNetwork {
        hidden: linear(config.features, config.hidden),
        classifier: linear(config.hidden, config.classes),
        regression: linear(config.features, config.classes),
    }
}

/// The rows of a minibatch of a step, drawn with replacement.
pub fn minibatch(seed: u64, step: usize, rows: usize, size: usize) -> Vec<usize> {
    let mut rng = generator(seed, 2 + step as u64);
    (0..size)
        .map(|_| rng.random_range(0..rows as u32) as usize)
        .collect()
}

/// The rows of a table in the order in which they are split.
pub fn order(seed: u64, rows: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    order.shuffle(&mut generator(seed, 0));
    order
}
