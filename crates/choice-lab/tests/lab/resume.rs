//! Trainings that are interrupted and go on.

use crate::common::{program, refuse, settings, succeed};
use crate::{first, run};
use burn::tensor::Device;
use choice_lab::place::backend::Backend;
use choice_lab::strategy::names::Strategy;
use choice_lab::training::curves::Curves;
use choice_lab::training::display::Display;
use choice_lab::training::run::{Run, train_on};
use choice_lab::training::{checkpoint::Checkpoints, plan::Plan};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::tempdir;

/// All that a run comes to, apart from its time.
fn result(run: &Run) -> (Curves, f64, Vec<(usize, u64)>) {
    let choices = run.choices.iter();
    (
        run.curves.clone(),
        run.report.test_mse,
        choices
            .map(|choice| (choice.class, choice.value.to_bits()))
            .collect(),
    )
}

/// The first backend's device. The others are opened too: reading a checkpoint opens Burn's default device, which may be
/// one of theirs, and a second opening would fail.
fn device() -> [Device; 1] {
    let devices = Backend::compiled().into_iter().map(Backend::device);
    let mut devices: Vec<_> = devices.collect::<Result<_, _>>().expect("devices");
    [devices.swap_remove(0)]
}

/// Strategies with a schedule, with draws, with a moving average, with a parameter of their own, with clipping and a bonus.
#[test]
fn a_run_goes_on_to_the_same_bits() {
    for strategy in [
        Strategy::Auto,
        Strategy::GumbelHard,
        Strategy::ScoreFunctionMoving,
        Strategy::MixtureLikelihood,
        Strategy::ScoreFunctionLeaveOneOutEntropy,
    ] {
        let folder = tempdir().expect("a folder");
        let settings = settings(Backend::compiled()[0], strategy, 63);
        let plan = Plan::new(settings, None, 10);
        let train = |checkpoints: &Checkpoints| {
            let problem = plan.problem().expect("a task");
            let run = train_on(
                problem,
                settings,
                &device(),
                Display::Silent,
                Some(checkpoints),
            );
            result(&run.expect("the run ends well"))
        };
        let whole = train(&Checkpoints::begin(folder.path(), &plan).expect("writable"));
        assert_eq!(
            whole,
            result(&run(settings)),
            "{strategy:?}: saving changes nothing"
        );

        // From the checkpoint before the last, which is whole where a file of the last is missing, then from the last, which
        // was saved anew. An epoch has 4 steps: one is amid an epoch, the other at its end.
        fs::remove_file(folder.path().join("checkpoint/schedule-60.bpk")).expect("saved");
        for step in [50, 60] {
            let (checkpoints, read) = Checkpoints::reopen(folder.path()).expect("there");
            assert_eq!(read, plan);
            let state = checkpoints.latest().expect("readable").expect("saved");
            assert_eq!((state.step, state.curves.cost.len()), (step, step));
            assert_eq!(whole, train(&checkpoints), "{strategy:?} from {step}");
        }
    }
}

/// Whether a whole checkpoint may be there.
fn saved(checkpoints: &Path) -> bool {
    fs::read_dir(checkpoints).is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("progress-"))
        })
    })
}

fn metrics(folder: &Path) -> serde_json::Value {
    let text = fs::read_to_string(folder.join("metrics.json")).expect("a finished run");
    let mut metrics: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    metrics["report"]["seconds"].take();
    metrics
}

#[test]
fn a_killed_run_goes_on_to_the_same_files() {
    let folder = tempdir().expect("a folder");
    let train = |out: &str| {
        let fixed = "train --steps 6000 --checkpoint-every 100 --strategy gumbel-hard";
        format!("{fixed} --backend {} --out {out}", first())
    };
    succeed(folder.path(), &train("whole"));

    let mut child = program(folder.path(), &train("killed"))
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    let checkpoints = folder.path().join("killed/checkpoint");
    let patience = Instant::now();
    while !saved(&checkpoints) && patience.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_millis(1));
    }
    child.kill().expect("it runs");
    assert!(
        !child.wait().expect("it ran").success(),
        "it was killed in time"
    );
    assert!(!folder.path().join("killed/config.json").exists());

    let again = refuse(folder.path(), &train("killed"));
    assert!(
        again.contains("--resume killed") && again.contains("--force"),
        "{again}"
    );
    let stdout = succeed(folder.path(), "train --resume killed --json");
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
    let [whole, killed] = ["whole", "killed"].map(|name| folder.path().join(name));
    assert_eq!(metrics(&whole), metrics(&killed));
    for file in ["config.json", "test.csv", "test_predictions.csv"] {
        let [whole, killed] = [&whole, &killed].map(|run| fs::read(run.join(file)).expect("saved"));
        assert!(whole == killed, "{file}");
    }
    assert!(
        !killed.join("checkpoint").exists(),
        "a finished run needs none"
    );
    let ended = refuse(folder.path(), "train --resume killed");
    assert!(ended.contains("no interrupted run"), "{ended}");
}

#[test]
fn a_damaged_plan_and_contradicting_options_are_named() {
    let folder = tempdir().expect("a folder");
    let out = folder.path().join("run");
    let settings = settings(Backend::compiled()[0], Strategy::Auto, 30);
    let plan = Plan::new(settings, None, 10);
    let checkpoints = Checkpoints::begin(&out, &plan).expect("writable");
    let problem = plan.problem().expect("a task");
    train_on(
        problem,
        settings,
        &device(),
        Display::Silent,
        Some(&checkpoints),
    )
    .expect("the run ends well");

    let error = refuse(folder.path(), "--resume run --steps 40");
    assert!(error.contains("--steps"), "{error}");
    let place = out.join("checkpoint/run.json");
    let good = fs::read(&place).expect("saved");
    for content in ["{}", "", "{\"format\":"] {
        fs::write(&place, content).expect("writable");
        let error = refuse(folder.path(), "--resume run");
        assert!(error.contains("run.json"), "{content}: {error}");
    }
    fs::write(&place, &good).expect("writable");
    succeed(folder.path(), "--resume run --plain");
}
