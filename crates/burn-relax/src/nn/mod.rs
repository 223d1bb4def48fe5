//! Modules with serde configs, for models that hold their choice as a part.

mod choice;
mod config;
mod entmax;
mod entmax_loss;
mod gradual_argmax;
mod mode;
mod score_function_selector;
mod seeds;
pub(crate) mod selector;
mod soft_argmax;
mod soft_argmax_gather;

pub use choice::{Choice, ChoiceConfig};
pub use entmax::{Entmax, EntmaxConfig};
pub use entmax_loss::{EntmaxLoss, EntmaxLossConfig, SparsemaxLoss, SparsemaxLossConfig};
pub use gradual_argmax::{GradualArgmax, GradualArgmaxConfig};
pub use mode::Mode;
pub use score_function_selector::{ScoreFunctionSelector, ScoreFunctionSelectorConfig, Selection};
pub use selector::{Selector, SelectorConfig};
pub use soft_argmax::{SoftArgmax, SoftArgmaxConfig};
pub use soft_argmax_gather::{SoftArgmaxGather, SoftArgmaxGatherConfig};

pub use crate::estimate::baseline::Baseline;
