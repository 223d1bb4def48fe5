//! CPU row kernels of burn-relax: SIMD, threads and counter-based noise over plain slices.
//!
//! Every kernel takes contiguous rows of `n` entries, the choice axis last, and writes each output value exactly once
//! into memory that need not be initialised. All of them are written once, for `f32`, `f64`, `f16` and `bf16` ([`Element`]) and for
//! every instruction set ([`Path`]), and give the same bits on every path and for every number of threads. Arguments come in one
//! order: inputs, `n`, a second width, numbers, outputs. `tensor` has the same operators over the tensors of a backend.
//!
//! Conventions shared by all: logits of `-inf` are forbidden (weight 0, gradient 0, what stands there is never looked at), a
//! row of them chooses nothing (all 0); rows with `+inf` share the weight among those entries and have gradient 0; NaN stays
//! in its row. The 16-bit types are computed in `f32` and rounded once.
//!
//! Without the feature `operators` there is the noise alone: [`Seed`], its generator, and slices of it.
//!
//! Rooms, from the top: `tensor` and `operators`, `noise`, `row`, `lanes`. Each knows those behind it only.

mod lanes;
#[cfg(feature = "reference")]
pub mod naive;
mod noise;
#[cfg(feature = "operators")]
mod operators;
mod row;
#[cfg(feature = "operators")]
pub mod tensor;

pub use lanes::path::{Path, force_path};
pub use lanes::vector::Real;
pub use noise::fill::{gumbel, uniform};
pub use noise::philox::{draw_f32, philox_block, uniform_f32};
pub use noise::seed::Seed;
#[cfg(feature = "operators")]
pub use operators::{NAMES, slices::*};
pub use row::element::Element;
pub use row::frame::PARALLEL_THRESHOLD;
