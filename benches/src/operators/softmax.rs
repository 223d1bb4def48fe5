//! Maps to the simplex, and the gradual argmax.

use burn::backend::Dispatch;
use burn::tensor::{Tensor, activation};
use burn_relax::{RelaxOps, gradual_argmax, log_softmax, power_softmax, softmax};

use super::{Beside, Input, Operator, Traffic, largest, normaliser, upstream};

/// Of the softmax.
const TEMPERATURE: f64 = 0.5;
/// Of the gradual argmax and of its normalised twin; not an integer, which PyTorch would multiply out.
const POWER: f64 = 2.5;

/// A map from a row to a row.
const MAP: Traffic = Traffic {
    reads: 1,
    writes: 1,
};
/// Its gradient, from one saved row and the upstream one.
const MAP_GRADIENT: Traffic = Traffic {
    reads: 2,
    writes: 1,
};

pub const OPERATORS: &[Operator] = &[
    Operator {
        name: "softmax",
        input: Input::Logits,
        beside: Beside::Nothing,
        learns: [true, false],
        fused: |x, _| softmax(x, 1, TEMPERATURE),
        composed: |x, _| activation::softmax(x.div_scalar(TEMPERATURE), 1),
        backward: Some(|x, _| {
            let (probs, stats) = Dispatch::softmax_with_stats(x.into_dispatch(), 1, TEMPERATURE);
            let grad = upstream(&Tensor::from_dispatch(probs.clone()));
            Box::new(move || {
                let (probs, stats, grad) = (probs.clone(), stats.clone(), grad.clone());
                Dispatch::softmax_backward(probs, stats, grad, 1, TEMPERATURE);
            })
        }),
        naive: |x, _, out| {
            let max = largest(x);
            let mut sum = 0.0;
            for (out, x) in out.iter_mut().zip(x) {
                *out = ((x - max) * 2.0).exp();
                sum += *out;
            }
            out.iter_mut().for_each(|out| *out /= sum);
        },
        forward: MAP,
        gradient: MAP_GRADIENT,
    },
    Operator {
        name: "log_softmax",
        input: Input::Logits,
        beside: Beside::Nothing,
        learns: [true, false],
        fused: |x, _| log_softmax(x, 1),
        composed: |x, _| activation::log_softmax(x, 1),
        backward: Some(|x, _| {
            let (log_probs, stats) = Dispatch::log_softmax_with_stats(x.into_dispatch(), 1);
            let grad = upstream(&Tensor::from_dispatch(log_probs.clone()));
            Box::new(move || {
                let (log_probs, stats) = (log_probs.clone(), stats.clone());
                Dispatch::log_softmax_backward(log_probs, stats, grad.clone(), 1);
            })
        }),
        naive: |x, _, out| {
            let max = largest(x);
            let shift = max + normaliser(x, max).ln();
            out.iter_mut().zip(x).for_each(|(out, x)| *out = x - shift);
        },
        forward: MAP,
        gradient: MAP_GRADIENT,
    },
    Operator {
        name: "gradual_argmax",
        input: Input::Unit,
        beside: Beside::Nothing,
        learns: [true, false],
        fused: |v, _| gradual_argmax(v, 1, POWER),
        composed: |v, _| {
            let winner = v.clone().equal(v.clone().max_dim(1).expand(v.dims()));
            let won = (v.clone().neg() + 1.0).powf_scalar(POWER).neg() + 1.0;
            v.powf_scalar(POWER).mask_where(winner, won)
        },
        backward: Some(|v, _| {
            let power = Tensor::<2>::full([1, 1], POWER, (&v.device(), v.dtype())).into_dispatch();
            let (grad, values) = (upstream(&v), v.into_dispatch());
            Box::new(move || {
                let (values, power, grad) = (values.clone(), power.clone(), grad.clone());
                Dispatch::gradual_argmax_backward(values, power, grad, 1, false);
            })
        }),
        naive: |v, _, out| {
            let max = largest(v);
            for (out, &v) in out.iter_mut().zip(v) {
                *out = if v == max {
                    1.0 - (1.0 - v).powf(POWER as f32)
                } else {
                    v.powf(POWER as f32)
                };
            }
        },
        forward: MAP,
        gradient: MAP_GRADIENT,
    },
    Operator {
        name: "power_softmax",
        input: Input::Unit,
        beside: Beside::Nothing,
        learns: [true, false],
        fused: |v, _| power_softmax(v, 1, POWER),
        composed: |v, _| {
            let powers = v.powf_scalar(POWER);
            powers.clone() / powers.sum_dim(1)
        },
        backward: Some(|v, _| {
            let power = Tensor::<2>::full([1, 1], POWER, (&v.device(), v.dtype())).into_dispatch();
            let (grad, values) = (upstream(&v), v.into_dispatch());
            let (output, stats) = Dispatch::power_softmax(values.clone(), power.clone(), 1);
            Box::new(move || {
                let (values, power, grad) = (values.clone(), power.clone(), grad.clone());
                let (output, stats) = (output.clone(), stats.clone());
                Dispatch::power_softmax_backward(values, power, output, stats, grad, 1);
            })
        }),
        naive: |v, _, out| {
            let mut sum = 0.0;
            for (out, v) in out.iter_mut().zip(v) {
                *out = v.powf(POWER as f32);
                sum += *out;
            }
            out.iter_mut().for_each(|out| *out /= sum);
        },
        forward: MAP,
        gradient: Traffic {
            reads: 3,
            writes: 1,
        },
    },
];
