//! Burn's remote devices, as client and as server.

#[cfg(feature = "remote")]
mod client;
#[cfg(feature = "remote")]
mod server;

#[cfg(feature = "remote")]
pub(crate) use {client::connect, server::serve};

#[cfg(not(feature = "remote"))]
pub(crate) use absent::{connect, serve};

#[cfg(not(feature = "remote"))]
mod absent {
    use crate::cli::ServeArgs;
    use crate::place::Operators;
    use anyhow::{Result, bail};
    use burn::tensor::Device;

    const HOW: &str = "remote devices are not compiled in: build with the cargo feature 'remote', as in `cargo run --release \
                       -p combined-network --features remote -- serve`";

    pub(crate) fn connect(_: &[String], _: usize, _: Operators) -> Result<Vec<Device>> {
        bail!(HOW)
    }

    pub(crate) fn serve(_: &ServeArgs) -> Result<()> {
        bail!(HOW)
    }
}
