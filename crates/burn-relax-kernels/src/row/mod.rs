//! Rows: how a kernel's slices become rows, how a row is read and written in lanes, and what several operators do with one.

#[cfg(feature = "operators")]
pub(crate) mod access;
#[cfg(feature = "operators")]
pub(crate) mod choice;
pub(crate) mod element;
pub(crate) mod frame;
#[cfg(feature = "operators")]
pub(crate) mod head;
#[cfg(feature = "operators")]
pub(crate) mod input;
pub(crate) mod output;
#[cfg(feature = "operators")]
pub(crate) mod perturbed;
#[cfg(feature = "operators")]
pub(crate) mod powers;
#[cfg(feature = "operators")]
pub(crate) mod race;
#[cfg(feature = "operators")]
pub(crate) mod special;
#[cfg(feature = "operators")]
pub(crate) mod sums;
#[cfg(feature = "operators")]
pub(crate) mod weighted;
