//! One operator family a file; the private ones are what they share.

// An outer condition that is decided when the kernel is made must not join an inner one that is decided on the device, and methods
// of integers that CubeCL does not know cannot be called there.
#![allow(clippy::collapsible_if, clippy::manual_is_multiple_of)]

mod blocks;
mod lanes;
mod math;
mod noise;
mod perturb;
mod power;
mod reduce;
mod row;
mod search;
mod threshold;
mod view;
mod weighted;

pub(crate) mod argmax;
pub(crate) mod budget;
pub(crate) mod budget_backward;
pub(crate) mod entmax;
pub(crate) mod entmax_backward;
pub(crate) mod free_energy;
pub(crate) mod gradual_argmax;
pub(crate) mod gumbel;
pub(crate) mod gumbel_backward;
pub(crate) mod log_prob;
pub(crate) mod power_softmax;
pub(crate) mod sample;
pub(crate) mod soft_argmax_gather;
pub(crate) mod soft_argmax_gather_backward;
pub(crate) mod softmax;
pub(crate) mod straight_through;

pub use perturb::Noise;
