//! The capped simplex: `clip(x - t, 0, 1)` with sum `k`.

mod backward;
mod forward;

pub use backward::*;
pub use forward::*;
