//! CPU row kernels of burn-relax: SIMD, threads and counter-based noise over plain slices.
//!
//! Every kernel takes contiguous rows of `n` entries, the choice axis last, and writes each output value exactly once
//! into memory that need not be initialised. All of them are written once, for `f32`, `f64`, `f16` and `bf16` ([`Element`]) and for
//! every instruction set ([`Path`]), and give the same bits on every path and for every number of threads.
//!
//! Conventions shared by all: logits of `-inf` are forbidden (weight 0, gradient 0, what stands there is never looked at), a
//! row of them chooses nothing (all 0); rows with `+inf` share the weight among those entries and have gradient 0; NaN stays
//! in its row. The 16-bit types are computed in `f32` and rounded once.

pub mod argmax;
pub mod argmax_gather;
pub mod budget;
mod candidates;
mod distribute;
pub mod element;
pub mod entmax;
pub mod entmax_backward;
pub mod free_energy;
pub mod gather;
mod gather_features;
mod gather_few;
mod gather_many;
pub mod gradual;
pub mod gumbel;
pub mod log_prob;
pub mod log_softmax;
mod math;
mod michelot;
#[cfg(feature = "reference")]
pub mod naive;
pub mod noise;
pub mod philox;
pub mod power;
mod race;
pub mod real;
mod rows;
pub mod sample;
mod simd;
pub mod soft_argmax;
pub mod softmax;
pub mod straight_through;
mod sums;
pub mod tensor;
mod threshold;

pub use argmax::argmax;
pub use argmax_gather::{argmax_gather, argmax_gather_backward};
pub use budget::{budget, budget_backward};
pub use distribute::PARALLEL_THRESHOLD;
pub use element::Element;
pub use entmax::{entmax, entmax_rows};
pub use entmax_backward::{entmax_backward, entmax_rows_backward};
pub use free_energy::{free_energy, free_energy_backward};
pub use gather::{hard_argmax_gather, soft_argmax_gather, soft_argmax_gather_backward};
pub use gradual::{gradual_argmax, gradual_argmax_backward};
pub use gumbel::{gumbel_argmax, gumbel_argmax_backward, gumbel_softmax};
pub use log_prob::{categorical_log_prob, categorical_log_prob_backward};
pub use log_softmax::{log_softmax, log_softmax_backward};
pub use noise::{gumbel, uniform};
pub use philox::{Seed, philox_block, uniform_f32};
pub use power::{power_softmax, power_softmax_backward};
pub use real::Real;
pub use sample::sample_categorical;
pub use simd::{Path, force_path};
pub use soft_argmax::{soft_argmax, soft_argmax_backward};
pub use softmax::{softmax, softmax_backward};
pub use straight_through::{straight_through_argmax, straight_through_argmax_backward};
