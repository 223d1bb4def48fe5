//! CubeCL kernels of burn-relax for wgpu, CUDA, ROCm and Metal.
//!
//! Every function takes and returns [`CubeTensor`](burn_cubecl::tensor::CubeTensor)s, launches one kernel (two where it splits long
//! rows), and neither reads anything back nor waits for the device. The crate knows nothing of autodiff: `op` and `op_backward`
//! are separate functions, and what the second needs from the first is among its results.
//!
//! # Statistics
//!
//! Forward functions return, next to their result, a tensor shaped like the logits with size 2 along `dim`: index 0 holds
//! the row's maximum, index 1 its normaliser `Σ exp((x - max) / T)`. The sparse maps count entries
//! there instead. It is `f32` (`f64` for `f64` logits).
//!
//! Indices of classes are [`INDEX`] integers.
//!
//! # Special rows
//!
//! | row | result | statistics |
//! |---|---|---|
//! | some entries `-inf` | weight and gradient exactly 0, the entry's value is never used | of the others |
//! | all entries `-inf` | 0 (log-probabilities: `-inf`), gradient 0 | `(MIN, 0)` |
//! | some entries `+inf` | weight shared equally between them, gradient of the logits 0 | `(MAX, count)` |
//! | a NaN | NaN in that row only; gradients of its forbidden entries stay 0 | `(NaN, NaN)` |
//!
//! The largest finite number counts as `+inf`, and exponentials below the smallest normal number are 0.
//!
//! # Precision
//!
//! `f16` and `bf16` are computed and accumulated in `f32` and rounded once. `exp` and `ln` are polynomials of this crate, so
//! that a device's own approximations do not matter. The order of every sum is fixed by the shape: same input, same bits.

// An outer condition that is decided when the kernel is made must not join an inner one that is decided on the device, methods of integers
// that CubeCL does not know cannot be called there, and a kernel's arguments are what it reads and writes.
#![allow(
    clippy::collapsible_if,
    clippy::manual_is_multiple_of,
    clippy::too_many_arguments
)]

mod operators;
mod parts;

pub use operators::*;
pub use parts::call::INDEX;
