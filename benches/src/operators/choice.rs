//! One-hot choices with a soft gradient.

use burn::backend::Dispatch;
use burn::tensor::{Tensor, activation};
use burn_relax::{RelaxOps, straight_through_argmax};

use super::{Beside, Input, Operator, Traffic, position, upstream};

pub const OPERATORS: &[Operator] = &[Operator {
    name: "straight_through_argmax",
    input: Input::Logits,
    beside: Beside::Nothing,
    learns: [true, false],
    fused: |x, _| straight_through_argmax(x, 1, 1.0),
    composed: |x, _| straight_through(activation::softmax(x.clone(), 1), x),
    backward: Some(|x, _| {
        let grad = upstream(&x);
        let x = x.into_dispatch();
        let (_, stats) = Dispatch::straight_through_argmax(x.clone(), 1, 1.0);
        Box::new(move || {
            let (x, stats, grad) = (x.clone(), stats.clone(), grad.clone());
            Dispatch::straight_through_argmax_backward(x, stats, grad, 1, 1.0);
        })
    }),
    naive: |x, _, out| {
        out.fill(0.0);
        out[position(x)] = 1.0;
    },
    forward: Traffic {
        reads: 1,
        writes: 1,
    },
    gradient: Traffic {
        reads: 2,
        writes: 1,
    },
}];

/// The one-hot of the argmax of `scores` with the gradient of `soft`, of Burn's operations.
pub fn straight_through(soft: Tensor<2>, scores: Tensor<2>) -> Tensor<2> {
    let [_, n] = scores.dims();
    let chosen = scores.detach().argmax(1).squeeze_dim::<1>(1);
    let hard = chosen.one_hot::<2>(n).float().cast(soft.dtype());
    hard + (soft.clone() - soft.detach())
}
