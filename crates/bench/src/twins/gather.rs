//! Expected index, expected value, and their hard forms.

use burn::tensor::{Tensor, activation};

use super::{
    choice::straight_through,
    twin::{Twin, largest, position},
};

pub const TWINS: &[Twin] = &[
    Twin {
        name: "soft_argmax",
        composed: |x, _| {
            let x: Tensor<2> = x.logits();
            let [_, n] = x.dims();
            let index = Tensor::arange(0..n as i64, &x.device()).float();
            let index: Tensor<2> = index.cast(x.dtype()).reshape([1, n]);
            activation::softmax(x, 1).mul(index).sum_dim(1)
        },
        plain: |x, _, out| {
            let max = largest(x);
            let (mut sum, mut weighted) = (0.0, 0.0);
            for (i, x) in x.iter().enumerate() {
                let weight = (x - max).exp();
                sum += weight;
                weighted += weight * i as f32;
            }
            out[0] = weighted / sum;
        },
    },
    Twin {
        name: "soft_argmax_gather",
        composed: |x, _| {
            let weights: Tensor<2> = activation::softmax(x.logits(), 1);
            weights.mul(x.values()).sum_dim(1)
        },
        plain: expected,
    },
    Twin {
        name: "soft_argmax_gather_hard",
        composed: |x, _| {
            let logits: Tensor<2> = x.logits();
            let soft = activation::softmax(logits.clone(), 1);
            straight_through(soft, logits).mul(x.values()).sum_dim(1)
        },
        plain: |x, v, out| {
            expected(x, v, out);
            out[0] = v[position(x)];
        },
    },
    Twin {
        name: "blended_gather",
        composed: |x, _| {
            let (x, v): (Tensor<2>, Tensor<2>) = (x.logits(), x.values());
            let hard = v.clone().gather(1, x.clone().argmax(1));
            let soft = activation::softmax(x, 1).mul(v).sum_dim(1);
            hard.detach() + (soft.clone() - soft.detach())
        },
        plain: |x, v, out| {
            expected(x, v, out);
            out[0] = v[position(x)];
        },
    },
    Twin {
        name: "soft_argmax_gather_features",
        composed: |x, _| {
            let values: Tensor<3> = x.values();
            let [rows, _, features] = values.dims();
            let weights = activation::softmax(x.logits::<2>(), 1).unsqueeze_dim::<3>(2);
            let picked: Tensor<3> = weights.mul(values).sum_dim(1);
            picked.reshape([rows, features])
        },
        plain: |x, v, out| {
            let max = largest(x);
            let mut sum = 0.0;
            out.fill(0.0);
            for (x, v) in x.iter().zip(v.chunks(out.len())) {
                let weight = (x - max).exp();
                sum += weight;
                out.iter_mut()
                    .zip(v)
                    .for_each(|(out, v)| *out += weight * v);
            }
            out.iter_mut().for_each(|out| *out /= sum);
        },
    },
    Twin {
        name: "argmax_gather",
        composed: |x, _| x.values::<2>().gather(1, x.logits::<2>().argmax(1)),
        plain: |x, v, out| out[0] = v[position(x)],
    },
    Twin {
        name: "argmax",
        composed: |x, _| x.logits::<2>().argmax(1).float(),
        plain: |x, _, out| out[0] = position(x) as f32,
    },
];

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
