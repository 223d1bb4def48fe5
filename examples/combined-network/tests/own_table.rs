//! Training on a table of the user's own, and predicting with what was trained.

mod common;

use combined_network::backend::Backend;
use combined_network::dataset::Dataset;
use common::{refuse, succeed};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};

fn penguins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/penguins.csv")
}

fn train_penguins(more: &[&str]) -> (TempDir, Value) {
    let folder = tempdir().expect("a folder");
    let data = penguins();
    let arguments = [
        "train",
        "--data",
        data.to_str().expect("UTF-8"),
        "--target",
        "bill_depth_mm",
        "--classes",
        "3",
        "--backend",
        Backend::compiled()[0].name(),
        "--json",
    ];
    let stdout = succeed(folder.path(), &[arguments.as_slice(), more].concat());
    let last = stdout.lines().last().expect("a line");
    (folder, serde_json::from_str(last).expect("JSON"))
}

/// A table of two columns and the target, long enough to split.
fn rows(count: usize) -> String {
    let row = |i: usize| format!("{},{},{}\n", i % 7, (i * i) % 5, i % 3);
    "a,b,y\n".to_owned() + &(0..count).map(row).collect::<String>()
}

const TRAIN: [&str; 11] = [
    "train",
    "--data",
    "rows.csv",
    "--target",
    "y",
    "--classes",
    "2",
    "--steps",
    "2",
    "--out",
    "run",
];

#[test]
fn penguins_are_predicted_better_than_by_a_line() {
    let strategy = ["--strategy", "mixture-likelihood", "--steps", "1000"];
    let mut ratios = Vec::new();
    for seed in ["0", "1", "2"] {
        let (_, report) =
            train_penguins(&[&strategy[..], &["--seed", seed, "--out", "run"]].concat());
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
    let (folder, _) = train_penguins(&["--steps", "20"]);
    let run = "runs/penguins-auto-0";
    let test = format!("{run}/test.csv");
    let saved =
        fs::read_to_string(folder.path().join(run).join("test_predictions.csv")).expect("saved");
    assert_eq!(saved.lines().count(), 1 + 342 / 5);
    let predict = ["predict", "--model", run, "--input"];
    assert_eq!(
        succeed(folder.path(), &[&predict[..], &[&test]].concat()),
        saved
    );

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
    assert_eq!(
        succeed(folder.path(), &[&predict[..], &["other.csv"]].concat()),
        saved
    );

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
    let error = refuse(folder.path(), &[&predict[..], &["less.csv"]].concat());
    assert!(
        error.contains("less.csv: line 1") && error.contains("flipper_length_mm"),
        "{error}"
    );
    fs::write(
        folder.path().join("twice.csv"),
        text.replacen("bill_depth_mm", "year", 1),
    )
    .expect("a file");
    let error = refuse(folder.path(), &[&predict[..], &["twice.csv"]].concat());
    assert!(error.contains("names year twice"), "{error}");
}

#[test]
fn the_split_depends_on_the_seed_alone() {
    let read = |seed| Dataset::read(&penguins(), "body_mass_g", seed).expect("a table");
    let first = read(1);
    assert_eq!(first, read(1));
    assert_ne!(first.splits.test, read(2).splits.test);
    let parts = [&first.splits.train, &first.splits.valid, &first.splits.test];
    assert_eq!(parts.map(|rows| rows.len()), [206, 68, 68]);
    assert_eq!(first.passed_over, ["species", "island", "sex"]);
    let mut targets: Vec<_> = parts.iter().flat_map(|rows| &rows.targets).collect();
    targets.sort_by(|a, b| a.total_cmp(b));
    let all = fs::read_to_string(penguins()).expect("the data");
    let mass = |line: &str| {
        line.split(',')
            .nth(5)
            .expect("a field")
            .parse::<f32>()
            .expect("a number")
    };
    let mut expected: Vec<_> = all.lines().skip(1).map(mass).collect();
    expected.sort_by(f32::total_cmp);
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
    let rows = config.standardise(splits.train);
    let column = |feature: usize| {
        rows.inputs
            .iter()
            .skip(feature)
            .step_by(2)
            .map(|x| f64::from(*x))
    };
    assert!(column(1).all(|x| x == 0.0));
    let count = rows.len() as f64;
    assert!((column(0).sum::<f64>() / count).abs() < 1e-6);
    assert!((column(0).map(|x| x * x).sum::<f64>() / count - 1.0).abs() < 1e-6);

    let arguments = [&TRAIN[..], &["--json"]].concat();
    let stdout = succeed(folder.path(), &arguments);
    let report: Value = serde_json::from_str(stdout.lines().last().expect("a line")).expect("JSON");
    assert!(
        report["baseline_mse"].as_f64().expect("a number") < 1e-6,
        "{report}"
    );
}

#[test]
fn malformed_tables_are_named_with_line_and_column() {
    let folder = tempdir().expect("a folder");
    let good = rows(20);
    let bad = |line: usize, text: &str| {
        let mut lines: Vec<_> = good.lines().collect();
        lines[line - 1] = text;
        lines.join("\n") + "\n"
    };
    let cases: [(String, &[&str]); 17] = [
        (String::new(), &["line 1", "empty", "y"]),
        ("a,b,y\n".to_owned(), &["no rows"]),
        (good.replacen('y', "z", 1), &["line 1", "no column y"]),
        (bad(7, "1,two,3"), &["line 7", "'two'", "column b"]),
        (bad(2, "1,2,three"), &["line 2", "'three'", "column y"]),
        (bad(9, "nan,2,3"), &["line 9", "'nan'", "column a"]),
        (bad(9, "1,2,inf"), &["line 9", "'inf'", "column y"]),
        (bad(2, ",2,3"), &["line 2", "''", "column a"]),
        (bad(2, "NA,2,3"), &["line 2", "'NA'", "column a"]),
        (bad(4, "1,1e99,3"), &["line 4", "'1e99'", "column b"]),
        (bad(5, "1,2"), &["line 5", "2 fields", "has 3"]),
        (bad(5, "\n1,2,3,4"), &["line 6", "4 fields", "has 3"]),
        (
            good.replacen("a,b", "a,a", 1),
            &["line 1", "two columns have the name a"],
        ),
        (
            good.replacen("a,b", "a,", 1),
            &["line 1", "column 2 has no name"],
        ),
        (rows(9), &["9 rows", "at least 10"]),
        (
            "y\n".to_owned() + &"1\n".repeat(20),
            &["no column but the target"],
        ),
        (
            "t,y\n".to_owned() + &"word,1\n".repeat(20),
            &["no column but the target"],
        ),
    ];
    for (text, words) in cases {
        fs::write(folder.path().join("rows.csv"), &text).expect("a file");
        let error = refuse(folder.path(), &TRAIN);
        for word in words.iter().chain(&["rows.csv"]) {
            assert!(error.contains(word), "{word}: {error}\n{text}");
        }
        assert!(!folder.path().join("run").exists());
    }
    fs::write(folder.path().join("rows.csv"), b"a,b,y\n1,\xff,3\n").expect("a file");
    assert!(refuse(folder.path(), &TRAIN).contains("line 2"));
    fs::remove_file(folder.path().join("rows.csv")).expect("a file");
    assert!(refuse(folder.path(), &TRAIN).contains("rows.csv"));
}

#[test]
fn unusual_but_sound_tables_are_taken() {
    let folder = tempdir().expect("a folder");
    for text in [
        rows(10),
        "\u{feff}".to_owned() + &rows(12).replace('\n', "\r\n"),
        rows(12).replace('\n', "\n\n"),
        rows(12).trim_end().to_owned(),
        rows(12).replacen("a,b", "\"a, in m\",b", 1),
    ] {
        fs::write(folder.path().join("rows.csv"), &text).expect("a file");
        succeed(folder.path(), &[&TRAIN[..], &["--force"]].concat());
    }
}

#[test]
fn the_options_of_a_table_belong_together() {
    let folder = tempdir().expect("a folder");
    fs::write(folder.path().join("rows.csv"), rows(20)).expect("a file");
    let cases: [(&[&str], &[&str]); 8] = [
        (&["--data", "rows.csv"], &["--target", "--classes"]),
        (&["--data", "rows.csv", "--target", "y"], &["--classes"]),
        (&["--target", "y"], &["--data"]),
        (&["--classes", "2"], &["--data"]),
        (
            &[
                "--data",
                "rows.csv",
                "--target",
                "y",
                "--classes",
                "2",
                "--task",
                "b",
            ],
            &["--task", "--data"],
        ),
        (
            &["--data", "rows.csv", "--target", "y", "--classes", "0"],
            &["--classes", "from 1"],
        ),
        (
            &["--data", "rows.csv", "--target", "y", "--classes", "-2"],
            &["--classes", "from 1"],
        ),
        (
            &["--data", "rows.csv", "--target", "y", "--classes", "two"],
            &["--classes", "from 1"],
        ),
    ];
    for (arguments, words) in cases {
        let error = refuse(folder.path(), arguments);
        assert!(
            words.iter().all(|word| error.contains(word)),
            "{arguments:?}: {error}"
        );
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[test]
fn one_class_is_a_line() {
    let folder = tempdir().expect("a folder");
    fs::write(folder.path().join("rows.csv"), rows(20)).expect("a file");
    let arguments = TRAIN.map(|word| if word == "2" { "1" } else { word });
    assert!(succeed(folder.path(), &arguments).contains("1 of 1"));
}
