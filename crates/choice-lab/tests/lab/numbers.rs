//! Numbers that are too large, too close together, or none at the end.

use crate::common::{call, refuse, succeed};
use crate::first;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::tempdir;

/// Two lines with a border, times `size`, plus `offset`; both columns are given in full.
fn write_table(folder: &Path, offset: f64, size: f64) {
    let row = |i: u32| {
        let x = f64::from(i * 37 % 101) / 50.0 - 1.0;
        let y = if x > 0.0 { 2.0 * x } else { -x };
        format!("{x},{}\n", y * size + offset)
    };
    let text = "x,y\n".to_owned() + &(0..400).map(row).collect::<String>();
    fs::write(folder.join("rows.csv"), text).expect("a file");
}

fn report(folder: &Path, more: &str) -> Value {
    let fixed = "train --data rows.csv --target y --classes 2 --steps 100 --force --json --out run";
    let stdout = succeed(folder, &format!("{fixed} --backend {} {more}", first()));
    serde_json::from_str(stdout.lines().last().expect("a line")).expect("JSON")
}

#[test]
fn large_targets_are_learnt_as_small_ones_are() {
    let folder = tempdir().expect("a folder");
    let figures = |offset, size| {
        write_table(folder.path(), offset, size);
        let report = report(folder.path(), "");
        ["test_mse", "baseline_mse"].map(|key| {
            let figure = report[key].as_f64().expect("a number");
            figure / (size * size)
        })
    };
    let plain = figures(0.0, 1.0);
    assert!(plain[0] > 0.0 && plain[1] > 0.1, "{plain:?}");
    for (offset, size) in [
        (1.7e9, 1.0),
        (1.7e9, 100.0),
        (-1.7e12, 10.0),
        (0.0, 1e-20),
        (0.0, 1e15),
    ] {
        let found = figures(offset, size);
        for (found, plain) in found.iter().zip(plain) {
            // The rounding of the targets, and a training that it sends another way.
            assert!(
                (found / plain - 1.0).abs() < 0.05,
                "{offset} {size}: {found}, {plain}"
            );
        }
    }
}

#[test]
fn predictions_of_large_targets_have_all_their_digits() {
    let folder = tempdir().expect("a folder");
    write_table(folder.path(), 1.7e9, 1.0);
    report(folder.path(), "");
    let values = succeed(folder.path(), "predict --model run --input run/test.csv");
    assert_eq!(
        values,
        fs::read_to_string(folder.path().join("run/test_predictions.csv")).expect("saved")
    );
    let spread = |text: &str, column: usize| {
        let number = |line: &str| -> f64 {
            let field = line.split(',').nth(column).expect("a field");
            field.parse().expect("a number")
        };
        let numbers: Vec<f64> = text.lines().skip(1).map(number).collect();
        let most = numbers.iter().copied().fold(f64::MIN, f64::max);
        let least = numbers.iter().copied().fold(f64::MAX, f64::min);
        (least, most)
    };
    let test = fs::read_to_string(folder.path().join("run/test.csv")).expect("saved");
    let ((least, most), (lowest, highest)) = (spread(&values, 2), spread(&test, 1));
    assert!((least - lowest).abs() < 0.5 && (most - highest).abs() < 0.5);
    assert!(most - least > 1.0, "{least} {most}");
}

#[test]
fn large_inputs_are_told_apart() {
    let folder = tempdir().expect("a folder");
    let row = |i: u32| format!("{},{}\n", 1_700_000_000 + i % 50, i % 50);
    let text = "time,y\n".to_owned() + &(0..200).map(row).collect::<String>();
    fs::write(folder.path().join("rows.csv"), text).expect("a file");
    let baseline = report(folder.path(), "")["baseline_mse"].as_f64();
    assert!(baseline.is_some_and(|mse| mse < 1e-3), "{baseline:?}");
}

#[test]
fn a_training_that_ends_in_nan_is_no_success() {
    let folder = tempdir().expect("a folder");
    let line = format!(
        "train --out run --lr 1e30 --decay constant --steps 50 --json --backend {}",
        first()
    );
    let output = call(folder.path(), &line);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let last = stderr.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("error: ") && last.contains("NaN") && last.contains("step"),
        "{last}"
    );
    assert!(output.stdout.is_empty());
    assert!(!folder.path().join("run/config.json").exists());
    let line = "predict --model run --input rows.csv";
    assert!(refuse(folder.path(), line).contains("config.json"));
}

#[test]
fn a_training_that_ends_in_nan_leaves_the_run_before_it() {
    let folder = tempdir().expect("a folder");
    let line = format!("train --out run --steps 5 --backend {}", first());
    succeed(folder.path(), &line);
    let config = folder.path().join("run/config.json");
    let before = fs::read(&config).expect("saved");
    let output = call(
        folder.path(),
        &format!("{line} --lr 1e30 --decay constant --force"),
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read(&config).expect("kept"), before);
}

#[test]
fn a_weight_that_is_no_number_is_named_by_predict() {
    let folder = tempdir().expect("a folder");
    let line = format!("train --out run --steps 5 --backend {}", first());
    succeed(folder.path(), &line);
    let model = folder.path().join("run/model.bpk");
    let mut bytes = fs::read(&model).expect("saved");
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&model, bytes).expect("writable");
    fs::write(folder.path().join("rows.csv"), "x1,x2\n1,2\n").expect("a file");
    let error = refuse(folder.path(), "predict --model run --input rows.csv");
    assert!(
        error.contains("model.bpk") && error.contains("not finite"),
        "{error}"
    );
}

#[test]
fn rows_beyond_all_numbers_are_named_by_predict() {
    let folder = tempdir().expect("a folder");
    let line = format!("train --out run --steps 5 --lr 1 --backend {}", first());
    succeed(folder.path(), &line);
    fs::write(folder.path().join("rows.csv"), "x1,x2\n1,2\n3e38,3e38\n").expect("a file");
    let error = refuse(folder.path(), "predict --model run --input rows.csv");
    assert!(error.contains("rows.csv: row 2"), "{error}");
}

#[test]
fn counts_that_no_machine_has_room_for_are_refused() {
    let folder = tempdir().expect("a folder");
    for count in [
        "9223372036854775808",
        "9223372036854775807",
        "18446744073709551615",
        "18446744073709551616",
        "1000000000000",
        "1e12",
        "10001",
        "0",
        "-1",
    ] {
        for line in [
            format!("compare --strategies auto --tasks a --steps 1 --seeds {count}"),
            format!("polynomial --steps 1 --seeds {count}"),
        ] {
            let error = refuse(folder.path(), &line);
            assert!(
                error.contains("--seeds") && error.contains("from 1 to 10000"),
                "{error}"
            );
        }
        for option in ["--steps", "--checkpoint-every", "--devices"] {
            if count != "10001" || option == "--devices" {
                let error = refuse(folder.path(), &format!("train {option} {count}"));
                assert!(error.contains(option), "{error}");
            }
        }
        let error = refuse(folder.path(), &format!("compare --jobs {count} --steps 1"));
        assert!(error.contains("--jobs"), "{error}");
    }
}

#[test]
fn the_largest_seeds_are_seeds() {
    let folder = tempdir().expect("a folder");
    for seed in [u64::MAX, 1 << 63, (1 << 63) - 1] {
        let line = format!(
            "train --steps 2 --seed {seed} --json --force --out run --backend {}",
            first()
        );
        let stdout = succeed(folder.path(), &line);
        let report: Value =
            serde_json::from_str(stdout.lines().last().expect("a line")).expect("JSON");
        assert_eq!(report["seed"].as_u64(), Some(seed));
    }
}
