//! What holds on every device beside the contract that the registry's layers check: bits, limits, heatmaps, ends of domains.

mod contract;
mod exact;
mod free_energy;
mod limits;
mod spatial;
mod zero_to_one;

use burn_relax_tests::Array;

/// Of max(1, the largest magnitude): rounding of f32 over short rows, as in the golden tests.
const F32: f64 = 3e-6;

/// The least cost of each row.
fn least(cost: &Array) -> Array {
    let rows = cost.data.chunks(cost.shape[1]);
    let least: Vec<f64> = rows
        .map(|row| row.iter().copied().fold(f64::INFINITY, f64::min))
        .collect();
    Array::new([cost.shape[0], 1], least)
}
