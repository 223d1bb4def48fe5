//! Recipes that validation chooses from, and the network that it keeps.

use crate::common::{refuse, settings, succeed};
use crate::{first, run};
use choice_lab::place::backend::Backend;
use choice_lab::strategy::names::Strategy;
use choice_lab::strategy::recipe::{Keep, Recipe, Trial};
use choice_lab::training::checkpoint::Checkpoints;
use choice_lab::training::display::Display;
use choice_lab::training::plan::Plan;
use choice_lab::training::run::Run;
use choice_lab::training::settings::Settings;
use choice_lab::training::trials::train_plan;
use combined_network::task::Task;
use std::fmt::Write;
use std::fs;
use tempfile::tempdir;

fn carry_out(mut plan: Plan, checkpoints: Option<&Checkpoints>) -> Run {
    let device = Backend::compiled()[0].device().expect("a device");
    let problem = plan.problem().expect("a task");
    let run = train_plan(&problem, &mut plan, &[device], Display::Silent, checkpoints);
    run.expect("the run ends well")
}

fn figures(run: &Run) -> (f64, f64, u64, usize) {
    let report = &run.report;
    let (rate, step) = (report.learning_rate, report.kept_step);
    (rate, report.validation_mse, report.test_mse.to_bits(), step)
}

#[test]
fn the_run_with_the_lowest_validation_error_is_returned_however_often_it_was_interrupted() {
    // The first of these learns, the second hardly does, the third does not.
    for rates in [[0.01, 1e-4, 1e-7], [1e-7, 1e-4, 0.01]] {
        let trials = rates.map(|rate| Trial {
            strategy: Strategy::FreeEnergy,
            recipe: Recipe::new(Strategy::FreeEnergy, rate),
        });
        let settings = settings(Backend::compiled()[0], Strategy::FreeEnergy, 40);
        let plan = Plan::new(settings, None, 15).trying(trials.to_vec());
        let alone = trials.map(|Trial { recipe, .. }| run(Settings { recipe, ..settings }));
        let best = alone.iter().find(|run| run.report.learning_rate == 0.01);
        let best = figures(best.expect("it was tried"));
        assert!(alone.iter().all(|run| best.1 <= run.report.validation_mse));

        let folder = tempdir().expect("a folder");
        let checkpoints = Checkpoints::begin(folder.path(), &plan).expect("writable");
        assert_eq!(figures(&carry_out(plan, Some(&checkpoints))), best);
        // What is left is the last trial, and what is known of the others.
        let (checkpoints, left) = Checkpoints::reopen(folder.path()).expect("there");
        let known = left.trials.iter().map(|tried| tried.error.is_some());
        assert_eq!(known.collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(left.settings.recipe.learning_rate, rates[2]);
        assert_eq!(figures(&carry_out(left, Some(&checkpoints))), best);
    }
}

#[test]
fn the_kept_network_is_the_one_that_the_report_tells_of() {
    let recipe = Recipe {
        keep: Keep::Best,
        // So large that later networks are worse than earlier ones.
        ..Recipe::new(Strategy::GumbelHard, 0.3)
    };
    let settings = settings(Backend::compiled()[0], Strategy::GumbelHard, 200);
    let kept = run(Settings { recipe, ..settings });
    let step = kept.report.kept_step;
    assert!(step < 200, "{:?}", kept.report);
    let at = |point: &&choice_lab::training::curves::Validation| point.step == step;
    let point = kept.curves.validation.iter().find(at).expect("validated");
    assert!((point.mse - kept.report.validation_mse).abs() < 1e-5 * point.mse);
    let recipe = Recipe {
        keep: Keep::Last,
        ..recipe
    };
    let last = run(Settings { recipe, ..settings });
    assert_eq!(last.report.kept_step, 200);
    assert_eq!(last.curves, kept.curves);
    assert_ne!(last.report.test_mse, kept.report.test_mse);
}

#[test]
fn the_rate_for_a_table_is_chosen_by_validation() {
    let folder = tempdir().expect("a folder");
    let mut table = "x,y\n".to_owned();
    for row in 0..200 {
        let x = f64::from(row) / 100.0 - 1.0;
        writeln!(table, "{x},{}", x.abs()).expect("a string");
    }
    fs::write(folder.path().join("table.csv"), table).expect("a file");
    let train = format!(
        "train --data table.csv --target y --classes 2 --steps 40 --backend {} --json --out",
        first()
    );
    let rate = |line: &str| {
        let report = succeed(folder.path(), line);
        let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
        report["learning_rate"].as_f64().expect("a number")
    };
    // Forty steps are few.
    assert_eq!(
        rate(&format!("{train} chosen --strategy expected-cost")),
        0.03
    );
    assert_eq!(rate(&format!("{train} given --lr 0.007")), 0.007);
    let error = refuse(folder.path(), &format!("{train} taught --strategy oracle"));
    assert!(error.contains("oracle"), "{error}");
}

#[test]
fn an_oracle_learns_the_regimes() {
    for task in [Task::A, Task::F] {
        let settings = Settings {
            task: Some(task),
            recipe: Recipe::new(Strategy::Oracle, 0.03),
            ..settings(Backend::compiled()[0], Strategy::Oracle, 300)
        };
        let report = run(settings).report;
        assert!(report.test_mse < 0.5 * report.baseline_mse, "{report:?}");
    }
}
