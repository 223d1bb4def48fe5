//! Temperatures and powers near their ends, and the soft-argmax between two peaks.

use burn_core::tensor::DType;
use burn_relax::{
    Coordinates, expected_cost, free_energy_cost, soft_argmax, soft_argmax_gather, softmax,
    windowed_soft_argmax,
};
use burn_relax_tests::{Array, Random, Table, devices};

use crate::F32;

/// `exp(-gap / T)` is below f32's smallest number from a gap of 0.1 at T = 1e-3 on.
#[test]
fn a_temperature_near_zero_gives_the_one_hot_of_the_argmax_and_ties_share() {
    let logits = Array::new([2, 4], [0.1, 0.4, 0.3, -1.0, 0.5, 0.2, 0.5, 0.1]);
    let mut table = Table::new();
    for device in devices() {
        for temperature in [1e-3, 1e-30, f64::MIN_POSITIVE] {
            let weights = softmax(
                logits.tensor::<2>(&device.device, DType::F32),
                1,
                temperature,
            );
            let expected = Array::new([2, 4], [0.0, 1.0, 0.0, 0.0, 0.5, 0.0, 0.5, 0.0]);
            table.equal(
                &format!("{} at {temperature}", device.name),
                &Array::of(weights),
                &expected,
            );
        }
    }
    table.finish();
}

/// A gap of 2 at T = 10⁶ changes a weight by 2e-6 of itself, at T = 10³⁰ by nothing.
#[test]
fn a_large_temperature_gives_equal_weights() {
    let logits = Random::new(1).array([3, 4], -1.0, 1.0);
    let mut table = Table::new();
    for device in devices() {
        for temperature in [1e6, 1e30, f64::MAX] {
            let weights = softmax(
                logits.tensor::<2>(&device.device, DType::F32),
                1,
                temperature,
            );
            let expected = Array::new([3, 4], [0.25; 12]);
            table.close(
                &format!("{} at {temperature}", device.name),
                &Array::of(weights),
                &expected,
                F32,
            );
        }
    }
    table.finish();
}

/// `min f ≤ F ≤ E f`, the ends reached as T goes to 0 and to infinity. At T = 10⁴ the second order `Var f / 2T` is 1e-4.
#[test]
fn the_free_energy_lies_between_the_least_and_the_expected_cost() {
    let logits = Random::new(2).array([5, 6], -1.0, 1.0);
    let cost = Random::new(3).array([5, 6], -2.0, 2.0);
    let least: Vec<f64> = cost
        .data
        .chunks(6)
        .map(|row| row.iter().copied().fold(f64::INFINITY, f64::min))
        .collect();
    let least = Array::new([5, 1], least);
    let mut table = Table::new();
    for device in devices() {
        let load = |array: &Array| array.tensor::<2>(&device.device, DType::F32);
        let energy = |t: f64| Array::of(free_energy_cost(load(&logits), load(&cost), 1, t));
        let expected = Array::of(expected_cost(load(&logits), load(&cost), 1));
        table.within(
            &format!("{} cold", device.name),
            &energy(1e-6),
            &least,
            2e-5,
        );
        table.within(
            &format!("{} hot", device.name),
            &energy(1e4),
            &expected,
            2e-3,
        );
        let mut last = least.clone();
        for temperature in [0.01, 0.1, 1.0, 10.0, 100.0] {
            let energy = energy(temperature);
            let grows = energy
                .data
                .iter()
                .zip(&last.data)
                .all(|(now, before)| now >= before);
            let below = energy.data.iter().zip(&expected.data).all(|(f, e)| f <= e);
            table.check(
                grows && below,
                device.name,
                &format!("is out of order at {temperature}"),
            );
            last = energy;
        }
    }
    table.finish();
}

/// `[1, 0, 1]` at 1/T = 100: half the weight on each end, the mean in the middle, where nobody voted. The window round the
/// first peak sees that peak alone.
#[test]
fn the_mean_of_two_peaks_is_a_place_nobody_voted_for_unless_a_window_is_used() {
    let mut table = Table::new();
    for device in devices() {
        let logits = || Array::line([1.0, 0.0, 1.0]).tensor::<1>(&device.device, DType::F32);
        let index = soft_argmax(logits(), 0, 0.01, Coordinates::index());
        table.equal(device.name, &Array::of(index), &Array::line([1.0]));
        let windowed = |half_width: f64| {
            Array::of(windowed_soft_argmax(
                logits(),
                0,
                0.01,
                Coordinates::index(),
                half_width,
            ))
        };
        for half_width in [0.0, 1.0, 1.9] {
            table.within(
                device.name,
                &windowed(half_width),
                &Array::line([0.0]),
                1e-6,
            );
        }
        // Entries at the half width exactly are inside.
        table.equal(device.name, &windowed(2.0), &Array::line([1.0]));
    }
    table.finish();
}

/// Base 10 and step -2: classes at 10, 8, 6; equal weights give 8.
#[test]
fn coordinates_are_a_base_and_a_step_or_given() {
    let mut table = Table::new();
    for device in devices() {
        let logits = || Array::line([0.5; 3]).tensor::<1>(&device.device, DType::F32);
        let line = soft_argmax(
            logits(),
            0,
            1.0,
            Coordinates::Index {
                base: 10.0,
                step: -2.0,
            },
        );
        table.close(device.name, &Array::of(line), &Array::line([8.0]), F32);
        let places = Array::line([1.0, 5.0, -3.0]).tensor::<1>(&device.device, DType::F32);
        let given = soft_argmax(logits(), 0, 1.0, places);
        table.close(device.name, &Array::of(given), &Array::line([1.0]), F32);
    }
    table.finish();
}

/// For a squared error the expected loss is the loss of the expectation and the variance:
/// `Σ p (V - t)² = (y - t)² + Var`.
#[test]
fn an_expected_loss_is_not_the_loss_of_the_expectation() {
    let (logits, values) = (
        Random::new(4).array([4, 5], -1.0, 1.0),
        Random::new(5).array([4, 5], -2.0, 2.0),
    );
    let mut table = Table::new();
    for device in devices() {
        let load = |array: &Array| array.tensor::<2>(&device.device, DType::F32);
        let gather = |values: Array| {
            Array::of(soft_argmax_gather(
                load(&logits),
                load(&values),
                1,
                1.0,
                false,
            ))
        };
        let expected = Array::of(expected_cost(
            load(&logits),
            load(&values.map(|v| (v - 0.5).powi(2))),
            1,
        ));
        let (mean, square) = (gather(values.clone()), gather(values.map(|v| v * v)));
        let sum: Vec<f64> = mean
            .data
            .iter()
            .zip(&square.data)
            .map(|(y, s)| (y - 0.5).powi(2) + (s - y * y))
            .collect();
        table.close(device.name, &expected, &Array::new([4, 1], sum), F32);
    }
    table.finish();
}
