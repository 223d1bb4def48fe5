//! Outputs and gradients against numbers computed elsewhere, in f32 on every device and in f64 on the CPU.

mod combined_network;
mod corrected;
mod estimators;
mod hand;
mod relaxations;
mod sparse;

use std::collections::BTreeMap;

use burn_core::tensor::{DType, Device};
use burn_relax_tests::{Array, Golden, Table, cpu_devices, devices, goldens};

/// Of max(1, the tensor's largest magnitude): 50 units of f32's rounding, room for a sum over a row and for `exp` and `ln`
/// that differ between backends by a few units.
const F32: f64 = 3e-6;

/// The same room in f64, four decimal digits above its rounding.
const F64: f64 = 1e-12;

/// Cases of each operator in the file.
const COVERED: [(&str, usize); 23] = [
    ("categorical_entropy", 6),
    ("categorical_log_prob", 6),
    ("combined_network", 4),
    ("entmax", 37),
    ("entmax15", 8),
    ("expected_cost", 3),
    ("free_energy", 10),
    ("gradual_argmax", 18),
    ("gradual_argmax_stack_mean", 1),
    ("gumbel_softmax", 30),
    ("log_softmax", 7),
    ("reinmax", 6),
    ("score_function", 3),
    ("score_function_batch_leave_one_out", 2),
    ("score_function_batch_mean", 3),
    ("score_function_leave_one_out", 3),
    ("soft_argmax", 15),
    ("soft_argmax_gather", 15),
    ("softmax", 17),
    ("sparsemax", 8),
    ("straight_through_argmax", 15),
    ("straight_through_sample", 6),
    ("unbiased_by_enumeration", 1),
];

/// Results of one case on one device, by name.
#[derive(Default)]
struct Results {
    outputs: BTreeMap<String, Array>,
    grads: BTreeMap<String, Array>,
}

/// Runs the cases of `op` on every device and dtype and compares all that `run` returns; `run` may be called in several
/// forms of one case, for instance with the temperature as a number and as a tensor.
#[track_caller]
fn compare(op: &str, run: impl Fn(&Golden, &Device, DType) -> Vec<Results>) {
    compare_within(op, F32, run);
}

/// [`compare`] with another tolerance in f32.
#[track_caller]
fn compare_within(op: &str, in_f32: f64, run: impl Fn(&Golden, &Device, DType) -> Vec<Results>) {
    let mut cases = goldens();
    cases.retain(|case| case.op == op);
    cases.iter_mut().for_each(corrected::correct);
    let count = COVERED.iter().find(|(name, _)| *name == op).map(|x| x.1);
    assert_eq!(Some(cases.len()), count, "cases of {op} in the file");

    let mut table = Table::new();
    let f32 = devices().into_iter().map(|d| (d, DType::F32, in_f32));
    let f64 = cpu_devices().into_iter().map(|d| (d, DType::F64, F64));
    for (device, dtype, tolerance) in f32.chain(f64) {
        for case in &cases {
            for results in run(case, &device.device.clone().autodiff(), dtype) {
                let title = |name: &str| format!("{} {dtype:?} {}: {name}", device.name, case.id);
                for (name, expected) in &case.outputs {
                    match results.outputs.get(name) {
                        Some(actual) => table.close(&title(name), actual, expected, tolerance),
                        None => table.fail(&title(name), "is missing"),
                    }
                }
                for (name, actual) in &results.grads {
                    if let Some(expected) = case.grads.get(name) {
                        let name = format!("gradient of {name}");
                        table.close(&title(&name), actual, expected, tolerance);
                    }
                }
                for name in case.grads.keys() {
                    // A coefficient that is a number has no gradient; its tensor form is a run of its own.
                    let number = case.params.contains_key(name);
                    if !number && !results.grads.contains_key(name) {
                        table.fail(&title(name), "has no gradient");
                    }
                }
            }
        }
    }
    table.finish();
}

#[test]
fn no_case_of_the_file_is_skipped_silently() {
    let mut counts = BTreeMap::new();
    for case in goldens() {
        *counts.entry(case.op).or_insert(0) += 1;
    }
    let expected: BTreeMap<String, usize> = COVERED
        .into_iter()
        .map(|(op, count)| (op.to_owned(), count))
        .collect();
    assert_eq!(counts, expected);
}
