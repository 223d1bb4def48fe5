//! Maps to the simplex, and the gradual argmax.

use burn::tensor::{Tensor, activation};

use super::twin::{Twin, largest, normaliser};

/// Of the softmax, as in its case.
const TEMPERATURE: f64 = 0.5;
/// Of the gradual argmax and of its normalised twin, likewise.
const POWER: f64 = 2.5;

pub const TWINS: &[Twin] = &[
    Twin {
        name: "softmax",
        composed: |x, _| activation::softmax(x.logits::<2>().div_scalar(TEMPERATURE), 1),
        plain: |x, _, out| {
            let max = largest(x);
            let mut sum = 0.0;
            for (out, x) in out.iter_mut().zip(x) {
                *out = ((x - max) * 2.0).exp();
                sum += *out;
            }
            out.iter_mut().for_each(|out| *out /= sum);
        },
    },
    Twin {
        name: "log_softmax",
        composed: |x, _| activation::log_softmax(x.logits(), 1),
        plain: |x, _, out| {
            let max = largest(x);
            let shift = max + normaliser(x, max).ln();
            out.iter_mut().zip(x).for_each(|(out, x)| *out = x - shift);
        },
    },
    Twin {
        name: "gradual_argmax",
        composed: |x, _| {
            let v: Tensor<2> = x.values();
            let winner = v.clone().equal(v.clone().max_dim(1).expand(v.dims()));
            let won = (v.clone().neg() + 1.0).powf_scalar(POWER).neg() + 1.0;
            v.powf_scalar(POWER).mask_where(winner, won)
        },
        plain: |v, _, out| {
            let max = largest(v);
            for (out, &v) in out.iter_mut().zip(v) {
                *out = if v == max {
                    1.0 - (1.0 - v).powf(POWER as f32)
                } else {
                    v.powf(POWER as f32)
                };
            }
        },
    },
    Twin {
        name: "power_softmax",
        composed: |x, _| {
            let powers = x.values::<2>().powf_scalar(POWER);
            powers.clone() / powers.sum_dim(1)
        },
        plain: |v, _, out| {
            let mut sum = 0.0;
            for (out, v) in out.iter_mut().zip(v) {
                *out = v.powf(POWER as f32);
                sum += *out;
            }
            out.iter_mut().for_each(|out| *out /= sum);
        },
    },
];
