//! `softmax`, `log_softmax` and their gradients against f64 on the device.

#![cfg(feature = "wgpu")]

mod common;

use burn_backend::ops::FloatTensorOps;
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use burn_relax_wgpu::{log_softmax, log_softmax_backward, softmax, softmax_backward};
use common::{
    LENGTHS, Numbers, Rows, assert_close, assert_close_at_scale, bits, excluded, read,
    special_rows, tensor, weights,
};

/// Of the largest magnitude of a tensor.
const TOLERANCE: f64 = 1e-6;

/// Both operators and their gradients from f64, the gradients as functions of the exact probabilities.
struct Reference {
    probs: Vec<f64>,
    stats: Vec<f64>,
    grad: Vec<f64>,
    log_probs: Vec<f64>,
    log_stats: Vec<f64>,
    log_grad: Vec<f64>,
}

fn reference(x: &[f32], g: &[f32], rows: Rows, temperature: f64) -> Reference {
    let zeros = vec![0.0; x.len()];
    let mut r = Reference {
        probs: zeros.clone(),
        stats: vec![0.0; rows.count() * 2],
        grad: zeros.clone(),
        log_probs: zeros.clone(),
        log_stats: vec![0.0; rows.count() * 2],
        log_grad: zeros,
    };
    for row in 0..rows.count() {
        let logits = rows.row(x, row);
        let upstream = rows.row(g, row);
        let excluded = excluded(&logits);
        let stat = row / rows.inner * 2 * rows.inner + row % rows.inner;

        let (max, sum, w) = weights(&logits, temperature);
        let fixed = max == f64::from(f32::MAX);
        (r.stats[stat], r.stats[stat + rows.inner]) = (max, sum);
        // A NaN makes every probability of its row one.
        let ignored = |i: usize| excluded[i] && !sum.is_nan();
        let mean: f64 = (0..w.len())
            .filter(|&i| !ignored(i))
            .map(|i| w[i] * upstream[i])
            .sum();

        let (log_max, log_sum, p) = weights(&logits, 1.0);
        (r.log_stats[stat], r.log_stats[stat + rows.inner]) = (log_max, log_sum);
        let total: f64 = (0..p.len())
            .filter(|&i| !excluded[i])
            .map(|i| upstream[i])
            .sum();

        for i in 0..rows.classes {
            let at = rows.at(row, i);
            r.probs[at] = w[i];
            if !ignored(i) && !fixed {
                r.grad[at] = w[i] * (upstream[i] - mean) / temperature;
            }
            let gap = if fixed { 0.0 } else { logits[i] - log_max };
            r.log_probs[at] = if excluded[i] {
                f64::NEG_INFINITY
            } else {
                gap - log_sum.ln()
            };
            if !excluded[i] && !fixed {
                r.log_grad[at] = upstream[i] - p[i] * total;
            }
        }
    }
    r
}

#[track_caller]
fn check_tensor(what: &str, x: CubeTensor, dim: usize, temperature: f64) {
    let shape: Vec<usize> = x.meta.shape().to_vec();
    let rows = Rows::new(&shape, dim, shape.len());
    let values = read(&x);
    let g = Numbers(9).take(values.len(), 1.0);
    let want = reference(&values, &g, rows, temperature);
    let g = tensor(&g, &shape);

    let (probs, stats) = softmax(x.clone(), dim, temperature);
    assert_eq!(probs.meta.shape()[..], shape[..], "{what}: shape");
    assert_close(
        &format!("{what}: probs"),
        &read(&probs),
        &want.probs,
        TOLERANCE,
    );
    assert_close(
        &format!("{what}: stats"),
        &read(&stats),
        &want.stats,
        TOLERANCE,
    );
    let grad = softmax_backward(probs, stats, g.clone(), dim, temperature);
    // A row that is nearly decided has a gradient much smaller than the upstream gradient, in whose rounding it is lost.
    let heaviest = want.probs.iter().copied().fold(0.0, f64::max);
    let least = 0.25 * heaviest / temperature;
    assert_close_at_scale(
        &format!("{what}: grad"),
        &read(&grad),
        &want.grad,
        TOLERANCE,
        least,
    );

    let (log_probs, stats) = log_softmax(x, dim);
    assert_close(
        &format!("{what}: log_probs"),
        &read(&log_probs),
        &want.log_probs,
        TOLERANCE,
    );
    assert_close(
        &format!("{what}: log stats"),
        &read(&stats),
        &want.log_stats,
        TOLERANCE,
    );
    let grad = log_softmax_backward(log_probs, stats, g, dim);
    assert_close_at_scale(
        &format!("{what}: log grad"),
        &read(&grad),
        &want.log_grad,
        TOLERANCE,
        0.25,
    );
}

#[track_caller]
fn check(shape: &[usize], dim: usize, scale: f32, temperature: f64) {
    let x = Numbers(shape.iter().sum::<usize>() as u64).take(shape.iter().product(), scale);
    let what = format!("{shape:?} along {dim}, ±{scale}, T={temperature}");
    check_tensor(&what, tensor(&x, shape), dim, temperature);
}

#[test]
fn rows_of_every_length_agree_with_f64() {
    for n in LENGTHS {
        check(&[3, n], 1, 4.0, 0.8);
    }
}

#[test]
fn every_dim_agrees_with_f64() {
    for n in [1, 2, 16, 17, 33, 257, 1025] {
        check(&[n, 5], 0, 4.0, 0.7);
        check(&[3, n, 5], 1, 4.0, 0.7);
        check(&[2, 3, 2, n], 3, 4.0, 0.7);
    }
}

#[test]
fn many_rows_fill_several_cubes_and_axes() {
    check(&[70_001, 3], 1, 3.0, 1.0);
    check(&[20, 70_001], 0, 3.0, 1.0);
    check(&[1025, 33], 1, 3.0, 1.0);
}

#[test]
fn large_logits_stay_finite_and_exact() {
    for temperature in [1e-3, 0.1, 1.0, 10.0] {
        check(&[7, 40], 1, 1e4, temperature);
        check(&[40, 7], 0, 1e4, temperature);
    }
}

#[test]
fn transposed_sliced_and_expanded_inputs_agree_with_f64() {
    let mut numbers = Numbers(3);
    let x = tensor(&numbers.take(24 * 40, 3.0), &[24, 40]);
    let wide = tensor(&numbers.take(24, 3.0), &[24, 1]);
    let wide = CubeBackend::float_expand(wide, [24, 40].into());
    let cut = CubeBackend::float_slice(x.clone(), &[(3..20).into(), (5..38).into()]);
    let turned = CubeBackend::float_swap_dims(x, 0, 1);
    for dim in 0..2 {
        check_tensor("sliced", cut.clone(), dim, 0.5);
        check_tensor("transposed", turned.clone(), dim, 0.5);
        check_tensor("expanded", wide.clone(), dim, 0.5);
    }
    let cube = tensor(&numbers.take(4 * 5 * 6, 3.0), &[4, 5, 6]);
    for dim in 0..3 {
        check_tensor(
            "permuted",
            CubeBackend::float_permute(cube.clone(), &[2, 0, 1]),
            dim,
            0.5,
        );
    }
}

#[test]
fn masks_infinities_nan_and_ties_follow_the_contract_in_their_row_only() {
    for n in [2, 3, 16, 17, 33, 257, 1025] {
        let (x, rows) = special_rows(n);
        // Few rows share their work between lanes, many do not.
        for repeat in [1, 3] {
            let rows = rows * repeat;
            let x = tensor(&x.repeat(repeat), &[rows, n]);
            check_tensor(&format!("special rows of {n}"), x.clone(), 1, 0.5);
            let turned = CubeBackend::float_swap_dims(x, 0, 1);
            check_tensor(&format!("special columns of {n}"), turned, 0, 0.5);
        }
    }
}

#[test]
fn upstream_gradients_at_forbidden_entries_are_ignored_even_if_nan() {
    let x = tensor(&[f32::NEG_INFINITY, 1.0, 1.0], &[3]);
    let g = tensor(&[f32::NAN, 1.0, 0.0], &[3]);
    let (probs, stats) = softmax(x.clone(), 0, 1.0);
    let grad = softmax_backward(probs, stats, g.clone(), 0, 1.0);
    assert_eq!(read(&grad), [0.0, 0.25, -0.25]);
    let (log_probs, stats) = log_softmax(x, 0);
    let grad = log_softmax_backward(log_probs, stats, g, 0);
    assert_close("log grad", &read(&grad), &[0.0, 0.5, -0.5], 1e-7);
}

#[test]
fn one_class_has_all_the_weight_and_no_gradient() {
    let x = tensor(&[3.0, -1e4, 1e30], &[3, 1]);
    let (probs, stats) = softmax(x.clone(), 1, 0.1);
    assert_eq!(read(&probs), [1.0; 3]);
    let grad = softmax_backward(probs, stats, tensor(&[5.0; 3], &[3, 1]), 1, 0.1);
    assert_eq!(read(&grad), [0.0; 3]);
    let (log_probs, stats) = log_softmax(x, 1);
    assert_eq!(read(&log_probs), [0.0; 3]);
    let grad = log_softmax_backward(log_probs, stats, tensor(&[5.0; 3], &[3, 1]), 1);
    assert_eq!(read(&grad), [0.0; 3]);
}

#[test]
fn weights_sum_to_one() {
    for n in LENGTHS {
        let x = Numbers(n as u64).take(2 * n, 6.0);
        let (probs, _) = softmax(tensor(&x, &[2, n]), 1, 1.0);
        for row in read(&probs).chunks(n) {
            let sum: f64 = row.iter().map(|&p| f64::from(p)).sum();
            assert!((sum - 1.0).abs() <= 1e-6, "{sum} for {n} classes");
        }
    }
}

#[test]
fn no_rows_give_empty_results() {
    let x = tensor(&[], &[0, 5]);
    let (probs, stats) = softmax(x.clone(), 1, 1.0);
    assert_eq!(probs.meta.shape()[..], [0, 5]);
    assert_eq!(stats.meta.shape()[..], [0, 2]);
    let grad = softmax_backward(probs.clone(), stats.clone(), probs, 1, 1.0);
    assert_eq!(grad.meta.shape()[..], [0, 5]);
    let (log_probs, _) = log_softmax(x, 1);
    let grad = log_softmax_backward(log_probs.clone(), stats, log_probs, 1);
    assert_eq!(grad.meta.shape()[..], [0, 5]);
}

#[test]
fn repeated_runs_give_the_same_bits() {
    for (shape, dim) in [([7, 5000], 1), ([5000, 7], 0), ([900, 33], 1)] {
        let x = tensor(&Numbers(1).take(shape[0] * shape[1], 5.0), &shape);
        let run = || {
            let (probs, stats) = softmax(x.clone(), dim, 0.9);
            let grad = softmax_backward(probs.clone(), stats.clone(), x.clone(), dim, 0.9);
            let (log_probs, log_stats) = log_softmax(x.clone(), dim);
            let log_grad = log_softmax_backward(log_probs.clone(), log_stats, x.clone(), dim);
            [probs, stats, grad, log_probs, log_grad].map(|t| bits(&t))
        };
        let first = run();
        for _ in 0..20 {
            assert!(run() == first, "another result for {shape:?}");
        }
    }
}

#[test]
#[should_panic(expected = "grad must have shape")]
fn a_gradient_of_another_shape_is_refused() {
    let (probs, stats) = softmax(tensor(&[0.0; 6], &[2, 3]), 1, 1.0);
    softmax_backward(probs, stats, tensor(&[0.0; 6], &[3, 2]), 1, 1.0);
}
