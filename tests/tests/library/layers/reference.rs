//! Outputs against the case's reference, in f32 on every device and in f64 on the CPU.

use burn_core::tensor::DType;
use burn_relax_tests::{
    Array, Table,
    cases::{Numbers, Place, Trial, cases},
    cpu_devices, devices,
};

use super::CLOSE;

/// The same room in f64, four decimal digits above its rounding.
const CLOSE_F64: f64 = 1e-12;

#[track_caller]
fn compare(numbers: Numbers) {
    let mut table = Table::new();
    let f32 = devices().into_iter().map(|d| (d, DType::F32, CLOSE));
    let f64 = cpu_devices()
        .into_iter()
        .map(|d| (d, DType::F64, CLOSE_F64));
    for (device, dtype, tolerance) in f32.chain(f64) {
        for case in cases() {
            if numbers == Numbers::Masked && !(case.takes_logits() && case.contract.forbids) {
                continue;
            }
            for (shape, dim) in [
                (&[6, 5][..], 1),
                (&[4, 3], 0),
                (&[2, 9, 4], 1),
                (&[2, 41], 1),
            ] {
                for &form in case.forms() {
                    let trial = Trial::new(case, &Place::new(shape, dim), form, numbers);
                    let leaves = trial.leaves(&device.device, dtype);
                    let (own, output) = trial.output(&leaves);
                    let actual = Array::new(own, Array::of(output).data);
                    let title = format!("{} {dtype:?}", trial.title(device.name));
                    let tolerance = tolerance * case.room;
                    let expected = trial.expected();
                    // A hard choice is exact.
                    let hard = expected.data.iter().all(|&x| x == 0.0 || x == 1.0);
                    match hard && expected.shape == shape {
                        true => table.equal(&title, &actual, &expected),
                        false => table.close(&title, &actual, &expected, tolerance),
                    }
                }
            }
        }
    }
    table.finish();
}

#[test]
fn outputs_are_those_of_the_reference() {
    compare(Numbers::Plain);
}

#[test]
fn masked_outputs_are_those_of_the_reference() {
    compare(Numbers::Masked);
}
