//! Gradual argmax and power softmax: values in `[0, 1]` instead of logits.

use burn_core::tensor::DType;
use burn_relax::{gradual_argmax, power_softmax};
use burn_relax_tests::{Array, Leaves, Random, Table, devices, flat};

use crate::F32;

fn unit(rows: usize, classes: usize, seed: u64) -> Array {
    Random::new(seed).array([rows, classes], 0.0, 1.0)
}

#[test]
fn a_power_of_one_changes_nothing() {
    let values = unit(4, 9, 1);
    let mut table = Table::new();
    for device in devices() {
        let v = values.tensor::<2>(&device.device, DType::F32);
        table.close(
            device.name,
            &Array::of(gradual_argmax(v, 1, 1.0)),
            &values,
            F32,
        );
    }
    table.finish();
}

/// At p = 10⁴ a value of .99 is e^-100 and 1 - .01^p is 1: the indicator of the maximum, of every tied one in the first form
/// and shared in the second.
#[test]
fn a_large_power_gives_the_indicator_of_the_maximum() {
    let values = Array::new(
        [3, 4],
        [0.3, 0.9, 0.8, 0.0, 0.5, 0.2, 0.5, 0.1, 1.0, 0.9, 0.0, 1.0],
    );
    let mut table = Table::new();
    for device in devices() {
        let v = || values.tensor::<2>(&device.device, DType::F32);
        let every = Array::new(
            [3, 4],
            [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0],
        );
        table.close(
            device.name,
            &Array::of(gradual_argmax(v(), 1, 1e4)),
            &every,
            F32,
        );
        let shared = Array::new(
            [3, 4],
            [0.0, 1.0, 0.0, 0.0, 0.5, 0.0, 0.5, 0.0, 0.5, 0.0, 0.0, 0.5],
        );
        table.close(
            device.name,
            &Array::of(power_softmax(v(), 1, 1e4)),
            &shared,
            F32,
        );
    }
    table.finish();
}

/// Outputs are finite and gradients too, where values are 0 or 1, tied, or alone; a row of zeros stays 0.
#[test]
fn the_edges_of_the_interval_are_finite() {
    let values = Array::new(
        [4, 3],
        [
            0.0, 1.0, 0.5, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1e-30, 0.0, 1e-38,
        ],
    );
    let mut table = Table::new();
    for device in devices() {
        for power in [0.5, 1.0, 2.5, 40.0] {
            for (name, normalised) in [("gradual_argmax", false), ("power_softmax", true)] {
                let x = Leaves::new(
                    &device.device.clone().autodiff(),
                    DType::F32,
                    [
                        ("v".to_owned(), values.clone()),
                        ("power".to_owned(), Array::new([4, 1], [power; 4])),
                    ]
                    .into(),
                );
                let (v, p) = (x.get::<2>("v"), x.get::<2>("power"));
                let y = if normalised {
                    power_softmax(v, 1, p)
                } else {
                    gradual_argmax(v, 1, p)
                };
                let gradients = x.gradients(flat(y.clone()), &Array::line(vec![1.0; 12]));
                let y = Array::of(y);
                let title = format!("{name} at {power} on {}", device.name);
                table.check(y.data[3..6] == [0.0; 3], &title, "moves a row of zeros");
                for array in gradients.values().chain([&y]) {
                    let finite = array.data.iter().all(|x| x.is_finite());
                    table.check(finite, &title, &format!("gives {:?}", array.data));
                }
            }
        }
    }
    table.finish();
}

#[test]
fn power_softmax_lies_on_the_simplex() {
    let mut table = Table::new();
    for device in devices() {
        for (classes, power) in [(1, 3.0), (2, 0.3), (17, 2.0), (300, 9.0)] {
            let v = unit(3, classes, classes as u64).tensor::<2>(&device.device, DType::F32);
            let weights = Array::of(power_softmax(v, 1, power));
            for row in weights.data.chunks(classes) {
                let sum: f64 = row.iter().sum();
                table.check(
                    (sum - 1.0).abs() <= 1e-6,
                    device.name,
                    &format!("{classes} sum to {sum}"),
                );
            }
        }
    }
    table.finish();
}

/// No power over- or underflows a row: only ratios to its maximum count, so values of 10⁻³⁰ or 10³⁰ are as good as any.
#[test]
fn power_softmax_knows_no_scale() {
    let expected = Array::line([0.2, 0.8, 0.0]);
    let mut table = Table::new();
    for device in devices() {
        for scale in [1e-30, 1.0, 1e30] {
            let v = Array::line([scale, 2.0 * scale, 0.0]).tensor::<1>(&device.device, DType::F32);
            let title = format!("{} at {scale}", device.name);
            table.close(&title, &Array::of(power_softmax(v, 0, 2.0)), &expected, F32);
        }
    }
    table.finish();
}

#[test]
fn nan_in_the_values_stays_in_its_row() {
    let mut values = unit(3, 4, 2);
    values.data[5] = f64::NAN;
    let mut table = Table::new();
    for device in devices() {
        let v = |array: &Array| array.tensor::<2>(&device.device, DType::F32);
        let others = |y: Array| Array::line([&y.data[..4], &y.data[8..]].concat());
        let clean = values.map(|x| if x.is_nan() { 0.5 } else { x });
        let (poisoned, expected) = (
            power_softmax(v(&values), 1, 2.0),
            power_softmax(v(&clean), 1, 2.0),
        );
        let poisoned = Array::of(poisoned);
        table.check(
            poisoned.data[4..8].iter().all(|x| x.is_nan()),
            device.name,
            "hides NaN",
        );
        table.equal(device.name, &others(poisoned), &others(Array::of(expected)));
        let (poisoned, expected) = (
            gradual_argmax(v(&values), 1, 2.0),
            gradual_argmax(v(&clean), 1, 2.0),
        );
        let poisoned = Array::of(poisoned);
        table.check(
            poisoned.data[5].is_nan(),
            device.name,
            "hides NaN in gradual_argmax",
        );
        table.equal(device.name, &others(poisoned), &others(Array::of(expected)));
    }
    table.finish();
}
