//! Training on a table of the user's own, and predicting with what was trained.

use crate::common::{refuse, succeed};
use crate::first;
use choice_lab::data::dataset::Dataset;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};

fn penguins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/penguins.csv")
}

fn train_penguins(more: &str) -> (TempDir, Value) {
    let folder = tempdir().expect("a folder");
    let data = penguins();
    let line = format!(
        "train --data {} --target bill_depth_mm --classes 3 --backend {} --json {more}",
        data.display(),
        first()
    );
    let stdout = succeed(folder.path(), &line);
    let last = stdout.lines().last().expect("a line");
    (folder, serde_json::from_str(last).expect("JSON"))
}

#[test]
fn penguins_are_predicted_better_than_by_a_line() {
    let strategy = "--strategy mixture-likelihood --steps 1000";
    let mut ratios = Vec::new();
    for seed in 0..3 {
        let (_, report) = train_penguins(&format!("{strategy} --seed {seed} --out run"));
        let figure = |key: &str| report[key].as_f64().expect("a number");
        ratios.push(figure("test_mse") / figure("baseline_mse"));
        assert!(report["noise_floor"].is_null(), "{report}");
        assert!(
            report["task"]
                .as_str()
                .expect("a name")
                .ends_with("penguins.csv")
        );
    }
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    assert!(mean < 0.8, "test errors over the line's: {ratios:?}");
}

#[test]
fn predictions_equal_the_last_evaluation_whatever_the_order_of_columns() {
    let (folder, _) = train_penguins("--steps 20");
    let run = "runs/penguins-auto-0";
    let test = format!("{run}/test.csv");
    let saved =
        fs::read_to_string(folder.path().join(run).join("test_predictions.csv")).expect("saved");
    assert_eq!(saved.lines().count(), 1 + 342 / 5);
    let predict = |input: &str| format!("predict --model {run} --input {input}");
    assert_eq!(succeed(folder.path(), &predict(&test)), saved);

    let text = fs::read_to_string(folder.path().join(&test)).expect("saved");
    assert!(text.starts_with("bill_length_mm,flipper_length_mm,body_mass_g,year,bill_depth_mm\n"));
    let reversed = |line: &str| {
        line.rsplit(',')
            .chain(["text"])
            .collect::<Vec<_>>()
            .join(",")
            + "\n"
    };
    fs::write(
        folder.path().join("other.csv"),
        text.lines().map(reversed).collect::<String>(),
    )
    .expect("a file");
    assert_eq!(succeed(folder.path(), &predict("other.csv")), saved);

    let value = |line: &str| {
        line.rsplit(',')
            .next()
            .expect("a field")
            .parse::<f64>()
            .expect("a number")
    };
    let values: Vec<f64> = saved.lines().skip(1).map(value).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    assert!(
        (10.0..25.0).contains(&mean),
        "depths of bills in mm: {mean}"
    );

    fs::write(
        folder.path().join("less.csv"),
        "bill_length_mm,body_mass_g,year\n39,3700,2007\n",
    )
    .expect("a file");
    let error = refuse(folder.path(), &predict("less.csv"));
    assert!(
        error.contains("less.csv: line 1") && error.contains("flipper_length_mm"),
        "{error}"
    );
    fs::write(
        folder.path().join("twice.csv"),
        text.replacen("bill_depth_mm", "year", 1),
    )
    .expect("a file");
    let error = refuse(folder.path(), &predict("twice.csv"));
    assert!(error.contains("names year twice"), "{error}");
}

#[test]
fn the_split_depends_on_the_seed_alone() {
    let read = |seed| Dataset::read(&penguins(), "body_mass_g", seed).expect("a table");
    let first = read(1);
    assert_eq!(first, read(1));
    assert_ne!(first.splits.test, read(2).splits.test);
    let parts = [&first.splits.train, &first.splits.valid, &first.splits.test];
    assert_eq!(parts.map(|rows| rows.targets.len()), [206, 68, 68]);
    assert_eq!(first.passed_over, ["species", "island", "sex"]);
    let mut targets: Vec<_> = parts.iter().flat_map(|rows| &rows.targets).collect();
    targets.sort_by(|a, b| a.total_cmp(b));
    let all = fs::read_to_string(penguins()).expect("the data");
    let mass = |line: &str| {
        line.split(',')
            .nth(5)
            .expect("a field")
            .parse::<f64>()
            .expect("a number")
    };
    let mut expected: Vec<_> = all.lines().skip(1).map(mass).collect();
    expected.sort_by(f64::total_cmp);
    assert!(targets.into_iter().eq(&expected));
}

#[test]
fn features_are_standardised_by_the_rows_trained_on() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("rows.csv");
    let row = |i: u32| format!("{},0.1,{}\n", i * 100, i);
    fs::write(
        &path,
        "a,same,y\n".to_owned() + &(0..50).map(row).collect::<String>(),
    )
    .expect("a file");
    let Dataset { config, splits, .. } = Dataset::read(&path, "y", 0).expect("a table");
    // A column of one number keeps scale 1 and becomes 0.
    assert_eq!(config.features[1].scaling.deviation, 1.0);
    let inputs = config.standardise(&splits.train.inputs);
    let column = |feature: usize| {
        inputs
            .iter()
            .skip(feature)
            .step_by(2)
            .map(|x| f64::from(*x))
    };
    assert!(column(1).all(|x| x == 0.0));
    let count = splits.train.targets.len() as f64;
    assert!((column(0).sum::<f64>() / count).abs() < 1e-6);
    assert!((column(0).map(|x| x * x).sum::<f64>() / count - 1.0).abs() < 1e-6);

    let line = "train --data rows.csv --target y --classes 2 --steps 2 --json";
    let stdout = succeed(folder.path(), line);
    let report: Value = serde_json::from_str(stdout.lines().last().expect("a line")).expect("JSON");
    assert!(
        report["baseline_mse"].as_f64().expect("a number") < 1e-6,
        "{report}"
    );
}
