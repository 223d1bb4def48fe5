//! f16 and bf16 on the CPU: computed in f32, rounded once.

use std::collections::BTreeMap;

use burn_core::tensor::DType;
use burn_relax::softmax;
use burn_relax_tests::{
    Array, Leaves, Random, Table,
    cases::{Form, Numbers, Place, Terms, Trial, cases, difference},
    cpu_devices,
};

/// Numbers as the short dtype holds them.
fn rounded(array: &Array, dtype: DType) -> Array {
    let device = &cpu_devices()[0].device;
    let rounded = Array::line(array.data.clone()).tensor::<1>(device, dtype);
    Array::new(array.shape.clone(), Array::of(rounded).data)
}

/// Output and gradients in `dtype` of inputs that `short` holds exactly, rounded to `short`.
fn run(trial: &Trial, dtype: DType, short: DType) -> BTreeMap<String, Array> {
    let weights = |shape: &[usize]| rounded(&Random::new(5).array(shape, 0.5, 1.0), short);
    let results = trial
        .run(&cpu_devices()[0].device, dtype, weights)
        .into_iter();
    results
        .map(|(name, result)| (name, rounded(&result, short)))
        .collect()
}

/// A backward pass may start from an output that was stored in the short dtype, so a gradient carries two roundings more.
#[track_caller]
fn compare(short: DType, unit: f64) {
    let mut table = Table::new();
    let place = Place::new(&[3, 41], 1);
    for case in cases() {
        let masked = case.takes_logits() && case.contract.forbids;
        let numbers = if masked {
            Numbers::Masked
        } else {
            Numbers::Plain
        };
        for &form in case.forms().iter().filter(|&&form| form != Form::Shared) {
            let mut trial = Trial::new(case, &place, form, numbers);
            for array in trial.inputs.values_mut() {
                *array = rounded(array, short);
            }
            let expected = run(&trial, DType::F32, short);
            for (name, actual) in run(&trial, short, short) {
                let title = format!("{}: {name}", trial.title(&format!("{short:?}")));
                // The case multiplies what was rounded by a cost.
                if name == "output" && trial.case.name != "sample_log_prob_cost" {
                    table.equal(&title, &actual, &expected[&name]);
                    continue;
                }
                // A coefficient's gradient adds up weights times logarithms of either sign.
                let terms = match name.as_str() {
                    "coefficient" => Terms::Logarithms,
                    _ => Terms::Own,
                };
                let pair = [&actual, &expected[&name]];
                difference(&mut table, &title, pair, (terms, 41), 2.0 * unit);
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
        Array::line([1.0, 2.0, 3.0, 1.0, 2.0, 3.0]),
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
