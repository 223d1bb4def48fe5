//! Special values where an operator's output is no number of a row.

use burn_relax::{Relaxation, argmax, distribution::sample_categorical, loss::score_function_loss};
use burn_relax_tests::{Array, on_every_device};

const INF: f64 = f64::INFINITY;

#[test]
fn indices_follow_the_contract_too() {
    let rows = [
        [1.0, 5.0, 5.0, 2.0],
        [-INF; 4],
        [0.0, INF, 1.0, INF],
        [-INF, -1e4, -1e4, -INF],
        [0.0, 1.0, f64::NAN, 7.0],
        [-1e4, -1e4, 1e4, 1e4],
    ];
    on_every_device(0.0, |at| {
        let indices = argmax(at.tensor::<2>(rows), 1);
        at.equals("argmax", indices, [1.0, 0.0, 1.0, 1.0, 2.0, 2.0]);
    });
}

/// 1000 draws among two allowed of four classes, and of a row without any: never a forbidden class, and index 0.
#[test]
fn forbidden_classes_are_never_drawn() {
    on_every_device(0.0, |at| {
        let logits = at.tensor::<2>([[-INF, 0.5, -INF, 0.0], [-INF; 4]]);
        let draws = Array::of(sample_categorical(logits.clone(), 1, 1000, 5));
        let (first, second) = draws.data.split_at(1000);
        let allowed = first.iter().all(|&k| k == 1.0 || k == 3.0);
        let both = first.contains(&1.0) && first.contains(&3.0);
        at.check(
            allowed && both,
            "draws forbidden classes, or not all allowed ones",
        );
        at.check(second.iter().all(|&k| k == 0.0), "draws from an empty row");
        let sample = Array::of(Relaxation::softmax(1).sampled(5).weights(logits, 1));
        at.check(sample.data[4..] == [0.0; 4], "gives an empty row a weight");
    });
}

/// A class of log-probability `-inf` has nothing to learn, and its surrogate is the cost all the same.
#[test]
fn the_score_function_ignores_forbidden_classes() {
    on_every_device(0.0, |at| {
        let x = at.leaves([("log_prob", [-INF, -0.5]), ("cost", [3.0, 2.0])]);
        let y = score_function_loss(x.get::<1>("log_prob"), x.get("cost"), None);
        let gradients = x.gradients(y.clone(), [1.0, 1.0]);
        at.equals("value", y, [3.0, 2.0]);
        at.equals("log_prob", &gradients["log_prob"], [0.0, 2.0]);
    });
}
