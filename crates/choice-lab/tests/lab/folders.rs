//! Saving, replacing and reading run folders, through the built program.

use crate::common::{call, refuse, refused, succeed};
use crate::first;
use choice_lab::place::backend::Backend;
use std::fs;
use std::path::Path;
use tempfile::tempdir;

const FILES: [&str; 5] = [
    "config.json",
    "metrics.json",
    "model.bpk",
    "test.csv",
    "test_predictions.csv",
];

fn train(folder: &Path, more: &str) -> String {
    let backend = first();
    succeed(
        folder,
        &format!("--backend {backend} --steps 20 --out run {more}"),
    )
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn predictions_equal_the_last_evaluation_on_every_backend() {
    for backend in Backend::compiled() {
        let folder = tempdir().expect("a folder");
        let out = folder.path().join("run");
        succeed(
            folder.path(),
            &format!("train --backend {} --steps 20 --out run", backend.name()),
        );
        let stdout = succeed(folder.path(), "predict --model run --input run/test.csv");
        let saved = fs::read_to_string(out.join("test_predictions.csv")).expect("saved");
        assert_eq!(stdout, saved, "{backend:?}");
        assert_eq!(saved.lines().count(), 4097);
        assert!(saved.starts_with("class,probability,value\n"));
        succeed(
            folder.path(),
            "predict --model run --input run/test.csv --output p.csv",
        );
        assert_eq!(
            fs::read_to_string(folder.path().join("p.csv")).expect("written"),
            saved,
            "{backend:?}"
        );
    }
}

#[test]
fn a_run_writes_its_files_and_nothing_else() {
    let folder = tempdir().expect("a folder");
    train(folder.path(), "");
    assert_eq!(names(folder.path()), ["run"]);
    assert_eq!(names(&folder.path().join("run")), FILES);
}

#[test]
fn the_last_line_of_stdout_is_json() {
    let folder = tempdir().expect("a folder");
    let stdout = train(folder.path(), "--json --task b --seed 5");
    let last = stdout.lines().last().expect("a line");
    let object: serde_json::Value = serde_json::from_str(last).expect("JSON");
    for (key, value) in [("strategy", "auto"), ("task", "b")] {
        assert_eq!(object[key], value);
    }
    assert_eq!(
        (object["seed"].as_u64(), object["steps"].as_u64()),
        (Some(5), Some(20))
    );
    assert_eq!(object["noise_floor"].as_f64(), Some(0.0025));
    for key in ["seconds", "test_mse", "baseline_mse", "classes_used"] {
        assert!(object[key].is_number(), "{key}");
    }
    assert!(object["backend"].is_string());
}

#[test]
fn the_summary_names_what_matters() {
    let folder = tempdir().expect("a folder");
    let stdout = train(folder.path(), "");
    for word in [
        "test MSE",
        "one straight line",
        "noise",
        "classes used",
        "next:",
        "predict --model run",
    ] {
        assert!(stdout.contains(word), "{word}: {stdout}");
    }
}

#[test]
fn an_earlier_run_is_replaced_only_by_force() {
    let folder = tempdir().expect("a folder");
    train(folder.path(), "");
    let config = folder.path().join("run/config.json");
    let before = fs::read_to_string(&config).expect("config");
    let error = refuse(folder.path(), "--steps 21 --out run");
    assert!(error.contains("--force"), "{error}");
    assert_eq!(fs::read_to_string(&config).expect("config"), before);
    train(folder.path(), "--seed 9 --force");
    assert_ne!(fs::read_to_string(&config).expect("config"), before);
    assert_eq!(names(folder.path()), ["run"]);
}

#[test]
fn foreign_files_are_never_replaced() {
    let folder = tempdir().expect("a folder");
    let run = folder.path().join("run");
    fs::create_dir(&run).expect("a folder");
    fs::write(run.join("thesis.txt"), "dear").expect("a file");
    let error = refuse(folder.path(), "--steps 1 --out run --force");
    assert!(error.contains("thesis.txt"), "{error}");
    assert_eq!(names(&run), ["thesis.txt"]);
}

#[test]
fn an_empty_folder_is_filled() {
    let folder = tempdir().expect("a folder");
    fs::create_dir(folder.path().join("run")).expect("a folder");
    train(folder.path(), "");
    assert_eq!(names(&folder.path().join("run")), FILES);
    assert_eq!(names(folder.path()), ["run"]);
}

#[test]
fn damaged_and_foreign_model_folders_are_named() {
    let folder = tempdir().expect("a folder");
    train(folder.path(), "");
    let run = folder.path().join("run");
    let predict = "predict --model run --input rows.csv";
    fs::write(folder.path().join("rows.csv"), "x1,x2\n1,2\n").expect("a file");
    succeed(folder.path(), predict);

    let model = fs::read(run.join("model.bpk")).expect("model");
    for damaged in [
        &model[..model.len() / 2],
        b"not a model",
        b"",
        &[model.as_slice(), &[1; 3]].concat(),
    ] {
        fs::write(run.join("model.bpk"), damaged).expect("a file");
        let output = call(folder.path(), predict);
        if !output.status.success() {
            assert!(refused(predict, output).contains("model.bpk"));
        }
    }
    fs::write(run.join("model.bpk"), &model).expect("a file");

    let config = fs::read_to_string(run.join("config.json")).expect("config");
    for (old, new) in [
        ("\"hidden\": 32", "\"hidden\": 31"),
        ("network 1", "network 9"),
        ("\"scaling\"", "\"x\""),
    ] {
        assert!(config.contains(old), "{config}");
        fs::write(run.join("config.json"), config.replace(old, new)).expect("a file");
        refuse(folder.path(), predict);
    }
    fs::remove_file(run.join("config.json")).expect("a file");
    assert!(refuse(folder.path(), predict).contains("config.json"));
    let missing = refuse(folder.path(), "predict --model nowhere --input rows.csv");
    assert!(missing.contains("nowhere"), "{missing}");
}
