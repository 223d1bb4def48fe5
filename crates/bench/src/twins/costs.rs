//! Estimators and their parts: log-probabilities, samples with their costs, the free energy.

use burn::tensor::{Tensor, activation};

use super::{
    gumbel::{perturbed, sample},
    twin::{Twin, largest, normaliser, position},
};

/// Of the free energy, as in its case.
const TEMPERATURE: f64 = 0.1;

pub const TWINS: &[Twin] = &[
    Twin {
        name: "sample_log_prob_cost",
        composed: |x, _| {
            let logits: Tensor<2> = x.logits();
            let drawn = perturbed(logits.clone().detach()).argmax(1);
            activation::log_softmax(logits, 1).gather(1, drawn) * x.get("cost")
        },
        plain: |x, cost, out| {
            let mut noisy = vec![0.0; x.len()];
            sample(x, &mut noisy);
            let max = largest(x);
            out[0] = (x[position(&noisy)] - max - normaliser(x, max).ln()) * cost[0];
        },
    },
    Twin {
        name: "categorical_log_prob",
        composed: |x, _| {
            let log_probs: Tensor<2> = activation::log_softmax(x.logits(), 1);
            log_probs.gather(1, x.ints("indices"))
        },
        plain: |x, _, out| {
            let max = largest(x);
            out[0] = x[x.len() / 2] - max - normaliser(x, max).ln();
        },
    },
    Twin {
        name: "free_energy_loss",
        composed: |x, _| {
            let log_probs: Tensor<2> = activation::log_softmax(x.logits(), 1);
            let joint = log_probs - x.values::<2>().div_scalar(TEMPERATURE);
            let max = joint.clone().detach().max_dim(1);
            let sum = (joint - max.clone()).exp().sum_dim(1);
            (sum.log() + max).mul_scalar(-TEMPERATURE)
        },
        plain: |x, cost, out| {
            let temperature = TEMPERATURE as f32;
            let joint = |(x, cost): (&f32, &f32)| x - cost / temperature;
            let pairs = || x.iter().zip(cost).map(joint);
            let max = pairs().fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = pairs().map(|joint| (joint - max).exp()).sum();
            let top = largest(x);
            let shift = top + normaliser(x, top).ln();
            out[0] = -temperature * (sum.ln() + max - shift);
        },
    },
];
