//! One-hot choices with a soft gradient.

use burn::tensor::{Tensor, activation};

use super::twin::{Twin, position};

pub const TWINS: &[Twin] = &[Twin {
    name: "straight_through_argmax",
    composed: |x, _| {
        let x: Tensor<2> = x.logits();
        straight_through(activation::softmax(x.clone(), 1), x)
    },
    plain: |x, _, out| {
        out.fill(0.0);
        out[position(x)] = 1.0;
    },
}];

/// The one-hot of the argmax of `scores` with the gradient of `soft`, of Burn's operations.
pub fn straight_through(soft: Tensor<2>, scores: Tensor<2>) -> Tensor<2> {
    let [_, n] = scores.dims();
    let chosen = scores.detach().argmax(1).squeeze_dim::<1>(1);
    let hard = chosen.one_hot::<2>(n).float().cast(soft.dtype());
    hard + (soft.clone() - soft.detach())
}
