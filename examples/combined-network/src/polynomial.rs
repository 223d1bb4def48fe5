//! The `polynomial` command: 128 two-class latents `x`, minimise the expectation of `mean |x - .45|^p` (Liu et al. 2023,
//! arXiv:2304.08612, section 6.1). The least cost, `.45^p`, has every latent at 0; how near a strategy comes is a matter of the
//! gradient alone.

use crate::cli::PolynomialArgs;
use anyhow::Result;
use burn::module::{Module, Param};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor};
use burn_relax::{Baseline, SelectorConfig, SimplexMap, Strategy, softmax};
use serde::Serialize;
use std::io::{Write, stdout};

const LATENTS: usize = 128;
const BATCH: usize = 64;
const CENTRE: f64 = 0.45;
const LEARNING_RATE: f64 = 0.001;

/// The exponents of the costs.
pub const POWERS: [f64; 3] = [1.5, 2.0, 3.0];

/// The strategies compared, by name.
#[must_use]
pub fn strategies() -> [(&'static str, Strategy); 5] {
    let one = 1.0.into();
    [
        ("exact", Strategy::ExpectedCost),
        ("ReinMax", Strategy::ReinMax { temperature: one }),
        (
            "straight-through",
            Strategy::StraightThroughSample {
                forward_temperature: one,
                backward_temperature: one,
            },
        ),
        (
            "Gumbel-softmax hard",
            Strategy::GumbelSoftmax {
                temperature: one,
                hard: true,
                map: SimplexMap::Softmax,
            },
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
#[must_use]
pub fn descend(strategy: Strategy, power: f64, steps: usize, seed: u64, device: &Device) -> f64 {
    let device = &device.clone().autodiff();
    let cost = |values: Tensor<3>| (values - CENTRE).abs().powf_scalar(power);
    let sampled = matches!(strategy, Strategy::ScoreFunction { .. });
    // The score function sees whole vectors and one number for each; its samples are the batch.
    let rows = match strategy {
        Strategy::ScoreFunction { .. } | Strategy::ExpectedCost => 1,
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
            selector.forward(logits, values.clone(), |values| cost(values).mean_dim(1))
        } else {
            selector.forward(logits, values.clone(), cost)
        };
        let grads = GradientsParams::from_grads(loss.mean().backward(), &latents);
        latents = adam.step(LEARNING_RATE, latents, grads);
    }
    let probs = softmax(latents.logits.val(), 1, 1.0);
    let costs = cost(Tensor::<3>::from_floats([[[0.0, 1.0]]], device)).reshape([1, 2]);
    (probs * costs).sum_dim(1).mean().into_scalar::<f64>()
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

/// Runs the comparison and prints it.
///
/// # Errors
///
/// If the backend is not available or stdout is closed.
pub fn polynomial(args: &PolynomialArgs) -> Result<()> {
    let device = args.backend.device()?;
    let mut rows = Vec::new();
    for (name, strategy) in strategies() {
        for power in POWERS {
            let costs: Vec<f64> = (0..args.seeds)
                .map(|seed| descend(strategy, power, args.steps, seed, &device))
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
                seeds: args.seeds,
                steps: args.steps,
            });
        }
    }
    let mut out = stdout().lock();
    if args.json {
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
