use std::collections::BTreeMap;

use burn_core::tensor::{DType, Device, Tensor};
use burn_relax::{
    distribution::categorical_log_prob,
    estimate::leave_one_out_baseline,
    loss::{expected_loss, free_energy_loss, score_function_loss},
    softmax,
};
use burn_relax_tests::{Array, Golden, Leaves, flat};

use super::{Results, compare};

type Baseline = fn(Tensor<2>) -> Option<Tensor<2>>;

/// The file stores samples × rows; here a row's samples lie along its logits' axis. Its surrogate is the plain mean of
/// `log_prob · advantage`: another value than ours, which is the cost, with the same gradient.
fn score(op: &str, baseline: Baseline) {
    compare(op, |case, device, dtype| {
        let mut inputs = case.inputs.clone();
        for name in ["cost", "index"] {
            inputs.insert(name.to_owned(), case.inputs[name].transpose());
        }
        let leaves = Leaves::new(device, dtype, inputs);
        let cost = leaves.constant::<2>("cost");
        let baseline = baseline(cost.clone());
        let log_prob = categorical_log_prob(leaves.get::<2>("logits"), leaves.ints("index"), 1);
        let advantage = match &baseline {
            Some(baseline) => cost.clone() - baseline.clone(),
            None => cost.clone(),
        };
        let plain = log_prob.clone().mul(advantage.clone()).mean();
        let ours = score_function_loss(log_prob, cost, baseline).mean();
        vec![Results {
            outputs: BTreeMap::from([
                ("surrogate".to_owned(), Array::of(plain)),
                ("advantage".to_owned(), Array::of(advantage).transpose()),
            ]),
            grads: leaves.gradients(ours, Array::line([1.0])),
        }]
    });
}

#[test]
fn the_score_function_agrees_with_its_goldens() {
    score("score_function", |_| None);
}

#[test]
fn the_score_function_with_a_batch_mean_agrees_with_its_goldens() {
    score("score_function_batch_mean", |cost| {
        let shape = cost.shape();
        Some(cost.mean_dim(0).expand(shape))
    });
}

#[test]
fn the_score_function_with_the_other_rows_agrees_with_its_goldens() {
    score("score_function_batch_leave_one_out", |cost| {
        Some(leave_one_out_baseline(cost, 0))
    });
}

#[test]
fn the_score_function_with_the_other_samples_agrees_with_its_goldens() {
    score("score_function_leave_one_out", |cost| {
        Some(leave_one_out_baseline(cost, 1))
    });
}

/// Output `y`, summed with the case's weights, and its gradients.
fn weighted(case: &Golden, leaves: &Leaves, y: Tensor<1>) -> Vec<Results> {
    let weights = Array::line(case.cotangents["y"].data.clone());
    let output = Array::new(case.outputs["y"].shape.clone(), Array::of(y.clone()).data);
    vec![Results {
        outputs: BTreeMap::from([("y".to_owned(), output)]),
        grads: leaves.gradients(y, &weights),
    }]
}

#[test]
fn expected_cost_agrees_with_its_goldens() {
    compare("expected_cost", |case, device, dtype| {
        let x = Leaves::new(device, dtype, case.inputs.clone());
        let y = expected_loss(x.get::<2>("logits"), x.get("cost"), 1).mean();
        weighted(case, &x, y)
    });
}

#[test]
fn free_energy_cost_agrees_with_its_goldens() {
    compare("free_energy", |case, device, dtype| {
        let value = case.number("temperature");
        let energy = |tensor: bool| {
            let mut inputs = case.inputs.clone();
            inputs.insert("temperature".to_owned(), Array::new([], [value]));
            let x = Leaves::new(device, dtype, inputs);
            let (logits, cost) = (x.get::<2>("logits"), x.get("cost"));
            let y = if tensor {
                free_energy_loss(logits, cost, 1, x.get::<2>("temperature"))
            } else {
                free_energy_loss(logits, cost, 1, value)
            };
            weighted(case, &x, flat(y))
        };
        [false, true].into_iter().flat_map(energy).collect()
    });
}

/// The mean of an estimator's gradient over every tuple of `samples` classes, each with its probability.
fn enumerate(case: &Golden, device: &Device, dtype: DType, samples: usize) -> Array {
    let logits = &case.inputs["logits"];
    let classes = logits.shape[1];
    let probs = Array::of(softmax(logits.tensor::<2>(device, dtype), 1, 1.0)).data;
    let mut mean = logits.map(|_| 0.0);
    for tuple in 0..classes.pow(samples as u32) {
        let digit = |s: usize| tuple / classes.pow(s as u32) % classes;
        let chosen: Vec<usize> = (0..samples).map(digit).collect();
        let index = Array::new(
            [1, samples],
            chosen.iter().map(|&k| k as f64).collect::<Vec<_>>(),
        );
        let probability: f64 = chosen.iter().map(|&k| probs[k]).product();

        let x = Leaves::new(device, dtype, case.inputs.clone());
        let log_prob = categorical_log_prob(x.get::<2>("logits"), index.ints(device), 1);
        let cost = x.constant::<2>("cost").gather(1, index.ints(device));
        let baseline = (samples > 1).then(|| leave_one_out_baseline(cost.clone(), 1));
        let surrogate = score_function_loss(log_prob, cost, baseline).mean();
        let gradient = &x.gradients(surrogate, Array::line([1.0]))["logits"];
        for (sum, g) in mean.data.iter_mut().zip(&gradient.data) {
            *sum += probability * g;
        }
    }
    mean
}

#[test]
fn estimators_enumerated_over_all_samples_are_unbiased() {
    compare("unbiased_by_enumeration", |case, device, dtype| {
        let x = Leaves::new(device, dtype, case.inputs.clone());
        let exact = expected_loss(x.get::<2>("logits"), x.constant("cost"), 1);
        vec![Results {
            outputs: BTreeMap::from([
                ("reinforce".to_owned(), enumerate(case, device, dtype, 1)),
                ("rloo2".to_owned(), enumerate(case, device, dtype, 2)),
            ]),
            grads: x.gradients(flat(exact), Array::line([1.0])),
        }]
    });
}
