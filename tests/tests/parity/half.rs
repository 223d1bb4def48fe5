//! f16 and bf16 on the CPU: computed in f32, rounded once.

use std::collections::BTreeMap;

use burn_core::tensor::{DType, Tensor};
use burn_relax::{
    Coordinates, categorical_entropy, free_energy_cost, gradual_argmax, gumbel_softmax,
    log_softmax, power_softmax, soft_argmax, soft_argmax_gather, softmax, straight_through_argmax,
};
use burn_relax_tests::{Array, Leaves, Random, Table, cpu_devices};

use crate::{numbers, unit_numbers};

/// Numbers as the short dtype holds them.
fn rounded(array: &Array, dtype: DType) -> Array {
    let device = &cpu_devices()[0].device;
    Array::of(array.tensor::<2>(device, dtype))
}

type Function = fn(&Leaves) -> Tensor<2>;

const FUNCTIONS: [(&str, Function); 11] = [
    ("softmax", |x| softmax(x.get::<2>("logits"), 1, 0.7)),
    ("log_softmax", |x| log_softmax(x.get::<2>("logits"), 1)),
    ("soft_argmax", |x| {
        soft_argmax(x.get::<2>("logits"), 1, 0.7, Coordinates::index())
    }),
    ("soft_argmax_gather", |x| {
        soft_argmax_gather(x.get::<2>("logits"), x.get::<2>("values"), 1, 0.7, false)
    }),
    ("hard soft_argmax_gather", |x| {
        soft_argmax_gather(x.get::<2>("logits"), x.get::<2>("values"), 1, 0.7, true)
    }),
    ("straight_through_argmax", |x| {
        straight_through_argmax(x.get::<2>("logits"), 1, 0.7)
    }),
    ("gradual_argmax", |x| {
        gradual_argmax(x.get::<2>("unit"), 1, 3.0)
    }),
    ("power_softmax", |x| {
        power_softmax(x.get::<2>("unit"), 1, 3.0)
    }),
    ("free_energy_cost", |x| {
        free_energy_cost(x.get::<2>("logits"), x.get::<2>("values"), 1, 0.7)
    }),
    ("gumbel_softmax", |x| {
        gumbel_softmax(x.get::<2>("logits"), 1, 0.7, false, 4)
    }),
    ("categorical_entropy", |x| {
        categorical_entropy(x.get::<2>("logits"), 1)
    }),
];

/// Output and gradients in `dtype` of inputs that `short` holds exactly, rounded to `short`.
fn run(function: Function, dtype: DType, short: DType) -> BTreeMap<String, Array> {
    let shape = [3, 41];
    let inputs = [
        ("logits", numbers(&shape, 1, true)),
        ("values", numbers(&shape, 2, false)),
        ("unit", unit_numbers(&shape, 3)),
    ];
    let inputs = inputs.map(|(name, array)| (name.to_owned(), rounded(&array, short)));
    let device = cpu_devices()[0].device.clone().autodiff();
    let x = Leaves::new(&device, dtype, inputs.into());
    let y = function(&x);
    let output = Array::of(y.clone());
    let y = burn_relax_tests::flat(y);
    let weights = Random::new(5).array([1, y.dims()[0]], 0.5, 1.0);
    let weights = Array::line(rounded(&weights, short).data);
    let mut results: BTreeMap<_, _> = x
        .gradients(y, &weights)
        .into_iter()
        .map(|(name, gradient)| (name, rounded(&gradient, short)))
        .collect();
    results.insert("output".to_owned(), rounded(&output, short));
    results
}

/// A backward pass may start from an output that was stored in the short dtype, so a gradient carries two roundings more.
#[track_caller]
fn compare(short: DType, unit: f64) {
    let mut table = Table::new();
    for (name, function) in FUNCTIONS {
        let expected = run(function, DType::F32, short);
        for (tensor, actual) in run(function, short, short) {
            let title = format!("{name}: {tensor}");
            if tensor == "output" {
                table.equal(&title, &actual, &expected[&tensor]);
            } else {
                table.close_relative(&title, &actual, &expected[&tensor], 2.0 * unit);
            }
        }
    }
    table.finish();
}

/// f16 has a unit of 2⁻¹⁰ for numbers from 1 to 2.
#[test]
fn f16_is_computed_in_f32_and_rounded_once() {
    compare(DType::F16, 1.0 / 1024.0);
}

/// bf16 has a unit of 2⁻⁷ for numbers from 1 to 2.
#[test]
fn bf16_is_computed_in_f32_and_rounded_once() {
    compare(DType::BF16, 1.0 / 128.0);
}

/// Largest f16 is 65504: differences of logits overflow it, f32 holds them.
#[test]
fn logits_of_sixty_thousand_are_finite_in_f16() {
    let device = cpu_devices()[0].device.clone().autodiff();
    let logits = Array::new([2, 3], [6e4, -6e4, 6e4, -6e4, 0.0, 59_968.0]);
    let x = Leaves::new(&device, DType::F16, [("logits".to_owned(), logits)].into());
    let y = softmax(x.get::<2>("logits"), 1, 0.5);
    let gradients = x.gradients(
        burn_relax_tests::flat(y.clone()),
        &Array::line([1.0, 2.0, 3.0, 1.0, 2.0, 3.0]),
    );
    let mut table = Table::new();
    table.equal(
        "weights",
        &Array::of(y),
        &Array::new([2, 3], [0.5, 0.0, 0.5, 0.0, 0.0, 1.0]),
    );
    // Half the weight each and a difference of 2 in what they are worth: ±.5 · 1 / .5.
    table.equal(
        "gradient",
        &gradients["logits"],
        &Array::new([2, 3], [-1.0, 0.0, 1.0, 0.0, 0.0, 0.0]),
    );
    table.finish();
}
