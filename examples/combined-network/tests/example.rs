//! The program as a user runs it.

use burn::tensor::{Device, Tensor};
use combined_network::network::{CombinedNetwork, CombinedNetworkConfig};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::tempdir;

fn call(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_combined-network"));
    let output = command.current_dir(folder).args(arguments).output();
    output.expect("the program starts")
}

fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = call(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The number that follows some words.
fn after(text: &str, words: &str) -> f64 {
    let rest = text.split(words).nth(1).expect(words);
    let number = rest.split([' ', ';', ',', '\n']).next();
    number.and_then(|text| text.parse().ok()).expect(words)
}

#[test]
fn a_short_training_beats_the_straight_line_and_is_there_to_predict() {
    let folder = tempdir().expect("a folder");
    let trained = succeed(folder.path(), &["--steps", "600", "--out", "run"]);
    let [reached, line] = ["test error ", "one straight line "].map(|words| after(&trained, words));
    assert!(reached < 0.1 && line > 0.3, "{trained}");

    let device = Device::flex();
    let (_, network) = CombinedNetwork::load(&folder.path().join("run"), &device).expect("saved");
    for input in [["0.5", "0.5"], ["-1.25", "2"], ["0", "-0.75"]] {
        let numbers = input.map(|text| text.parse::<f32>().expect("a number"));
        let (class, _, value) = network.choose(Tensor::from_floats([numbers], &device));
        let said = succeed(
            folder.path(),
            &["predict", "--model", "run", input[0], input[1]],
        );
        assert_eq!(after(&said, "class "), class.into_scalar::<f64>(), "{said}");
        let value: f64 = value.into_scalar();
        assert!((after(&said, "value ") - value).abs() < 1e-4, "{said}");
    }
}

#[test]
fn every_strategy_trains_on_every_task() {
    let folder = tempdir().expect("a folder");
    for strategy in [
        "auto",
        "gradual",
        "gumbel-hard",
        "straight-through",
        "expected-cost",
        "score-function-leave-one-out",
    ] {
        for task in ["a", "b", "c", "d"] {
            let arguments = ["--strategy", strategy, "--task", task, "--steps", "3"];
            let error = after(&succeed(folder.path(), &arguments), "test error ");
            assert!(error.is_finite(), "{strategy} on {task}");
        }
    }
}

#[test]
fn every_backend_trains_and_predicts() {
    let folder = tempdir().expect("a folder");
    for (backend, compiled) in [
        ("flex", true),
        ("ndarray", cfg!(feature = "ndarray")),
        ("wgpu", cfg!(feature = "wgpu")),
    ] {
        let arguments = ["--backend", backend, "--steps", "20"];
        if compiled {
            let trained = succeed(folder.path(), &arguments);
            assert!(after(&trained, "test error ") < 2.0, "{backend}: {trained}");
            succeed(folder.path(), &["predict", "--backend", backend, "1", "2"]);
        } else {
            assert!(!call(folder.path(), &arguments).status.success());
        }
    }
}

#[test]
fn a_network_comes_back_as_it_was_saved() {
    let (folder, device) = (tempdir().expect("a folder"), Device::flex());
    let sizes = CombinedNetworkConfig {
        features: 2,
        hidden: 4,
        classes: 3,
    };
    let inputs = Tensor::<2>::from_floats([[0.5, -1.0], [2.0, 0.25]], &device);
    let network = sizes.init(&device);
    let chosen = |network: &CombinedNetwork| {
        let (class, probability, value) = network.choose(inputs.clone());
        (
            class.into_data(),
            probability.into_data(),
            value.into_data(),
        )
    };
    let before = chosen(&network);
    network.save(sizes, folder.path()).expect("writable");
    let (found, network) = CombinedNetwork::load(folder.path(), &device).expect("saved");
    assert_eq!((found, chosen(&network)), (sizes, before));
}

#[test]
fn mistakes_are_named() {
    let folder = tempdir().expect("a folder");
    let cases: [(&[&str], &str); 8] = [
        (&["--strategy", "hope"], "hope"),
        (&["--task", "g"], "--task"),
        (&["--steps", "0"], "--steps"),
        (&["--rate", "fast"], "--rate"),
        (&["--backend", "abacus"], "must be flex, ndarray or wgpu"),
        (&["predict"], "INPUTS"),
        (
            &["predict", "--model", "nowhere", "1", "2"],
            "nowhere holds no network",
        ),
        (&["fly"], "fly"),
    ];
    for (arguments, words) in cases {
        let output = call(folder.path(), arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && error.contains(words),
            "{arguments:?}: {error}"
        );
        assert!(!error.contains("panicked"), "{arguments:?}: {error}");
    }
    succeed(folder.path(), &["--steps", "1"]);
    let output = call(folder.path(), &["predict", "1"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("takes 2 numbers, got 1"), "{error}");
}

/// Runs the program, which must refuse with exit code 2, and returns what it says.
fn refuse(folder: &Path, arguments: &[&str]) -> String {
    let output = call(folder, arguments);
    let error = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
    assert!(!error.contains("panicked"), "{arguments:?}: {error}");
    error
}

#[test]
fn sizes_that_the_weights_do_not_have_are_refused() {
    let folder = tempdir().expect("a folder");
    succeed(folder.path(), &["--steps", "1", "--out", "run"]);
    let path = folder.path().join("run/network.json");
    let text = std::fs::read_to_string(&path).expect("saved");
    for (old, new) in [
        ("\"classes\": 3", "\"classes\": 4611686018427387904"),
        ("\"classes\": 3", "\"classes\": 0"),
        ("\"classes\": 3", "\"classes\": -1"),
        ("\"hidden\": 32", "\"hidden\": 0"),
        ("\"hidden\": 32", "\"hidden\": 1000000000000"),
        ("\"hidden\": 32", "\"hidden\": 31"),
        ("\"features\": 2", "\"features\": 18446744073709551615"),
    ] {
        let changed = text.replace(old, new);
        assert_ne!(changed, text, "{text}");
        std::fs::write(&path, changed).expect("writable");
        let error = refuse(folder.path(), &["predict", "--model", "run", "1", "2"]);
        assert!(error.contains("run holds no network"), "{new}: {error}");
    }
}

#[test]
fn a_training_that_ends_in_nan_is_no_success() {
    let folder = tempdir().expect("a folder");
    let output = call(
        folder.path(),
        &["--steps", "50", "--rate", "1e30", "--out", "run"],
    );
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("NaN"), "{error}");
    assert!(!folder.path().join("run/network.json").exists());
}

#[test]
fn numbers_that_are_none_are_refused() {
    let folder = tempdir().expect("a folder");
    for rate in ["nan", "inf", "0", "-1"] {
        assert!(refuse(folder.path(), &["--rate", rate]).contains("--rate"));
    }
    for seed in ["18446744073709551616", "-1", "1e12"] {
        assert!(refuse(folder.path(), &[&format!("--seed={seed}")]).contains("--seed"));
    }
    assert!(refuse(folder.path(), &["--steps", "1000000000000"]).contains("--steps"));
    succeed(
        folder.path(),
        &["--steps", "1", "--seed", "18446744073709551615"],
    );
    for input in ["nan", "inf", "1e39", "two"] {
        let error = refuse(folder.path(), &["predict", "1", input]);
        assert!(error.contains("INPUTS") || error.contains(input), "{error}");
    }
    // As large as 32 bits go: in every direction there is a number, or a refusal.
    for inputs in [
        ["3e38", "3e38"],
        ["3e38", "-3e38"],
        ["-3e38", "3e38"],
        ["-3e38", "-3e38"],
    ] {
        let output = call(folder.path(), &["predict", inputs[0], inputs[1]]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            output.status.success(),
            !said.is_empty() && !said.contains("NaN") && !said.contains("inf"),
            "{inputs:?}: {said}"
        );
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_found_before_the_training() {
    let folder = tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "dear").expect("a file");
    for out in ["file", "file/run"] {
        let error = refuse(folder.path(), &["--steps", "4000000000", "--out", out]);
        assert!(error.contains(&format!("cannot write to {out}")), "{error}");
    }
}
