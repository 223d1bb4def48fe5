//! Gumbel-softmax: `softmax((x - max + G) / T)` and its hard form, the one-hot of the argmax of `x + G`, with noise made in the
//! kernel or given.
//!
//! The gradient of the soft form is that of the softmax.

mod backward;
mod forward;

pub use backward::*;
pub use forward::*;
