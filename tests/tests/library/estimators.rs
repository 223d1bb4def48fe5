//! Estimators against enumeration: means within four standard errors, variances against the closed form.
//!
//! Every row of a large batch is one independent estimate: the gradient of the row's surrogate with respect to the row's
//! logits. Seeds are fixed, so a test that passes keeps passing.

use burn_core::tensor::{Device, Tensor};
use burn_relax::{
    distribution::{categorical_entropy, categorical_log_prob, sample_categorical},
    loss::score_function_loss,
    nn::{Baseline, ScoreFunctionSelector, ScoreFunctionSelectorConfig},
};
use burn_relax_tests::{Array, Moments};

const LOGITS: [f32; 3] = [-2.0, 0.0, 0.5];
const COSTS: [f32; 3] = [1.0, 0.0, 3.0];
/// `J(p) f`, see docs/operators.md.
const GRADIENT: [f64; 3] = [-0.040_114, -0.655_595, 0.695_710];
const ESTIMATES: usize = 40_000;

fn batch(row: [f32; 3], device: &Device) -> Tensor<2> {
    Tensor::<2>::from_floats([row], device).repeat_dim(0, ESTIMATES)
}

/// One gradient per row, from a selector with the given samples and baseline.
fn estimates(samples: usize, baseline: Baseline) -> Moments {
    let device = Device::flex().autodiff();
    let selector = ScoreFunctionSelectorConfig::new()
        .with_samples(samples)
        .with_baseline(baseline)
        .with_seed(Some(20_261_122))
        .init(&device);
    let logits = batch(LOGITS, &device).require_grad();
    let selection = selector.choose(logits.clone(), batch(COSTS, &device));
    let surrogate = selector.loss(selection, |cost| cost).mean_dim(1);
    moments_of(logits, surrogate)
}

fn moments_of(logits: Tensor<2>, surrogate: Tensor<2>) -> Moments {
    let gradients = logits.grad(&surrogate.sum().backward()).unwrap();
    Moments::of_rows(&Array::of(gradients).data, 3)
}

#[track_caller]
fn assert_unbiased(moments: &Moments, variance: f64) {
    let components = moments.mean.iter().zip(&moments.variances);
    for ((mean, own), expected) in components.zip(GRADIENT) {
        let z = (mean - expected) / (own / moments.count).sqrt();
        assert!(z.abs() < 4.0, "mean {:?}, z = {z}", moments.mean);
    }
    let z = (moments.variance - variance) / moments.error();
    assert!(
        z.abs() < 4.0,
        "variance {}, expected {variance}, z = {z}",
        moments.variance
    );
}

/// The greedy baseline can hurt.
#[test]
fn every_baseline_is_unbiased_with_the_enumerated_variance() {
    for (samples, baseline, variance) in [
        (1, Baseline::None, 0.738_466),
        (2, Baseline::LeaveOneOut, 1.131_588),
        (3, Baseline::LeaveOneOut, 0.425_123),
        (4, Baseline::LeaveOneOut, 0.236_525),
        (1, Baseline::Greedy, 1.822_675),
    ] {
        assert_unbiased(&estimates(samples, baseline), variance);
    }
}

#[test]
fn a_given_baseline_is_unbiased_and_lowers_the_variance() {
    let device = Device::flex().autodiff();
    // The expected cost, and the constant with the least variance.
    for (baseline, variance) in [(1.825_214, 0.287_564), (1.151_101, 0.052_206)] {
        let logits = batch(LOGITS, &device).require_grad();
        let indices = sample_categorical(logits.clone(), 1, 1, 99);
        let cost = batch(COSTS, &device).gather(1, indices.clone());
        let log_prob = categorical_log_prob(logits.clone(), indices, 1);
        let baseline = Tensor::full([ESTIMATES, 1], baseline, &device);
        let surrogate = score_function_loss(log_prob, cost, Some(baseline));
        assert_unbiased(&moments_of(logits, surrogate), variance);
    }
}

#[test]
fn sampled_frequencies_follow_the_softmax() {
    let device = Device::flex();
    let draws = sample_categorical(batch(LOGITS, &device), 1, 4, 5);
    let draws: Vec<i64> = draws.into_data().convert::<i64>().try_to_vec().unwrap();
    let n = draws.len() as f64;
    // softmax([-2, 0, .5])
    for (class, p) in [0.048_610_8, 0.359_188_1, 0.592_201_1_f64]
        .into_iter()
        .enumerate()
    {
        let share = draws.iter().filter(|&&k| k == class as i64).count() as f64 / n;
        let error = (p * (1.0 - p) / n).sqrt();
        assert!(
            (share - p).abs() < 4.0 * error,
            "class {class}: {share}, expected {p}"
        );
    }
}

/// Advantage of each step, read from the gradient of the log-probability's logit in a two-class problem.
fn advantage(selector: &ScoreFunctionSelector, cost: f32, device: &Device) -> f32 {
    let logits = Tensor::<2>::zeros([1, 2], device).require_grad();
    let selection = selector.choose(logits.clone(), Tensor::<2>::zeros([1, 2], device));
    let index = selection.indices.clone().into_scalar::<i64>() as usize;
    let surrogate = selector.loss(selection, |values| values.add_scalar(cost));
    assert_eq!(
        surrogate.clone().into_scalar::<f32>(),
        cost,
        "the value is the cost"
    );
    let gradient = logits.grad(&surrogate.sum().backward()).unwrap();
    // d log p(k) / d x_k = 1 - 1/2
    gradient.into_data().try_to_vec::<f32>().unwrap()[index] / 0.5
}

#[test]
fn a_moving_average_is_used_before_it_is_updated_and_absent_at_first() {
    let device = Device::flex().autodiff();
    let selector = ScoreFunctionSelectorConfig::new()
        .with_baseline(Baseline::MovingAverage { decay: 0.5 })
        .with_seed(Some(1))
        .init(&device);
    // First step: none. Second: the first cost. Third: (10/2 + 4) / (1/2 + 1) weighted by age = 6.
    assert!((advantage(&selector, 10.0, &device) - 10.0).abs() < 1e-5);
    assert!((advantage(&selector, 4.0, &device) - (4.0 - 10.0)).abs() < 1e-5);
    assert!((advantage(&selector, 1.0, &device) - (1.0 - 6.0)).abs() < 1e-5);
}

#[test]
fn the_entropy_bonus_changes_the_gradient_and_not_the_value() {
    let device = Device::flex().autodiff();
    let logits = Tensor::<2>::from_floats([LOGITS], &device).require_grad();
    let selector = ScoreFunctionSelectorConfig::new()
        .with_entropy_weight(0.7)
        .with_seed(Some(1))
        .init(&device);
    // A cost of 0 leaves the bonus alone: -0.7 dH/dx.
    let selection = selector.choose(logits.clone(), Tensor::<2>::zeros([1, 3], &device));
    let surrogate = selector.loss(selection, |values| values);
    assert_eq!(surrogate.clone().into_scalar::<f32>(), 0.0);
    let gradient = logits.grad(&surrogate.sum().backward()).unwrap();

    let twin = Tensor::<2>::from_floats([LOGITS], &device).require_grad();
    let entropy = categorical_entropy(twin.clone(), 1).mul_scalar(-0.7);
    let expected = twin.grad(&entropy.sum().backward()).unwrap();
    let difference = (gradient - expected).abs().max().into_scalar::<f32>();
    assert!(difference < 1e-6, "{difference}");
}
