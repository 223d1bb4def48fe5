//! Expected index, expected value, and their hard forms.

use burn::backend::Dispatch;
use burn::tensor::{Tensor, activation};
use burn_relax::{Coordinates, RelaxOps, argmax_gather, soft_argmax, soft_argmax_gather};

use super::{Beside, Input, Operator, Traffic, largest, position, upstream};

/// Feature values of a class.
const FEATURES: usize = 4;

/// A read-out of two rows.
const READ_OUT: Traffic = Traffic {
    reads: 2,
    writes: 0,
};
/// The gradients of both.
const READ_OUT_GRADIENT: Traffic = Traffic {
    reads: 2,
    writes: 2,
};

pub const OPERATORS: &[Operator] = &[
    Operator {
        name: "soft_argmax",
        input: Input::Logits,
        beside: Beside::Nothing,
        learns: [true, false],
        fused: |x, _| soft_argmax(x, 1, 1.0, Coordinates::index()),
        composed: |x, _| {
            let [_, n] = x.dims();
            let index = index(n, &x);
            activation::softmax(x, 1).mul(index).sum_dim(1)
        },
        backward: Some(|x, _| {
            let coordinates = index(x.dims()[1], &x).reshape([-1_i32]);
            let coordinates: Tensor<1> = coordinates;
            let (x, coordinates) = (x.into_dispatch(), coordinates.into_dispatch());
            let (out, stats) = Dispatch::soft_argmax(x.clone(), coordinates.clone(), 1, 1.0);
            let grad = upstream(&Tensor::from_dispatch(out.clone()));
            Box::new(move || {
                let (x, coordinates, stats) = (x.clone(), coordinates.clone(), stats.clone());
                let (out, grad) = (out.clone(), grad.clone());
                Dispatch::soft_argmax_backward(x, coordinates, stats, out, grad, 1, 1.0);
            })
        }),
        naive: |x, _, out| {
            let max = largest(x);
            let (mut sum, mut weighted) = (0.0, 0.0);
            for (i, x) in x.iter().enumerate() {
                let weight = (x - max).exp();
                sum += weight;
                weighted += weight * i as f32;
            }
            out[0] = weighted / sum;
        },
        forward: Traffic {
            reads: 1,
            writes: 0,
        },
        gradient: Traffic {
            reads: 1,
            writes: 1,
        },
    },
    Operator {
        name: "soft_argmax_gather",
        input: Input::Logits,
        beside: Beside::PerClass(1),
        learns: [true, true],
        fused: |x, v| soft_argmax_gather(x, v, 1, 1.0, false),
        composed: |x, v| activation::softmax(x, 1).mul(v).sum_dim(1),
        backward: Some(|x, v| gather_backward(x, v)),
        naive: expected,
        forward: READ_OUT,
        gradient: READ_OUT_GRADIENT,
    },
    Operator {
        name: "soft_argmax_gather_hard",
        input: Input::Logits,
        beside: Beside::PerClass(1),
        learns: [true, true],
        fused: |x, v| soft_argmax_gather(x, v, 1, 1.0, true),
        composed: |x, v| {
            let hard = v.clone().gather(1, x.clone().argmax(1));
            let soft = activation::softmax(x, 1).mul(v).sum_dim(1);
            hard.detach() + (soft.clone() - soft.detach())
        },
        // The same operation as the soft form's.
        backward: None,
        naive: |x, v, out| {
            expected(x, v, out);
            out[0] = v[position(x)];
        },
        forward: READ_OUT,
        gradient: READ_OUT_GRADIENT,
    },
    Operator {
        name: "soft_argmax_gather_features",
        input: Input::Logits,
        beside: Beside::PerClass(FEATURES),
        learns: [true, true],
        fused: |x, v| {
            let values = features(&x, v);
            let picked = soft_argmax_gather(x, values, 1, 1.0, false);
            let [rows, _, _] = picked.dims();
            picked.reshape([rows, FEATURES])
        },
        composed: |x, v| {
            let values = features(&x, v);
            let weights = activation::softmax(x, 1).unsqueeze_dim::<3>(2);
            let picked = weights.mul(values).sum_dim(1);
            let [rows, _, _] = picked.dims();
            picked.reshape([rows, FEATURES])
        },
        backward: Some(|x, v| {
            let v = features(&x, v);
            gather_backward(x, v)
        }),
        naive: |x, v, out| {
            let max = largest(x);
            let mut sum = 0.0;
            out.fill(0.0);
            for (x, v) in x.iter().zip(v.chunks(FEATURES)) {
                let weight = (x - max).exp();
                sum += weight;
                out.iter_mut()
                    .zip(v)
                    .for_each(|(out, v)| *out += weight * v);
            }
            out.iter_mut().for_each(|out| *out /= sum);
        },
        forward: Traffic {
            reads: 1 + FEATURES,
            writes: 0,
        },
        gradient: Traffic {
            reads: 1 + FEATURES,
            writes: 1 + FEATURES,
        },
    },
    Operator {
        name: "argmax_gather",
        input: Input::Logits,
        beside: Beside::PerClass(1),
        learns: [false, true],
        fused: |x, v| argmax_gather(x, v, 1),
        composed: |x, v| v.gather(1, x.argmax(1)),
        backward: Some(|x, v| {
            let (x, v) = (x.into_dispatch(), v.into_dispatch());
            let out = Dispatch::argmax_gather(x.clone(), v, 1);
            let grad = upstream(&Tensor::from_dispatch(out));
            Box::new(move || {
                Dispatch::argmax_gather_backward(x.clone(), grad.clone(), 1);
            })
        }),
        naive: |x, v, out| out[0] = v[position(x)],
        forward: Traffic {
            reads: 1,
            writes: 0,
        },
        gradient: Traffic {
            reads: 1,
            writes: 1,
        },
    },
];

/// The numbers from 0 to `n` as a row.
fn index(n: usize, like: &Tensor<2>) -> Tensor<2> {
    let index = Tensor::arange(0..n as i64, &like.device()).float();
    index.cast(like.dtype()).reshape([1, n])
}

/// The values as feature blocks.
fn features(logits: &Tensor<2>, values: Tensor<2>) -> Tensor<3> {
    let [rows, n] = logits.dims();
    values.reshape([rows, n, FEATURES])
}

fn gather_backward<const D: usize>(x: Tensor<2>, v: Tensor<D>) -> Box<dyn FnMut() + Send> {
    let (x, v) = (x.into_dispatch(), v.into_dispatch());
    let (soft, stats) = Dispatch::soft_argmax_gather(x.clone(), v.clone(), 1, 1.0);
    let grad = Tensor::<D>::from_dispatch(soft.clone())
        .ones_like()
        .into_dispatch();
    Box::new(move || {
        let (x, v, stats) = (x.clone(), v.clone(), stats.clone());
        let (soft, grad) = (soft.clone(), grad.clone());
        Dispatch::soft_argmax_gather_backward(x, v, stats, soft, grad, 1, 1.0);
    })
}

fn expected(x: &[f32], v: &[f32], out: &mut [f32]) {
    let max = largest(x);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (x, v) in x.iter().zip(v) {
        let weight = (x - max).exp();
        sum += weight;
        weighted += weight * v;
    }
    out[0] = weighted / sum;
}
