//! Sums, shifts and orders: symmetries of every operator of logits.

use burn_core::tensor::{DType, Device};
use burn_relax_tests::{
    Array, Random, Table,
    cases::{Case, Form, Kind, Numbers, Place, Sum, Trial, cases},
    devices,
};

use super::{
    CLOSE,
    pick::{columns, pick_columns, pick_columns_of},
};

fn upstream(shape: &[usize]) -> Array {
    Random::new(6).array(shape, -2.0, 2.0)
}

/// Calls `check` for rows of several lengths of every case that is asked for.
#[track_caller]
fn everywhere(
    which: impl Fn(&Case) -> bool,
    mut check: impl FnMut(Trial, &Device, &str, &mut Table),
) {
    let mut table = Table::new();
    for case in cases().filter(|case| which(case)) {
        for &form in case.forms().iter().filter(|&&form| form != Form::Shared) {
            for classes in [1, 2, 3, 17, 300] {
                let trial = Trial::new(case, &Place::new(&[4, classes], 1), form, Numbers::Plain);
                for device in devices() {
                    let title = trial.title(device.name);
                    check(trial.clone(), &device.device, &title, &mut table);
                }
            }
        }
    }
    table.finish();
}

/// Within 1e-6 of each class' largest weight, the contract's number for f32.
#[test]
fn weights_lie_on_the_simplex() {
    let weighs = |case: &Case| case.contract.sum != Sum::None;
    everywhere(weighs, |trial, device, title, table| {
        let weights = trial.run(device, DType::F32, upstream)["output"].clone();
        let classes = trial.place.classes();
        for (row, weights) in weights.data.chunks(classes).enumerate() {
            let coefficient = match (&trial.case.coefficient, trial.form) {
                (Some(coefficient), Form::Number) => coefficient.number,
                (Some(_), _) => trial.inputs["coefficient"].data[row],
                (None, _) => 1.0,
            };
            let right = match trial.case.contract.sum {
                Sum::Coefficient => coefficient.min(classes as f64),
                _ => 1.0,
            };
            let sum: f64 = weights.iter().sum();
            let inside = weights.iter().all(|w| (0.0..=1.0 + 1e-6).contains(w));
            table.check(
                inside && (sum - right).abs() <= 1e-6 * right.max(1.0),
                title,
                &format!("sums to {sum}, not {right}"),
            );
        }
    });
}

/// The gradient of a function that ignores a shift sums to 0 over each row.
#[test]
fn gradients_of_the_logits_sum_to_zero() {
    let shifts = |case: &Case| case.takes_logits() && case.contract.shifts && case.learns();
    everywhere(shifts, |trial, device, title, table| {
        if let Some(gradient) = trial.run(device, DType::F32, upstream).get("logits") {
            let scale = gradient.largest().max(1.0);
            for row in gradient.data.chunks(gradient.shape[1]) {
                let sum: f64 = row.iter().sum();
                // Every entry may be off by a few units of its rounding.
                let allowed = CLOSE * scale * (row.len() as f64).sqrt();
                let what = format!("gradient sums to {sum:e}");
                table.check(sum.abs() <= allowed, title, &what);
            }
        }
    });
}

/// Shifts by 64 leave a number between -2 and 2 exact once it has 16 binary places.
#[test]
fn a_shift_of_the_logits_changes_nothing() {
    let shifts = |case: &Case| case.takes_logits() && case.contract.shifts;
    everywhere(shifts, |mut trial, device, title, table| {
        let coarse = trial.inputs["logits"].map(|x| (x * 65536.0).round() / 65536.0);
        trial.inputs.insert("logits".to_owned(), coarse.clone());
        let expected = trial.run(device, DType::F32, upstream);
        trial
            .inputs
            .insert("logits".to_owned(), coarse.map(|x| x + 64.0));
        for (name, actual) in trial.run(device, DType::F32, upstream) {
            let title = format!("{title}: {name}");
            table.close(&title, &actual, &expected[&name], CLOSE);
        }
    });
}

#[test]
fn permuted_classes_give_permuted_results() {
    let symmetric = |case: &Case| case.contract.symmetric;
    everywhere(symmetric, |trial, device, title, table| {
        let classes = trial.place.classes();
        let mut random = Random::new(classes as u64);
        let mut order: Vec<usize> = (0..classes).collect();
        for i in (1..classes).rev() {
            order.swap(i, random.below(i + 1));
        }
        let expected = trial.run(device, DType::F32, upstream);
        let by_class = |name: &str| match name {
            "output" => expected["output"].shape == trial.place.shape,
            "coefficient" => false,
            name => {
                let input = trial.case.inputs.iter().find(|input| input.name == name);
                !matches!(input.expect("it is an input").kind, Kind::PerRow)
            }
        };
        // One number per row, or a block of features, is weighted as before.
        let weights = |shape: &[usize]| match by_class("output") {
            true => pick_columns(&upstream(shape), &order),
            false => upstream(shape),
        };
        let permuted = columns(&trial, &order);
        for (name, actual) in permuted.run(device, DType::F32, weights) {
            let expected = match by_class(&name) {
                true => pick_columns_of(&expected[&name], &expected[&name], &order),
                false => expected[&name].clone(),
            };
            table.close(&format!("{title}: {name}"), &actual, &expected, CLOSE);
        }
    });
}

#[test]
fn a_larger_logit_never_weighs_less() {
    let ordered = |case: &Case| case.contract.ordered && case.takes_logits();
    everywhere(ordered, |trial, device, title, table| {
        let classes = trial.place.classes();
        let output = trial.run(device, DType::F32, upstream)["output"].clone();
        let logits = trial.inputs["logits"].data.chunks(classes);
        for (x, w) in logits.zip(output.data.chunks(classes)) {
            let mut order: Vec<usize> = (0..classes).collect();
            order.sort_by(|&i, &j| x[i].total_cmp(&x[j]));
            let monotone = order.windows(2).all(|pair| w[pair[0]] <= w[pair[1]]);
            table.check(monotone, title, "orders the classes otherwise");
        }
    });
}
