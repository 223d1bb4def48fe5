//! The kernels again, one row at a time, in `f64` and in so few words that they are plainly right.
//!
//! They follow the formulas of the documentation term by term and keep the same conventions for infinities and NaN. Every test of
//! the fast kernels compares with them. Quadratic or repeated work is fine here.

mod powers;
mod rows;
mod sparse;

pub use powers::*;
pub use rows::*;
pub use sparse::*;
