use crate::backend::Backend;
use crate::cli::ServeArgs;
use anyhow::{Context, Result, bail};
use burn::server::{CustomOpRegistry, RemoteServer, WebSocketTransport};
use burn_relax::RelaxOps;
use burn_relax::remote::register_relax_ops;
use std::io::{Write, stdout};
use std::net::TcpListener;

/// Serves a device until Ctrl-C.
///
/// # Errors
///
/// If the backend is not available or the port is taken.
pub(crate) fn serve(args: &ServeArgs) -> Result<()> {
    let server = server(args.backend)?;
    let place = (args.address, args.port);
    let listener = TcpListener::bind(place)
        .with_context(|| format!("cannot listen on {} port {}", args.address, args.port))?;
    let address = listener.local_addr()?;
    if !args.address.is_loopback() {
        eprintln!(
            "warning: whoever reaches {address} can use this server; its traffic is not encrypted"
        );
    }
    let mut out = stdout();
    writeln!(
        out,
        "serving {} on ws://{address}; Ctrl-C ends it",
        args.backend.name()
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
