//! A device of this machine, lent to other processes.

use crate::place::backend::Backend;
use anyhow::{Context, Result, bail};
use burn::server::{CustomOpRegistry, RemoteServer, WebSocketTransport};
use burn_relax::dispatch::RelaxOps;
use burn_relax::remote::register_relax_ops;
use std::io::{Write, stdout};
use std::net::{IpAddr, TcpListener};

/// Serves a device at an address and port until Ctrl-C.
pub(crate) fn serve(backend: Backend, (address, port): (IpAddr, u16)) -> Result<()> {
    let server = server(backend)?;
    let listener = TcpListener::bind((address, port))
        .with_context(|| format!("cannot listen on {address} port {port}"))?;
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        eprintln!(
            "warning: whoever reaches {address} can use this server; its traffic is not encrypted"
        );
    }
    let mut out = stdout();
    writeln!(
        out,
        "serving {} on ws://{address}; Ctrl-C ends it",
        backend.name()
    )?;
    out.flush()?;
    server
        .serve(WebSocketTransport::from_listener(listener))
        .with_context(|| format!("the server on {address} failed"))
}

/// A server of a backend's device that knows burn-relax's operators.
fn server(backend: Backend) -> Result<RemoteServer> {
    let device = backend.device()?;
    let server = RemoteServer::new([device]);
    Ok(match backend {
        #[cfg(feature = "flex")]
        Backend::Flex => server.with_custom_ops(operators::<burn::backend::Flex>()),
        #[cfg(feature = "ndarray")]
        Backend::Ndarray => server.with_custom_ops(ndarray_operators()),
        #[cfg(feature = "wgpu")]
        Backend::Wgpu => server.with_custom_ops(operators::<burn::backend::Cube>()),
        #[allow(unreachable_patterns, reason = "the backends that are not compiled in")]
        _ => bail!("backend '{}' cannot be served", backend.name()),
    })
}

#[cfg(feature = "ndarray")]
#[allow(
    deprecated,
    reason = "the ndarray backend is offered although Burn prefers Flex"
)]
fn ndarray_operators() -> CustomOpRegistry<burn::backend::NdArray> {
    operators()
}

fn operators<B: burn::backend::ir::BackendIr + RelaxOps>() -> CustomOpRegistry<B> {
    let mut registry = CustomOpRegistry::new();
    register_relax_ops(&mut registry);
    registry
}
