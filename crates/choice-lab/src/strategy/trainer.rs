//! The choice of a network in training, whichever way it is trained.

use crate::strategy::wrong::Wrong;
use burn::module::Module;
use burn::tensor::{Int, Tensor};
use burn_relax::Strategy;
use burn_relax::distribution::categorical_log_prob;
use burn_relax::nn::Selector;

/// How a strategy's name is carried out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// By the library.
    Library(Strategy),
    /// With the classes known; no selector is asked.
    Taught,
    /// Wrongly.
    Wrong(Wrong),
}

/// What turns logits, values and a cost into a loss.
#[derive(Module, Debug)]
pub struct Trainer {
    /// The library's part, which a wrong way has no use for.
    pub selector: Selector,
    #[module(skip)]
    wrong: Option<Wrong>,
}

impl Trainer {
    /// The library's selector, or a wrong way in its place.
    pub fn new(selector: Selector, wrong: Option<Wrong>) -> Self {
        Self { selector, wrong }
    }

    /// The loss of each row.
    pub fn loss(
        &self,
        logits: Tensor<2>,
        values: Tensor<2>,
        cost: impl Fn(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        match self.wrong {
            None => self.selector.loss(logits, values, cost),
            Some(wrong) => wrong.loss(logits, values, cost),
        }
    }

    /// The loss of each row whose class is known: cross-entropy of the classifier, and the cost of the class's value.
    pub fn taught(
        logits: Tensor<2>,
        values: Tensor<2>,
        classes: Tensor<2, Int>,
        cost: impl Fn(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        cost(values.gather(1, classes.clone())) - categorical_log_prob(logits, classes, 1)
    }

    /// The trainer for the rows of a step from number `first` on.
    pub fn part(&self, step: usize, first: usize) -> Self {
        Self::new(self.selector.part(step, first), self.wrong)
    }

    /// Goes on as after so many steps.
    pub fn resume(&self, steps: usize) {
        self.selector.resume(steps);
    }
}
