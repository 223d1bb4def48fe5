//! The problems on which the gradients of the strategies are measured.

use crate::data::mersenne::Mersenne;
use crate::strategy::names::Strategy;
use crate::strategy::trainer::Method;
use burn::tensor::{Device, Tensor, TensorData};
use burn_relax::audit::{Problem, Report};

/// Random gates: name, rows, classes, standard deviation of the logits. Values and targets are standard normal numbers, the
/// cost is the squared error.
pub const GATES: [(&str, usize, usize, f64); 4] = [
    ("flat gate, 4 classes", 256, 4, 0.3),
    ("medium gate, 4 classes", 256, 4, 1.5),
    ("sharp gate, 4 classes", 256, 4, 5.0),
    ("medium gate, 16 classes", 128, 16, 1.5),
];

/// Three bits that share the cost `Σ (b - c)²`, at these logits of 1 against 0.
const BITS: ([f32; 3], [f32; 3]) = ([-0.5, 0.0, 1.0], [0.6, 0.51, 0.48]);

/// A gate whose logits, values and targets are random: those of `torch.manual_seed(seed)`, so that figures can be compared.
pub fn random_gate(
    (name, rows, classes, spread): (&str, usize, usize, f64),
    seed: u32,
    device: &Device,
) -> Problem<'static, 2> {
    let mut numbers = Mersenne::new(seed);
    let mut normal = |shape: [usize; 2], scale: f64| {
        let mut numbers = numbers.normal(shape[0] * shape[1]);
        numbers.iter_mut().for_each(|z| *z *= scale);
        Tensor::<2>::from_data(TensorData::new(numbers, shape), device)
    };
    let logits = normal([rows, classes], spread);
    let values = normal([rows, classes], 1.0);
    let targets = normal([rows, 1], 1.0);
    Problem::new(name, logits, values, move |values| {
        (values - targets.clone()).square()
    })
}

/// Three bits that share one cost.
pub fn bits(device: &Device) -> Problem<'static, 3> {
    let (logits, centres) = BITS;
    let logits = Tensor::<3>::from_floats([logits.map(|logit| [0.0, logit])], device);
    let values = Tensor::<3>::from_floats([[[0.0, 1.0]; 3]], device);
    let centres = Tensor::<3>::from_floats([centres.map(|centre| [centre])], device);
    Problem::joint("three bits, one cost", logits, values, move |values| {
        (values - centres.clone()).square().sum_dim(1)
    })
}

/// The report of a strategy under its name here.
///
/// # Panics
///
/// For the oracle, which estimates nothing.
pub fn one<const D: usize>(
    problem: &dyn Fn() -> Problem<'static, D>,
    draws: usize,
    strategy: Strategy,
) -> Report {
    let report = match strategy.method(1) {
        Method::Library(strategy) => problem().with_draws(draws).strategy(&strategy),
        Method::Taught => panic!("the oracle has no gradient to audit"),
        Method::Wrong(wrong) => {
            // Nothing is drawn, and two draws are the fewest.
            let problem = problem().with_draws(2);
            let loss =
                |logits, _| wrong.loss(logits, problem.values(), |values| problem.cost(values));
            Report {
                label: "wrong".to_owned(),
                ..problem.estimator("", loss)
            }
        }
    };
    Report {
        strategy: strategy.name(),
        ..report
    }
}
