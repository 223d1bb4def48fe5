//! The audit on the random gates of the published bias table, whose random numbers are PyTorch's.

use crate::common::{refuse, succeed};
use crate::first;
use burn_relax::audit::Report;
use choice_lab::audit::{GATES, one, random_gate};
use choice_lab::place::backend::Backend;
use choice_lab::strategy::names::Strategy;
use tempfile::tempdir;

/// What docs/choosing.md states, from PyTorch: cosine and relative bias on the gates of [`GATES`].
const TABLE: [(Strategy, [(f64, f64); 4]); 11] = [
    (Strategy::ScoreFunction, [(1.0, 0.0); 4]),
    (
        Strategy::ScoreFunctionLeaveOneOut,
        [(1.0, 0.01), (1.0, 0.01), (1.0, 0.01), (1.0, 0.02)],
    ),
    (
        Strategy::StraightThroughSample,
        [(0.927, 0.38), (0.917, 0.41), (0.937, 0.39), (0.910, 0.42)],
    ),
    (
        Strategy::StraightThrough,
        [(0.693, 0.99), (0.727, 0.99), (0.785, 0.89), (0.784, 0.93)],
    ),
    (Strategy::Reinmax, [(1.0, 0.0); 4]),
    (
        Strategy::SoftArgmaxGather,
        [(0.927, 0.38), (0.917, 0.41), (0.937, 0.39), (0.910, 0.42)],
    ),
    (
        Strategy::GumbelHardCold,
        [(0.993, 0.17), (0.972, 0.24), (0.966, 0.26), (0.981, 0.21)],
    ),
    (
        Strategy::GumbelHard,
        [(0.982, 0.36), (0.915, 0.43), (0.887, 0.46), (0.939, 0.43)],
    ),
    (
        Strategy::GumbelHardWarm,
        [(0.966, 0.60), (0.812, 0.64), (0.755, 0.66), (0.851, 0.71)],
    ),
    (
        Strategy::GreedyScore,
        [
            (-0.456, 3.24),
            (-0.525, 2.74),
            (-0.601, 2.55),
            (-0.653, 3.95),
        ],
    ),
    (
        Strategy::GreedyScoreCorrected,
        [(0.456, 2.38), (0.525, 1.77), (0.601, 1.46), (0.653, 2.68)],
    ),
];

/// Both tables rest on a finite number of draws.
const COSINE: f64 = 0.05;
const BIAS: f64 = 0.1;
/// Draws here; the plain score function's mean is then within .1 of the gradient.
const DRAWS: usize = 2500;

fn report(place: usize, strategy: Strategy) -> Report {
    let device = Backend::compiled()[0]
        .device()
        .expect("the first backend needs no driver");
    let device = device.autodiff();
    one(&|| random_gate(GATES[place], 0, &device), DRAWS, strategy)
}

#[test]
fn cosine_and_bias_are_those_of_the_published_table() {
    let mut wrong = Vec::new();
    for place in 0..GATES.len() {
        for (strategy, expected) in TABLE {
            let report = report(place, strategy);
            let (cosine, bias) = expected[place];
            if (report.cosine - cosine).abs() > COSINE || (report.bias_relative - bias).abs() > BIAS
            {
                wrong.push(format!("{strategy:?}: {cosine} {bias}, got {report:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// At temperature 1.3 the table's cosines hold; its biases are those of code that drops the factor 1 / T.
#[test]
fn warm_reinmax_has_the_published_direction() {
    for (place, cosine) in [0.998, 0.975, 0.963, 0.978].into_iter().enumerate() {
        let report = report(place, Strategy::ReinmaxWarm);
        assert!((report.cosine - cosine).abs() < COSINE, "{report:?}");
    }
}

#[test]
fn the_command_prints_every_strategy_as_text_and_json() {
    let folder = tempdir().expect("a folder");
    let backend = first();
    let text = succeed(
        folder.path(),
        &format!("audit --draws 2 --backend {backend}"),
    );
    assert!(text.starts_with("| problem"), "{text}");
    let greedy = text.lines().find(|line| line.contains("| greedy-score "));
    assert!(
        greedy.is_some_and(|line| line.contains("AGAINST THE GRADIENT")),
        "{text}"
    );

    let json = succeed(
        folder.path(),
        &format!("audit --draws 2 --json --backend {backend}"),
    );
    let reports: Vec<Report> = serde_json::from_str(&json).expect("an array of reports");
    assert_eq!(text.lines().count(), reports.len() + 2);
    for problem in [
        "flat gate, 4 classes",
        "medium gate, 16 classes",
        "three bits, one cost",
    ] {
        let names: Vec<_> = reports
            .iter()
            .filter(|r| r.problem == problem)
            .map(|r| r.strategy.as_str())
            .collect();
        for name in [
            "auto",
            "reinmax",
            "gumbel-rao",
            "score-function-leave-one-out",
            "greedy-score",
        ] {
            assert!(names.contains(&name), "{problem}: {names:?}");
        }
    }
    assert!(refuse(folder.path(), "audit --draws 1").contains("--draws"));
    assert!(refuse(folder.path(), "audit --backend abacus").contains("abacus"));
}

#[test]
fn the_comparison_and_the_polynomial_print_tables() {
    let folder = tempdir().expect("a folder");
    let backend = first();
    let line = format!(
        "compare --strategy auto,straight-through --task a,b --seeds 2 --steps 20 --backend {backend}"
    );
    let table = succeed(folder.path(), &line);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(
        lines[2].starts_with("| `auto` | ") && lines[3].starts_with("| `straight-through` | "),
        "{table}"
    );

    let line = format!("polynomial --seeds 1 --steps 2 --json --backend {backend}");
    let json: serde_json::Value =
        serde_json::from_str(&succeed(folder.path(), &line)).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(15));
    // Two steps of .001 from equal weights: (.45^p + .55^p) / 2, a little less.
    assert!(
        json[1]["cost"]
            .as_f64()
            .is_some_and(|cost| (cost - 0.2525).abs() < 2e-4),
        "{json}"
    );
    assert!(refuse(folder.path(), "polynomial --seeds 0").contains("--seeds"));
}
