//! Objectives of a choice and of what goes with it; all of them are minimised.
//!
//! A `cost` is what the caller wants to be small, for each class or for a sampled one; a loss is what to take the gradient of.

mod dice_loss;
pub(crate) mod entmax_loss;
pub(crate) mod expected_loss;
pub(crate) mod free_energy_loss;
mod load_balancing_loss;
mod mixture_loss;
pub(crate) mod score_function_loss;
pub(crate) mod winner_takes_all_loss;

pub use dice_loss::dice_loss;
pub use entmax_loss::{entmax_loss, sparsemax_loss};
pub use expected_loss::expected_loss;
pub use free_energy_loss::free_energy_loss;
pub use load_balancing_loss::{importance_loss, load_balancing_loss};
pub use mixture_loss::{hard_mixture_loss, mixture_loss};
pub use score_function_loss::score_function_loss;
pub use winner_takes_all_loss::winner_takes_all_loss;
