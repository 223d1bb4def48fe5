//! The table of special values, row by row, for every operator and device.

use burn_core::tensor::{DType, Device, Int, Tensor};
use burn_relax::{argmax, sample_categorical, score_function_cost, straight_through_sample};
use burn_relax_tests::{Array, Leaves, Table, devices, flat};

use crate::{
    F32,
    operators::{Inputs, Operator, operators, pick_columns, pick_rows},
};

/// Calls `check` for every operator on every device, with a title.
#[track_caller]
fn everywhere(mut check: impl FnMut(&Operator, &Device, &str, &mut Table)) {
    let mut table = Table::new();
    for device in devices() {
        for operator in operators() {
            let title = format!("{} on {}", operator.name, device.name);
            check(&operator, &device.device, &title, &mut table);
        }
    }
    table.finish();
}

/// ±10⁴ plus small whole numbers is exact in f32, so the results are those of the small numbers, gradients too.
#[test]
fn logits_of_ten_thousand_are_as_exact_as_small_ones() {
    let small = Inputs::random(3, 5, 1).map("logits", |x| (x * 4.0).round() / 8.0);
    everywhere(|operator, device, title, table| {
        let expected = small.run(operator, device);
        for shift in [1e4, -1e4] {
            let shifted = small.clone().map("logits", |x| x + shift);
            for (name, actual) in shifted.run(operator, device) {
                table.close(
                    &format!("{title} at {shift}: {name}"),
                    &actual,
                    &expected[&name],
                    F32,
                );
            }
        }
    });
}

#[test]
fn logits_of_ten_thousand_apart_are_finite() {
    let inputs = Inputs::rows(&[
        &[1e4, -1e4, 0.0, 9999.0],
        &[-1e4, 1e4, -1e4, 1e4],
        &[-1e4; 4],
    ]);
    everywhere(|operator, device, title, table| {
        for (name, actual) in inputs.run(operator, device) {
            let finite = actual.data.iter().all(|x| x.is_finite());
            table.check(finite, title, &format!("{name}: {:?}", actual.data));
        }
    });
}

/// Forbidden classes weigh 0, get a gradient of exactly 0, and what is in their values does not matter.
#[test]
fn a_masked_row_is_the_shorter_row_whatever_its_values_hold() {
    let (kept, masked) = ([0, 2, 3, 6], [1, 4, 5]);
    let mut inputs = Inputs::random(3, 7, 2);
    for (poison, column) in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY]
        .into_iter()
        .zip(masked)
    {
        for row in 0..3 {
            inputs.set("logits", row, column, f64::NEG_INFINITY);
            inputs.set("values", row, column, poison);
        }
    }
    let shorter = inputs.columns(&kept);
    everywhere(|operator, device, title, table| {
        let results = inputs.run(operator, device);
        for (name, expected) in shorter.run(operator, device) {
            let (title, actual) = (format!("{title}: {name}"), &results[&name]);
            if actual.shape == expected.shape {
                table.close(&title, actual, &expected, F32);
                continue;
            }
            table.close(&title, &pick_columns(actual, &kept), &expected, F32);
            let nothing = if name == "output" {
                operator.forbidden
            } else {
                0.0
            };
            let rest = pick_columns(actual, &masked);
            table.equal(&format!("{title}, masked"), &rest, &rest.map(|_| nothing));
        }
    });
}

#[test]
fn a_row_that_is_all_forbidden_gives_zeros_and_disturbs_no_other() {
    let mut inputs = Inputs::random(3, 5, 3);
    for column in 0..5 {
        inputs.set("logits", 1, column, f64::NEG_INFINITY);
    }
    let others = inputs.pick_rows(&[0, 2]);
    everywhere(|operator, device, title, table| {
        let results = inputs.run(operator, device);
        for (name, expected) in others.run(operator, device) {
            let (title, actual) = (format!("{title}: {name}"), &results[&name]);
            if name == "coordinates" {
                table.close(&title, actual, &expected, F32);
                continue;
            }
            table.close(&title, &pick_rows(actual, &[0, 2]), &expected, F32);
            let nothing = if name == "output" {
                operator.forbidden
            } else {
                0.0
            };
            let row = pick_rows(actual, &[1]);
            table.equal(
                &format!("{title}, forbidden row"),
                &row,
                &row.map(|_| nothing),
            );
        }
    });
}

/// Two infinite logits among four: their weight is a half each, and no logit of the row has a gradient.
#[test]
fn infinite_logits_share_the_weight_and_get_no_gradient() {
    let inputs = Inputs::row(&[1.0, f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY]);
    let half = 0.5_f64.ln();
    everywhere(|operator, device, title, table| {
        let expected: &[f64] = match operator.name {
            "softmax" | "softmax per row" | "gumbel_softmax" | "sparsemax"
            | "sparsemax per row" | "entmax15" | "entmax" | "entmax per row" | "normmax" => {
                &[0.0, 0.5, 0.5, 0.0]
            }
            "straight_through_argmax"
            | "straight_through_argmax per row"
            | "hard gumbel_softmax"
            | "hard sparsemax" => &[0.0, 1.0, 0.0, 0.0],
            "log_softmax" => &[f64::NEG_INFINITY, half, half, f64::NEG_INFINITY],
            "categorical_log_prob" => &[f64::NEG_INFINITY],
            "categorical_entropy" => &[-half],
            "soft_argmax" | "soft_argmax per row" | "windowed_soft_argmax" => &[1.5],
            "variance" => &[0.25],
            "hard soft_argmax_gather" | "argmax_gather" => &[20.0],
            "soft_argmax_gather" | "soft_argmax_gather per row" | "expected_cost" => &[25.0],
            // -T ln (e^(-20/T) / 2 + e^(-30/T) / 2), the second term below f32's last digit.
            "free_energy_cost" => &[20.0 - 0.7 * half],
            "free_energy_cost per row" => &[20.0 - half],
            name => panic!("{name} has no expectation"),
        };
        let results = inputs.run(operator, device);
        let output = &results["output"];
        table.close(
            title,
            output,
            &Array::new(output.shape.clone(), expected),
            F32,
        );
        if let Some(gradient) = results.get("logits") {
            table.equal(
                &format!("{title}: gradient"),
                gradient,
                &gradient.map(|_| 0.0),
            );
        }
    });
}

/// NaN in one row's logits, then in its values: no other row knows.
#[test]
fn nan_stays_in_its_row() {
    for poisoned in ["logits", "values"] {
        let mut inputs = Inputs::random(3, 5, 4);
        inputs.set(poisoned, 1, 2, f64::NAN);
        let others = inputs.pick_rows(&[0, 2]);
        everywhere(|operator, device, title, table| {
            let results = inputs.run(operator, device);
            for (name, expected) in others.run(operator, device) {
                // The gradient of shared coordinates adds up all rows.
                if name != "coordinates" {
                    let others = pick_rows(&results[&name], &[0, 2]);
                    table.close(
                        &format!("{title}, NaN in {poisoned}: {name}"),
                        &others,
                        &expected,
                        F32,
                    );
                }
            }
            let row = pick_rows(&results["output"], &[1]);
            // A plain index counts NaN as largest, and a hard choice reads one value, which need not be the one that is NaN.
            let hides = match operator.name {
                "argmax_gather" => true,
                "hard soft_argmax_gather" => poisoned == "values",
                _ => poisoned == "values" && !operator.reads_values,
            };
            if !hides {
                let nan = row.data.iter().all(|x| x.is_nan());
                table.check(
                    nan,
                    title,
                    &format!("hides NaN in {poisoned}: {:?}", row.data),
                );
            }
        });
    }
}

/// Two winners: the soft operators share, the hard ones take the first.
#[test]
fn ties_are_shared_softly_and_go_to_the_first_in_hard_choices() {
    let inputs = Inputs::row(&[f64::NEG_INFINITY, 3.0, 3.0]);
    everywhere(|operator, device, title, table| {
        let expected: &[f64] = match operator.name {
            "softmax" | "softmax per row" | "gumbel_softmax" => &[0.0, 0.5, 0.5],
            "straight_through_argmax"
            | "straight_through_argmax per row"
            | "hard gumbel_softmax" => &[0.0, 1.0, 0.0],
            "soft_argmax" | "soft_argmax per row" | "windowed_soft_argmax" => &[1.5],
            "hard soft_argmax_gather" | "argmax_gather" => &[20.0],
            "soft_argmax_gather" | "soft_argmax_gather per row" | "expected_cost" => &[25.0],
            _ => return,
        };
        let output = &inputs.run(operator, device)["output"];
        table.close(
            title,
            output,
            &Array::new(output.shape.clone(), expected),
            F32,
        );
    });
}

#[test]
fn a_single_class_has_all_the_weight_and_no_gradient() {
    let inputs = Inputs::rows(&[&[3.0], &[-1e4]]);
    everywhere(|operator, device, title, table| {
        let expected = match operator.name {
            "log_softmax" | "categorical_log_prob" | "categorical_entropy" | "variance" => 0.0,
            name if name.contains("soft_argmax") && !name.contains("gather") => 0.0,
            _ if operator.reads_values => 10.0,
            _ => 1.0,
        };
        let results = inputs.run(operator, device);
        table.close(
            title,
            &results["output"],
            &Array::new([2, 1], [expected; 2]),
            F32,
        );
        if let Some(gradient) = results.get("logits") {
            table.equal(
                &format!("{title}: gradient"),
                gradient,
                &Array::new([2, 1], [0.0; 2]),
            );
        }
    });
}

#[test]
fn indices_follow_the_contract_too() {
    let infinite = f64::INFINITY;
    let rows: [[f64; 4]; 6] = [
        [1.0, 5.0, 5.0, 2.0],
        [-infinite; 4],
        [0.0, infinite, 1.0, infinite],
        [-infinite, -1e4, -1e4, -infinite],
        [0.0, 1.0, f64::NAN, 7.0],
        [-1e4, -1e4, 1e4, 1e4],
    ];
    let expected = Array::new([6, 1], [1.0, 0.0, 1.0, 1.0, 2.0, 2.0]);
    let mut table = Table::new();
    for device in devices() {
        let logits = Array::new([6, 4], rows.concat());
        let indices = Array::of(argmax(logits.tensor::<2>(&device.device, DType::F32), 1));
        table.equal(device.name, &indices, &expected);
    }
    table.finish();
}

/// 1000 draws among two allowed of four classes, and of a row without any: never a forbidden class, and index 0.
#[test]
fn forbidden_classes_are_never_drawn() {
    let infinite = f64::INFINITY;
    let mut table = Table::new();
    for device in devices() {
        let logits = Array::new(
            [2, 4],
            [
                -infinite, 0.5, -infinite, 0.0, -infinite, -infinite, -infinite, -infinite,
            ],
        );
        let logits: Tensor<2> = logits.tensor(&device.device, DType::F32);
        let draws: Tensor<2, Int> = sample_categorical(logits.clone(), 1, 1000, 5);
        let draws = Array::of(draws);
        let (first, second) = draws.data.split_at(1000);
        let allowed = first.iter().all(|&k| k == 1.0 || k == 3.0);
        let both = first.contains(&1.0) && first.contains(&3.0);
        table.check(
            allowed && both,
            device.name,
            "draws forbidden classes, or not all allowed ones",
        );
        table.check(
            second.iter().all(|&k| k == 0.0),
            device.name,
            "draws from an empty row",
        );
        let sample = Array::of(straight_through_sample(logits, 1, 1.0, 1.0, 5));
        table.check(
            sample.data[4..] == [0.0; 4],
            device.name,
            "gives an empty row a weight",
        );
    }
    table.finish();
}

/// A class of log-probability `-inf` has nothing to learn, and its surrogate is the cost all the same.
#[test]
fn the_score_function_ignores_forbidden_classes() {
    let mut table = Table::new();
    for device in devices() {
        let inputs = [
            ("log_prob", [f64::NEG_INFINITY, -0.5]),
            ("cost", [3.0, 2.0]),
        ];
        let inputs = inputs.map(|(name, data)| (name.to_owned(), Array::line(data)));
        let x = Leaves::new(&device.device.autodiff(), DType::F32, inputs.into());
        let y = score_function_cost(x.get::<1>("log_prob"), x.get("cost"), None);
        let gradients = x.gradients(flat(y.clone()), &Array::line([1.0, 1.0]));
        table.equal(device.name, &Array::of(y), &Array::line([3.0, 2.0]));
        table.equal(
            device.name,
            &gradients["log_prob"],
            &Array::line([0.0, 2.0]),
        );
    }
    table.finish();
}
