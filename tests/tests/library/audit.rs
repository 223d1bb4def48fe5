//! The audit tells the truth: unbiased estimators pass for every seed, biased ones are caught, the greedy score fails loudly.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn_core::tensor::{DType, Device, Tensor};
use burn_relax::{
    RelaxationConfig, Strategy, argmax,
    audit::{Problem, Report, Table, Verdict, to_json},
    distribution::{categorical_log_prob, sample_categorical},
    estimate::{Baseline, leave_one_out_baseline},
    loss::score_function_loss,
    relax::Coordinates,
    soft_argmax,
};
use burn_relax_tests::{Array, Random};

/// Costs and gradients are sums of a few f64 products of f32 numbers.
const ENUMERATED: f64 = 1e-6;

fn device() -> Device {
    Device::flex().autodiff()
}

/// Four classes in eight rows: random logits, values and targets.
fn gate(seed: u64) -> Problem<'static, 2> {
    let device = device();
    let mut random = Random::new(seed);
    let mut numbers = |shape: [usize; 2], size: f64| {
        random
            .array(shape, -size, size)
            .tensor::<2>(&device, DType::F32)
    };
    let (logits, values, targets) = (
        numbers([8, 4], 2.0),
        numbers([8, 4], 1.5),
        numbers([8, 1], 1.5),
    );
    Problem::new("gate", logits, values, move |values| {
        (values - targets.clone()).square()
    })
}

#[test]
fn the_enumeration_is_that_of_the_closed_forms() {
    let device = device();
    let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &device);
    let costs = Tensor::<2>::from_floats([[1.0, 0.0, 3.0]], &device);
    let problem = Problem::new("three-way", logits, costs, |costs| costs);
    assert!((problem.expected_cost()[0] - 1.825_214).abs() < ENUMERATED);
    for (g, expected) in problem
        .gradient()
        .iter()
        .zip([-0.040_114, -0.655_595, 0.695_710])
    {
        assert!((g - expected).abs() < ENUMERATED, "{g}");
    }

    let logits = Tensor::<3>::from_floats([[[0.0, -4.0]; 3]], &device);
    let values = Tensor::<3>::from_floats([[[0.0, 1.0]; 3]], &device);
    let centres = Tensor::<3>::from_floats([[[0.6], [0.51], [0.48]]], &device);
    let problem = Problem::joint("bits", logits, values, |bits| {
        (bits - centres.clone()).square().sum_dim(1)
    });
    assert!((problem.expected_cost()[0] - 0.847_262).abs() < ENUMERATED);
    let shared: f64 = problem.gradient().chunks(2).map(|row| row[1]).sum();
    assert!((shared + 0.003_179_29).abs() < ENUMERATED, "{shared}");
}

#[test]
fn an_unbiased_estimator_passes_for_twenty_seeds() {
    for seed in 0..20 {
        let problem = gate(seed).with_draws(300).with_seed(seed);
        for strategy in [
            Strategy::ScoreFunction {
                samples: 1,
                baseline: Baseline::None,
            },
            Strategy::ScoreFunction {
                samples: 3,
                baseline: Baseline::LeaveOneOut,
            },
            Strategy::ReinMax {
                temperature: 1.0.into(),
            },
        ] {
            let report = problem.strategy(&strategy);
            assert!(report.bias_z.abs() < 4.0, "seed {seed}: {report:?}");
            report.assert_unbiased();
        }
    }
}

/// The leave-one-out estimator with a twentieth of the gradient added, and a score function whose baseline contains its own
/// sample: the mean over the whole batch.
#[test]
fn a_deliberately_biased_estimator_is_caught() {
    let problem = gate(3).with_draws(4000);
    let score = |logits: Tensor<2>, seed: burn_relax::Seed, own: f64, scale: f64| {
        let index = sample_categorical(logits.clone(), 1, 4, seed);
        let costs = problem.cost(problem.values().gather(1, index.clone()));
        let others = leave_one_out_baseline(costs.clone(), 1);
        let baseline = others.clone() + (costs.clone() - others) * own;
        score_function_loss(
            categorical_log_prob(logits, index, 1),
            costs,
            Some(baseline),
        )
        .mean_dim(1)
            * scale
    };
    let fair = problem.estimator("fair", |x, seed| score(x, seed, 0.0, 1.0));
    assert!(
        fair.bias_z.abs() < 4.0 && fair.cost_evaluations == 4,
        "{fair:?}"
    );
    fair.assert_unbiased();
    for (name, own, scale) in [
        ("own cost in the baseline", 0.2, 1.0),
        ("a fifth too long", 0.0, 1.2),
    ] {
        let report = problem.estimator(name, |x, seed| score(x, seed, own, scale));
        assert!(report.bias_z > 10.0, "{report:?}");
        assert_eq!(report.verdict, Verdict::Biased);
        assert!((report.bias_relative - 0.2).abs() < 0.05, "{report:?}");
    }
}

/// The obvious answer, which trains against the gradient.
fn greedy_score(problem: &Problem<2>) -> Report {
    problem.estimator("-log p(argmax) · cost", |logits, _| {
        let index = argmax(logits.clone(), 1);
        let cost = problem.cost(problem.values().gather(1, index.clone()));
        categorical_log_prob(logits, index, 1).neg() * cost
    })
}

#[test]
fn the_greedy_score_fails_loudly() {
    let report = greedy_score(&gate(1));
    assert_eq!(report.verdict, Verdict::AgainstTheGradient);
    assert!(
        report.cosine < 0.0 && report.bias_relative > 1.0 && report.bias_z > 10.0,
        "{report:?}"
    );
    let failure =
        catch_unwind(AssertUnwindSafe(|| report.assert_unbiased())).expect_err("it fails");
    let message = failure.downcast_ref::<String>().expect("a message");
    assert!(
        message.starts_with(
            "audit: -log p(argmax) · cost must have the gradient of the expected cost as its mean on gate, got the verdict \
             AGAINST THE GRADIENT: cosine -0."
        ),
        "{message}"
    );
}

#[test]
fn verdicts_agree_with_labels() {
    let problem = gate(2).with_draws(1500);
    let verdict = |strategy: Strategy| problem.strategy(&strategy).verdict;
    assert_eq!(verdict(Strategy::Expected), Verdict::Exact);
    let rounded = problem.estimator("rounded soft-argmax", |logits, _| {
        let index = soft_argmax(logits, 1, 1, Coordinates::index());
        problem.cost(problem.values().gather(1, index.round().int()))
    });
    assert_eq!(rounded.verdict, Verdict::NoGradient);
    let soft = RelaxationConfig::softmax(1);
    for choice in [soft, soft.gumbel().hard()] {
        assert_eq!(verdict(Strategy::Gather(choice)), Verdict::Biased);
        assert_eq!(verdict(Strategy::BlendedGather(choice)), Verdict::Biased);
    }
    let baselines = [
        Baseline::MovingAverage { decay: 0.9 },
        Baseline::Batch,
        Baseline::Greedy,
    ];
    for baseline in baselines {
        assert_eq!(
            verdict(Strategy::ScoreFunction {
                samples: 1,
                baseline
            }),
            Verdict::Unbiased,
            "{baseline:?}"
        );
    }
}

/// For a linear cost straight-through and the soft value are exact, as their label says.
#[test]
fn orders_of_exactness_are_real() {
    let device = device();
    let logits = Tensor::<2>::from_floats([[0.3, -0.8, 1.2], [0.0, 0.1, -0.4]], &device);
    let values = Tensor::<2>::from_floats([[1.0, -2.0, 0.5], [0.3, 0.9, 2.0]], &device);
    let linear =
        Problem::new("linear", logits, values, |values| values * 3.0 - 1.0).with_draws(500);
    let soft = RelaxationConfig::softmax(1);
    for strategy in [
        Strategy::Gather(soft),
        Strategy::BlendedGather(soft.hard()),
        Strategy::Gather(soft.hard()),
        Strategy::Gather(soft.sampled()),
    ] {
        assert_eq!(
            linear.strategy(&strategy).verdict,
            Verdict::Exact,
            "{strategy}"
        );
    }
    linear
        .strategy(&Strategy::ReinMax {
            temperature: 1.0.into(),
        })
        .assert_unbiased();
}

#[test]
fn evaluations_are_counted_as_the_label_says() {
    let problem = gate(4).with_draws(3);
    for strategy in [
        Strategy::Expected,
        Strategy::ReinMax {
            temperature: 1.0.into(),
        },
        Strategy::ScoreFunction {
            samples: 3,
            baseline: Baseline::LeaveOneOut,
        },
        Strategy::ScoreFunction {
            samples: 1,
            baseline: Baseline::Greedy,
        },
    ] {
        let report = problem.strategy(&strategy);
        assert_eq!(
            report.cost_evaluations,
            strategy.label(4).evaluations,
            "{strategy}"
        );
    }
}

#[test]
fn reports_are_text_and_json() {
    let problem = gate(5).with_draws(10);
    let reports = [
        problem.strategy(&Strategy::Expected),
        greedy_score(&problem),
    ];
    let table = Table(&reports).to_string();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    let width = lines[0].chars().count();
    assert!(
        lines.iter().all(|line| line.chars().count() == width),
        "{table}"
    );
    assert!(lines[3].contains("AGAINST THE GRADIENT"), "{table}");

    let json: serde_json::Value = serde_json::from_str(&to_json(&reports)).expect("it is JSON");
    for name in [
        "problem",
        "strategy",
        "label",
        "bias_relative",
        "bias_z",
        "variance",
        "cosine",
        "cost_evaluations",
        "verdict",
    ] {
        assert!(!json[1][name].is_null(), "{name}");
    }
    assert_eq!(json[1]["verdict"], "against_the_gradient");
    let back: Vec<Report> = serde_json::from_value(json).expect("reports again");
    assert_eq!(back[0].verdict, Verdict::Exact);
}

#[track_caller]
fn message<R>(call: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(call))
        .err()
        .expect("it is refused");
    payload.downcast_ref::<String>().expect("a message").clone()
}

#[test]
fn bad_problems_are_named() {
    let device = device();
    let zeros = |shape: [usize; 2]| Tensor::<2>::zeros(shape, &device);
    let square = |values: Tensor<2>| values.square();
    let plain = Tensor::<2>::zeros([2, 3], &Device::flex());
    let text = message(|| Problem::new("", plain.clone(), plain, square));
    assert!(
        text.starts_with("audit: logits must be on a device with autodiff, got "),
        "{text}"
    );
    let text = message(|| Problem::new("", zeros([2, 3]), zeros([3, 2]), square));
    assert_eq!(
        text,
        "audit: values must have the shape of the logits, [2, 3], got [3, 2]"
    );
    let text = message(|| Problem::new("", zeros([0, 3]), zeros([0, 3]), square));
    assert_eq!(
        text,
        "audit: the size of the logits' dimension 0 must be at least 1, got 0"
    );
    let text =
        message(|| Problem::new("", zeros([2, 3]), zeros([2, 3]), |values| values.sum_dim(1)));
    assert_eq!(
        text,
        "audit: cost must have the shape [2, 3] for the values it was given, got [2, 1]"
    );
    let text = message(|| {
        Problem::new("", zeros([2, 3]), zeros([2, 3]), |values| {
            values.div_scalar(0.0)
        })
    });
    assert_eq!(
        text,
        "audit: the cost of outcome 0 in row 0 must be a finite number, got NaN"
    );
    let text = message(|| gate(0).with_draws(1));
    assert_eq!(text, "audit: draws must be at least 2, got 1");
    let bits = Tensor::<3>::zeros([1, 40, 2], &device);
    let text = message(|| Problem::joint("", bits.clone(), bits, |bits| bits.sum_dim(1)));
    assert_eq!(
        text,
        "audit: the number of outcomes must be at most 65536 to list them all, got 2 to the power of 40 = 1099511627776"
    );
    let bits = Tensor::<3>::zeros([1, 128, 2], &device);
    let text = message(|| Problem::joint("", bits.clone(), bits, |bits| bits.sum_dim(1)));
    assert_eq!(
        text,
        "audit: the number of outcomes must be at most 65536 to list them all, got 2 to the power of 128"
    );
}

/// A cost that looks at the class's number alone, without a gradient: strategies that need one have none to give.
#[test]
fn a_table_of_costs_serves_the_score_function() {
    let device = device();
    let logits = Tensor::<2>::from_floats([[0.2, -0.3, 0.6]], &device);
    let numbers = Tensor::<2>::from_floats([[0.0, 1.0, 2.0]], &device);
    let table = Tensor::<2>::from_floats([[2.0, -1.0, 0.5]], &device);
    let problem = Problem::new("table", logits, numbers, |classes: Tensor<2>| {
        table.clone().gather(1, classes.round().int())
    });
    let score = Strategy::ScoreFunction {
        samples: 2,
        baseline: Baseline::LeaveOneOut,
    };
    problem.strategy(&score).assert_unbiased();
    let blind = problem.strategy(&Strategy::ReinMax {
        temperature: 1.0.into(),
    });
    assert_eq!(blind.verdict, Verdict::NoGradient, "{blind:?}");
    assert_eq!(Array::line(problem.gradient()).data.len(), 3);
}
