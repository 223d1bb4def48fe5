//! Modules with serde configs, for models that hold their choice as a part.

mod choice;
mod config;
mod entmax;
mod entmax_loss;
mod gradual_argmax;
mod gumbel_softmax;
pub(crate) mod outcomes;
mod read_out;
mod score_function_selector;
mod selector;
mod soft_argmax;
mod soft_argmax_gather;
mod straight_through_argmax;
mod stream;

pub use entmax::{Entmax, EntmaxConfig, Sparsemax, SparsemaxConfig};
pub use entmax_loss::{EntmaxLoss, EntmaxLossConfig, SparsemaxLoss, SparsemaxLossConfig};
pub use gradual_argmax::{GradualArgmax, GradualArgmaxConfig};
pub use gumbel_softmax::{GumbelSoftmax, GumbelSoftmaxConfig};
pub use score_function_selector::{
    Baseline, ScoreFunctionSelector, ScoreFunctionSelectorConfig, Selection,
};
pub use selector::{Selector, SelectorConfig};
pub use soft_argmax::{SoftArgmax, SoftArgmaxConfig};
pub use soft_argmax_gather::{SoftArgmaxGather, SoftArgmaxGatherConfig};
pub use straight_through_argmax::{StraightThroughArgmax, StraightThroughArgmaxConfig};
