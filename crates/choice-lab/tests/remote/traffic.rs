//! What a training step sends to a server: counted by the server, and by a proxy between the two.

use crate::common::succeed;
use burn::backend::Flex;
use burn::server::telemetry::{DrainStatus, OpClass, TelemetryEvent, TelemetryProbe};
use burn::server::{CustomOpRegistry, RemoteServer, WebSocketTransport};
use burn::tensor::Device;
use burn_relax::remote::register_relax_ops;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{sleep, spawn};
use std::time::Duration;
use tempfile::tempdir;

/// What a run costs.
#[derive(Debug, Clone, Copy, Default)]
struct Traffic {
    /// Bytes from the client and to it.
    up: f64,
    down: f64,
    /// Operations and releases that the client asked for, one by one or in a cached graph.
    requests: f64,
    /// Operators of burn-relax among them.
    custom: f64,
    /// Requests that the client waits for.
    round_trips: f64,
    /// Whether Burn's fusion is compiled in, which makes one request of what recurs and cuts that as it sees fit.
    fused: bool,
}

impl Traffic {
    /// Of one step, from two runs that differ in nothing but their steps.
    fn between(self, longer: Self, steps: usize) -> Self {
        let each = |of: fn(&Self) -> f64| (of(&longer) - of(&self)) / steps as f64;
        Self {
            up: each(|run| run.up),
            down: each(|run| run.down),
            requests: each(|run| run.requests),
            custom: each(|run| run.custom),
            round_trips: each(|run| run.round_trips),
            fused: longer.fused,
        }
    }
}

/// Hands bytes on, and counts them.
fn pass_on(mut from: TcpStream, mut to: TcpStream, count: Arc<AtomicU64>) {
    spawn(move || {
        let mut buffer = [0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            count.fetch_add(length as u64, Ordering::Relaxed);
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        // The other side may be gone.
        let _ = to.shutdown(Shutdown::Write);
    });
}

fn proxy(server: SocketAddr, counts: [Arc<AtomicU64>; 2]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    spawn(move || {
        for client in listener.incoming() {
            let client = client.expect("a client");
            let server = TcpStream::connect(server).expect("the server listens");
            let copy = |stream: &TcpStream| stream.try_clone().expect("a handle");
            let [up, down] = counts.clone();
            pass_on(copy(&client), copy(&server), up);
            pass_on(server, client, down);
        }
    });
    address
}

/// Trains on a server of its own.
fn train(strategy: &str, operators: &str, steps: usize) -> Traffic {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let (probe, mut events) = TelemetryProbe::channel(1 << 17);
    let mut registry = CustomOpRegistry::<Flex>::new();
    register_relax_ops(&mut registry);
    spawn(move || {
        let server = RemoteServer::new([Device::flex()]).with_telemetry(probe);
        server
            .with_custom_ops(registry)
            .serve(WebSocketTransport::from_listener(listener))
    });
    let counts = [Arc::default(), Arc::default()];
    let host = format!("ws://{}", proxy(address, counts.clone()));
    let folder = tempdir().expect("a folder");
    let steps = steps.to_string();
    succeed(
        folder.path(),
        &format!(
            "train --backend remote --host {host} --operators {operators} --strategy {strategy} --steps {steps} --out run"
        ),
    );

    let mut traffic = Traffic::default();
    let mut graphs = HashMap::new();
    let custom = |kind: OpClass| f64::from(u8::from(kind == OpClass::Custom));
    let mut seen = Vec::new();
    let mut closed = false;
    while !closed {
        let status = events.drain_into(&mut seen);
        assert!(
            matches!(status, DrainStatus::Open { lagged: 0 }),
            "events are lost"
        );
        for event in seen.drain(..) {
            match &*event {
                TelemetryEvent::Op { kind, .. } => {
                    traffic.requests += 1.0;
                    traffic.custom += custom(*kind);
                }
                TelemetryEvent::TensorDropped { .. } => traffic.requests += 1.0,
                TelemetryEvent::GraphRegistered { graph, ops, .. } => {
                    traffic.fused = true;
                    graphs.insert(*graph, ops.iter().map(|op| custom(op.kind)).sum::<f64>());
                }
                TelemetryEvent::GraphExecuted { graph, .. } => {
                    traffic.requests += 1.0;
                    traffic.custom += graphs[graph];
                }
                TelemetryEvent::Read { .. } | TelemetryEvent::Sync { .. } => {
                    traffic.round_trips += 1.0
                }
                TelemetryEvent::SessionClosed { .. } => closed = true,
                _ => {}
            }
        }
        sleep(Duration::from_millis(5));
    }
    let [up, down] = counts.map(|count| count.load(Ordering::Relaxed) as f64);
    Traffic {
        up,
        down,
        ..traffic
    }
}

/// The table of docs/scaling.md, with `--nocapture`.
#[test]
fn operators_are_one_request_forward_and_one_backward() {
    println!(
        "| strategy | operators | requests | of them burn-relax's | round trips | bytes up | bytes down |"
    );
    println!("|---|---|---|---|---|---|---|");
    // An epoch is a twentieth of a run: both validate twenty times.
    for strategy in [
        "auto",
        "straight-through",
        "gumbel-hard",
        "score-function-leave-one-out",
    ] {
        let [custom, composed] = ["custom", "composed"].map(|operators| {
            let step = train(strategy, operators, 20).between(train(strategy, operators, 120), 100);
            let Traffic { up, down, requests, custom, round_trips, .. } = step;
            println!(
                "| `{strategy}` | {operators} | {requests:.1} | {custom:.1} | {round_trips:.1} | {up:.0} | {down:.0} |"
            );
            step
        });
        assert_eq!(composed.custom, 0.0, "{strategy}");
        if custom.fused {
            assert!(custom.custom > 0.0, "{strategy}");
            continue;
        }
        assert_eq!(custom.custom, 2.0, "{strategy}");
        assert_eq!(custom.round_trips, composed.round_trips, "{strategy}");
        assert!(custom.up < composed.up, "{strategy}");
        assert!(custom.requests <= composed.requests, "{strategy}");
    }
}
