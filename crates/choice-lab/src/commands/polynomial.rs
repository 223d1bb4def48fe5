//! The `polynomial` command: 128 two-class latents `x`, minimise the expectation of `mean |x - .45|^p` (Liu et al. 2023,
//! arXiv:2304.08612, section 6.1). The least cost, `.45^p`, has every latent at 0; how near a strategy comes is a matter of the
//! gradient alone.

use crate::commands::arguments::{seed_count, step_count};
use crate::place::backend::Backend;
use anyhow::Result;
use burn::module::{Module, Param};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor};
use burn_relax::nn::{Baseline, SelectorConfig};
use burn_relax::{RelaxationConfig, Strategy, softmax};
use serde::Serialize;
use std::io::{Write, stdout};

const LATENTS: usize = 128;
const BATCH: usize = 64;
const CENTRE: f64 = 0.45;
const LEARNING_RATE: f64 = 0.001;

/// The exponents of the costs.
pub const POWERS: [f64; 3] = [1.5, 2.0, 3.0];

/// The strategies compared, by name.
pub fn strategies() -> [(&'static str, Strategy); 5] {
    let softmax = RelaxationConfig::softmax(1.0);
    let temperature = 1.0.into();
    [
        ("exact", Strategy::Expected),
        ("ReinMax", Strategy::ReinMax { temperature }),
        ("straight-through", Strategy::Gather(softmax.sampled())),
        (
            "Gumbel-softmax hard",
            Strategy::Gather(softmax.gumbel().hard()),
        ),
        (
            "score function, leave-one-out",
            Strategy::ScoreFunction {
                samples: BATCH,
                baseline: Baseline::LeaveOneOut,
            },
        ),
    ]
}

#[derive(Module, Debug)]
struct Latents {
    logits: Param<Tensor<2>>,
}

/// Expected cost at the end, by enumeration of every latent.
pub fn descend(strategy: Strategy, power: f64, steps: usize, seed: u64, device: &Device) -> f64 {
    let device = &device.clone().autodiff();
    let cost = |values: Tensor<3>| (values - CENTRE).abs().powf_scalar(power);
    let sampled = matches!(strategy, Strategy::ScoreFunction { .. });
    // The score function sees whole vectors and one number for each; its samples are the batch.
    let rows = match strategy {
        Strategy::ScoreFunction { .. } | Strategy::Expected => 1,
        _ => BATCH,
    };
    let selector = SelectorConfig::new()
        .with_strategy(strategy)
        .with_joint_dim(sampled.then_some(1))
        .with_seed(Some(seed))
        .with_reproducible(true)
        .init(device);
    let values = Tensor::<3>::from_floats([[[0.0, 1.0]]], device).expand([rows, LATENTS, 2]);
    let mut latents = Latents {
        logits: Param::from_tensor(Tensor::zeros([LATENTS, 2], device)),
    };
    let mut adam = AdamConfig::new().with_epsilon(1e-8).init();
    for _ in 0..steps {
        let logits = latents
            .logits
            .val()
            .unsqueeze::<3>()
            .expand([rows, LATENTS, 2]);
        let loss = if sampled {
            selector.loss(logits, values.clone(), |values| cost(values).mean_dim(1))
        } else {
            selector.loss(logits, values.clone(), cost)
        };
        let grads = GradientsParams::from_grads(loss.mean().backward(), &latents);
        latents = adam.step(LEARNING_RATE, latents, grads);
    }
    let probs = softmax(latents.logits.val(), 1, 1.0);
    let costs = cost(Tensor::<3>::from_floats([[[0.0, 1.0]]], device)).reshape([1, 2]);
    (probs * costs).sum_dim(1).mean().into_scalar::<f64>()
}

/// Minimise mean |x - .45|^p over 128 two-class latents by five strategies
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: choice-lab polynomial --seeds 3 --steps 2000")]
pub struct Args {
    /// Print a JSON array of objects instead of a table
    #[arg(long)]
    json: bool,
    /// Runs of each strategy on each cost, with the seeds 0, 1, …
    #[arg(long, default_value_t = 10, value_parser = seed_count, allow_negative_numbers = true)]
    seeds: u64,
    /// Optimiser steps of a run
    #[arg(long, default_value_t = 8000, value_parser = step_count, allow_negative_numbers = true)]
    steps: usize,
    /// Where to run
    #[arg(long, value_enum, default_value = "flex")]
    backend: Backend,
}

/// Mean and standard error of a strategy on a cost.
#[derive(Serialize)]
struct Row {
    strategy: &'static str,
    power: f64,
    optimum: f64,
    cost: f64,
    standard_error: f64,
    seeds: u64,
    steps: usize,
}

impl Args {
    /// Runs the comparison and prints it.
    pub fn run(&self) -> Result<()> {
        let device = self.backend.device()?;
        let mut rows = Vec::new();
        for (name, strategy) in strategies() {
            for power in POWERS {
                let costs: Vec<f64> = (0..self.seeds)
                    .map(|seed| descend(strategy, power, self.steps, seed, &device))
                    .collect();
                let count = costs.len() as f64;
                let mean = costs.iter().sum::<f64>() / count;
                let variance = costs.iter().map(|cost| (cost - mean).powi(2)).sum::<f64>();
                rows.push(Row {
                    strategy: name,
                    power,
                    optimum: CENTRE.powf(power),
                    cost: mean,
                    standard_error: (variance / (count - 1.0).max(1.0) / count).sqrt(),
                    seeds: self.seeds,
                    steps: self.steps,
                });
            }
        }
        let mut out = stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?;
            return Ok(());
        }
        writeln!(
            out,
            "| strategy | p = 1.5 | p = 2 | p = 3 |\n|---|---|---|---|"
        )?;
        for rows in rows.chunks(POWERS.len()) {
            write!(out, "| {} ", rows[0].strategy)?;
            for row in rows {
                write!(out, "| {:.6} ± {:.6} ", row.cost, row.standard_error)?;
            }
            writeln!(out, "|")?;
        }
        let optima = POWERS.map(|power| format!("{:.6}", CENTRE.powf(power)));
        writeln!(out, "| *optimum* | *{}* |", optima.join("* | *"))?;
        Ok(())
    }
}
