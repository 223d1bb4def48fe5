//! Trainings on servers: the same as here, whatever happens to the server.

use crate::common::{program, refuse, settings, succeed};
use choice_lab::data::problem::Problem;
use choice_lab::place::backend::Backend;
use choice_lab::place::{devices::Place, operators::Operators};
use choice_lab::strategy::names::Strategy;
use choice_lab::training::display::Display;
use choice_lab::training::run::train_on;
use clap::ValueEnum;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};
use tempfile::tempdir;

/// A server in a process of its own.
struct Server {
    child: Child,
    host: String,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut command = program(folder, "serve --port 0");
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("UTF-8");
        let address = line
            .split_whitespace()
            .find(|word| word.starts_with("ws://"));
        let host = address.expect(&line).trim_end_matches(';').to_owned();
        Self { child, host }
    }

    fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ran");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that is gone already is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn curve(folder: &Path) -> Vec<f64> {
    let text = fs::read_to_string(folder.join("metrics.json")).expect("a finished run");
    let metrics: Value = serde_json::from_str(&text).expect("JSON");
    let cost = metrics["curves"]["cost"].as_array().expect("a curve");
    cost.iter()
        .map(|cost| cost.as_f64().expect("a number"))
        .collect()
}

/// In one test, since what servers are asked for is set for the whole process.
#[test]
fn every_strategy_trains_on_a_server_as_it_does_here() {
    let folder = tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let costs = |strategy, backend, devices: &[_]| {
        let settings = settings(backend, strategy, 300);
        let problem = Problem::generated(settings.task.expect("a task"), settings.seed);
        let run = train_on(problem, settings, devices, Display::Silent, None);
        run.expect("the run ends well").curves.cost
    };
    let close = |a: &[f64], b: &[f64], what: &str| {
        assert_eq!(a.len(), b.len());
        for (step, (a, b)) in a.iter().zip(b).enumerate() {
            let near = (a - b).abs() <= 1e-5 * a.abs().max(1.0);
            assert!(near, "{what}, step {step}: {a} and {b}");
        }
    };
    let place = |hosts, operators| Place {
        hosts,
        devices: None,
        operators,
    };
    for &strategy in Strategy::value_variants() {
        let [custom, composed] = [Operators::Custom, Operators::Composed].map(|operators| {
            let devices = place(vec![], operators).connect(Backend::Flex);
            let here = costs(strategy, Backend::Flex, &devices.expect("it is here"));
            let devices = place(vec![server.host.clone()], operators).connect(Backend::Remote);
            let there = costs(strategy, Backend::Remote, &devices.expect("it answers"));
            assert_eq!(here.len(), 300);
            let what = format!("{strategy:?}, {operators:?}, here and there");
            close(&here, &there, &what);
            here
        });
        // Default bodies round otherwise than kernels do, and hard choices and low temperatures make much of that sooner or
        // later: the earliest after 60 steps, half of the strategies never in 300.
        let what = format!("{strategy:?}, custom and composed");
        close(&custom[..50], &composed[..50], &what);
    }
}

#[test]
fn a_run_outlives_its_server() {
    let folder = tempdir().expect("a folder");
    let mut server = Server::start(folder.path());
    let train = |out: &str, host: &str| {
        let fixed = "train --backend remote --steps 3000 --checkpoint-every 100";
        format!("{fixed} --out {out} --host {host} --strategy gumbel-hard")
    };

    let mut client = program(folder.path(), &train("killed", &server.host));
    let client = client.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut client = client.expect("the program starts");
    let checkpoints = folder.path().join("killed/checkpoint");
    let saved = || {
        fs::read_dir(&checkpoints).is_ok_and(|mut files| {
            files.any(|file| {
                file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("progress-"))
            })
        })
    };
    let patience = Instant::now();
    while !saved() && patience.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_millis(5));
    }
    server.kill();
    let killed = Instant::now();
    let status = client.wait().expect("it ran");
    let seconds = killed.elapsed().as_secs_f64();
    let mut error = String::new();
    client
        .stderr
        .take()
        .expect("it is piped")
        .read_to_string(&mut error)
        .expect("UTF-8");
    assert_eq!(status.code(), Some(2), "{error}");
    assert!(seconds < 10.0, "it took {seconds} s to give up: {error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains(&server.host), "{error}");
    println!("gave up after {seconds:.2} s: {error}");

    let next = Server::start(folder.path());
    succeed(
        folder.path(),
        &format!("train --resume killed --host {}", next.host),
    );
    succeed(folder.path(), &train("whole", &next.host));
    let [whole, killed] = ["whole", "killed"].map(|name| folder.path().join(name));
    assert_eq!(curve(&whole).len(), 3000);
    assert_eq!(curve(&whole), curve(&killed));
    for file in ["config.json", "test_predictions.csv"] {
        let [whole, killed] = [&whole, &killed].map(|run| fs::read(run.join(file)).expect("saved"));
        assert!(whole == killed, "{file}");
    }
}

#[test]
fn two_servers_share_every_minibatch() {
    let folder = tempdir().expect("a folder");
    let servers = [Server::start(folder.path()), Server::start(folder.path())];
    for strategy in ["auto", "gumbel-hard", "score-function-leave-one-out"] {
        let train = |out: &str, hosts: &[&str]| {
            let fixed = "train --backend remote --steps 300 --force";
            let hosts: String = hosts.iter().map(|host| format!(" --host {host}")).collect();
            let line = format!("{fixed} --out {out} --strategy {strategy}{hosts}");
            succeed(folder.path(), &line);
            curve(&folder.path().join(out))
        };
        let [first, second] = [&servers[0].host, &servers[1].host].map(String::as_str);
        let one = train("one", &[first]);
        let two = train("two", &[first, second]);
        assert_eq!(one.len(), two.len());
        let error = |step: usize| (one[step] - two[step]).abs();
        assert!(
            error(0) < 1e-6 * one[0].max(1.0),
            "{strategy}: {} and {}",
            one[0],
            two[0]
        );
        let mean = |curve: &[f64]| curve.iter().sum::<f64>() / curve.len() as f64;
        let (a, b) = (mean(&one[200..]), mean(&two[200..]));
        let last = (0..300).map(error).fold(0.0, f64::max);
        let alike = (0..300).take_while(|&step| error(step) < 1e-5).count();
        // A choice between two nearly equal classes may fall otherwise. From there on these are two runs of the same training,
        // whose steps' costs vary by a tenth and more.
        let (least, apart) = if strategy == "gumbel-hard" {
            (50, 0.15)
        } else {
            (300, 1e-6)
        };
        assert!(alike >= least, "{strategy}: only {alike} steps alike");
        assert!(
            (a - b).abs() < apart * a,
            "{strategy}: {a} on one, {b} on two"
        );
        println!("{strategy}: {a} on one, {b} on two, no step differs by more than {last:.1e}");
    }

    let flex = refuse(folder.path(), "--devices 2 --out none");
    assert!(
        flex.contains("--devices 2") && flex.contains("flex"),
        "{flex}"
    );
    let host = &servers[0].host;
    let line = format!("--backend remote --host {host} --devices 2 --out none");
    let few = refuse(folder.path(), &line);
    assert!(few.contains("--devices 2") && few.contains(host), "{few}");
}

/// Answers every session as a server of another release of Burn does.
fn server_of_another_release() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.expect("a client");
            // The program first looks whether anybody listens.
            let Ok(mut socket) = tungstenite::accept(stream) else {
                continue;
            };
            if socket.read().is_ok() {
                let refusal = [
                    &[0x92, 0x81, 0xab][..],
                    b"InitRefused",
                    &[0x81, 0xb4],
                    b"IncompatibleProtocol",
                    &[0x91, 99, 0x00],
                ];
                let _ = socket.send(tungstenite::Message::Binary(refusal.concat().into()));
                let _ = socket.close(None);
                while socket.read().is_ok() {}
            }
        }
    });
    format!("ws://{address}")
}

#[test]
fn mistakes_are_one_clear_line() {
    let folder = tempdir().expect("a folder");
    let train = |host: &str| {
        refuse(
            folder.path(),
            &format!("train --backend remote --host {host} --out none"),
        )
    };
    for address in [
        "somewhere",
        "http://here:3000",
        "ws://here",
        "ws://:3000",
        "ws://here:0",
        "ws://here:port",
        "ws://a/b:1",
    ] {
        let error = train(address);
        assert!(
            error.contains("--host") && error.contains("ws://HOST:PORT"),
            "{address}: {error}"
        );
    }
    let nowhere = train("ws://no-such-host.invalid:3000");
    assert!(nowhere.contains("no-such-host.invalid"), "{nowhere}");

    let free = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = free.local_addr().expect("it is bound").port().to_string();
    let taken = refuse(folder.path(), &format!("serve --port {port}"));
    assert!(taken.contains(&port) && taken.contains("in use"), "{taken}");
    let silent = train(&format!("ws://127.0.0.1:{port}"));
    assert!(
        silent.contains(&port) && silent.contains("did not answer"),
        "{silent}"
    );
    drop(free);
    let closed = train(&format!("ws://127.0.0.1:{port}"));
    assert!(
        closed.contains(&port) && closed.contains("no server"),
        "{closed}"
    );

    let other = server_of_another_release();
    let error = train(&other);
    assert!(
        error.contains(&other) && error.contains("version 99"),
        "{error}"
    );

    let none = refuse(folder.path(), "train --backend remote");
    assert!(none.contains("--host"), "{none}");
    let local = refuse(folder.path(), "train --host ws://127.0.0.1:3000");
    assert!(local.contains("--backend remote"), "{local}");
    let away = refuse(folder.path(), "audit --backend remote");
    assert!(away.contains("train"), "{away}");
    assert!(!folder.path().join("none").exists());
}
