//! What holds for every operator on every device: the contract on special values, the simplex, symmetries and limits.

mod contract;
mod exact;
mod free_energy;
mod limits;
mod operators;
mod simplex;
mod spatial;
mod zero_to_one;

/// Of max(1, the largest magnitude): rounding of f32 over short rows, as in the golden tests.
const F32: f64 = 3e-6;
