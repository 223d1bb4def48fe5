//! Relaxed samples.

use burn::tensor::{Distribution, Tensor, activation};

use super::{
    choice::straight_through,
    twin::{Twin, largest, position},
};

/// Of the relaxed sample, as in its case.
const TEMPERATURE: f64 = 0.5;

pub const TWINS: &[Twin] = &[
    Twin {
        name: "gumbel_softmax",
        composed: |x, _| relaxed(perturbed(x.logits())),
        plain: |x, _, out| {
            sample(x, out);
            soften(out);
        },
    },
    Twin {
        name: "gumbel_softmax_hard",
        composed: |x, _| {
            let scores = perturbed(x.logits());
            straight_through(relaxed(scores.clone()), scores)
        },
        plain: |x, _, out| {
            sample(x, out);
            choose(out);
        },
    },
    Twin {
        name: "gumbel_softmax_with_noise",
        composed: |x, _| relaxed(x.logits::<2>() + x.get("noise")),
        plain: |x, noise, out| {
            add(x, noise, out);
            soften(out);
        },
    },
    Twin {
        name: "gumbel_softmax_hard_with_noise",
        composed: |x, _| {
            let scores = x.logits::<2>() + x.get("noise");
            straight_through(relaxed(scores.clone()), scores)
        },
        plain: |x, noise, out| {
            add(x, noise, out);
            choose(out);
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

fn choose(row: &mut [f32]) {
    let chosen = position(row);
    row.fill(0.0);
    row[chosen] = 1.0;
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
