//! The Rust blocks of the documentation, run as documentation tests: each block is a program of its own.
//!
//! A block marked `rs` is not run: it is an excerpt of the sources, which a test of `xtask` compares with them.

#[doc = include_str!("../../README.md")]
mod readme {}

#[doc = include_str!("../../docs/adding-an-operator.md")]
mod adding_an_operator {}

#[doc = include_str!("../../docs/choosing.md")]
mod choosing {}

#[doc = include_str!("../../docs/operators.md")]
mod operators {}

#[cfg(feature = "remote")]
#[doc = include_str!("../../docs/scaling.md")]
mod scaling {}

#[doc = include_str!("../../docs/sparse.md")]
mod sparse {}
