//! What each strategy's gradient reaches.

use burn::tensor::{Device, Tensor};
use choice_lab::place::backend::Backend;
use choice_lab::strategy::names::Strategy;
use clap::ValueEnum;

const STEPS: usize = 10;

fn device() -> Device {
    Backend::compiled()[0]
        .device()
        .expect("the first backend needs no driver")
        .autodiff()
}

/// Cost, gradient of the logits and gradient of the values, at a step.
fn gradients(strategy: Strategy, step: usize) -> (f32, Option<Vec<f32>>, Vec<f32>) {
    let device = device();
    // Two rows, for the baseline that compares rows.
    let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]; 2], &device).require_grad();
    let values = Tensor::<2>::from_floats([[10.0, 20.0, 30.0]; 2], &device).require_grad();
    let trainer = strategy.trainer(1, STEPS, &device);
    trainer.selector.set_step(step);
    let cost = trainer
        .loss(logits.clone(), values.clone(), |values: Tensor<2>| {
            (values - 19.0).square()
        })
        .mean();
    let grads = cost.backward();
    let numbers = |tensor: Tensor<2>| {
        tensor
            .into_data()
            .iter::<f32>()
            .map(|g| 2.0 * g)
            .take(3)
            .collect::<Vec<_>>()
    };
    let of_values = values
        .grad(&grads)
        .map(numbers)
        .expect("every strategy trains the values");
    (
        cost.into_scalar(),
        logits.grad(&grads).map(numbers),
        of_values,
    )
}

fn close(a: f32, b: f32) -> bool {
    (a - b).abs() <= 1e-4 * b.abs().max(1.0)
}

#[test]
fn every_strategy_but_the_rounded_index_trains_the_classifier() {
    let asked = Strategy::value_variants().iter();
    // The oracle's classes come from elsewhere.
    for &strategy in asked.filter(|strategy| **strategy != Strategy::Oracle) {
        let (cost, logits, values) = gradients(strategy, 3);
        assert!(cost.is_finite(), "{strategy:?}");
        // Without any, be it 0, Burn's autodiff would keep every step's graph.
        let logits = logits.expect("a gradient");
        let reached = logits.iter().any(|g| *g != 0.0);
        assert_eq!(reached, strategy != Strategy::RoundedIndex, "{strategy:?}");
        assert!(values.iter().any(|g| *g != 0.0), "{strategy:?}");
    }
}

/// p = softmax(-2, 0, .5); the costs are 81, 1 and 121.
#[test]
fn the_exact_strategies_weigh_every_class() {
    let p = [0.048_608_4, 0.359_170_2, 0.592_221_4_f32];
    let (cost, ..) = gradients(Strategy::ExpectedCost, 0);
    assert!(close(cost, p[0] * 81.0 + p[1] + p[2] * 121.0), "{cost}");
    // At this temperature the second class has all the responsibility.
    let (cost, logits, values) = gradients(Strategy::FreeEnergy, 0);
    assert!(close(cost, 1.0 - 0.1 * p[1].ln()), "{cost}");
    let logits = logits.expect("a gradient");
    assert!(
        close(logits[1], 0.1 * (p[1] - 1.0)) && close(logits[2], 0.1 * p[2]),
        "{logits:?}"
    );
    assert!(close(values[1], 2.0) && values[2] == 0.0, "{values:?}");
}

/// The recommended strategy begins as the free energy and ends, from half of its steps on, at a twentieth of its temperature.
#[test]
fn the_recommended_temperature_falls() {
    let p: f32 = 0.359_170_2;
    for (step, temperature) in [(0, 0.1), (STEPS / 2, 0.005), (STEPS, 0.005)] {
        let (cost, ..) = gradients(Strategy::Auto, step);
        assert!(close(cost, 1.0 - temperature * p.ln()), "{step}: {cost}");
    }
}

/// The third class leads: its squared error is 121, and the straight-through one-hot passes its gradient on whole.
#[test]
fn the_straight_through_choice_trains_only_the_chosen_value() {
    let (cost, _, values) = gradients(Strategy::StraightThrough, 0);
    assert!(
        close(cost, 121.0) && close(values[2], 22.0),
        "{cost} {values:?}"
    );
    assert!(values[0] == 0.0 && values[1] == 0.0, "{values:?}");
}

/// The literal answer: minus log-probability times cost, and the value is pushed the wrong way with the logits.
#[test]
fn the_greedy_score_rewards_the_leader() {
    let (cost, logits, _) = gradients(Strategy::GreedyScore, 0);
    assert!(close(cost, -(0.592_221_4_f32.ln()) * 121.0), "{cost}");
    assert!(
        logits.expect("a gradient")[2] < 0.0,
        "descent raises the leading logit, however bad its value"
    );
}
