//! Configurations of models that somebody has edited: refused, before anything of their size is made.

use crate::common::{refuse, succeed};
use crate::first;
use std::fs;
use std::path::Path;
use tempfile::tempdir;

/// Replaces parts of `run/config.json` one at a time; each must be refused, by a message with all of some words.
fn each_is_refused(folder: &Path, changes: &[(&str, &str, &[&str])]) {
    let path = folder.join("run/config.json");
    let text = fs::read_to_string(&path).expect("saved");
    for (old, new, words) in changes {
        assert!(text.contains(old), "{old}: {text}");
        fs::write(&path, text.replacen(old, new, 1)).expect("writable");
        let error = refuse(folder, "predict --model run --input rows.csv");
        assert!(
            words.iter().all(|word| error.contains(word)),
            "{new}: {error}"
        );
    }
    fs::write(&path, text).expect("writable");
    succeed(folder, "predict --model run --input rows.csv");
}

#[test]
fn sizes_that_the_weights_do_not_have() {
    let folder = tempdir().expect("a folder");
    let line = format!("train --steps 2 --out run --backend {}", first());
    succeed(folder.path(), &line);
    fs::write(folder.path().join("rows.csv"), "x1,x2\n1,2\n").expect("a file");
    each_is_refused(
        folder.path(),
        &[
            (
                "\"classes\": 3",
                "\"classes\": 4611686018427387904",
                &["model.bpk", "4611686018427387904"],
            ),
            (
                "\"classes\": 3",
                "\"classes\": 18446744073709551615",
                &["model.bpk"],
            ),
            (
                "\"classes\": 3",
                "\"classes\": 18446744073709551616",
                &["config.json"],
            ),
            (
                "\"classes\": 3",
                "\"classes\": 0",
                &["model.bpk", "0 classes"],
            ),
            ("\"classes\": 3", "\"classes\": -3", &["config.json"]),
            ("\"classes\": 3", "\"classes\": 2", &["model.bpk"]),
            (
                "\"hidden\": 32",
                "\"hidden\": 0",
                &["model.bpk", "0 hidden"],
            ),
            (
                "\"hidden\": 32",
                "\"hidden\": 1000000000000",
                &["model.bpk", "1000000000000"],
            ),
            ("\"hidden\": 32", "\"hidden\": 1e12", &["config.json"]),
            ("\"hidden\": 32", "\"hidden\": 31", &["model.bpk"]),
            (
                "\"features\": 2",
                "\"features\": 4611686018427387904",
                &["model.bpk"],
            ),
            ("\"features\": 2", "\"features\": 0", &["model.bpk"]),
            ("\"features\": 2", "\"features\": 3", &["model.bpk"]),
            (
                "\"deviation\": ",
                "\"deviation\": -",
                &["config.json", "scaling"],
            ),
            ("\"deviation\": ", "\"deviation\": 0e", &["config.json"]),
            ("\"mean\": ", "\"mean\": 1e999, \"x\": ", &["config.json"]),
        ],
    );
}

#[test]
fn columns_that_do_not_match() {
    let folder = tempdir().expect("a folder");
    let row = |i: usize| format!("{},{},{}\n", i % 7, (i * i) % 5, i % 3);
    let text = "a,b,y\n".to_owned() + &(0..20).map(row).collect::<String>();
    fs::write(folder.path().join("rows.csv"), text).expect("a file");
    let line = "train --data rows.csv --target y --classes 2 --steps 2 --out run";
    succeed(folder.path(), &format!("{line} --backend {}", first()));
    let another =
        "\"features\": [{\"name\": \"c\", \"scaling\": {\"mean\": 0.0, \"deviation\": 1.0}},";
    each_is_refused(
        folder.path(),
        &[
            (
                "\"features\": [",
                another,
                &["config.json", "2 features", "3"],
            ),
            (
                "\"features\": 2",
                "\"features\": 3",
                &["config.json", "3 features"],
            ),
            (
                "\"name\": \"a\"",
                "\"name\": \"b\"",
                &["config.json", "column b twice"],
            ),
            ("\"name\": \"a\"", "\"name\": \"c\"", &["no column c"]),
            ("\"name\": \"a\"", "\"name\": 1", &["config.json"]),
        ],
    );
}

#[test]
fn an_import_with_other_sizes() {
    let folder = tempdir().expect("a folder");
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pytorch/network.pt");
    succeed(
        folder.path(),
        &format!("import --weights {weights} --out run"),
    );
    fs::write(folder.path().join("rows.csv"), "x1,x2,x3,x4\n1,2,3,4\n").expect("a file");
    each_is_refused(
        folder.path(),
        &[
            (
                "\"classes\": 3",
                "\"classes\": 4611686018427387904",
                &["model.bpk"],
            ),
            ("\"hidden\": 16", "\"hidden\": 0", &["model.bpk"]),
            (
                "\"features\": 4",
                "\"features\": 9223372036854775808",
                &["model.bpk"],
            ),
        ],
    );
}
