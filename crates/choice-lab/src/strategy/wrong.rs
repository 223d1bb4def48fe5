//! Wrong ways to train, kept to see them fail. The library has no value for them; they are written with its public functions, as
//! somebody might write them who knows no better.

use burn::tensor::Tensor;
use burn_relax::distribution::categorical_log_prob;
use burn_relax::loss::score_function_loss;
use burn_relax::relax::Coordinates;
use burn_relax::{argmax, soft_argmax};

/// A wrong way to train. Classes lie along the last axis; on a tensor of three axes the choices along the second share a cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wrong {
    /// `-log p(argmax) · cost`, nothing detached: the greedy index, and a sign that rewards the leader.
    GreedyScore,
    /// The same with its sign and detaching put right; it still never looks at another class than the leader.
    GreedyScoreCorrected,
    /// The value at the rounded soft-argmax of the index: rounding has no gradient, so the classifier never learns.
    RoundedIndex,
}

impl Wrong {
    /// What somebody would minimise, for each row.
    pub fn loss<const D: usize>(
        self,
        logits: Tensor<D>,
        values: Tensor<D>,
        cost: impl Fn(Tensor<D>) -> Tensor<D>,
    ) -> Tensor<D> {
        let dim = D - 1;
        if self == Self::RoundedIndex {
            let index = soft_argmax(logits, dim, 1.0, Coordinates::index()).round();
            let picked = values.gather(dim, index.clone().detach().int());
            // Burn's autodiff lets go of a graph only once a gradient came through it: a 0 must, or training slows down.
            return cost(picked + (index.clone() - index.detach()));
        }
        let index = argmax(logits.clone(), dim);
        let costs = cost(values.gather(dim, index.clone()));
        let mut log_prob = categorical_log_prob(logits, index, dim);
        if D == 3 {
            log_prob = log_prob.sum_dim(1);
        }
        match self {
            Self::GreedyScore => -log_prob * costs,
            _ => score_function_loss(log_prob, costs, None),
        }
    }
}
