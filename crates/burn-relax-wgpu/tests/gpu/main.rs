//! The operators on the device, against f64 and against themselves.

#![cfg(feature = "wgpu")]

#[allow(dead_code, reason = "it has what other tests need, too")]
#[macro_use]
#[path = "../device/mod.rs"]
mod device;

mod agreement;
mod choice;
mod determinism;
mod dtypes;
mod every_operator;
mod launches;
mod particular;
mod plain;
mod registry;
mod rules;
mod support;
