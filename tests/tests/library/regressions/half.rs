//! Sums, indices and coefficients that were shortened to 16 bits before anything was computed of them.

use burn_core::tensor::{DType, Device, Tensor};
use burn_nn::loss::Reduction;
use burn_relax::{
    Relaxation, Strategy,
    estimate::{batch_baseline, leave_one_out_baseline},
    nn::{Baseline, EntmaxLossConfig, ScoreFunctionSelectorConfig, SelectorConfig},
    power_softmax,
    relax::Coordinates,
    soft_argmax,
    sparse::budget,
};
use burn_relax_tests::{Array, cpu_devices};

const SHORT: [DType; 2] = [DType::F16, DType::BF16];

fn everywhere(check: impl Fn(&Device, DType)) {
    // The only CPU backend with short floats.
    let device = cpu_devices()[0].device.clone().autodiff();
    for dtype in SHORT {
        check(&device, dtype);
    }
}

fn full<const D: usize>(shape: [usize; D], value: f64, device: &Device, dtype: DType) -> Tensor<D> {
    Tensor::full(shape, value, (device, dtype))
}

/// The sum of a hundred thousands is infinite in f16.
#[test]
fn the_mean_of_many_costs_is_infinite_no_more() {
    everywhere(|device, dtype| {
        let costs = full([100], 1000.0, device, dtype);
        let baseline = Array::of(leave_one_out_baseline(costs, 0));
        assert_eq!(baseline.data, [1000.0; 100], "{dtype:?}");
        let costs = full([100, 3], 1000.0, device, dtype);
        let baseline = Array::of(batch_baseline(costs, 1));
        assert_eq!(baseline.data, [1000.0; 300], "{dtype:?}");
    });
}

#[test]
fn the_gradient_through_a_selector_of_many_samples_is_a_number() {
    for baseline in [
        Baseline::LeaveOneOut,
        Baseline::Batch,
        Baseline::MovingAverage { decay: 0.9 },
    ] {
        everywhere(|device, dtype| {
            let selector = ScoreFunctionSelectorConfig::new()
                .with_samples(100)
                .with_baseline(baseline)
                .with_entropy_weight(0.1)
                .with_joint_dim(Some(1))
                .with_seed(Some(1))
                .init(device);
            let logits = Tensor::<3>::zeros([4, 200, 3], (device, dtype)).require_grad();
            let values = full([4, 200, 3], 1000.0, device, dtype);
            for _ in 0..2 {
                let selection = selector.choose(logits.clone(), values.clone());
                let loss = selector.loss(selection, |values| values.narrow(1, 0, 1));
                assert_eq!(Array::of(loss.clone()).data[0], 1000.0, "{dtype:?}");
                let gradient = logits.grad(&loss.sum().backward()).expect("it is tracked");
                let finite = Array::of(gradient).data.iter().all(|g| g.is_finite());
                assert!(finite, "{baseline:?} in {dtype:?}");
            }
        });
    }
}

/// Each row's loss is rounded once, with all the others: 1/3 of 4096 rows is 1365.33, not a sum of rounded thirds.
#[test]
fn a_sum_of_losses_is_rounded_once() {
    everywhere(|device, dtype| {
        let logits = Tensor::<2>::zeros([4096, 3], (device, dtype));
        let targets = Tensor::<1>::zeros([4096], device).int();
        let loss = burn_relax::nn::SparsemaxLossConfig::new().init();
        let sum = Array::of(loss.forward(logits.clone(), targets.clone(), Reduction::Sum));
        let expected = full([1], 4096.0 / 3.0, device, dtype);
        assert_eq!(sum, Array::of(expected), "{dtype:?}");
        let loss = EntmaxLossConfig::new().with_alpha(2.0).init();
        let mean = Array::of(loss.forward(logits, targets, Reduction::Mean));
        let expected = full([1], 1.0 / 3.0, device, dtype);
        assert_eq!(mean, Array::of(expected), "{dtype:?}");
    });
}

/// bf16 counts to 256, f16 to 2048.
fn neighbours(first: usize, device: &Device, dtype: DType) -> Tensor<1> {
    let mut logits = vec![-100.0; 3000];
    (logits[first], logits[first + 1]) = (10.0, 10.0);
    Array::line(logits).tensor(device, dtype)
}

#[test]
fn neighbours_far_along_the_line_have_a_variance_of_a_quarter() {
    everywhere(|device, dtype| {
        for first in [300, 2100] {
            let logits = neighbours(first, device, dtype);
            let choice = Relaxation::softmax(1.0);
            let (_, variance) = choice.coordinate_with_variance(logits, 0, Coordinates::index());
            assert_eq!(Array::of(variance).data, [0.25], "{first} in {dtype:?}");
        }
    });
}

#[test]
fn windows_far_along_the_line_have_a_gradient() {
    everywhere(|device, dtype| {
        for first in [300, 2100] {
            let logits = neighbours(first, device, dtype).require_grad();
            let choice = Relaxation::softmax(1.0);
            let place = choice.windowed_coordinate(logits.clone(), 0, Coordinates::index(), 1.0);
            let gradient = logits.grad(&place.backward()).expect("it is tracked");
            let gradient = Array::of(gradient).data;
            // ±¼, the window being the two and one that has no weight.
            assert_eq!(
                gradient[first..=first + 1],
                [-0.25, 0.25],
                "{first} in {dtype:?}"
            );
        }
    });
}

/// The largest f16 is 65504.
#[test]
fn more_classes_than_a_short_float_can_count_are_no_infinity() {
    everywhere(|device, dtype| {
        let mut numbers = vec![-100.0; 70_000];
        numbers[5] = 0.0;
        let logits = || Array::line(numbers.clone()).tensor::<1>(device, dtype);
        let index = soft_argmax(logits(), 0, 1.0, Coordinates::index());
        assert_eq!(Array::of(index).data, [5.0], "{dtype:?}");
        let logits = logits().require_grad();
        let choice = Relaxation::softmax(1.0);
        let place = choice.windowed_coordinate(logits.clone(), 0, Coordinates::index(), 2.0);
        assert_eq!(Array::of(place.clone()).data, [5.0], "{dtype:?}");
        let gradient = logits.grad(&place.backward()).expect("it is tracked");
        assert!(
            Array::of(gradient).data.iter().all(|g| g.is_finite()),
            "{dtype:?}"
        );
    });
}

#[test]
fn the_value_between_two_far_neighbours_is_between_them() {
    everywhere(|device, dtype| {
        let strategy = Strategy::SoftArgmax {
            temperature: 1.0.into(),
        };
        let selector = SelectorConfig::new().with_strategy(strategy).init(device);
        let logits = neighbours(2100, device, dtype);
        let mut numbers = vec![0.0; 3000];
        (numbers[2100], numbers[2101]) = (1.0, 3.0);
        let values = Array::line(numbers).tensor::<1>(device, dtype);
        let loss = selector.loss(logits, values, |values| values);
        assert_eq!(Array::of(loss).data, [2.0], "{dtype:?}");
    });
}

/// 3001 is 3008 in bf16, whose other seven would go to the classes that are not chosen.
#[test]
fn a_budget_that_a_short_float_rounds_is_kept() {
    everywhere(|device, dtype| {
        let logits: Vec<f64> = (0..4096)
            .map(|i| if i < 3001 { 100.0 } else { -100.0 })
            .collect();
        let logits = Array::line(logits).tensor::<1>(device, dtype);
        let probs = Array::of(budget(logits, 0, 3001));
        assert_eq!(probs.data.iter().sum::<f64>(), 3001.0, "{dtype:?}");
    });
}

#[test]
fn a_power_beyond_a_short_float_gives_the_argmax() {
    everywhere(|device, dtype| {
        let values = Array::line([0.5, 0.25, 0.0]).tensor::<1>(device, dtype);
        let probs = Array::of(power_softmax(values, 0, 70_000));
        assert_eq!(probs.data, [1.0, 0.0, 0.0], "{dtype:?}");
    });
}

/// 4096 rows of a gradient of 1: beyond 2048 a sum in f16 stands still, beyond 256 one in bf16.
#[test]
fn the_gradient_of_a_shared_coefficient_is_summed_in_f32() {
    everywhere(|device, dtype| {
        let values = full([4096, 2], 0.5, device, dtype);
        let power = full([1, 1], 1.0, device, dtype).require_grad();
        let sharp = burn_relax::gradual_argmax(values, 1, power.clone());
        let gradient = power.grad(&sharp.sum().backward()).expect("it is tracked");
        // Two tied maxima a row: -½ ln ½ each, which a short float has rounded row by row.
        let expected = 4096.0 * 0.5f64.ln().abs();
        let actual = Array::of(gradient).data[0];
        assert!(
            (actual / expected - 1.0).abs() < 0.01,
            "{dtype:?}: {actual}"
        );
    });
}
