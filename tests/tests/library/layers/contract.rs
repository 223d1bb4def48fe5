//! The table of special values of `docs/numerics.md`, row by row, for every operator and device.

use std::collections::BTreeMap;

use burn_core::tensor::{DType, Device};
use burn_relax_tests::{
    Array, Random, Table,
    cases::{Case, Domain, Expect, Form, Kind, Numbers, Place, Trial, cases},
    devices,
};

use super::{
    CLOSE,
    pick::{columns, pick_columns, pick_columns_of, pick_rows, set_column, set_entry},
};

type Results = BTreeMap<String, Array>;

/// Hand-made rows of logits, with what stands beside them in the contract.
pub struct Hand<'a>(pub &'a [&'a [f64]]);

impl Hand<'_> {
    pub const INFINITE: &'static [f64] = &[1.0, f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY];
    pub const TIES: &'static [f64] = &[f64::NEG_INFINITY, 3.0, 3.0];
    pub const SINGLE: &'static [f64] = &[3.0];

    /// Values 10, 20, …, noise 0, coordinates 0, 1, … and index 0.
    pub fn trial<'c>(&self, case: &'c Case) -> Trial<'c> {
        let (rows, classes) = (self.0.len(), self.0[0].len());
        let place = Place::new(&[rows, classes], 1);
        let mut trial = Trial::new(case, &place, Form::Number, Numbers::Plain);
        for input in case.inputs {
            let array = trial.inputs.get_mut(input.name).expect("it is an input");
            let logits = self.0.concat();
            for (i, x) in array.data.iter_mut().enumerate() {
                let class = i % classes;
                *x = match (input.kind, input.name) {
                    (Kind::Classes(Domain::Logits), _) => logits[i],
                    (_, "noise" | "indices") => 0.0,
                    (Kind::Classes(Domain::Real), _) => 10.0 * (class + 1) as f64,
                    (Kind::Classes(_), _) => 0.5,
                    (Kind::Features(count), _) => 10.0 * (i / count % classes + 1) as f64,
                    (Kind::Coordinates, _) => class as f64,
                    (Kind::PerRow, _) => 1.0,
                    (Kind::Indices(_), _) => 0.0,
                };
            }
        }
        trial
    }
}

/// What a contract expects of a row; nothing where the reference knows.
pub fn expected_of(case: &Case, expect: Expect) -> Option<Vec<f64>> {
    match expect {
        Expect::Row(row) => Some(row.to_vec()),
        Expect::Of(f) => Some(f(case.number())),
        Expect::Reference => None,
    }
}

/// Output and gradients.
fn run(trial: &Trial, device: &Device) -> Results {
    trial.run(device, DType::F32, upstream)
}

fn upstream(shape: &[usize]) -> Array {
    Random::new(6).array(shape, -2.0, 2.0)
}

/// Calls `check` for every case with logits on every device, in every form, with random inputs of `[rows, classes]`.
#[track_caller]
fn everywhere(
    shape: [usize; 2],
    which: impl Fn(&Case) -> bool,
    mut check: impl FnMut(Trial, &Device, &str, &mut Table),
) {
    let mut table = Table::new();
    for case in cases().filter(|case| case.takes_logits() && which(case)) {
        for form in [Form::Number, Form::PerRow] {
            if !case.forms().contains(&form) {
                continue;
            }
            for device in devices() {
                let trial = Trial::new(case, &Place::new(&shape, 1), form, Numbers::Plain);
                let title = trial.title(device.name);
                check(trial, &device.device, &title, &mut table);
            }
        }
    }
    table.finish();
}

/// Calls `check` with every case's hand-made rows.
#[track_caller]
fn by_hand(rows: &[&[f64]], mut check: impl FnMut(&Case, Trial, Results, &str, &mut Table)) {
    let mut table = Table::new();
    for case in cases().filter(|case| case.takes_logits() && case.contract.forbids) {
        for form in [Form::Number, Form::PerRow] {
            if !case.forms().contains(&form) {
                continue;
            }
            for device in devices() {
                let mut trial = Hand(rows).trial(case);
                trial.form = form;
                if let (Form::PerRow, Some(coefficient)) = (form, &case.coefficient) {
                    let array = Array::new([rows.len(), 1], vec![coefficient.number; rows.len()]);
                    trial.inputs.insert("coefficient".to_owned(), array);
                }
                let results = run(&trial, &device.device);
                let title = trial.title(device.name);
                check(case, trial, results, &title, &mut table);
            }
        }
    }
    table.finish();
}

/// The output is `expect` in every row, and the logits get no gradient.
fn compare(
    case: &Case,
    trial: &Trial,
    results: &Results,
    title: &str,
    (expect, constant): (Expect, bool),
    table: &mut Table,
) {
    let output = &results["output"];
    let expected = match expected_of(case, expect) {
        Some(row) => Array::new(output.shape.clone(), row.repeat(trial.place.shape[0])),
        None => trial.expected(),
    };
    table.close(title, output, &expected, CLOSE);
    if let (true, Some(gradient)) = (constant, results.get("logits")) {
        let title = format!("{title}: gradient");
        table.equal(&title, gradient, &gradient.map(|_| 0.0));
    }
}

/// ±10⁴ plus small whole numbers is exact in f32, so the results are those of the small numbers, gradients too.
#[test]
fn logits_of_ten_thousand_are_as_exact_as_small_ones() {
    let shifts = |case: &Case| case.contract.shifts;
    everywhere([3, 5], shifts, |mut trial, device, title, table| {
        let small = trial.inputs["logits"].map(|x| (x * 4.0).round() / 8.0);
        trial.inputs.insert("logits".to_owned(), small.clone());
        let expected = run(&trial, device);
        for shift in [1e4, -1e4] {
            let shifted = small.map(|x| x + shift);
            trial.inputs.insert("logits".to_owned(), shifted);
            for (name, actual) in run(&trial, device) {
                let title = format!("{title} at {shift}: {name}");
                table.close(&title, &actual, &expected[&name], CLOSE);
            }
        }
    });
}

#[test]
fn logits_of_ten_thousand_apart_are_finite() {
    let rows: [&[f64]; 3] = [
        &[1e4, -1e4, 0.0, 9999.0],
        &[-1e4, 1e4, -1e4, 1e4],
        &[-1e4; 4],
    ];
    by_hand(&rows, |case, _, results, title, table| {
        for (name, actual) in results {
            // A logarithm of a weight that is exactly 0 is what a forbidden class gives.
            let fine =
                |x: &f64| x.is_finite() || (name == "output" && *x == case.contract.forbidden);
            let finite = actual.data.iter().all(fine);
            table.check(finite, title, &format!("{name}: {:?}", actual.data));
        }
    });
}

/// Forbidden classes get a gradient of exactly 0 and have the output that the contract gives them, and what is in their values
/// does not matter. Where a class' number does not count, the rest is the shorter row.
#[test]
fn a_masked_row_is_the_shorter_row_whatever_its_values_hold() {
    let (kept, masked) = ([0, 2, 3, 6, 7], [1, 4, 5]);
    let forbids = |case: &Case| case.contract.forbids;
    everywhere([3, 8], forbids, |mut trial, device, title, table| {
        let case = trial.case;
        if let Some(indices) = trial.inputs.get_mut("indices") {
            // Classes that are allowed.
            *indices = indices.map(|k| {
                if masked.contains(&(k as usize)) {
                    0.0
                } else {
                    k
                }
            });
        }
        let set = |trial: &mut Trial, name: &str, numbers: [f64; 3]| {
            for (column, number) in masked.into_iter().zip(numbers) {
                set_column(trial, name, column, number);
            }
        };
        set(&mut trial, "logits", [f64::NEG_INFINITY; 3]);
        let clean = run(&trial, device);
        if trial.inputs.contains_key("values") {
            set(
                &mut trial,
                "values",
                [f64::NAN, f64::INFINITY, f64::NEG_INFINITY],
            );
        }
        let results = run(&trial, device);
        for (name, actual) in &results {
            table.equal(&format!("{title}: {name}, poisoned"), actual, &clean[name]);
            if actual.shape != [3, 8] {
                continue;
            }
            let nothing = if name == "output" {
                case.contract.forbidden
            } else {
                0.0
            };
            let rest = pick_columns(actual, &masked);
            table.equal(
                &format!("{title}: {name}, masked"),
                &rest,
                &rest.map(|_| nothing),
            );
        }
        if !case.contract.shorter {
            return;
        }
        let shorter = columns(&trial, &kept);
        let weights = |shape: &[usize]| match shape {
            [3, 5] => pick_columns(&upstream(&[3, 8]), &kept),
            shape => upstream(shape),
        };
        for (name, expected) in shorter.run(device, DType::F32, weights) {
            let (title, actual) = (format!("{title}: {name}"), &results[&name]);
            let actual = match actual.shape == expected.shape {
                true => actual.clone(),
                false => pick_columns_of(actual, &expected, &kept),
            };
            table.close(&title, &actual, &expected, CLOSE);
        }
    });
}

#[test]
fn a_row_that_is_all_forbidden_gives_nothing_and_disturbs_no_other() {
    let forbids = |case: &Case| case.contract.forbids;
    everywhere([3, 5], forbids, |mut trial, device, title, table| {
        let expected = run(&trial, device);
        for column in 0..5 {
            set_entry(&mut trial, "logits", [1, column], f64::NEG_INFINITY);
        }
        for (name, actual) in run(&trial, device) {
            // Shared by all rows.
            if name == "coordinates" {
                continue;
            }
            let title = format!("{title}: {name}");
            let others = |array: &Array| pick_rows(array, &[0, 2]);
            table.close(&title, &others(&actual), &others(&expected[&name]), CLOSE);
            let nothing = if name == "output" {
                trial.case.contract.empty
            } else {
                0.0
            };
            let row = pick_rows(&actual, &[1]);
            let title = format!("{title}, forbidden row");
            table.equal(&title, &row, &row.map(|_| nothing));
        }
    });
}

/// Two infinite logits among four share what there is, and no logit of the row has a gradient.
#[test]
fn infinite_logits_share_the_weight_and_get_no_gradient() {
    by_hand(&[Hand::INFINITE], |case, trial, results, title, table| {
        let expect = (case.contract.infinite, case.contract.infinite_is_constant);
        compare(case, &trial, &results, title, expect, table);
    });
}

/// Two winners: the soft operators share, the hard ones take the first.
#[test]
fn ties_are_shared_softly_and_go_to_the_first_in_hard_choices() {
    by_hand(&[Hand::TIES], |case, trial, results, title, table| {
        compare(
            case,
            &trial,
            &results,
            title,
            (case.contract.ties, false),
            table,
        );
    });
}

#[test]
fn a_single_class_has_all_the_weight_and_no_gradient() {
    by_hand(&[&[3.0], &[-1e4]], |case, trial, results, title, table| {
        compare(
            case,
            &trial,
            &results,
            title,
            (case.contract.single, true),
            table,
        );
    });
}

/// NaN in one row's logits, then in its values: no other row knows.
#[test]
fn nan_stays_in_its_row() {
    for poisoned in ["logits", "values"] {
        let mut table = Table::new();
        let takes = |case: &&Case| case.inputs.iter().any(|input| input.name == poisoned);
        for (case, device) in cases()
            .filter(takes)
            .flat_map(|case| devices().into_iter().map(move |device| (case, device)))
        {
            for &form in case.forms().iter().filter(|&&form| form != Form::Shared) {
                let mut trial = Trial::new(case, &Place::new(&[3, 5], 1), form, Numbers::Plain);
                let title = format!("{}, NaN in {poisoned}", trial.title(device.name));
                let expected = run(&trial, &device.device);
                set_entry(&mut trial, poisoned, [1, 2], f64::NAN);
                let results = run(&trial, &device.device);
                for (name, expected) in &expected {
                    // The gradient of shared coordinates adds up all rows.
                    if name != "coordinates" {
                        let others = pick_rows(&results[name], &[0, 2]);
                        let title = format!("{title}: {name}");
                        table.close(&title, &others, &pick_rows(expected, &[0, 2]), CLOSE);
                    }
                }
                let row = pick_rows(&results["output"], &[1]);
                let shows = match poisoned {
                    "values" => case.contract.shows_nan_values,
                    _ => case.contract.shows_nan,
                };
                let nan = row.data.iter().all(|x| x.is_nan());
                table.check(nan || !shows, &title, &format!("is hidden: {:?}", row.data));
            }
        }
        table.finish();
    }
}
