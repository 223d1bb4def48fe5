#![cfg_attr(docsrs, feature(doc_cfg))]
// Burn deprecates its ndarray and LibTorch backends in favour of Flex and CubeCL; this crate keeps serving them.
#![cfg_attr(any(feature = "ndarray", feature = "tch"), allow(deprecated))]
//! Differentiable discrete choice for [Burn](https://burn.dev): pick a class, gather the value at the argmax, sample a
//! category, and still train.
//!
//! Choosing has no gradient. There are two ways round it, and this crate is the two of them:
//!
//! - **Relaxations** replace the choice by something smooth, or keep the choice in the forward pass and take the smooth
//!   gradient in the backward pass. [`Relaxation`] says which, as a value; [`relax`] and [`sparse`] have those with a name:
//!   [`softmax`], [`soft_argmax_gather`], [`gradual_argmax`], [`straight_through`], [`gumbel_softmax`], [`sparsemax`].
//! - **Estimators** keep the choice and estimate, or compute, the gradient of the expected cost: [`loss::expected_loss`],
//!   [`loss::free_energy_loss`], [`loss::score_function_loss`].
//!
//! Everything is a plain function over [`Tensor<D>`](burn_core::tensor::Tensor) for any rank and any `dim`, and, in [`nn`], a
//! [`Module`](burn_core::module::Module) with a serde `Config` where a model would hold it. A [`Strategy`] is any of them as one
//! value, and [`audit`] measures its gradient.
//!
//! # Which one
//!
//! | situation | take |
//! |---|---|
//! | the cost of every class can be computed | [`loss::free_energy_loss`] |
//! | only the chosen class's cost can be computed, and it is differentiable | [`Relaxation::softmax(1).gumbel(seed).hard()`](Relaxation) |
//! | the cost is a black box | [`nn::ScoreFunctionSelector`] with leave-one-out |
//! | a coordinate or index is wanted | [`soft_argmax`], [`Relaxation::spatial`] |
//! | values in `[0, 1]` should become their argmax gradually | [`gradual_argmax`] |
//! | inference | [`argmax_gather`] |
//!
//! # Example
//!
//! ```
//! use burn_core::tensor::{Device, Tensor};
//! use burn_relax::Relaxation;
//!
//! let device = Device::flex().autodiff();
//! let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &device).require_grad();
//! let values = Tensor::<2>::from_floats([[10.0, 20.0, 30.0]], &device);
//! let expected = Relaxation::softmax(1.0).gather(logits.clone(), values, 1);
//! assert!((expected.clone().into_scalar::<f32>() - 25.435_902).abs() < 1e-5);
//!
//! let grads = expected.sum().backward();
//! let gradient = logits.grad(&grads).unwrap().into_data().try_to_vec::<f32>().unwrap();
//! assert!((gradient[2] - 2.702_863).abs() < 1e-5);
//! ```
//!
//! # Features
//!
//! No backend is on by default. `flex` is the light choice; `ndarray`, `wgpu` (`vulkan`, `metal`, `webgpu`), `cuda` and
//! `rocm` select others and may be combined; those of GPUs bring `fusion`. `autodiff` is on by default. `debug-validation` reads
//! tensor values back at each call to check their domains: precise errors, slow.
//!
//! # Numerics
//!
//! `-inf` logits are forbidden choices: weight and gradient exactly 0, never sampled, and a masked row equals the shorter
//! row. A row that is all `-inf` gives 0 everywhere. Logits of ±10⁴ are as exact as small ones. NaN stays in its row.

pub mod audit;
mod check;
mod coefficient;
#[doc(hidden)]
pub mod dispatch;
pub mod distribution;
pub mod estimate;
pub mod loss;
pub mod nn;
mod parts;
pub mod prelude;
pub mod relax;
mod schedule;
pub mod sparse;
mod strategy;

pub use burn_relax_kernels::Seed;
pub use coefficient::Coefficient;
pub use dispatch::execution;
#[cfg(feature = "router")]
pub use dispatch::remote;
pub use relax::{
    Relaxation, RelaxationConfig, argmax, argmax_gather, gradual_argmax, gumbel_softmax,
    log_softmax, power_softmax, soft_argmax, soft_argmax_gather, softmax, straight_through,
    straight_through_argmax,
};
pub use schedule::Schedule;
pub use sparse::{entmax, entmax15, sparsemax};
pub use strategy::Strategy;
