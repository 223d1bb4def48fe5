//! The library's functions and modules on every device, in one process.
//!
//! `layers` are the tests that run through the registry of operator cases, `burn_relax_tests::cases`; the other modules test what is
//! not said for every operator alike.

#![cfg_attr(feature = "ndarray", allow(deprecated))]

mod arguments;
mod audit;
mod closed_forms;
mod digits;
mod draws;
mod estimators;
mod gradients;
mod layers;
mod modules;
mod properties;
mod regressions;
mod second_order;
mod selector;
mod sparse_modules;
mod values;
