//! Burn's remote devices, as client and as server.

#[cfg(not(feature = "remote"))]
mod absent;
#[cfg(feature = "remote")]
mod client;
#[cfg(feature = "remote")]
mod server;

#[cfg(not(feature = "remote"))]
pub(crate) use absent::{connect, serve};
#[cfg(feature = "remote")]
pub(crate) use {client::connect, server::serve};
