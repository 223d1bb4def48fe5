//! Training through the choice: a plain loop with Adam and a learning rate that falls along half a cosine.

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor};
use burn_relax::nn::{Baseline, Selector, SelectorConfig};
use burn_relax::{RelaxationConfig, Schedule, Strategy};
use clap::Args;
use combined_network::network::{CombinedNetwork, CombinedNetworkConfig};
use combined_network::task::{Rows, generator};
use rand::RngExt;
use std::f64::consts::PI;

const BATCH: usize = 128;

/// How to train.
#[derive(Args)]
pub struct Training {
    /// How to train through the choice: auto, gradual, gumbel-hard, straight-through, expected-cost or score-function-leave-one-out
    #[arg(long, default_value = "auto", value_parser = strategy)]
    strategy: fn(usize) -> Strategy,
    /// Seed of task, parameters, minibatches and draws
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Optimiser steps, of 128 rows each
    #[arg(long, default_value_t = 4000, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Learning rate at the first step
    #[arg(long, default_value_t = 0.03, value_parser = positive, allow_negative_numbers = true)]
    rate: f64,
}

/// Some of the library's strategies, for a training of so many steps; `choice-lab` compares all of them.
fn strategy(name: &str) -> Result<fn(usize) -> Strategy, String> {
    Ok(match name {
        // The recommended one. From half of the steps on the temperature is twice the variance of the noise.
        "auto" => |steps| Strategy::FreeEnergy {
            temperature: falling(0.1, 0.005, steps.div_ceil(2)),
        },
        "gradual" => |steps| Strategy::Gather(RelaxationConfig::gradual(falling(1.0, 8.0, steps))),
        "gumbel-hard" => |_| Strategy::Gather(RelaxationConfig::softmax(1.0).gumbel().hard()),
        "straight-through" => |_| Strategy::Gather(RelaxationConfig::softmax(1.0).hard()),
        "expected-cost" => |_| Strategy::Expected,
        "score-function-leave-one-out" => |_| Strategy::ScoreFunction {
            samples: 4,
            baseline: Baseline::LeaveOneOut,
        },
        _ => return Err("no strategy of this name; see --help".to_owned()),
    })
}

fn positive(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok();
    rate.filter(|rate: &f64| rate.is_finite() && *rate > 0.0)
        .ok_or_else(|| "must be a number greater than 0".to_owned())
}

fn falling(from: f64, to: f64, steps: usize) -> Schedule {
    Schedule::Exponential { from, to, steps }
}

/// The network with the choice that trains it; some strategies have parameters of their own.
#[derive(Module, Debug)]
struct Trainee {
    network: CombinedNetwork,
    selector: Selector,
}

impl Training {
    /// Trains a network on these rows; `watch` sees it twenty times under way.
    pub fn run(
        &self,
        sizes: CombinedNetworkConfig,
        rows: &Rows,
        device: &Device,
        watch: impl Fn(usize, &CombinedNetwork),
    ) -> CombinedNetwork {
        let (device, steps) = (device.clone().autodiff(), self.steps as usize);
        device.seed(self.seed);
        let selector = SelectorConfig::new()
            .with_strategy((self.strategy)(steps))
            .with_seed(Some(self.seed));
        let mut trainee = Trainee {
            network: sizes.init(&device),
            selector: selector.init(&device),
        };
        let mut adam = AdamConfig::new().with_epsilon(1e-8).init();
        let mut rng = generator(self.seed, 1);
        for step in 0..steps {
            let batch = (0..BATCH).map(|_| rng.random_range(0..rows.targets.len()));
            let (inputs, targets) = rows.select(batch).on(&device);
            let (logits, values) = trainee.network.forward(inputs);
            let squared_error = |values: Tensor<2>| (values - targets.clone()).square();
            let loss = trainee.selector.loss(logits, values, squared_error);
            let grads = GradientsParams::from_grads(loss.mean().backward(), &trainee);
            let done = step as f64 / steps as f64;
            let rate = 0.5 * self.rate * (1.0 + (PI * done).cos());
            trainee = adam.step(rate, trainee, grads);
            if 20 * (step + 1) / steps > 20 * step / steps {
                watch(step + 1, &trainee.network.valid());
            }
        }
        trainee.network.valid()
    }
}

/// Mean squared error of the hard choices.
pub fn error(network: &CombinedNetwork, rows: &Rows, device: &Device) -> f64 {
    let (inputs, targets) = rows.clone().on(device);
    let (.., value) = network.choose(inputs);
    (value - targets).square().mean().into_scalar()
}
