//! Entmax for every `alpha > 0`: softmax at 1, 1.5-entmax, sparsemax at 2.
//!
//! Forward: the threshold is searched among the candidates only (modules `threshold` and `michelot`). Backward from the saved output
//! alone, in two passes that skip vectors without weight. Sparse rows are bound by memory; a general `alpha` pays a logarithm and
//! an exponential for each candidate and pass of the search.

mod backward;
mod calls;
mod candidates;
mod forward;
mod joined;
mod map;
mod michelot;
mod steps;
mod threshold;

pub(crate) use calls::NAMES;
pub use calls::{slices, tensors};
