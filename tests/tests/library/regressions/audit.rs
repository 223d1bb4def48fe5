//! The audit did not know what is forbidden: it called exact estimators biased, and refused what does not matter.

use burn_core::tensor::{Device, Tensor};
use burn_relax::{
    RelaxationConfig, Strategy,
    audit::{Problem, Verdict},
    estimate::Baseline,
};

const INF: f32 = f32::INFINITY;

fn problem(logits: [[f32; 3]; 2], values: [[f32; 3]; 2]) -> Problem<'static, 2> {
    let device = Device::flex().autodiff();
    let logits = Tensor::<2>::from_floats(logits, &device);
    let values = Tensor::<2>::from_floats(values, &device);
    Problem::new("masks", logits, values, |values| (values - 0.5).square()).with_draws(400)
}

fn unbiased() -> Vec<Strategy> {
    vec![
        Strategy::Expected,
        Strategy::ScoreFunction {
            samples: 3,
            baseline: Baseline::LeaveOneOut,
        },
        Strategy::ReinMax {
            temperature: 1.0.into(),
        },
    ]
}

const VALUES: [[f32; 3]; 2] = [[1.0, 2.0, -1.0], [0.0, 1.0, 3.0]];

#[test]
fn a_row_without_a_choice_does_not_make_an_exact_estimator_biased() {
    let problem = problem([[-INF; 3], [0.3, -0.2, 0.9]], VALUES);
    assert_eq!(problem.expected_cost()[0], 0.0);
    assert_eq!(problem.gradient()[..3], [0.0; 3]);
    for strategy in unbiased() {
        let report = problem.strategy(&strategy);
        report.assert_unbiased();
        assert!(
            report.bias_z.is_finite() && report.cosine.is_finite(),
            "{report:?}"
        );
    }
    assert_eq!(
        problem.strategy(&Strategy::Expected).verdict,
        Verdict::Exact
    );
}

#[test]
fn an_infinite_logit_has_no_slope_and_that_is_right() {
    for row in [[INF, 0.0, 1.0], [INF, INF, -INF]] {
        for other in [[0.3, -0.2, 0.9], row] {
            let problem = problem([row, other], VALUES);
            assert_eq!(problem.gradient()[..3], [0.0; 3]);
            for strategy in unbiased() {
                problem.strategy(&strategy).assert_unbiased();
            }
        }
    }
    let problem = problem([[INF, INF, -INF], [0.3, -0.2, 0.9]], VALUES);
    // Half of each square: .25 and 2.25.
    assert!((problem.expected_cost()[0] - 1.25).abs() < 1e-6);
}

#[test]
fn a_value_at_a_forbidden_class_does_not_matter() {
    for poison in [f32::NAN, INF, 1e30] {
        let logits = [[0.0, -INF, 1.0], [0.3, -0.2, 0.9]];
        let problem = problem(logits, [[1.0, poison, -1.0], VALUES[1]]);
        for strategy in unbiased() {
            problem.strategy(&strategy).assert_unbiased();
        }
        let soft = Strategy::Gather(RelaxationConfig::softmax(1));
        assert!(problem.strategy(&soft).bias_relative.is_finite());
    }
    let device = Device::flex().autodiff();
    let logits = Tensor::<3>::from_floats([[[0.0, -INF], [0.3, -0.2]]], &device);
    let values = Tensor::<3>::from_floats([[[1.0, f32::NAN], [0.5, 2.0]]], &device);
    let problem = Problem::joint("two", logits, values, |values| values.sum_dim(1).square());
    problem.strategy(&Strategy::Expected).assert_unbiased();
}

/// A cost may keep count of what it was asked.
#[test]
fn a_cost_with_a_memory_can_be_audited() {
    let device = Device::flex().autodiff();
    let logits = Tensor::<2>::from_floats([[0.0, 1.0]], &device);
    let values = Tensor::<2>::from_floats([[0.0, 1.0]], &device);
    let mut calls = 0;
    let problem = Problem::new("counted", logits, values, |values| {
        calls += 1;
        values
    });
    problem.strategy(&Strategy::Expected).assert_unbiased();
    drop(problem);
    assert_eq!(calls, 2);
}
