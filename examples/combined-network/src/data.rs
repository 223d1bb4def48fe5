//! The piecewise-linear regression tasks A–D.
//!
//! An input `x ~ N(0, I)` belongs to the regime `argmax_k(g_k·x + h_k)`, and its target is the regime's line
//! `w_k·x + b_k`, standardised over the whole task, plus noise. One line cannot fit it; a classifier that finds the regimes
//! and one line per class can, down to the noise.

use crate::random::{Purpose, generator};
use crate::scaling::Scaling;
use clap::ValueEnum;
use rand::distr::Distribution;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// Standard deviation of the noise, in units of the clean target's.
pub const NOISE: f64 = 0.05;
/// The mean squared error that no model can beat: the variance of the noise.
pub const NOISE_FLOOR: f64 = 0.0025;

const TRAIN: usize = 4096;
const VALID: usize = 2048;
const TEST: usize = 4096;

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
}

impl Task {
    /// Number of input features.
    #[must_use]
    pub fn features(self) -> usize {
        [2, 5, 8, 5][self as usize]
    }

    /// Number of true regimes in the data.
    #[must_use]
    pub fn regimes(self) -> usize {
        [3, 4, 5, 4][self as usize]
    }

    /// Number of classes of the network.
    #[must_use]
    pub fn classes(self) -> usize {
        [3, 4, 5, 8][self as usize]
    }

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["a", "b", "c", "d"][self as usize]
    }
}

/// Inputs and targets, row by row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// Features of one row.
    pub features: usize,
    /// Inputs, `len × features`, row-major.
    pub inputs: Vec<f32>,
    /// One target per row.
    pub targets: Vec<f32>,
}

impl Rows {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inputs.len() / self.features.max(1)
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The inputs of one row.
    #[must_use]
    pub fn input(&self, row: usize) -> &[f32] {
        &self.inputs[row * self.features..(row + 1) * self.features]
    }

    /// These rows, in this order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let mut inputs = Vec::with_capacity(rows.len() * self.features);
        for &row in rows {
            inputs.extend_from_slice(self.input(row));
        }
        Self {
            features: self.features,
            inputs,
            targets: rows.iter().map(|&row| self.targets[row]).collect(),
        }
    }

    fn take(&mut self, rows: usize) -> Self {
        let inputs = self
            .inputs
            .split_off(self.inputs.len() - rows * self.features);
        let targets = self.targets.split_off(self.targets.len() - rows);
        Self {
            features: self.features,
            inputs,
            targets,
        }
    }
}

/// The three parts of the data; of a task 4096, 2048 and 4096 rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Splits {
    /// Rows to train on.
    pub train: Rows,
    /// Rows to follow the training with.
    pub valid: Rows,
    /// Rows for the final figure.
    pub test: Rows,
}

/// Where the regimes of a task are.
#[derive(Debug, Clone, PartialEq)]
pub struct Regimes {
    directions: Vec<f64>,
    offsets: Vec<f64>,
}

impl Regimes {
    /// The regime of an input.
    #[must_use]
    pub fn of(&self, x: &[f64]) -> usize {
        highest(&affine(x, &self.directions, &self.offsets))
    }
}

/// Draws a task. Every regime holds at least half its fair share of the rows.
#[must_use]
pub fn generate(task: Task, seed: u64) -> Splits {
    generate_with_regimes(task, seed).0
}

/// [`generate`], with the regimes that the rows came from.
#[must_use]
pub fn generate_with_regimes(task: Task, seed: u64) -> (Splits, Regimes) {
    let (features, regimes, rows) = (task.features(), task.regimes(), TRAIN + VALID + TEST);
    let mut rng = generator(seed, Purpose::Data);
    let mut normal = move |count: usize, scale: f64| -> Vec<f64> {
        (0..count)
            .map(|_| {
                scale * {
                    let z: f64 = StandardNormal.sample(&mut rng);
                    z
                }
            })
            .collect()
    };

    let x = normal(rows * features, 1.0);
    let (regime, regimes_at) = loop {
        let mut directions = normal(regimes * features, 1.0);
        for direction in directions.chunks_mut(features) {
            let length = direction.iter().map(|g| g * g).sum::<f64>().sqrt();
            direction.iter_mut().for_each(|g| *g /= length);
        }
        let offsets = normal(regimes, 0.3);
        let found = Regimes {
            directions,
            offsets,
        };
        let regime: Vec<usize> = x.chunks(features).map(|x| found.of(x)).collect();
        let least = (0..regimes)
            .map(|k| regime.iter().filter(|r| **r == k).count())
            .min()
            .unwrap_or(0);
        if least as f64 >= 0.5 / regimes as f64 * rows as f64 {
            break (regime, found);
        }
    };

    let slopes = normal(regimes * features, 1.0);
    let intercepts = normal(regimes, 1.5);
    let mut y: Vec<f64> = (x.chunks(features).zip(&regime))
        .map(|(x, &k)| {
            affine(
                x,
                &slopes[k * features..(k + 1) * features],
                &intercepts[k..=k],
            )[0]
        })
        .collect();
    let scaling = Scaling::fit(&y);
    y.iter_mut().for_each(|y| *y = scaling.forward(*y));
    y.iter_mut()
        .zip(normal(rows, NOISE))
        .for_each(|(y, noise)| *y += noise);

    let mut all = Rows {
        features,
        inputs: x.into_iter().map(|x| x as f32).collect(),
        targets: y.into_iter().map(|y| y as f32).collect(),
    };
    let (test, valid) = (all.take(TEST), all.take(VALID));
    let splits = Splits {
        train: all,
        valid,
        test,
    };
    (splits, regimes_at)
}

/// `bias + weight·x`, one number per row of `weight`.
fn affine(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let dot = |w: &[f64]| w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
    weight
        .chunks(x.len())
        .zip(bias)
        .map(|(w, b)| b + dot(w))
        .collect()
}

fn highest(scores: &[f64]) -> usize {
    (1..scores.len()).fold(0, |best, k| if scores[k] > scores[best] { k } else { best })
}
