use burn_core::tensor::Device;
use burn_relax_tests::{Random, Table, devices};

use crate::{
    F32,
    operators::{Inputs, Operator, WEIGHTS, operators, pick_columns},
};

/// Random logits between -2 and 2, seldom wider, of several row lengths.
fn inputs() -> Vec<Inputs> {
    [1, 2, 3, 17, 300]
        .into_iter()
        .enumerate()
        .map(|(seed, classes)| Inputs::random(4, classes, seed as u64))
        .collect()
}

#[track_caller]
fn everywhere(
    list: Vec<Operator>,
    mut check: impl FnMut(&Inputs, &Operator, &Device, &str, &mut Table),
) {
    let mut table = Table::new();
    for device in devices() {
        for operator in &list {
            for inputs in inputs() {
                let classes = inputs.get("logits").shape[1];
                let title = format!("{} of {classes} on {}", operator.name, device.name);
                check(&inputs, operator, &device.device, &title, &mut table);
            }
        }
    }
    table.finish();
}

/// Within 1e-6, the contract's number for f32.
#[test]
fn weights_lie_on_the_simplex() {
    everywhere(WEIGHTS.into(), |inputs, operator, device, title, table| {
        let weights = &inputs.run(operator, device)["output"];
        for row in weights.data.chunks(weights.shape[1]) {
            let sum: f64 = row.iter().sum();
            let inside = row.iter().all(|w| (0.0..=1.0 + 1e-6).contains(w));
            table.check(
                inside && (sum - 1.0).abs() <= 1e-6,
                title,
                &format!("sums to {sum}"),
            );
        }
    });
}

/// The gradient of a function that ignores a shift sums to 0 over each row.
#[test]
fn gradients_of_the_logits_sum_to_zero() {
    everywhere(operators(), |inputs, operator, device, title, table| {
        if let Some(gradient) = inputs.run(operator, device).get("logits") {
            let scale = gradient.largest().max(1.0);
            for row in gradient.data.chunks(gradient.shape[1]) {
                let sum: f64 = row.iter().sum();
                // Every entry may be off by a few units of its rounding.
                let allowed = F32 * scale * (row.len() as f64).sqrt();
                table.check(
                    sum.abs() <= allowed,
                    title,
                    &format!("gradient sums to {sum:e}"),
                );
            }
        }
    });
}

/// Shifts by 64 leave a number between -2 and 2 exact once it has 16 binary places.
#[test]
fn a_shift_of_the_logits_changes_nothing() {
    everywhere(operators(), |inputs, operator, device, title, table| {
        let coarse = inputs
            .clone()
            .map("logits", |x| (x * 65536.0).round() / 65536.0);
        let shifted = coarse.clone().map("logits", |x| x + 64.0);
        let expected = coarse.run(operator, device);
        for (name, actual) in shifted.run(operator, device) {
            table.close(&format!("{title}: {name}"), &actual, &expected[&name], F32);
        }
    });
}

#[test]
fn permuted_classes_give_permuted_results() {
    everywhere(operators(), |inputs, operator, device, title, table| {
        if operator.name == "categorical_log_prob" {
            return; // It asks for the first class, whichever that is.
        }
        let classes = inputs.get("logits").shape[1];
        let mut random = Random::new(classes as u64);
        let mut order: Vec<usize> = (0..classes).collect();
        for i in (1..classes).rev() {
            order.swap(i, random.below(i + 1));
        }
        let mut permuted = inputs.columns(&order);
        let expected = inputs.run(operator, device);
        if expected["output"].shape[1] != classes {
            // One number per row is weighted by the first column.
            permuted
                .0
                .insert("upstream".to_owned(), inputs.get("upstream").clone());
        }
        for (name, actual) in permuted.run(operator, device) {
            let expected = &expected[&name];
            let by_class = expected.shape.last() == Some(&classes);
            let expected = if by_class {
                pick_columns(expected, &order)
            } else {
                expected.clone()
            };
            table.close(&format!("{title}: {name}"), &actual, &expected, F32);
        }
    });
}

#[test]
fn a_larger_logit_never_weighs_less() {
    everywhere(
        WEIGHTS[..4].iter().map(copy).collect(),
        |inputs, operator, device, title, table| {
            let (logits, results) = (inputs.get("logits"), inputs.run(operator, device));
            let classes = logits.shape[1];
            let rows = logits
                .data
                .chunks(classes)
                .zip(results["output"].data.chunks(classes));
            for (x, w) in rows {
                let mut order: Vec<usize> = (0..classes).collect();
                order.sort_by(|&i, &j| x[i].total_cmp(&x[j]));
                let monotone = order.windows(2).all(|pair| w[pair[0]] <= w[pair[1]]);
                table.check(monotone, title, "orders the classes otherwise");
            }
        },
    );
}

fn copy(operator: &Operator) -> Operator {
    Operator { ..*operator }
}
