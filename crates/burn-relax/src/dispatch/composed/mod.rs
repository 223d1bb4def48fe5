//! Default bodies: every operation composed from Burn's own, right on any backend before it is fast on one.
//!
//! They are also the reference that fused kernels are compared with, in tests and in the benchmark.
//! Formulas and edge cases: `docs/operators.md` and `docs/numerics.md`.

mod argmax;
mod argmax_gather;
mod budget;
mod categorical_log_prob;
mod entmax;
mod float;
mod free_energy;
mod gradual_argmax;
mod gumbel_argmax;
mod gumbel_softmax;
mod log_softmax;
mod normalised_gradual_argmax;
mod one_hot;
mod perturb;
mod power_softmax;
mod powers;
mod row;
mod sample_categorical;
mod soft_argmax;
mod soft_argmax_gather;
mod softmax;
mod straight_through_argmax;

pub use argmax::*;
pub use argmax_gather::*;
pub use budget::*;
pub use categorical_log_prob::*;
pub use entmax::*;
pub use free_energy::*;
pub use gradual_argmax::*;
pub use gumbel_argmax::*;
pub use gumbel_softmax::*;
pub use log_softmax::*;
pub use normalised_gradual_argmax::*;
pub use power_softmax::*;
pub use sample_categorical::*;
pub use soft_argmax::*;
pub use soft_argmax_gather::*;
pub use softmax::*;
pub use straight_through_argmax::*;
