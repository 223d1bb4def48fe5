//! A choice that trains by any strategy.

mod module;
pub(crate) mod outcomes;
mod read_out;
mod train;

pub use module::{Selector, SelectorConfig};
