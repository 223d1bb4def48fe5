//! What is said of remote devices where they are not compiled in.

use crate::place::backend::Backend;
use crate::place::operators::Operators;
use anyhow::{Result, bail};
use burn::tensor::Device;
use std::net::IpAddr;

const HOW: &str = "remote devices are not compiled in: build with the cargo feature 'remote', as in `cargo run --release \
                   -p choice-lab --features remote -- serve`";

pub(crate) fn connect(_: &[String], _: usize, _: Operators) -> Result<Vec<Device>> {
    bail!(HOW)
}

pub(crate) fn serve(_: Backend, _: (IpAddr, u16)) -> Result<()> {
    bail!(HOW)
}
