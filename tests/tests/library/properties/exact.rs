//! What holds to the bit.

use burn_core::tensor::Tensor;
use burn_relax::{
    Relaxation, argmax, argmax_gather,
    distribution::{gumbel_noise, sample_categorical},
    estimate::leave_one_out_baseline,
    loss::score_function_loss,
    straight_through, straight_through_argmax,
};
use burn_relax_tests::{Array, Random, cpu_devices, on_every_device};

use super::F32;

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

/// Where gradients are tracked, too: there the soft part is added and taken away again.
#[test]
fn hard_choices_are_exactly_one_hot() {
    on_every_device(F32, |at| {
        for classes in [2, 5, 7, 64] {
            let logits = logits(30, classes);
            let tracked = at.leaves([("logits", &logits)]);
            for x in [at.tensor::<2>(&logits), tracked.get("logits")] {
                let soft = || Relaxation::softmax(0.37);
                let sampled = soft().sampled_at(1.3, 1).weights(x.clone(), 1);
                let gumbel = soft().gumbel(2).hard().weights(x.clone(), 1);
                for (name, choice) in [
                    ("argmax", straight_through_argmax(x, 1, 0.37)),
                    ("sample", sampled),
                    ("gumbel_softmax", gumbel),
                ] {
                    at.check(is_one_hot(&Array::of(choice)), name);
                }
            }
        }
    });
}

#[test]
fn hard_gathers_are_exact_where_gradients_are_tracked() {
    let values = Random::new(3).array([30, 7], -9.0, 9.0);
    on_every_device(F32, |at| {
        let x = at.leaves([("logits", &logits(30, 7)), ("values", &values)]);
        let (logits, values) = (|| x.get::<2>("logits"), || x.constant::<2>("values"));
        let plain = Array::of(argmax_gather(logits(), values(), 1));
        let hard = || Relaxation::softmax(0.37).hard();
        at.equals("hard", hard().gather(logits(), values(), 1), &plain);
        let blended = hard().blended_gather(logits(), values(), 1);
        at.equals("blended", blended, &plain);
    });
}

#[test]
fn straight_through_is_its_hard_argument() {
    let hard = Random::new(4).array([200], -1.0, 1.0);
    let soft = Random::new(5).array([200], -1e3, 1e3);
    on_every_device(F32, |at| {
        let x = at.leaves([("hard", &hard), ("soft", &soft)]);
        let through = straight_through(x.constant::<1>("hard"), x.get("soft"));
        at.equals("hard", through, &hard);
    });
}

#[test]
fn the_surrogate_is_worth_its_cost() {
    let cost = Random::new(6).array([200], -1e3, 1e3);
    let log_prob = Random::new(7).array([200], -50.0, 0.0);
    let baseline = Random::new(8).array([200], -1e3, 1e3);
    on_every_device(F32, |at| {
        let x = at.leaves([("p", &log_prob), ("cost", &cost), ("baseline", &baseline)]);
        let baseline = Some(x.constant("baseline"));
        let surrogate = score_function_loss(x.get::<1>("p"), x.constant("cost"), baseline);
        at.equals("cost", surrogate, &cost);
    });
}

/// A hard Gumbel sample is the argmax of the logits and the noise of its seed, and so is a class drawn with that seed.
#[test]
fn samples_are_the_argmax_of_logits_and_noise() {
    let logits = Random::new(9).array([40, 6], -2.0, 2.0);
    on_every_device(F32, |at| {
        let logits = at.tensor::<2>(&logits);
        let perturbed = logits.clone() + gumbel_noise([40, 6], 1, 77, &at.device);
        let expected = straight_through_argmax(perturbed.clone(), 1, 1.0);
        let hard = Relaxation::softmax(0.5).gumbel(77).hard();
        at.equals("hard", hard.weights(logits.clone(), 1), expected);
        let drawn = sample_categorical(logits, 1, 1, 77);
        at.equals("drawn", drawn, argmax(perturbed, 1));
    });
}

/// (2 + 6) / 2 = 4, (1 + 6) / 2 = 3.5, (1 + 2) / 2 = 1.5, and the same down a column.
#[test]
fn the_leave_one_out_baseline_is_the_mean_of_the_others() {
    on_every_device(F32, |at| {
        let cost = || at.tensor::<2>([[1.0, 2.0, 6.0], [0.0, 0.0, 3.0]]);
        let across = [[4.0, 3.5, 1.5], [1.5, 1.5, 0.0]];
        at.equals("across", leave_one_out_baseline(cost(), 1), across);
        let down = [[0.0, 0.0, 3.0], [1.0, 2.0, 6.0]];
        at.equals("down", leave_one_out_baseline(cost(), 0), down);
    });
}

/// Samples along any axis have that axis' size, for a batch without rows too.
#[test]
fn samples_have_their_shape() {
    for device in cpu_devices() {
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
            assert_eq!(drawn, expected, "{shape:?} along {dim} on {}", device.name);
        }
    }
}
