//! Estimators and their parts: log-probabilities, samples with their costs, the free energy.

use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor, activation};
use burn_relax::{
    RelaxOps, categorical_log_prob, free_energy_cost, sample_categorical_with_log_prob,
};

use super::{
    Beside, Input, Operator, Traffic,
    gumbel::{perturbed, sample},
    largest, normaliser, position, upstream,
};

/// Of the free energy.
const TEMPERATURE: f64 = 0.1;

const ONE_ROW: Traffic = Traffic {
    reads: 1,
    writes: 0,
};
const ONE_ROW_GRADIENT: Traffic = Traffic {
    reads: 1,
    writes: 1,
};

pub const OPERATORS: &[Operator] = &[
    Operator {
        name: "sample_log_prob_cost",
        input: Input::Logits,
        beside: Beside::PerRow,
        learns: [true, false],
        fused: |x, cost| {
            let (_, log_prob) = sample_categorical_with_log_prob(x, 1, 1, 1);
            log_prob * cost
        },
        composed: |x, cost| {
            let drawn = perturbed(x.clone().detach()).argmax(1);
            activation::log_softmax(x, 1).gather(1, drawn) * cost
        },
        backward: None,
        naive: |x, cost, out| {
            let mut noisy = vec![0.0; x.len()];
            sample(x, &mut noisy);
            let max = largest(x);
            out[0] = (x[position(&noisy)] - max - normaliser(x, max).ln()) * cost[0];
        },
        forward: ONE_ROW,
        gradient: ONE_ROW_GRADIENT,
    },
    Operator {
        name: "categorical_log_prob",
        input: Input::Logits,
        beside: Beside::Nothing,
        learns: [true, false],
        fused: |x, _| {
            let given = middle(&x);
            categorical_log_prob(x, given, 1)
        },
        composed: |x, _| {
            let given = middle(&x);
            activation::log_softmax(x, 1).gather(1, given)
        },
        backward: Some(|x, _| {
            let given = middle(&x).into_dispatch();
            let x = x.into_dispatch();
            let (log_prob, stats) = Dispatch::categorical_log_prob(x.clone(), given.clone(), 1);
            let grad = upstream(&Tensor::from_dispatch(log_prob));
            Box::new(move || {
                let (x, given) = (x.clone(), given.clone());
                let (stats, grad) = (stats.clone(), grad.clone());
                Dispatch::categorical_log_prob_backward(x, given, stats, grad, 1, 1.0);
            })
        }),
        naive: |x, _, out| {
            let max = largest(x);
            out[0] = x[x.len() / 2] - max - normaliser(x, max).ln();
        },
        forward: ONE_ROW,
        gradient: ONE_ROW_GRADIENT,
    },
    Operator {
        name: "free_energy_cost",
        input: Input::Logits,
        beside: Beside::PerClass(1),
        learns: [true, true],
        fused: |x, cost| free_energy_cost(x, cost, 1, TEMPERATURE),
        composed: |x, cost| {
            let joint = activation::log_softmax(x, 1) - cost.div_scalar(TEMPERATURE);
            let max = joint.clone().detach().max_dim(1);
            let sum = (joint - max.clone()).exp().sum_dim(1);
            (sum.log() + max).mul_scalar(-TEMPERATURE)
        },
        backward: Some(|x, cost| {
            let (x, cost) = (x.into_dispatch(), cost.into_dispatch());
            let (out, stats) = Dispatch::free_energy(x.clone(), cost.clone(), 1, TEMPERATURE);
            let grad = upstream(&Tensor::from_dispatch(out));
            Box::new(move || {
                let (x, cost, stats) = (x.clone(), cost.clone(), stats.clone());
                Dispatch::free_energy_backward(x, cost, stats, grad.clone(), 1, TEMPERATURE);
            })
        }),
        naive: |x, cost, out| {
            let temperature = TEMPERATURE as f32;
            let joint = |(x, cost): (&f32, &f32)| x - cost / temperature;
            let pairs = || x.iter().zip(cost).map(joint);
            let max = pairs().fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = pairs().map(|joint| (joint - max).exp()).sum();
            let top = largest(x);
            let shift = top + normaliser(x, top).ln();
            out[0] = -temperature * (sum.ln() + max - shift);
        },
        forward: Traffic {
            reads: 2,
            writes: 0,
        },
        gradient: Traffic {
            reads: 2,
            writes: 2,
        },
    },
];

/// The class in the middle, for every row.
fn middle(logits: &Tensor<2>) -> Tensor<2, Int> {
    let [rows, n] = logits.dims();
    Tensor::full([rows, 1], (n / 2) as i64, &logits.device())
}
