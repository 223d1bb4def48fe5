//! Runs on every backend that is compiled in.

use crate::common::settings;
use crate::run;
use choice_lab::place::backend::Backend;
use choice_lab::strategy::names::Strategy;
use clap::ValueEnum;
use combined_network::task::NOISE_FLOOR;

#[test]
fn every_strategy_trains_on_every_backend() {
    for backend in Backend::compiled() {
        for &strategy in Strategy::value_variants() {
            let run = run(settings(backend, strategy, 5));
            assert_eq!(run.curves.cost.len(), 5, "{backend:?} {strategy:?}");
            assert!(
                run.curves.cost.iter().all(|cost| cost.is_finite()),
                "{backend:?} {strategy:?}"
            );
            assert!(run.report.test_mse.is_finite(), "{backend:?} {strategy:?}");
        }
    }
}

#[test]
fn exactly_the_asked_steps_run() {
    let backend = Backend::compiled()[0];
    for steps in [1, 2, 19, 20, 21, 47, 101] {
        let run = run(settings(backend, Strategy::FreeEnergy, steps));
        assert_eq!(run.curves.cost.len(), steps);
        assert_eq!(run.report.steps, steps);
        assert_eq!(run.curves.validation.last().map(|v| v.step), Some(steps));
    }
}

#[test]
fn loss_curves_agree_across_backends() {
    let mut curves = Backend::compiled().into_iter().map(|backend| {
        let run = run(settings(backend, Strategy::FreeEnergy, 100));
        (backend, run.curves.cost)
    });
    let (first, reference) = curves.next().expect("a backend is compiled in");
    for (backend, curve) in curves {
        for (step, (a, b)) in reference.iter().zip(&curve).enumerate() {
            assert!(
                (a - b).abs() <= 1e-3,
                "step {step}: {a} on {first:?}, {b} on {backend:?}"
            );
        }
    }
}

#[test]
fn a_seed_repeats_itself_and_another_does_not() {
    let backend = Backend::compiled()[0];
    for strategy in [
        Strategy::FreeEnergy,
        Strategy::GumbelHard,
        Strategy::ScoreFunction,
    ] {
        let first = settings(backend, strategy, 30);
        let other = choice_lab::training::settings::Settings { seed: 4, ..first };
        assert_eq!(run(first).curves, run(first).curves);
        assert_ne!(run(first).curves.cost, run(other).curves.cost);
    }
}

#[test]
fn the_default_strategy_solves_the_first_task() {
    let run = run(settings(Backend::compiled()[0], Strategy::Auto, 2000));
    assert!(run.report.test_mse < 0.05, "{:?}", run.report);
    assert!(run.report.baseline_mse > 0.1, "{:?}", run.report);
    assert_eq!(run.report.noise_floor, Some(NOISE_FLOOR));
}

/// The literal answer ends where a straight line begins, or worse.
#[test]
fn the_greedy_score_fails() {
    let settings = settings(Backend::compiled()[0], Strategy::GreedyScore, 1000);
    let run = run(settings);
    assert!(
        run.report.test_mse > 0.5 * run.report.baseline_mse,
        "{:?}",
        run.report
    );
}
