#![cfg_attr(docsrs, feature(doc_cfg))]
// Burn deprecates its ndarray and LibTorch backends in favour of Flex and CubeCL; this crate keeps serving them.
#![cfg_attr(any(feature = "ndarray", feature = "tch"), allow(deprecated))]
//! Differentiable discrete choice for [Burn](https://burn.dev): pick a class, gather the value at the argmax, sample a
//! category, and still train.
//!
//! Choosing has no gradient. There are two ways round it, and this crate is the two of them:
//!
//! - **Relaxations** replace the choice by something smooth, or keep the choice in the forward pass and take the smooth
//!   gradient in the backward pass: [`soft_argmax`], [`soft_argmax_gather`], [`gradual_argmax`], [`straight_through`],
//!   [`gumbel_softmax`].
//! - **Estimators** keep the choice and estimate, or compute, the gradient of the expected cost: [`expected_cost`],
//!   [`free_energy_cost`], [`score_function_cost`].
//!
//! Everything is a plain function over [`Tensor<D>`](burn_core::tensor::Tensor) for any rank and any `dim`, and a
//! [`Module`](burn_core::module::Module) with a serde `Config` where a model would hold it.
//!
//! # Which one
//!
//! | situation | take |
//! |---|---|
//! | the cost of every class can be computed | [`free_energy_cost`] |
//! | only the chosen class's cost can be computed, and it is differentiable | [`straight_through_argmax`] or [`gumbel_softmax`] with `hard` |
//! | the cost is a black box | [`ScoreFunctionSelector`] with leave-one-out |
//! | a coordinate or index is wanted | [`soft_argmax`], [`spatial_soft_argmax`] |
//! | values in `[0, 1]` should become their argmax gradually | [`gradual_argmax`] |
//! | inference | [`argmax_gather`] |
//!
//! # Example
//!
//! ```
//! use burn_core::tensor::{Device, Tensor};
//! use burn_relax::soft_argmax_gather;
//!
//! let device = Device::flex().autodiff();
//! let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &device).require_grad();
//! let values = Tensor::<2>::from_floats([[10.0, 20.0, 30.0]], &device);
//! let expected = soft_argmax_gather(logits.clone(), values, 1, 1.0, false);
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
//! `rocm` select others and may be combined. `autodiff` and `fusion` are on by default. `debug-validation` reads tensor
//! values back at each call to check their domains: precise errors, slow.
//!
//! # Numerics
//!
//! `-inf` logits are forbidden choices: weight and gradient exactly 0, never sampled, and a masked row equals the shorter
//! row. A row that is all `-inf` gives 0 everywhere. Logits of ±10⁴ are as exact as small ones. NaN stays in its row.

pub mod audit;
mod backends;
mod check;
mod coefficient;
#[doc(hidden)]
pub mod composed;
#[cfg(any(
    feature = "router",
    all(feature = "fusion", feature = "cubecl-backend")
))]
mod custom;
mod estimators;
mod functions;
mod modules;
mod operators;
mod ops;
#[cfg(feature = "router")]
pub mod remote;
mod schedule;
mod strategy;
#[cfg(any(feature = "router", feature = "cubecl-backend"))]
mod table;

pub use burn_relax_kernels::Seed;
pub use coefficient::Coefficient;
pub use estimators::{
    batch_baseline, categorical_log_likelihood, dice, dice_cost, expected_cost, free_energy_cost,
    gaussian_log_likelihood, hard_mixture_nll, importance_cost, leave_one_out_baseline,
    load_balancing_cost, mixture_nll, score_function_cost, winner_takes_all_cost,
};
pub use functions::{
    Coordinates, Grid, argmax, argmax_gather, categorical_entropy, categorical_log_prob,
    gradual_argmax, gumbel_noise, gumbel_rao, gumbel_softmax, gumbel_softmax_with_noise,
    log_softmax, power_softmax, reinmax, reinmax_with_indices, relaxed_categorical_log_density,
    sample_categorical, sample_categorical_with_log_prob, soft_argmax, soft_argmax_gather,
    soft_argmax_with_variance, softmax, spatial_soft_argmax, spatial_soft_argmax_with_variance,
    straight_through, straight_through_argmax, straight_through_sample,
    straight_through_with_indices, windowed_soft_argmax, windowed_spatial_soft_argmax,
};
pub use functions::{
    SimplexMap, budget, entmax, entmax_loss, entmax15, gumbel_softmax_with_map, log_entmax,
    log_entmax15, log_sparsemax, normmax, soft_argmax_gather_with_map, soft_argmax_with_map,
    sparsemax, sparsemax_loss, straight_through_argmax_with_map, windowed_soft_argmax_with_map,
};
pub use modules::{
    Baseline, GradualArgmax, GradualArgmaxConfig, GumbelSoftmax, GumbelSoftmaxConfig,
    ScoreFunctionSelector, ScoreFunctionSelectorConfig, Selection, Selector, SelectorConfig,
    SoftArgmax, SoftArgmaxConfig, SoftArgmaxGather, SoftArgmaxGatherConfig, StraightThroughArgmax,
    StraightThroughArgmaxConfig,
};
pub use modules::{
    Entmax, EntmaxConfig, EntmaxLoss, EntmaxLossConfig, Sparsemax, SparsemaxConfig, SparsemaxLoss,
    SparsemaxLossConfig,
};
pub use operators::{Operators, operators, set_operators};
pub use ops::RelaxOps;
pub use schedule::Schedule;
pub use strategy::{Bias, Label, Strategy};
