//! Default bodies: every operation composed from Burn's own, right on any backend before it is fast on one.
//!
//! They are also the reference that fused kernels are compared with, in tests and in the benchmark.
//! Formulas and edge cases: `docs/operators.md` and `docs/numerics.md`.

mod budget;
mod categorical;
mod choice;
mod float;
mod free_energy;
mod gather;
mod power;
mod row;
mod softmax;
mod sparse;

pub use budget::{budget, budget_backward};
pub use categorical::{categorical_log_prob, categorical_log_prob_backward, sample_categorical};
pub use choice::{
    gumbel_argmax, gumbel_argmax_backward, gumbel_argmax_with_noise,
    gumbel_argmax_with_noise_backward, gumbel_softmax, gumbel_softmax_with_noise,
    straight_through_argmax, straight_through_argmax_backward,
};
pub use free_energy::{free_energy, free_energy_backward};
pub use gather::{
    argmax_gather, argmax_gather_backward, first_argmax, hard_argmax_gather, soft_argmax,
    soft_argmax_backward, soft_argmax_backward_coordinates, soft_argmax_gather,
    soft_argmax_gather_backward,
};
pub use power::{gradual_argmax, gradual_argmax_backward, power_softmax, power_softmax_backward};
pub use softmax::{
    log_softmax_backward, log_softmax_with_stats, softmax_backward, softmax_with_stats,
};
pub use sparse::{entmax, entmax_backward, entmax_rows, entmax_rows_backward};
