//! Relaxed samples.

use burn::backend::Dispatch;
use burn::tensor::{Distribution, Tensor, activation};
use burn_relax::{RelaxOps, Seed, gumbel_softmax, gumbel_softmax_with_noise};

use super::{
    Beside, Input, Operator, Row, Traffic, choice::straight_through, largest, position, upstream,
};

/// Of the relaxed sample.
const TEMPERATURE: f64 = 0.5;
/// Any seed: the cost of a draw does not depend on it.
const SEED: Seed = Seed::new(1, 1);

/// Noise is generated and never written.
const GENERATED: Traffic = Traffic {
    reads: 1,
    writes: 1,
};
/// Noise is read.
const GIVEN: Traffic = Traffic {
    reads: 2,
    writes: 1,
};
/// From the saved sample, or from the logits and noise made again, and the upstream gradient.
const GRADIENT: Traffic = Traffic {
    reads: 2,
    writes: 1,
};

pub const OPERATORS: &[Operator] = &[
    Operator {
        name: "gumbel_softmax",
        input: Input::Logits,
        beside: Beside::Nothing,
        learns: [true, false],
        fused: |x, _| gumbel_softmax(x, 1, TEMPERATURE, false, SEED),
        composed: |x, _| relaxed(perturbed(x)),
        backward: None,
        naive: |x, _, out| {
            sample(x, out);
            soften(out);
        },
        forward: GENERATED,
        gradient: GRADIENT,
    },
    Operator {
        name: "gumbel_softmax_hard",
        input: Input::Logits,
        beside: Beside::Nothing,
        learns: [true, false],
        fused: |x, _| gumbel_softmax(x, 1, TEMPERATURE, true, SEED),
        composed: |x, _| {
            let scores = perturbed(x);
            straight_through(relaxed(scores.clone()), scores)
        },
        backward: Some(|x, _| {
            let grad = upstream(&x);
            let x = x.into_dispatch();
            let (_, stats) = Dispatch::gumbel_argmax(x.clone(), 1, TEMPERATURE, SEED);
            Box::new(move || {
                let (x, stats, grad) = (x.clone(), stats.clone(), grad.clone());
                Dispatch::gumbel_argmax_backward(x, stats, grad, 1, TEMPERATURE, SEED);
            })
        }),
        naive: |x, _, out| {
            sample(x, out);
            let chosen = position(out);
            out.fill(0.0);
            out[chosen] = 1.0;
        },
        forward: GENERATED,
        gradient: GRADIENT,
    },
    Operator {
        name: "gumbel_softmax_with_noise",
        input: Input::Logits,
        beside: Beside::PerClass(1),
        learns: [true, false],
        fused: |x, noise| gumbel_softmax_with_noise(x, noise, 1, TEMPERATURE, false),
        composed: |x, noise| relaxed(x + noise),
        backward: None,
        naive: ADD_AND_SOFTEN,
        forward: GIVEN,
        gradient: GRADIENT,
    },
    Operator {
        name: "gumbel_softmax_hard_with_noise",
        input: Input::Logits,
        beside: Beside::PerClass(1),
        learns: [true, false],
        fused: |x, noise| gumbel_softmax_with_noise(x, noise, 1, TEMPERATURE, true),
        composed: |x, noise| {
            let scores = x + noise;
            straight_through(relaxed(scores.clone()), scores)
        },
        backward: Some(|x, noise| {
            let grad = upstream(&x);
            let (x, noise) = (x.into_dispatch(), noise.into_dispatch());
            let (_, stats) =
                Dispatch::gumbel_argmax_with_noise(x.clone(), noise.clone(), 1, TEMPERATURE);
            Box::new(move || {
                let (x, noise) = (x.clone(), noise.clone());
                let (stats, grad) = (stats.clone(), grad.clone());
                Dispatch::gumbel_argmax_with_noise_backward(x, noise, stats, grad, 1, TEMPERATURE);
            })
        }),
        naive: |x, noise, out| {
            add(x, noise, out);
            let chosen = position(out);
            out.fill(0.0);
            out[chosen] = 1.0;
        },
        forward: GIVEN,
        gradient: Traffic {
            reads: 3,
            writes: 1,
        },
    },
];

/// Logits with Gumbel noise, as Burn's generator can make it.
pub fn perturbed(x: Tensor<2>) -> Tensor<2> {
    let uniform = x.random_like(Distribution::Uniform(1e-7, 1.0));
    x - uniform.log().neg().log()
}

fn relaxed(scores: Tensor<2>) -> Tensor<2> {
    activation::softmax(scores.div_scalar(TEMPERATURE), 1)
}

const ADD_AND_SOFTEN: Row = |x, noise, out| {
    add(x, noise, out);
    soften(out);
};

fn add(x: &[f32], noise: &[f32], out: &mut [f32]) {
    for ((out, x), noise) in out.iter_mut().zip(x).zip(noise) {
        *out = x + noise;
    }
}

/// Logits with Gumbel noise from a plain generator (splitmix64), seeded by the row.
pub fn sample(x: &[f32], out: &mut [f32]) {
    let mut state = u64::from(x[0].to_bits());
    for (out, x) in out.iter_mut().zip(x) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let uniform = ((bits >> 41) as f32 + 0.5) / 8_388_608.0;
        *out = x - (-uniform.ln()).ln();
    }
}

fn soften(row: &mut [f32]) {
    let max = largest(row);
    let mut sum = 0.0;
    for x in row.iter_mut() {
        *x = ((*x - max) * 2.0).exp();
        sum += *x;
    }
    row.iter_mut().for_each(|x| *x /= sum);
}
