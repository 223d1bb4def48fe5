//! Temperatures and powers near their ends, and the soft-argmax between two peaks.

use burn_relax::{
    Relaxation,
    loss::{expected_loss, free_energy_loss},
    relax::Coordinates,
    soft_argmax, soft_argmax_gather, softmax,
};
use burn_relax_tests::{Array, Random, on_every_device};

use super::{F32, least};

/// `exp(-gap / T)` is below f32's smallest number from a gap of 0.1 at T = 1e-3 on.
#[test]
fn a_temperature_near_zero_gives_the_one_hot_of_the_argmax_and_ties_share() {
    on_every_device(F32, |at| {
        for temperature in [1e-3, 1e-30, f64::MIN_POSITIVE] {
            let logits = at.tensor::<2>([[0.1, 0.4, 0.3, -1.0], [0.5, 0.2, 0.5, 0.1]]);
            let weights = softmax(logits, 1, temperature);
            let expected = [[0.0, 1.0, 0.0, 0.0], [0.5, 0.0, 0.5, 0.0]];
            at.equals(&format!("at {temperature}"), weights, expected);
        }
    });
}

/// A gap of 2 at T = 10⁶ changes a weight by 2e-6 of itself, at T = 10³⁰ by nothing.
#[test]
fn a_large_temperature_gives_equal_weights() {
    let logits = Random::new(1).array([3, 4], -1.0, 1.0);
    on_every_device(F32, |at| {
        for temperature in [1e6, 1e30, f64::MAX] {
            let weights = softmax(at.tensor::<2>(&logits), 1, temperature);
            at.is(&format!("at {temperature}"), weights, [[0.25; 4]; 3]);
        }
    });
}

/// `min f ≤ F ≤ E f`, the ends reached as T goes to 0 and to infinity. At T = 10⁴ the second order `Var f / 2T` is 1e-4.
#[test]
fn the_free_energy_lies_between_the_least_and_the_expected_cost() {
    let logits = Random::new(2).array([5, 6], -1.0, 1.0);
    let cost = Random::new(3).array([5, 6], -2.0, 2.0);
    let least = least(&cost);
    on_every_device(F32, |at| {
        let [x, f] = [&logits, &cost].map(|array| at.tensor::<2>(array));
        let energy = |t: f64| Array::of(free_energy_loss(x.clone(), f.clone(), 1, t));
        let expected = Array::of(expected_loss(x.clone(), f.clone(), 1));
        at.within("cold", energy(1e-6), &least, 2e-5);
        at.within("hot", energy(1e4), &expected, 2e-3);
        let mut last = least.clone();
        for temperature in [0.01, 0.1, 1.0, 10.0, 100.0] {
            let energy = energy(temperature);
            let below = |a: &Array, b: &Array| a.data.iter().zip(&b.data).all(|(a, b)| a <= b);
            let ordered = below(&last, &energy) && below(&energy, &expected);
            at.check(ordered, &format!("is out of order at {temperature}"));
            last = energy;
        }
    });
}

/// `[1, 0, 1]` at 1/T = 100: half the weight on each end, the mean in the middle, where nobody voted. The window round the
/// first peak sees that peak alone.
#[test]
fn the_mean_of_two_peaks_is_a_place_nobody_voted_for_unless_a_window_is_used() {
    on_every_device(F32, |at| {
        let logits = || at.tensor::<1>([1.0, 0.0, 1.0]);
        let index = soft_argmax(logits(), 0, 0.01, Coordinates::index());
        at.equals("mean", index, [1.0]);
        let windowed = |half_width: f64| {
            let choice = Relaxation::softmax(0.01);
            choice.windowed_coordinate(logits(), 0, Coordinates::index(), half_width)
        };
        for half_width in [0.0, 1.0, 1.9] {
            at.within("windowed", windowed(half_width), [0.0], 1e-6);
        }
        // Entries at the half width exactly are inside.
        at.equals("wide", windowed(2.0), [1.0]);
    });
}

/// Base 10 and step -2: classes at 10, 8, 6; equal weights give 8.
#[test]
fn coordinates_are_a_base_and_a_step_or_given() {
    let line = Coordinates::Index {
        base: 10.0,
        step: -2.0,
    };
    on_every_device(F32, |at| {
        let logits = || at.tensor::<1>([0.5; 3]);
        at.is("line", soft_argmax(logits(), 0, 1.0, line.clone()), [8.0]);
        let places = at.tensor::<1>([1.0, 5.0, -3.0]);
        at.is("given", soft_argmax(logits(), 0, 1.0, places), [1.0]);
    });
}

/// For a squared error the expected loss is the loss of the expectation and the variance:
/// `Σ p (V - t)² = (y - t)² + Var`.
#[test]
fn an_expected_loss_is_not_the_loss_of_the_expectation() {
    let logits = Random::new(4).array([4, 5], -1.0, 1.0);
    let values = Random::new(5).array([4, 5], -2.0, 2.0);
    on_every_device(F32, |at| {
        let x = at.tensor::<2>(&logits);
        let gather = |values: Array| {
            Array::of(soft_argmax_gather(
                x.clone(),
                at.tensor::<2>(values),
                1,
                1.0,
            ))
            .data
        };
        let cost = at.tensor(values.map(|v| (v - 0.5).powi(2)));
        let expected = expected_loss(x.clone(), cost, 1);
        let (mean, square) = (gather(values.clone()), gather(values.map(|v| v * v)));
        let both = mean.iter().zip(&square);
        let sum: Vec<f64> = both.map(|(y, s)| (y - 0.5).powi(2) + (s - y * y)).collect();
        at.is("sum", expected, Array::new([4, 1], sum));
    });
}
