//! The operators: each fused, and as a user of Burn would compose it.

use burn_core::tensor::{Device, Distribution, Tensor, activation};
use burn_relax::{
    Coordinates, gradual_argmax, gumbel_softmax_with_noise, log_softmax, soft_argmax,
    soft_argmax_gather, softmax, straight_through_argmax,
};

use crate::{device::Pass, timing::Side};

type Function = fn(Tensor<2>, Tensor<2>) -> Tensor<2>;

/// An operator of two tensors `[rows, classes]`, the second of which it may ignore.
pub struct Operator {
    pub name: &'static str,
    fused: Function,
    composed: Function,
    /// Tensors of the inputs' size that a forward pass reads and writes.
    forward: usize,
    /// The same for the gradient: arguments and upstream read, gradients written.
    backward: usize,
}

pub const OPERATORS: &[Operator] = &[
    Operator {
        name: "soft_argmax_gather",
        fused: |x, v| soft_argmax_gather(x, v, 1, 1.0, false),
        composed: |x, v| activation::softmax(x, 1).mul(v).sum_dim(1),
        forward: 2,
        backward: 4,
    },
    Operator {
        name: "soft_argmax_gather hard",
        fused: |x, v| soft_argmax_gather(x, v, 1, 1.0, true),
        composed: |x, v| {
            let hard = v.clone().gather(1, x.clone().argmax(1));
            let soft = activation::softmax(x, 1).mul(v).sum_dim(1);
            hard.detach() + (soft.clone() - soft.detach())
        },
        forward: 2,
        backward: 4,
    },
    Operator {
        name: "soft_argmax",
        fused: |x, _| soft_argmax(x, 1, 1.0, Coordinates::index()),
        composed: |x, _| {
            let [_, n] = x.dims();
            let index = Tensor::arange(0..n as i64, &x.device())
                .float()
                .reshape([1, n]);
            activation::softmax(x, 1).mul(index).sum_dim(1)
        },
        forward: 1,
        backward: 2,
    },
    Operator {
        name: "softmax",
        fused: |x, _| softmax(x, 1, 0.5),
        composed: |x, _| activation::softmax(x.div_scalar(0.5), 1),
        forward: 2,
        backward: 3,
    },
    Operator {
        name: "log_softmax",
        fused: |x, _| log_softmax(x, 1),
        composed: |x, _| activation::log_softmax(x, 1),
        forward: 2,
        backward: 3,
    },
    Operator {
        name: "gradual_argmax",
        fused: |_, v| gradual_argmax(v, 1, 3.0),
        composed: |_, v| {
            let winner = v.clone().equal(v.clone().max_dim(1).expand(v.dims()));
            let won = (v.clone().neg() + 1.0).powf_scalar(3.0).neg() + 1.0;
            v.powf_scalar(3.0).mask_where(winner, won)
        },
        forward: 2,
        backward: 3,
    },
    Operator {
        name: "straight_through_argmax",
        fused: |x, _| straight_through_argmax(x, 1, 1.0),
        composed: |x, _| {
            let [_, n] = x.dims();
            let hard = x
                .clone()
                .argmax(1)
                .squeeze_dim::<1>(1)
                .one_hot::<2>(n)
                .float();
            let soft = activation::softmax(x, 1);
            hard + (soft.clone() - soft.detach())
        },
        forward: 2,
        backward: 3,
    },
    Operator {
        name: "gumbel_softmax with noise",
        fused: |x, v| gumbel_softmax_with_noise(x, v, 1, 0.5, false),
        composed: |x, v| activation::softmax((x + v).div_scalar(0.5), 1),
        forward: 3,
        backward: 3,
    },
];

impl Operator {
    /// Fused, composed, and a copy of the bytes that must move.
    pub fn sides(&self, shape: [usize; 2], pass: Pass, device: &Device) -> Vec<Side> {
        device.seed(1);
        let tracked = match pass {
            Pass::Forward => device.clone(),
            Pass::ForwardBackward => device.clone().autodiff(),
        };
        let logits = Tensor::<2>::random(shape, Distribution::Normal(0.0, 1.0), &tracked);
        let values = Tensor::<2>::random(shape, Distribution::Uniform(0.0, 1.0), &tracked);
        let side = |function: Function| -> Side {
            let (logits, values) = (logits.clone(), values.clone());
            Box::new(move || run(function, &logits, &values, pass))
        };
        let tensors = match pass {
            Pass::Forward => self.forward,
            Pass::ForwardBackward => self.forward + self.backward,
        };
        vec![
            side(self.fused),
            side(self.composed),
            copy(tensors, shape[0] * shape[1]),
        ]
    }
}

/// One pass, waited for.
fn run(function: Function, logits: &Tensor<2>, values: &Tensor<2>, pass: Pass) {
    let device = logits.device();
    match pass {
        Pass::Forward => {
            function(logits.clone(), values.clone());
        }
        Pass::ForwardBackward => {
            let leaves = [logits, values].map(|leaf| leaf.clone().detach().require_grad());
            let [logits, values] = leaves.clone();
            let grads = function(logits, values).sum().backward();
            for leaf in leaves {
                leaf.grad(&grads);
            }
        }
    }
    device.sync().expect("the device finishes its work");
}

/// A parallel copy that moves as many bytes as `tensors` tensors hold: half of them read, half written.
fn copy(tensors: usize, len: usize) -> Side {
    let len = tensors * len / 2;
    let source = vec![1.0_f32; len];
    let mut target = vec![0.0_f32; len];
    Box::new(move || {
        use rayon::prelude::*;
        const CHUNK: usize = 1 << 16;
        if len <= CHUNK {
            target.copy_from_slice(&source);
        } else {
            let pairs = target.par_chunks_mut(CHUNK).zip(source.par_chunks(CHUNK));
            pairs.for_each(|(to, from)| to.copy_from_slice(from));
        }
        std::hint::black_box(&mut target);
    })
}
