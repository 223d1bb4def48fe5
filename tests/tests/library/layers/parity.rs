//! Public functions with autodiff give the same on every device; on wgpu through Burn's fusion.

use burn_core::tensor::DType;
use burn_relax_tests::{
    Array, NamedDevice, Random, Table,
    cases::{Case, Form, Layout, Numbers, Place, Trial, cases, difference},
    devices,
};

use super::{F32, LENGTHS, SHAPES};

fn upstream(shape: &[usize]) -> Array {
    Random::new(6).array(shape, -1.0, 1.0)
}

/// A default body lets Burn add up a row, on some devices one number after another: the rounding grows with its length.
/// And the gradient of a number that stands for many rows is a sum of as many.
fn tolerance(place: &Place) -> f64 {
    let longest = place.shape.iter().max().expect("there is an axis");
    let stands_for = match place.layout {
        Layout::Expanded(axis) => place.shape[axis],
        _ => 1,
    };
    F32 * (*longest as f64 / 256.0).max(stands_for as f64)
}

/// A case gives here on `others` what it gives on `first`.
fn compare(trial: &Trial, devices: [&[NamedDevice]; 2], tolerance: f64, table: &mut Table) {
    let [first, others] = devices;
    let expected = trial.run(&first[0].device, DType::F32, upstream);
    for device in others {
        for (name, actual) in trial.run(&device.device, DType::F32, upstream) {
            let title = format!("{}: {name}", trial.title(device.name));
            let terms = (trial.case.terms_of(&name), trial.place.classes());
            let pair = [&actual, &expected[&name]];
            difference(table, &title, pair, terms, tolerance * trial.case.room);
        }
    }
}

/// Every case in every form here.
fn everywhere(place: &Place, numbers: Numbers, table: &mut Table) {
    let devices = devices();
    let (first, others) = devices.split_at(1);
    for case in cases() {
        if numbers == Numbers::Masked && !(case.takes_logits() && case.contract.forbids) {
            continue;
        }
        for &form in case.forms().iter().filter(|&&form| form != Form::Shared) {
            let trial = Trial::new(case, place, form, numbers);
            compare(&trial, [first, others], tolerance(place), table);
        }
    }
}

/// Compares at every axis of every shape, changed by `change`.
#[track_caller]
fn at_every_axis(numbers: Numbers, change: impl Fn(Place) -> Place) {
    let mut table = Table::new();
    for shape in SHAPES {
        for dim in 0..shape.len() {
            everywhere(&change(Place::new(shape, dim)), numbers, &mut table);
        }
    }
    table.finish();
}

#[test]
fn contiguous_tensors_agree_along_every_axis() {
    at_every_axis(Numbers::Plain, |place| place);
}

#[test]
fn masked_tensors_agree_along_every_axis() {
    at_every_axis(Numbers::Masked, |place| place);
}

#[test]
fn negative_axes_agree() {
    at_every_axis(Numbers::Plain, |place| Place {
        dim: place.dim - place.shape.len() as isize,
        ..place
    });
}

#[test]
fn transposed_tensors_agree() {
    at_every_axis(Numbers::Plain, |place| Place {
        layout: Layout::Transposed,
        ..place
    });
}

#[test]
fn sliced_tensors_agree() {
    at_every_axis(Numbers::Plain, |place| Place {
        layout: Layout::Sliced,
        ..place
    });
}

/// Rows that are all one row. The axis chosen over is stored in full: the gradient of a number that stands for a whole row is
/// a sum that vanishes.
#[test]
fn expanded_tensors_agree() {
    let mut table = Table::new();
    for shape in SHAPES {
        for dim in 0..shape.len() {
            for axis in (0..shape.len()).filter(|&axis| axis != dim) {
                let layout = Layout::Expanded(axis);
                let place = Place {
                    layout,
                    ..Place::new(shape, dim)
                };
                everywhere(&place, Numbers::Plain, &mut table);
            }
        }
    }
    table.finish();
}

#[test]
fn rows_of_every_awkward_length_agree() {
    let mut table = Table::new();
    for length in LENGTHS {
        everywhere(&Place::new(&[3, length], 1), Numbers::Plain, &mut table);
        everywhere(&Place::new(&[length, 3], 0), Numbers::Plain, &mut table);
    }
    table.finish();
}

/// Lengths round every width and strategy of the GPU kernels.
#[cfg(feature = "wgpu")]
const GPU_LENGTHS: [usize; 17] = [
    1, 2, 15, 16, 17, 31, 32, 33, 255, 256, 257, 1000, 1025, 4096, 32_000, 128_001, 1_000_000,
];

/// Operators that are kernels from end to end on every device, forward and backward.
#[cfg(feature = "wgpu")]
#[test]
fn rows_of_every_length_agree_through_fusion() {
    let mut table = Table::new();
    let devices = devices();
    let wgpu = devices.iter().position(|device| device.name == "wgpu");
    let wgpu = wgpu.expect("it is compiled in");
    let kernels = |case: &&Case| case.launches.is_some();
    for length in GPU_LENGTHS {
        // The rounding of a sum's terms adds up like a random walk.
        let tolerance = F32 * (length as f64 / 256.0).sqrt().max(1.0);
        // Many rows, one unit for each; few rows, which lanes share or which are split.
        for rows in [1, 20] {
            if rows > 1 && length > 4096 {
                continue;
            }
            let place = Place::new(&[rows, length], 1);
            for case in cases().filter(kernels) {
                let masked = length > 2 && case.contract.forbids;
                let numbers = if masked {
                    Numbers::Masked
                } else {
                    Numbers::Plain
                };
                let trial = Trial::new(case, &place, Form::Number, numbers);
                let pair = [&devices[..1], &devices[wgpu..=wgpu]];
                compare(&trial, pair, tolerance, &mut table);
            }
        }
    }
    table.finish();
}
