//! Noise that depends on a seed and an element's number alone.

#[cfg(feature = "operators")]
pub(crate) mod batch;
pub(crate) mod fill;
pub(crate) mod philox;
pub(crate) mod seed;
