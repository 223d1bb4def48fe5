//! Where a training runs: on devices of this process, or on those of remote servers.

pub mod backend;
pub mod devices;
pub mod operators;
pub(crate) mod remote;
