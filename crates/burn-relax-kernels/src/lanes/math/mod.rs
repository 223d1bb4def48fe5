//! Elementary functions over lanes, and the constants that they need in `f32` and `f64`.

mod double;
pub(crate) mod elementary;
#[cfg(feature = "operators")]
pub(crate) mod near;
mod single;
