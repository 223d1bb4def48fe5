//! Gradual argmax and power softmax: values in `[0, 1]` instead of logits.

use burn_core::tensor::Tensor;
use burn_relax::{Coefficient, gradual_argmax, power_softmax};
use burn_relax_tests::{Array, Random, on_every_device};

use super::F32;

type Operator = fn(Tensor<2>, Coefficient<2>) -> Tensor<2>;

const OPERATORS: [(&str, Operator); 2] = [
    ("gradual_argmax", |v, power| gradual_argmax(v, 1, power)),
    ("power_softmax", |v, power| power_softmax(v, 1, power)),
];

#[test]
fn a_power_of_one_changes_nothing() {
    let values = Random::new(1).array([4, 9], 0.0, 1.0);
    on_every_device(F32, |at| {
        let y = gradual_argmax(at.tensor::<2>(&values), 1, 1.0);
        at.is("values", y, &values);
    });
}

/// At p = 10⁴ a value of .99 is e^-100 and 1 - .01^p is 1: the indicator of the maximum, of every tied one in the first form
/// and shared in the second.
#[test]
fn a_large_power_gives_the_indicator_of_the_maximum() {
    let values = [
        [0.3, 0.9, 0.8, 0.0],
        [0.5, 0.2, 0.5, 0.1],
        [1.0, 0.9, 0.0, 1.0],
    ];
    let every = [[0., 1., 0., 0.], [1., 0., 1., 0.], [1., 0., 0., 1.]];
    let shared = [[0., 1., 0., 0.], [0.5, 0., 0.5, 0.], [0.5, 0., 0., 0.5]];
    on_every_device(F32, |at| {
        for ((name, operator), expected) in OPERATORS.into_iter().zip([every, shared]) {
            at.is(name, operator(at.tensor(values), 1e4.into()), expected);
        }
    });
}

/// Outputs are finite and gradients too, where values are 0 or 1, tied, or alone; a row of zeros stays 0.
#[test]
fn the_edges_of_the_interval_are_finite() {
    let values = [[0.0, 1.0, 0.5], [0.0; 3], [1.0; 3], [1e-30, 0.0, 1e-38]];
    on_every_device(F32, |at| {
        for power in [0.5, 1.0, 2.5, 40.0] {
            for (name, operator) in OPERATORS {
                let inputs = [
                    ("v", Array::from(values)),
                    ("power", Array::new([4, 1], [power; 4])),
                ];
                let x = at.leaves(inputs);
                let y = operator(x.get("v"), x.get::<2>("power").into());
                let gradients = x.gradients(y.clone(), [1.0; 12]);
                let y = Array::of(y);
                let title = format!("{name} at {power}");
                at.check(y.data[3..6] == [0.0; 3], &format!("{title} moves zeros"));
                for array in gradients.values().chain([&y]) {
                    let finite = array.data.iter().all(|x| x.is_finite());
                    at.check(finite, &format!("{title} gives {:?}", array.data));
                }
            }
        }
    });
}

/// No power over- or underflows a row: only ratios to its maximum count, so values of 10⁻³⁰ or 10³⁰ are as good as any.
#[test]
fn power_softmax_knows_no_scale() {
    on_every_device(F32, |at| {
        for scale in [1e-30, 1.0, 1e30] {
            let v = at.tensor::<1>([scale, 2.0 * scale, 0.0]);
            let y = power_softmax(v, 0, 2.0);
            at.is(&format!("at {scale}"), y, [0.2, 0.8, 0.0]);
        }
    });
}

#[test]
fn nan_in_the_values_leaves_other_rows_as_they_were_to_the_bit() {
    let clean = Random::new(2).array([3, 4], 0.0, 1.0);
    let mut poisoned = clean.clone();
    poisoned.data[5] = f64::NAN;
    on_every_device(F32, |at| {
        for (name, operator) in OPERATORS {
            let [clean, poisoned] = [&clean, &poisoned]
                .map(|values| Array::of(operator(at.tensor(values), 2.0.into())).data);
            let hidden = poisoned[4..8].iter().any(|x| !x.is_nan());
            at.check(!hidden, &format!("{name} hides NaN"));
            for row in [0..4, 8..12] {
                at.equals(name, &poisoned[row.clone()], &clean[row]);
            }
        }
    });
}
