//! Remote devices: what they are asked for, and servers that do not know the operators.

#![cfg(all(feature = "remote", feature = "flex"))]

use burn_core::backend::Flex;
use burn_core::tensor::server::{
    CustomOpRegistry, RemoteServer, WebSocketTransport,
    telemetry::{DrainStatus, OpClass, TelemetryEvent, TelemetryProbe, TelemetrySubscription},
};
use burn_core::tensor::{DType, Device, Tensor, remote::RemoteHost};
use burn_relax::remote::{VERSION, check_server, register_relax_ops};
use burn_relax::{Operators, set_operators};
use burn_relax::{gumbel_softmax, sample_categorical_with_log_prob, soft_argmax_gather, sparsemax};
use burn_relax_tests::{Array, Random};
use std::{net::TcpListener, thread};

/// A Flex device on a new server, and what is done there.
fn served(known: bool) -> (Device, TelemetrySubscription) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let (probe, events) = TelemetryProbe::channel(100_000);
    let mut server = RemoteServer::new([Device::flex()]).with_telemetry(probe);
    if known {
        let mut registry = CustomOpRegistry::<Flex>::new();
        register_relax_ops(&mut registry);
        server = server.with_custom_ops(registry);
    }
    thread::spawn(move || server.serve(WebSocketTransport::from_listener(listener)));
    let host = RemoteHost::websocket(&format!("ws://{address}"));
    let device = Device::remote_options(&host).init().expect("it answers");
    (device, events)
}

/// Custom operations and others among the events since the last call; uploads and drops apart.
fn operations(events: &mut TelemetrySubscription) -> [usize; 2] {
    let mut seen = Vec::new();
    let status = events.drain_into(&mut seen);
    assert!(matches!(status, DrainStatus::Open { lagged: 0 }));
    let mut counts = [0, 0];
    let mut count = |kind: OpClass| match kind {
        OpClass::Custom => counts[0] += 1,
        OpClass::Drop | OpClass::Init => {}
        _ => counts[1] += 1,
    };
    for event in &seen {
        match &**event {
            TelemetryEvent::Op { kind, .. } => count(*kind),
            TelemetryEvent::GraphRegistered { ops, .. } => ops.iter().for_each(|op| count(op.kind)),
            _ => {}
        }
    }
    counts
}

/// Runs an operator and its backward pass; returns output and gradient.
fn pass(run: impl Fn(Tensor<2>) -> Tensor<2>, logits: &Array, device: &Device) -> [Array; 2] {
    let x: Tensor<2> = logits.tensor(&device.clone().autodiff(), DType::F32);
    let x = x.require_grad();
    let output = run(x.clone());
    let grads = output.clone().sum().backward();
    [
        Array::of(output),
        Array::of(x.grad(&grads).expect("it was tracked")),
    ]
}

type Operator = fn(Tensor<2>) -> Tensor<2>;

const OPERATORS: [(&str, Operator); 4] = [
    ("gather", |x| {
        soft_argmax_gather(x.clone(), x.detach(), 1, 0.7, false)
    }),
    ("gumbel", |x| gumbel_softmax(x, 1, 0.7, true, 3)),
    ("sample", |x| sample_categorical_with_log_prob(x, 1, 2, 3).1),
    ("sparsemax", |x| sparsemax(x, 1)),
];

/// In one test, since what is asked for is set for the whole process.
#[test]
fn an_operator_is_one_request_or_composed_and_comes_to_the_same() {
    let logits = Random::new(1).array([4, 6], -2.0, 2.0);
    let (device, mut events) = served(true);
    check_server(&device).expect("it knows them");
    for (name, run) in OPERATORS {
        let here = pass(run, &logits, &Device::flex());
        operations(&mut events);
        let there = pass(run, &logits, &device);
        assert_eq!(here, there, "{name}");
        let [custom, others] = operations(&mut events);
        assert_eq!(custom, 2, "{name}: one forward, one backward");

        set_operators(Operators::Composed);
        let composed = pass(run, &logits, &device);
        set_operators(Operators::Custom);
        let [none, all] = operations(&mut events);
        assert_eq!(none, 0, "{name}");
        assert!(all > others + 10, "{name}: {all} against {others} and one");
        for (a, b) in here.iter().zip(&composed) {
            for (a, b) in a.data.iter().zip(&b.data) {
                assert!((a - b).abs() < 2e-6, "{name}: {a} here, {b} composed there");
            }
        }
    }

    let (stranger, mut events) = served(false);
    set_operators(Operators::Composed);
    pass(OPERATORS[0].1, &logits, &stranger);
    check_server(&stranger).expect("Burn's own operations are enough");
    set_operators(Operators::Custom);
    operations(&mut events);
    let error = check_server(&stranger).expect_err("it knows none");
    let error = error.to_string();
    assert!(
        error.contains("register_relax_ops") && error.contains(&format!("version {VERSION}")),
        "{error}"
    );
}
