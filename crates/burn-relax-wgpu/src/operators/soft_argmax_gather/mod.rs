//! The expected value of a choice and the value of the likeliest one: `soft_argmax_gather`, `hard_argmax_gather`, and `soft_argmax`, whose
//! values are coordinates that all rows share.

mod backward;
mod forward;

pub use backward::*;
pub use forward::*;
