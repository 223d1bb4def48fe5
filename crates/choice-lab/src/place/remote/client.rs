//! Devices that other processes serve.

use crate::place::operators::Operators;
use anyhow::{Context, Result, anyhow, bail};
use burn::remote::{ConnectError, RemoteHost};
use burn::tensor::Device;
use burn_relax::remote::check_server;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// How long a server may take to answer, and its machine to be found.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first `count` devices of these servers.
pub(crate) fn connect(hosts: &[String], count: usize, operators: Operators) -> Result<Vec<Device>> {
    let mut devices = Vec::new();
    for host in hosts {
        let found = reach(host)?;
        if operators == Operators::Custom {
            check_server(&found[0]).with_context(|| {
                format!(
                    "{host} cannot be asked for operators, but perhaps with --operators composed"
                )
            })?;
        }
        devices.extend(found);
    }
    if devices.len() < count {
        bail!(
            "--devices {count} needs more devices than the {} of {}",
            devices.len(),
            hosts.join(", ")
        );
    }
    devices.truncate(count);
    Ok(devices)
}

/// The devices of one server.
fn reach(host: &str) -> Result<Vec<Device>> {
    let authority = host.strip_prefix("ws://").unwrap_or(host);
    let unreachable = || format!("no server at {host}");
    let mut last = None;
    // Burn's own attempt has no limit in time.
    let found = authority
        .to_socket_addrs()
        .with_context(unreachable)?
        .any(
            |address| match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(_) => true,
                Err(error) => {
                    last = Some(error);
                    false
                }
            },
        );
    if !found {
        let error = last.map_or_else(|| anyhow!("the name has no address"), Into::into);
        return Err(error.context(unreachable()));
    }

    let (sender, receiver) = channel();
    let remote = RemoteHost::websocket(host);
    thread::spawn(move || sender.send(remote.devices()));
    match receiver.recv_timeout(PATIENCE) {
        Ok(Ok(devices)) => Ok(devices.into_iter().collect()),
        Ok(Err(error)) => Err(refusal(host, error)),
        Err(_) => bail!(
            "{host} did not answer within {} s: something else than a Burn server listens there",
            PATIENCE.as_secs()
        ),
    }
}

fn refusal(host: &str, error: ConnectError) -> anyhow::Error {
    match error {
        ConnectError::IncompatibleProtocol { .. } => anyhow!(
            "{host} is of another Burn release than this program, which needs one of Burn 0.22.1: {error}"
        ),
        ConnectError::Handshake { .. } => anyhow!(
            "{host} is no Burn server, or one of another release than this program's Burn 0.22.1: {error}"
        ),
        error => anyhow!("no server at {host}: {error}"),
    }
}
