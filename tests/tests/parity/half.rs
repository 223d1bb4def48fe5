//! f16 and bf16 on the CPU: computed in f32, rounded once.

use std::collections::BTreeMap;

use burn_core::tensor::{DType, Tensor};
use burn_relax::{
    Coordinates, Grid, categorical_entropy, free_energy_cost, gradual_argmax, gumbel_softmax,
    log_softmax, power_softmax, relaxed_categorical_log_density, soft_argmax, soft_argmax_gather,
    soft_argmax_with_variance, softmax, spatial_soft_argmax, spatial_soft_argmax_with_variance,
    straight_through_argmax, windowed_soft_argmax,
};
use burn_relax::{budget, entmax, entmax15, normmax, sparsemax};
use burn_relax_tests::{Array, Leaves, Random, Table, cpu_devices};

use crate::{Terms, numbers, unit_numbers};

/// Numbers as the short dtype holds them.
fn rounded(array: &Array, dtype: DType) -> Array {
    let device = &cpu_devices()[0].device;
    let rounded = Array::line(array.data.clone()).tensor::<1>(device, dtype);
    Array::new(array.shape.clone(), Array::of(rounded).data)
}

type Function = fn(&Leaves) -> Tensor<2>;

fn logits(x: &Leaves) -> Tensor<2> {
    x.get("logits")
}

fn values(x: &Leaves) -> Tensor<2> {
    x.get("values")
}

fn per_row(x: &Leaves) -> Tensor<2> {
    x.get("temperature")
}

const FUNCTIONS: [(&str, Function); 26] = [
    ("sparsemax", |x| sparsemax(logits(x), 1)),
    ("entmax15", |x| entmax15(logits(x), 1)),
    ("entmax per row", |x| entmax(logits(x), 1, per_row(x))),
    ("normmax", |x| normmax(logits(x), 1, 2.0)),
    ("budget", |x| budget(logits(x), 1, per_row(x))),
    ("softmax", |x| softmax(logits(x), 1, 0.7)),
    ("softmax per row", |x| softmax(logits(x), 1, per_row(x))),
    ("log_softmax", |x| log_softmax(logits(x), 1)),
    ("categorical_entropy", |x| categorical_entropy(logits(x), 1)),
    ("soft_argmax", |x| {
        soft_argmax(logits(x), 1, 0.7, Coordinates::index())
    }),
    ("soft_argmax per row", |x| {
        soft_argmax(logits(x), 1, per_row(x), x.get::<1>("coordinates"))
    }),
    ("variance", |x| {
        soft_argmax_with_variance(logits(x), 1, 0.7, x.get::<1>("coordinates")).1
    }),
    ("variance per row", |x| {
        soft_argmax_with_variance(logits(x), 1, per_row(x), x.get::<1>("coordinates")).1
    }),
    ("windowed_soft_argmax", |x| {
        windowed_soft_argmax(logits(x), 1, per_row(x), x.get::<1>("coordinates"), 0.4)
    }),
    ("spatial_soft_argmax", |x| {
        spatial_soft_argmax(x.get::<2>("logits"), Grid::CellCentres, per_row(x))
    }),
    ("spatial variance", |x| {
        spatial_soft_argmax_with_variance(logits(x), Grid::CellCentres, 0.7).1
    }),
    ("soft_argmax_gather", |x| {
        soft_argmax_gather(logits(x), values(x), 1, 0.7, false)
    }),
    ("soft_argmax_gather per row", |x| {
        soft_argmax_gather(logits(x), values(x), 1, per_row(x), false)
    }),
    ("hard soft_argmax_gather", |x| {
        soft_argmax_gather(logits(x), values(x), 1, per_row(x), true)
    }),
    ("straight_through_argmax", |x| {
        straight_through_argmax(logits(x), 1, per_row(x))
    }),
    ("gumbel_softmax", |x| {
        gumbel_softmax(logits(x), 1, per_row(x), false, 4)
    }),
    ("gradual_argmax", |x| {
        gradual_argmax(x.get::<2>("unit"), 1, per_row(x))
    }),
    ("power_softmax", |x| {
        power_softmax(x.get::<2>("unit"), 1, per_row(x))
    }),
    ("free_energy_cost", |x| {
        free_energy_cost(logits(x), values(x), 1, 0.7)
    }),
    ("free_energy_cost per row", |x| {
        free_energy_cost(logits(x), values(x), 1, per_row(x))
    }),
    ("relaxed_categorical_log_density", |x| {
        relaxed_categorical_log_density(values(x), x.get::<2>("unit") + 0.125, 1, per_row(x))
    }),
];

/// Output and gradients in `dtype` of inputs that `short` holds exactly, rounded to `short`.
fn run(function: Function, dtype: DType, short: DType) -> BTreeMap<String, Array> {
    let shape = [3, 41];
    let inputs = [
        ("logits", numbers(&shape, 1, true)),
        ("values", numbers(&shape, 2, false)),
        ("unit", unit_numbers(&shape, 3)),
        ("temperature", Random::new(4).array([3, 1], 0.5, 2.0)),
        ("coordinates", numbers(&[41], 5, false)),
    ];
    let inputs = inputs.map(|(name, array)| (name.to_owned(), rounded(&array, short)));
    let device = cpu_devices()[0].device.clone().autodiff();
    let x = Leaves::new(&device, dtype, inputs.into());
    let y = function(&x);
    let output = Array::of(y.clone());
    let y = burn_relax_tests::flat(y);
    let weights = rounded(&Random::new(5).array(y.dims(), 0.5, 1.0), short);
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
                // A coefficient's gradient adds up weights times logarithms of either sign.
                let terms = if tensor == "temperature" {
                    Terms::Logarithms(41)
                } else {
                    Terms::None
                };
                crate::compare(
                    &mut table,
                    &title,
                    &actual,
                    &expected[&tensor],
                    terms,
                    2.0 * unit,
                );
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
