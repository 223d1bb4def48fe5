//! Estimators against enumeration: means within four standard errors, variances against the closed form.
//!
//! Every row of a large batch is one independent estimate: the gradient of the row's surrogate with respect to the row's
//! logits. Seeds are fixed, so a test that passes keeps passing.

use burn_core::tensor::{Device, Tensor};
use burn_relax::{
    Baseline, ScoreFunctionSelectorConfig, argmax, categorical_log_prob, expected_cost,
    sample_categorical, score_function_cost,
};

const LOGITS: [f32; 3] = [-2.0, 0.0, 0.5];
const COSTS: [f32; 3] = [1.0, 0.0, 3.0];
/// `J(p) f`, see docs/operators.md.
const GRADIENT: [f64; 3] = [-0.040_114, -0.655_595, 0.695_710];
const ESTIMATES: usize = 40_000;

struct Moments {
    mean: [f64; 3],
    /// Standard error of each mean.
    error: [f64; 3],
    /// Sum of the three variances, with its standard error.
    variance: (f64, f64),
}

fn moments(gradients: &[f32]) -> Moments {
    let n = (gradients.len() / 3) as f64;
    let mut mean = [0.0; 3];
    for row in gradients.chunks(3) {
        for (m, &g) in mean.iter_mut().zip(row) {
            *m += f64::from(g) / n;
        }
    }
    let mut spread = [0.0; 3];
    let (mut total, mut squares) = (0.0, 0.0);
    for row in gradients.chunks(3) {
        let mut distance = 0.0;
        for k in 0..3 {
            let square = (f64::from(row[k]) - mean[k]).powi(2);
            spread[k] += square / n;
            distance += square;
        }
        total += distance / n;
        squares += distance * distance / n;
    }
    Moments {
        mean,
        error: spread.map(|s| (s / n).sqrt()),
        variance: (total, ((squares - total * total) / n).sqrt()),
    }
}

fn batch(row: [f32; 3], device: &Device) -> Tensor<2> {
    Tensor::<2>::from_floats([row], device).repeat_dim(0, ESTIMATES)
}

/// One gradient per row, from a selector with the given samples and baseline.
fn estimates(samples: usize, baseline: Baseline) -> Vec<f32> {
    let device = Device::flex().autodiff();
    let selector = ScoreFunctionSelectorConfig::new()
        .with_samples(samples)
        .with_baseline(baseline)
        .with_seed(Some(20_261_122))
        .init(&device);
    let logits = batch(LOGITS, &device).require_grad();
    let selection = selector.forward(logits.clone(), batch(COSTS, &device));
    let surrogate = selector.surrogate(selection, |cost| cost).mean_dim(1);
    let gradients = logits.grad(&surrogate.sum().backward()).unwrap();
    gradients.into_data().try_to_vec().unwrap()
}

#[track_caller]
fn assert_unbiased(moments: &Moments) {
    for (k, expected) in GRADIENT.iter().enumerate() {
        let z = (moments.mean[k] - expected) / moments.error[k];
        assert!(z.abs() < 4.0, "logit {k}: mean {:?}, z = {z}", moments.mean);
    }
}

#[track_caller]
fn assert_variance(moments: &Moments, expected: f64) {
    let (variance, error) = moments.variance;
    let z = (variance - expected) / error;
    assert!(
        z.abs() < 4.0,
        "variance {variance}, expected {expected}, z = {z}"
    );
}

#[test]
fn the_plain_score_function_is_unbiased_with_the_enumerated_variance() {
    let moments = moments(&estimates(1, Baseline::None));
    assert_unbiased(&moments);
    assert_variance(&moments, 0.738_466);
}

#[test]
fn leave_one_out_is_unbiased_with_the_enumerated_variance() {
    for (samples, variance) in [(2, 1.131_588), (3, 0.425_123), (4, 0.236_525)] {
        let moments = moments(&estimates(samples, Baseline::LeaveOneOut));
        assert_unbiased(&moments);
        assert_variance(&moments, variance);
    }
}

#[test]
fn the_greedy_baseline_is_unbiased_and_can_hurt() {
    let moments = moments(&estimates(1, Baseline::Greedy));
    assert_unbiased(&moments);
    assert_variance(&moments, 1.822_675);
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
        let surrogate = score_function_cost(log_prob, cost, Some(baseline));
        let gradients = logits.grad(&surrogate.sum().backward()).unwrap();
        let moments = moments(&gradients.into_data().try_to_vec::<f32>().unwrap());
        assert_unbiased(&moments);
        assert_variance(&moments, variance);
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
fn advantage(selector: &burn_relax::ScoreFunctionSelector, cost: f32, device: &Device) -> f32 {
    let logits = Tensor::<2>::zeros([1, 2], device).require_grad();
    let selection = selector.forward(logits.clone(), Tensor::<2>::zeros([1, 2], device));
    let index = selection.indices.clone().into_scalar::<i64>() as usize;
    let surrogate = selector.surrogate(selection, |values| values.add_scalar(cost));
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
    let selection = selector.forward(logits.clone(), Tensor::<2>::zeros([1, 3], &device));
    let surrogate = selector.surrogate(selection, |values| values);
    assert_eq!(surrogate.clone().into_scalar::<f32>(), 0.0);
    let gradient = logits.grad(&surrogate.sum().backward()).unwrap();

    let twin = Tensor::<2>::from_floats([LOGITS], &device).require_grad();
    let entropy = burn_relax::categorical_entropy(twin.clone(), 1).mul_scalar(-0.7);
    let expected = twin.grad(&entropy.sum().backward()).unwrap();
    let difference = (gradient - expected).abs().max().into_scalar::<f32>();
    assert!(difference < 1e-6, "{difference}");
}

/// 200 steps of gradient descent at rate .5 from logits [.1, 0, 0], values [0, 1, 2], target 1; returns the expected cost.
fn descend(loss: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<1>) -> f32 {
    let device = Device::flex().autodiff();
    let cost = Tensor::<2>::from_floats([[1.0, 0.0, 1.0]], &device);
    let mut logits = Tensor::<2>::from_floats([[0.1, 0.0, 0.0]], &device);
    for _ in 0..200 {
        let leaf = logits.detach().require_grad();
        let grads = loss(leaf.clone(), cost.clone()).backward();
        let gradient = Tensor::from_inner(leaf.grad(&grads).unwrap());
        logits = leaf.detach() - gradient.mul_scalar(0.5);
    }
    expected_cost(logits, cost, 1).into_scalar::<f32>()
}

#[test]
fn the_literal_greedy_loss_climbs_where_the_exact_gradient_descends() {
    let literal = descend(|logits, cost| {
        let index = argmax(logits.clone(), 1);
        let log_prob = categorical_log_prob(logits, index.clone(), 1);
        (log_prob.neg() * cost.gather(1, index)).sum()
    });
    assert!((literal - 0.9966).abs() < 1e-4, "{literal}");
    let exact = descend(|logits, cost| expected_cost(logits, cost, 1).sum());
    assert!((exact - 0.0072).abs() < 1e-4, "{exact}");
}
