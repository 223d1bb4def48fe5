// Burn deprecates ndarray in favour of Flex; the library serves both.
#![cfg_attr(feature = "ndarray", allow(deprecated))]
//! Shared helpers of the cross-backend tests: devices, golden cases, comparison tables, finite differences, random inputs,
//! and the registry of operator cases, which the benchmark iterates too.

// First: the modules below use its macro.
#[macro_use]
mod rank;

mod array;
pub mod cases;
mod devices;
mod finite;
mod golden;
mod leaves;
mod moments;
#[cfg(doctest)]
mod pages;
mod random;
mod site;
mod table;

pub use array::Array;
pub use devices::{NamedDevice, cpu_devices, devices};
pub use finite::Difference;
pub use golden::{Golden, goldens};
pub use leaves::{Leaves, flat};
pub use moments::Moments;
pub use random::Random;
pub use site::{Site, in_every_dtype, in_f64, on_every_device};
pub use table::Table;
