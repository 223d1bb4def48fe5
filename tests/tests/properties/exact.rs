//! What holds to the bit.

use burn_core::tensor::{DType, Tensor};
use burn_relax::{
    gumbel_noise, gumbel_softmax, leave_one_out_baseline, sample_categorical, score_function_cost,
    soft_argmax_gather, straight_through, straight_through_argmax, straight_through_sample,
};
use burn_relax_tests::{Array, Random, Table, devices};

/// Logits of many sizes, up to ±10⁴.
fn logits(rows: usize, classes: usize) -> Array {
    let mut random = Random::new(31);
    let scale: Vec<f64> = (0..rows).map(|r| [1.0, 30.0, 1e4][r % 3]).collect();
    let data: Vec<f64> = (0..rows * classes)
        .map(|i| f64::from((scale[i / classes] * random.number(-1.0, 1.0)) as f32))
        .collect();
    Array::new([rows, classes], data)
}

/// Each row holds one 1, the rest 0.
fn is_one_hot(weights: &Array) -> bool {
    weights.data.chunks(weights.shape[1]).all(|row| {
        row.iter().filter(|&&w| w == 1.0).count() == 1
            && row.iter().filter(|&&w| w == 0.0).count() == row.len() - 1
    })
}

#[test]
fn hard_choices_are_exactly_one_hot() {
    let mut table = Table::new();
    for device in devices() {
        for classes in [2, 5, 64] {
            let logits = || logits(30, classes).tensor::<2>(&device.device, DType::F32);
            let choices = [
                (
                    "straight_through_argmax",
                    straight_through_argmax(logits(), 1, 0.37),
                ),
                (
                    "straight_through_sample",
                    straight_through_sample(logits(), 1, 1.3, 0.37, 1),
                ),
                ("gumbel_softmax", gumbel_softmax(logits(), 1, 0.37, true, 2)),
            ];
            for (name, choice) in choices {
                table.check(is_one_hot(&Array::of(choice)), device.name, name);
            }
        }
    }
    table.finish();
}

/// The same on a device with autodiff, where the soft part is added and taken away again.
#[test]
fn hard_choices_stay_exact_where_gradients_are_tracked() {
    let mut table = Table::new();
    for device in devices() {
        let autodiff = device.device.autodiff();
        let logits = || {
            logits(30, 7)
                .tensor::<2>(&autodiff, DType::F32)
                .require_grad()
        };
        let choice = Array::of(gumbel_softmax(logits(), 1, 0.37, true, 2));
        table.check(is_one_hot(&choice), device.name, "gumbel_softmax");
        let values = Random::new(3).array([30, 7], -9.0, 9.0);
        let hard = soft_argmax_gather(
            logits(),
            values.tensor::<2>(&autodiff, DType::F32),
            1,
            0.37,
            true,
        );
        let plain =
            burn_relax::argmax_gather(logits(), values.tensor::<2>(&autodiff, DType::F32), 1);
        table.equal(device.name, &Array::of(hard), &Array::of(plain));
    }
    table.finish();
}

#[test]
fn straight_through_is_its_hard_argument() {
    let mut table = Table::new();
    for device in devices() {
        let autodiff = device.device.autodiff();
        let hard = Random::new(4).array([200], -1.0, 1.0);
        let soft = Random::new(5).array([200], -1e3, 1e3);
        let soft: Tensor<1> = soft.tensor(&autodiff, DType::F32).require_grad();
        let through = straight_through(hard.tensor(&autodiff, DType::F32), soft);
        table.equal(device.name, &Array::of(through), &hard);
    }
    table.finish();
}

#[test]
fn the_surrogate_is_worth_its_cost() {
    let mut table = Table::new();
    for device in devices() {
        let autodiff = device.device.autodiff();
        let cost = Random::new(6).array([200], -1e3, 1e3);
        let log_prob = Random::new(7).array([200], -50.0, 0.0);
        let log_prob: Tensor<1> = log_prob.tensor(&autodiff, DType::F32).require_grad();
        let baseline = Random::new(8)
            .array([200], -1e3, 1e3)
            .tensor(&autodiff, DType::F32);
        let surrogate =
            score_function_cost(log_prob, cost.tensor(&autodiff, DType::F32), Some(baseline));
        table.equal(device.name, &Array::of(surrogate), &cost);
    }
    table.finish();
}

/// A hard Gumbel sample is the argmax of the logits and the noise of its seed, and so is a class drawn with that seed.
#[test]
fn samples_are_the_argmax_of_logits_and_noise() {
    let mut table = Table::new();
    for device in devices() {
        let logits = Random::new(9).array([40, 6], -2.0, 2.0);
        let logits: Tensor<2> = logits.tensor(&device.device, DType::F32);
        let noise: Tensor<2> = gumbel_noise([40, 6], 1, 77, &device.device);
        let expected = straight_through_argmax(logits.clone() + noise.clone(), 1, 1.0);
        let hard = gumbel_softmax(logits.clone(), 1, 0.5, true, 77);
        table.equal(
            &format!("{} hard", device.name),
            &Array::of(hard),
            &Array::of(expected),
        );
        let index = burn_relax::argmax(logits.clone() + noise, 1);
        let drawn = sample_categorical(logits, 1, 1, 77);
        table.equal(
            &format!("{} drawn", device.name),
            &Array::of(drawn),
            &Array::of(index),
        );
    }
    table.finish();
}

/// (2 + 6) / 2 = 4, (1 + 6) / 2 = 3.5, (1 + 2) / 2 = 1.5, and the same down a column.
#[test]
fn the_leave_one_out_baseline_is_the_mean_of_the_others() {
    let mut table = Table::new();
    for device in devices() {
        let cost = || {
            Array::new([2, 3], [1.0, 2.0, 6.0, 0.0, 0.0, 3.0])
                .tensor::<2>(&device.device, DType::F32)
        };
        let across = Array::new([2, 3], [4.0, 3.5, 1.5, 1.5, 1.5, 0.0]);
        table.equal(
            device.name,
            &Array::of(leave_one_out_baseline(cost(), 1)),
            &across,
        );
        let down = Array::new([2, 3], [0.0, 0.0, 3.0, 1.0, 2.0, 6.0]);
        table.equal(
            device.name,
            &Array::of(leave_one_out_baseline(cost(), 0)),
            &down,
        );
    }
    table.finish();
}

/// Samples along any axis have that axis' size, for a batch without rows too.
#[test]
fn samples_have_their_shape() {
    let mut table = Table::new();
    for device in devices().into_iter().filter(|device| device.has_f64) {
        for (shape, dim, expected) in [
            ([2, 3, 4], 0, [7, 3, 4]),
            ([2, 3, 4], 1, [2, 7, 4]),
            ([2, 3, 4], 2, [2, 3, 7]),
            ([2, 0, 4], 2, [2, 0, 7]),
            ([0, 3, 4], 1, [0, 7, 4]),
            ([2, 3, 0], 0, [7, 3, 0]),
        ] {
            let logits = Tensor::<3>::zeros(shape, &device.device);
            let drawn = sample_categorical(logits, dim, 7, 1).dims();
            table.check(
                drawn == expected,
                device.name,
                &format!("{shape:?} along {dim} gives {drawn:?}"),
            );
        }
    }
    table.finish();
}
