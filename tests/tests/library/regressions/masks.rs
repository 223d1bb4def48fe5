//! What stands at a forbidden class reached the caller's cost, a gradient, or a moment.

use std::cell::Cell;

use burn_core::tensor::Tensor;
use burn_relax::{
    Relaxation, RelaxationConfig, Schedule, Strategy,
    nn::{Baseline, SelectorConfig},
    relax::Coordinates,
};
use burn_relax_tests::{Array, in_every_dtype};

/// Sums of a few terms of order 1, of which a logarithm may lose a few units.
const CLOSE: [f64; 2] = [1e-5, 1e-12];

const NOWHERE: f64 = f64::NEG_INFINITY;

fn strategies() -> Vec<Strategy> {
    let temperature = Schedule::from(1.0);
    let softmax = RelaxationConfig::softmax(1);
    let mixture = |learned| Strategy::Mixture {
        deviation: 1.0,
        learned,
    };
    vec![
        Strategy::FreeEnergy { temperature },
        Strategy::Expected,
        mixture(false),
        mixture(true),
        Strategy::WinnerTakesAll,
        Strategy::Gather(softmax),
        Strategy::Gather(softmax.hard()),
        Strategy::Gather(softmax.gumbel().hard()),
        Strategy::BlendedGather(softmax.hard()),
        Strategy::Gather(RelaxationConfig::sparsemax(1)),
        Strategy::ReinMax { temperature },
        Strategy::SoftArgmax { temperature },
        Strategy::ScoreFunction {
            samples: 4,
            baseline: Baseline::LeaveOneOut,
        },
    ]
}

/// A cost that is NaN for whatever is not in its domain, and squares of what is.
fn cost<const D: usize>(values: Tensor<D>) -> Tensor<D> {
    values.log().square()
}

#[test]
fn no_forbidden_value_reaches_the_cost_and_its_gradient_is_zero() {
    in_every_dtype(CLOSE, |at| {
        for strategy in strategies() {
            for poison in [f64::NAN, f64::INFINITY, -1.0] {
                let x = at.leaves([
                    ("logits", [[0.5, NOWHERE, 0.2, -0.3]]),
                    ("values", [[1.0, poison, 2.0, 3.0]]),
                ]);
                let config = SelectorConfig::new()
                    .with_strategy(strategy)
                    .with_entropy_weight(0.1.into())
                    .with_seed(Some(3));
                let selector = config.init(&at.device);
                let seen = Cell::new(true);
                let loss = selector.loss(x.get::<2>("logits"), x.get::<2>("values"), |values| {
                    let allowed = |v: &f64| (1.0..=3.0).contains(v);
                    let all = Array::of(values.clone()).data.iter().all(allowed);
                    seen.set(seen.get() && all);
                    cost(values)
                });
                let title = format!("{strategy}, {poison}");
                at.check(seen.get(), &format!("{title}: it was seen"));
                let finite = Array::of(loss.clone()).data[0].is_finite();
                at.check(finite, &format!("{title}: the loss is a number"));
                let gradients = x.gradients(loss, [1.0]);
                for (name, gradient) in &gradients {
                    let finite = gradient.data.iter().all(|g| g.is_finite());
                    let nothing = gradient.data[1] == 0.0;
                    at.check(finite && nothing, &format!("{title}: {name}: {gradient:?}"));
                }
            }
        }
    });
}

/// Where no class's number counts, the rest is the shorter row.
#[test]
fn a_masked_row_costs_what_the_shorter_one_does() {
    in_every_dtype(CLOSE, |at| {
        for strategy in &strategies()[..10] {
            if strategy.is_stochastic() {
                continue;
            }
            let run = |logits: &[f64], values: &[f64]| {
                let [logits, values] = [logits, values].map(|numbers| {
                    let line: Tensor<1> = at.tensor(numbers);
                    line.reshape([1, numbers.len()])
                });
                let config = SelectorConfig::new().with_strategy(*strategy);
                let selector = config.init(&at.device);
                Array::of(selector.loss(logits, values, cost::<2>))
            };
            let masked = run(&[0.5, NOWHERE, 0.2], &[1.0, f64::NAN, 2.0]);
            at.is(&strategy.to_string(), masked, run(&[0.5, 0.2], &[1.0, 2.0]));
        }
    });
}

/// Two choices that share a cost: the sum of their values has to be 4.
#[test]
fn choices_that_share_a_cost_leave_forbidden_values_out() {
    in_every_dtype(CLOSE, |at| {
        for strategy in &strategies()[..5] {
            let x = at.leaves([
                (
                    "logits",
                    Array::new([1, 2, 3], [0.5, NOWHERE, 0.2, 0.0, 1.0, NOWHERE]),
                ),
                (
                    "values",
                    Array::new([1, 2, 3], [1.0, f64::NAN, 2.0, 3.0, 2.0, f64::NAN]),
                ),
            ]);
            let config = SelectorConfig::new()
                .with_strategy(*strategy)
                .with_joint_dim(Some(1));
            let selector = config.init(&at.device);
            let loss = selector.loss(x.get::<3>("logits"), x.get::<3>("values"), |values| {
                (values.sum_dim(1) - 4.0).square()
            });
            let gradients = x.gradients(loss, [1.0]);
            for (name, gradient) in &gradients {
                let finite = gradient.data.iter().all(|g| g.is_finite());
                let nothing = gradient.data[1] == 0.0 && gradient.data[5] == 0.0;
                at.check(
                    finite && nothing,
                    &format!("{strategy}: {name}: {gradient:?}"),
                );
            }
        }
    });
}

/// With equal weights of 0 and 1: variance ¼, slopes ±(¼ - ¼) for the logits and ±½ for the coordinates.
#[test]
fn the_variance_has_no_gradient_from_a_forbidden_coordinate() {
    in_every_dtype(CLOSE, |at| {
        for choice in [Relaxation::softmax(1), Relaxation::sparsemax(1)] {
            for nowhere in [f64::NAN, f64::INFINITY] {
                let x = at.leaves([
                    ("logits", [0.0, NOWHERE, 0.0]),
                    ("coordinates", [0.0, nowhere, 1.0]),
                ]);
                let coordinates = Coordinates::from(x.get::<1>("coordinates"));
                let logits = x.get::<1>("logits");
                let choice = choice.clone();
                let (mean, variance) = choice.coordinate_with_variance(logits, 0, coordinates);
                at.is("mean", mean, [0.5]);
                at.is("variance", variance.clone(), [0.25]);
                let gradients = x.gradients(variance, [1.0]);
                at.is("logits", &gradients["logits"], [0.0; 3]);
                at.is("coordinates", &gradients["coordinates"], [-0.5, 0.0, 0.5]);
            }
        }
    });
}
