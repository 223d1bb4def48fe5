//! Costs of a choice whose gradient is exact or unbiased.

mod expected_cost;
mod free_energy_cost;
mod score_function;

pub use expected_cost::expected_cost;
pub use free_energy_cost::free_energy_cost;
pub use score_function::{leave_one_out_baseline, score_function_cost};
