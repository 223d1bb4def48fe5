//! Maps whose weights are exactly 0 for classes that are far behind; see `docs/sparse.md`.

pub(crate) mod budget;
pub(crate) mod entmax;
mod log_entmax;
pub(crate) mod normmax;

pub use budget::budget;
pub use entmax::{entmax, entmax15, sparsemax};
pub use log_entmax::{log_entmax, log_entmax15, log_sparsemax};
pub use normmax::normmax;
