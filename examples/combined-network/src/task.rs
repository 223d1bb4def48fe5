//! The piecewise-linear regression tasks A–F.
//!
//! An input `x ~ N(0, I)` belongs to the regime `argmax_k(g_k·x + h_k)`, and its target is the regime's line
//! `w_k·x + b_k`, standardised over the whole task, plus noise. One line cannot fit it; a classifier that finds the regimes
//! and one line per class can, down to the noise.

use crate::network::CombinedNetworkConfig;
use burn::tensor::{Device, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use clap::ValueEnum;
use rand::{SeedableRng, distr::Distribution};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// Standard deviation of the noise, in units of the clean target's.
const NOISE: f64 = 0.05;
/// The mean squared error that no model can beat: the variance of the noise.
pub const NOISE_FLOOR: f64 = 0.0025;
/// Rows to train on, to follow the training with, and for the final figure.
const ROWS: [usize; 3] = [4096, 2048, 4096];

/// A regression task; `d` inputs, `K` regimes, `C` classes of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// d = 2, K = 3, C = 3
    A,
    /// d = 5, K = 4, C = 4
    B,
    /// d = 8, K = 5, C = 5
    C,
    /// d = 5, K = 4, C = 8: twice the classes needed
    D,
    /// d = 12, K = 4, C = 4: more inputs
    E,
    /// d = 6, K = 6, C = 4: more regimes than classes, so that no network fits all
    F,
}

impl Task {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        ["a", "b", "c", "d", "e", "f"][self as usize]
    }

    /// Number of true regimes in the data.
    pub fn regimes(self) -> usize {
        [3, 4, 5, 4, 4, 6][self as usize]
    }

    /// The sizes of the network for it.
    pub fn network(self) -> CombinedNetworkConfig {
        CombinedNetworkConfig {
            features: [2, 5, 8, 5, 12, 6][self as usize],
            hidden: 32,
            classes: [3, 4, 5, 8, 4, 4][self as usize],
        }
    }
}

/// Inputs and targets, row by row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// Features of one row.
    pub features: usize,
    /// Inputs, row-major.
    pub inputs: Vec<f32>,
    /// One target per row.
    pub targets: Vec<f32>,
}

impl Rows {
    /// These rows, in this order.
    pub fn select(&self, rows: impl IntoIterator<Item = usize>) -> Self {
        let mut selected = Self {
            features: self.features,
            ..Self::default()
        };
        for row in rows {
            let inputs = row * self.features..(row + 1) * self.features;
            selected.inputs.extend_from_slice(&self.inputs[inputs]);
            selected.targets.push(self.targets[row]);
        }
        selected
    }

    /// Inputs `[rows, features]` and targets `[rows, 1]` on a device.
    pub fn on(self, device: &Device) -> (Tensor<2>, Tensor<2>) {
        let rows = self.targets.len();
        let inputs = TensorData::new(self.inputs, [rows, self.features]);
        let targets = TensorData::new(self.targets, [rows, 1]);
        let targets = Tensor::from_data(targets, device);
        (Tensor::from_data(inputs, device), targets)
    }
}

/// Draws a task: rows to train on, to validate on and to test on, and the regime of an input. Every regime holds at least half
/// its fair share of the rows.
pub fn generate(task: Task, seed: u64) -> ([Rows; 3], impl Fn(&[f64]) -> usize) {
    let (features, count) = (task.network().features, task.regimes());
    let rows: usize = ROWS.iter().sum();
    let mut rng = generator(seed, 0);
    let mut normal = move |count: usize, scale: f64| -> Vec<f64> {
        let numbers = StandardNormal.sample_iter(&mut rng).take(count);
        numbers.map(|z: f64| scale * z).collect()
    };
    let x = normal(rows * features, 1.0);
    let (regimes, regime_of) = loop {
        let mut directions = normal(count * features, 1.0);
        for direction in directions.chunks_mut(features) {
            let length = direction.iter().map(|g| g * g).sum::<f64>().sqrt();
            direction.iter_mut().for_each(|g| *g /= length);
        }
        let offsets = normal(count, 0.3);
        let regime_of = move |x: &[f64]| {
            let scores = affine(x, &directions, &offsets);
            (1..count).fold(0, |best, k| if scores[k] > scores[best] { k } else { best })
        };
        let regimes: Vec<usize> = x.chunks(features).map(&regime_of).collect();
        let share = |k| regimes.iter().filter(|r| **r == k).count() as f64 / rows as f64;
        if (0..count).all(|k| share(k) >= 0.5 / count as f64) {
            break (regimes, regime_of);
        }
    };
    let (slopes, intercepts) = (normal(count * features, 1.0), normal(count, 1.5));
    let line = |(x, &k): (&[f64], &usize)| {
        let slope = &slopes[k * features..(k + 1) * features];
        affine(x, slope, &intercepts[k..=k])[0]
    };
    let clean: Vec<f64> = x.chunks(features).zip(&regimes).map(line).collect();
    let mean = clean.iter().sum::<f64>() / rows as f64;
    let variance = clean.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / rows as f64;
    let noisy = clean.iter().zip(normal(rows, NOISE));
    let all = Rows {
        features,
        inputs: x.iter().map(|x| *x as f32).collect(),
        targets: noisy
            .map(|(y, noise)| ((y - mean) / variance.sqrt() + noise) as f32)
            .collect(),
    };
    let [train, valid, _] = ROWS;
    let splits = [0..train, train..train + valid, train + valid..rows];
    (splits.map(|rows| all.select(rows)), regime_of)
}

/// `bias + weight·x`, one number per row of `weight`.
fn affine(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let dot = |w: &[f64]| w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
    let rows = weight.chunks(x.len()).zip(bias);
    rows.map(|(w, b)| b + dot(w)).collect()
}

/// Random numbers of a seed on the host, the same on every platform; each stream is another sequence.
pub fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}
