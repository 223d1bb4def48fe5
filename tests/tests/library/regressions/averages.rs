//! One cost that is no number ruined baselines, for the batch or for good.

use burn_core::{
    module::Module,
    tensor::{Device, Tensor},
};
use burn_relax::{
    estimate::{batch_baseline, leave_one_out_baseline},
    nn::{Baseline, ScoreFunctionSelector, ScoreFunctionSelectorConfig},
};
use burn_relax_tests::{Array, devices, in_every_dtype};

const CLOSE: [f64; 2] = [1e-6, 1e-13];
const INF: f64 = f64::INFINITY;

#[test]
fn a_cost_that_is_no_number_is_not_in_its_own_baseline() {
    in_every_dtype(CLOSE, |at| {
        for (cost, expected) in [
            (vec![INF, 1.0, 2.0], vec![1.5, INF, INF]),
            (vec![-INF, 1.0, 2.0], vec![1.5, -INF, -INF]),
            (vec![INF, INF, 2.0], vec![INF, INF, INF]),
            (vec![INF, 4.0], vec![4.0, INF]),
            (vec![f64::NAN, 1.0, 3.0], vec![2.0, f64::NAN, f64::NAN]),
            (vec![INF, -INF, 2.0], vec![-INF, INF, f64::NAN]),
            // Beside 10¹⁰ an f32 total would have no digits left for the others.
            (
                vec![1e10, 1.0, 2.0],
                vec![1.5, 5_000_000_001.0, 5_000_000_000.5],
            ),
        ] {
            let title = format!("{cost:?}");
            let line = || at.tensor::<1>(cost.as_slice());
            at.is(
                &title,
                leave_one_out_baseline(line(), 0),
                expected.as_slice(),
            );
            let rows = line().reshape([cost.len(), 1]);
            at.is(
                &format!("{title}, rows"),
                batch_baseline(rows, 1),
                expected.as_slice(),
            );
        }
    });
}

/// Whatever the number of rows: their blocks are of one size, the last one filled up.
#[test]
fn every_row_has_the_mean_of_the_others() {
    in_every_dtype([1e-5, 1e-12], |at| {
        for rows in (2..40).chain([1000, 1024, 1025]) {
            let cost: Vec<f64> = (0..rows).map(|r| (r * r % 17) as f64).collect();
            let total: f64 = cost.iter().sum();
            let mean = |own: f64| (total - own) / (rows - 1) as f64;
            let expected: Vec<f64> = cost.iter().copied().map(mean).collect();
            let cost = at.tensor::<1>(cost.as_slice());
            let own = batch_baseline(cost.clone().reshape([1, rows, 1]), 2);
            at.is(
                &format!("{rows} rows"),
                own.reshape([rows]),
                expected.as_slice(),
            );
            let own = leave_one_out_baseline(cost, 0);
            at.is(&format!("{rows} samples"), own, expected.as_slice());
        }
    });
}

fn selector(device: &Device) -> ScoreFunctionSelector {
    ScoreFunctionSelectorConfig::new()
        .with_baseline(Baseline::MovingAverage { decay: 0.5 })
        .with_seed(Some(1))
        .init(device)
}

/// What a batch of equal costs of 1 exceeds the baseline by, read from the gradient of a choice between two classes; then that
/// of other costs is in the average.
fn advantage(selector: &ScoreFunctionSelector, costs: [f32; 4], device: &Device) -> f64 {
    let logits = Tensor::<2>::zeros([4, 2], device).require_grad();
    let selection = selector.choose(logits.clone(), Tensor::<2>::zeros([4, 2], device));
    let row = Array::of(selection.indices.clone()).data[3] as usize;
    let costs = Tensor::<2>::from_floats(costs.map(|cost| [cost]), device);
    let loss = selector.loss(selection, |_| costs.clone());
    let gradient = Array::of(logits.grad(&loss.sum().backward()).expect("it is tracked"));
    // d log p(k) / d x_k = ½
    gradient.data[2 * 3 + row] / 0.5
}

#[test]
fn a_bad_batch_is_forgotten_and_a_bad_cost_left_out() {
    for named in devices() {
        let device = named.device.autodiff();
        let selector = selector(&device);
        let close = |actual: f64, expected: f64| {
            let near = (actual - expected).abs() < 1e-5;
            assert!(near, "{}: {actual}, expected {expected}", named.name);
        };
        // The average is what the numbers of the batches make it: none, then 4, 4, 4, then (4/2 + 1) / 1.5 = 2 and so on.
        close(advantage(&selector, [4.0; 4], &device), 4.0);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            close(advantage(&selector, [bad, bad, bad, bad], &device), 0.0);
        }
        close(
            advantage(&selector, [f32::NAN, f32::INFINITY, 1.0, 1.0], &device),
            1.0 - 4.0,
        );
        close(
            advantage(&selector, [1.0; 4], &device),
            1.0 - (4.0 / 4.0 + 1.0 / 2.0) / (0.25 + 0.5),
        );

        // The record is as good as new.
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("selector");
        advantage(&selector, [f32::NAN; 4], &device);
        selector.clone().save_file(&path).expect("it is saved");
        let loaded = self::selector(&device).load_file(&path);
        let next = advantage(&loaded, [1.0; 4], &device);
        assert!(
            next.is_finite() && next.abs() < 3.0,
            "{}: {next}",
            named.name
        );
    }
}

#[test]
fn a_gradient_through_an_infinite_cost_is_a_number() {
    for baseline in [
        Baseline::None,
        Baseline::MovingAverage { decay: 0.5 },
        Baseline::LeaveOneOut,
        Baseline::Batch,
        Baseline::Greedy,
    ] {
        let device = Device::flex().autodiff();
        let selector = ScoreFunctionSelectorConfig::new()
            .with_samples(3)
            .with_baseline(baseline)
            .with_seed(Some(1))
            .init(&device);
        let logits = Tensor::<2>::zeros([5, 2], &device).require_grad();
        for _ in 0..3 {
            let values = Tensor::<2>::from_floats([[1.0, f32::INFINITY]], &device).expand([5, 2]);
            let selection = selector.choose(logits.clone(), values);
            let values = Array::of(selection.values.clone());
            let loss = selector.loss(selection, |values| values);
            assert_eq!(
                Array::of(loss.clone()),
                values,
                "{baseline:?}: the value is the cost"
            );
            let gradient = logits.grad(&loss.sum().backward()).expect("it is tracked");
            let finite = Array::of(gradient).data.iter().all(|g| g.is_finite());
            assert!(finite, "{baseline:?}");
        }
    }
}
