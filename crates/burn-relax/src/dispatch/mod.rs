//! Everything below `Dispatch::`: the `table` of operations and what is made from it.

mod backends;
pub mod composed;
pub mod execution;
mod kinds;
mod ops;
#[cfg(feature = "router")]
pub mod remote;
pub mod table;
#[cfg(any(
    feature = "router",
    all(feature = "fusion", feature = "cubecl-backend")
))]
mod wire;

pub use ops::{OPERATIONS, RelaxOps};
