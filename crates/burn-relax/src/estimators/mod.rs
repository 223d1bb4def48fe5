//! Costs of a choice whose gradient is exact or unbiased.

mod balance;
mod baseline;
mod dice;
mod expected_cost;
mod free_energy_cost;
mod mixture_nll;
mod score_function;

pub use balance::{importance_cost, load_balancing_cost};
pub use baseline::{batch_baseline, leave_one_out_baseline};
pub use dice::{dice, dice_cost};
pub use expected_cost::expected_cost;
pub use free_energy_cost::free_energy_cost;
pub use mixture_nll::{
    categorical_log_likelihood, gaussian_log_likelihood, hard_mixture_nll, mixture_nll,
    winner_takes_all_cost,
};
pub use score_function::score_function_cost;
