//! Remote devices: what they are asked for, and servers that do not know the operators.

#![cfg(all(feature = "remote", feature = "flex"))]

use burn_core::backend::Flex;
use burn_core::tensor::server::{
    CustomOpRegistry, RemoteServer, WebSocketTransport,
    telemetry::{DrainStatus, OpClass, TelemetryEvent, TelemetryProbe, TelemetrySubscription},
};
use burn_core::tensor::{DType, Device, remote::RemoteHost};
use burn_relax::execution::{Operators, set_operators};
use burn_relax::remote::{VERSION, check_server, register_relax_ops};
use burn_relax_tests::{
    Array,
    cases::{Form, Numbers, Place, Trial, cases},
};
use std::{collections::BTreeMap, net::TcpListener, thread, time::Duration};

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
    // A server may answer before it tells what it did.
    let (mut quiet, mut known) = (0, 0);
    while quiet < 5 {
        let status = events.drain_into(&mut seen);
        assert!(matches!(status, DrainStatus::Open { lagged: 0 }));
        quiet = if seen.len() == known { quiet + 1 } else { 0 };
        known = seen.len();
        thread::sleep(Duration::from_millis(10));
    }
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

/// Output and gradients.
fn pass(trial: &Trial, device: &Device) -> BTreeMap<String, Array> {
    let ones = |shape: &[usize]| Array::new(shape, vec![1.0; shape.iter().product::<usize>()]);
    trial.run(device, DType::F32, ones)
}

/// In one test, since what is asked for is set for the whole process.
#[test]
fn an_operator_is_one_request_or_composed_and_comes_to_the_same() {
    let place = Place::new(&[4, 6], 1);
    check_server(&served(true).0).expect("it knows them");
    for (case, requests) in cases().filter_map(|case| Some((case, case.requests?))) {
        let name = case.name;
        // A server of its own: one that has met a graph tells nothing when it runs again.
        let (device, mut events) = served(true);
        let trial = Trial::new(case, &place, Form::Number, Numbers::Plain);
        let here = pass(&trial, &Device::flex());
        operations(&mut events);
        let there = pass(&trial, &device);
        assert_eq!(here, there, "{name}");
        let [custom, others] = operations(&mut events);
        assert_eq!(custom, requests, "{name}: one forward, one backward");

        set_operators(Operators::Composed);
        let composed = pass(&trial, &device);
        set_operators(Operators::Custom);
        let [none, all] = operations(&mut events);
        assert_eq!(none, 0, "{name}");
        let least = if case.learns() { 10 } else { 0 };
        assert!(
            all > others + least,
            "{name}: {all} against {others} and one"
        );
        for (result, a) in &here {
            for (a, b) in a.data.iter().zip(&composed[result].data) {
                let near = (a - b).abs() < 2e-6;
                assert!(near, "{name}, {result}: {a} here, {b} composed there");
            }
        }
    }

    let (stranger, mut events) = served(false);
    set_operators(Operators::Composed);
    let softmax = cases().next().expect("there are cases");
    pass(
        &Trial::new(softmax, &place, Form::Number, Numbers::Plain),
        &stranger,
    );
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
