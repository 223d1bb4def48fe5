//! Entmax for every alpha, softmax and sparsemax included.

mod alpha;
mod backward;
mod forward;

pub use backward::*;
pub use forward::*;
