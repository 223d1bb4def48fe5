//! The `audit` command: how far each strategy's gradient is from that of the expected cost, and how noisy.

use crate::cli::AuditArgs;
use crate::mersenne::Mersenne;
use crate::strategy::Strategy;
use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};
use burn_relax::audit::{Problem, Report, Table, to_json};
use clap::ValueEnum;
use std::io::{Write, stdout};

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

/// Audits every strategy and prints the result.
///
/// # Errors
///
/// If the backend is not available or stdout is closed.
pub fn audit(args: &AuditArgs) -> Result<()> {
    let device = args.backend.device()?.autodiff();
    let mut reports = Vec::new();
    for gate in GATES {
        let problem = random_gate(gate, args.seed, &device);
        every_strategy(
            problem.with_draws(args.draws).with_seed(args.seed.into()),
            &mut reports,
        );
    }
    let problem = bits(&device);
    every_strategy(
        problem.with_draws(args.draws).with_seed(args.seed.into()),
        &mut reports,
    );
    if args.json {
        writeln!(stdout(), "{}", to_json(&reports))?;
    } else {
        write!(stdout(), "{}", Table(&reports))?;
    }
    Ok(())
}

/// A gate whose logits, values and targets are random: those of `torch.manual_seed(seed)`, so that figures can be compared.
#[must_use]
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

fn bits(device: &Device) -> Problem<'static, 3> {
    let (logits, centres) = BITS;
    let logits = Tensor::<3>::from_floats([logits.map(|logit| [0.0, logit])], device);
    let values = Tensor::<3>::from_floats([[[0.0, 1.0]; 3]], device);
    let centres = Tensor::<3>::from_floats([centres.map(|centre| [centre])], device);
    Problem::joint("three bits, one cost", logits, values, move |values| {
        (values - centres.clone()).square().sum_dim(1)
    })
}

/// One report for each method of the library, under the first name it has here. An entropy bonus changes the objective, not
/// the estimate, so the strategies with one are left out.
fn every_strategy<const D: usize>(problem: Problem<D>, reports: &mut Vec<Report>) {
    let mut seen = Vec::new();
    for &strategy in Strategy::value_variants() {
        let method = strategy.method(1);
        let first = method.to_string();
        // A batch of one row has no other rows to compare with.
        let alone = problem.expected_cost().len() == 1;
        let batch = matches!(
            strategy,
            Strategy::ScoreFunctionBatch | Strategy::ScoreFunctionBatchEntropy
        );
        if seen.contains(&first) || (alone && batch) {
            continue;
        }
        seen.push(first);
        reports.push(one(&problem, strategy));
    }
}

/// The report of a strategy under its name here.
#[must_use]
pub fn one<const D: usize>(problem: &Problem<D>, strategy: Strategy) -> Report {
    Report {
        strategy: strategy.name(),
        ..problem.strategy(&strategy.method(1))
    }
}
