//! What is special to one operator: results that are exact, inputs at the ends of what a number holds, draws, refusals.

use burn_backend::ops::FloatTensorOps;
use burn_cubecl::CubeBackend;
use burn_relax_wgpu::{
    free_energy, free_energy_backward, gumbel_softmax, gumbel_softmax_with_noise,
    hard_argmax_gather, log_softmax, log_softmax_backward, soft_argmax_gather, softmax,
    softmax_backward,
};

use crate::{
    device::{Numbers, operators::SEED, read, tensor},
    support::{LENGTHS, assert_close},
};

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
fn one_class_has_all_the_weight_and_no_gradient() {
    let (x, g) = (
        tensor(&[3.0, -1e4, 1e30], &[3, 1]),
        tensor(&[5.0; 3], &[3, 1]),
    );
    let (probs, stats) = softmax(x.clone(), 1, 0.1);
    assert_eq!(read(&probs), [1.0; 3]);
    let grad = softmax_backward(probs, stats, g.clone(), 1, 0.1);
    assert_eq!(read(&grad), [0.0; 3]);
    let (log_probs, stats) = log_softmax(x, 1);
    assert_eq!(read(&log_probs), [0.0; 3]);
    let grad = log_softmax_backward(log_probs, stats, g, 1);
    assert_eq!(read(&grad), [0.0; 3]);
}

#[test]
fn an_infinite_cost_has_no_gradient_even_if_nan_arrives() {
    let x = tensor(&[0.0; 3], &[1, 3]);
    let f = tensor(&[1.0, f32::INFINITY, 2.0], &[1, 3]);
    for temperature in [0.05, 1.0] {
        let (_, stats) = free_energy(x.clone(), f.clone(), 1, temperature);
        let g = tensor(&[f32::NAN], &[1, 1]);
        let (_, of_cost) = free_energy_backward(x.clone(), f.clone(), stats, g, 1, temperature);
        assert_eq!(read(&of_cost)[1], 0.0);
    }
}

#[test]
fn ten_million_rows_are_reached() {
    let rows = 10_000_000;
    let v = Numbers(1).take(rows, 1.0);
    let x = tensor(&v, &[rows, 1]);
    let (soft, _) = soft_argmax_gather(x.clone(), x, 1, 1.0);
    assert!(read(&soft) == v);
}

#[test]
fn temperatures_beyond_f32_are_the_limits() {
    for temperature in [1e-40, 1e-30, 1e30, 1e300] {
        let x = tensor(&[1.0, 2.0, 2.0, 0.5], &[4]);
        let v = tensor(&[1.0, 2.0, 3.0, 4.0], &[4]);
        let (soft, _) = soft_argmax_gather(x, v, 0, temperature);
        assert_close("soft", &read(&soft), &[2.5], 1e-6);
    }
}

#[test]
fn the_lowest_finite_logit_may_be_chosen() {
    let x = tensor(&[f32::NEG_INFINITY, f32::MIN, f32::MIN], &[3]);
    let (hard, _, _) = hard_argmax_gather(x, tensor(&[1.0, 2.0, 3.0], &[3]), 0, 1.0);
    assert_eq!(read(&hard), [2.0]);
}

#[test]
fn the_noise_of_an_element_does_not_depend_on_the_layout() {
    let x = Numbers(8).take(12 * 35, 3.0);
    let upright = tensor(&x, &[12, 35]);
    let turned = CubeBackend::float_swap_dims(upright.clone(), 0, 1);
    let (want, _) = gumbel_softmax(upright, 1, 1.0, SEED);
    let (got, _) = gumbel_softmax(turned, 0, 1.0, SEED);
    let got = CubeBackend::float_swap_dims(got, 0, 1);
    assert_eq!(read(&got), read(&want));
    // Twenty copies of the rows take another strategy; the first have the same noise.
    let many = tensor(&x.repeat(20), &[240, 35]);
    let (many, _) = gumbel_softmax(many, 1, 1.0, SEED);
    let want: Vec<f64> = read(&want).into_iter().map(f64::from).collect();
    assert_close("more rows", &read(&many)[..12 * 35], &want, 1e-6);
}

#[test]
#[should_panic(expected = "grad must have shape")]
fn a_gradient_of_another_shape_is_refused() {
    let (probs, stats) = softmax(tensor(&[0.0; 6], &[2, 3]), 1, 1.0);
    softmax_backward(probs, stats, tensor(&[0.0; 6], &[3, 2]), 1, 1.0);
}

#[test]
#[should_panic(expected = "values must have the shape of logits")]
fn values_of_another_shape_are_refused() {
    let (x, v) = (tensor(&[0.0; 6], &[2, 3]), tensor(&[0.0; 6], &[3, 2]));
    soft_argmax_gather(x, v, 1, 1.0);
}

#[test]
#[should_panic(expected = "noise must have shape")]
fn noise_of_another_shape_is_refused() {
    let (x, noise) = (tensor(&[0.0; 6], &[2, 3]), tensor(&[0.0; 6], &[3, 2]));
    gumbel_softmax_with_noise(x, noise, 1, 1.0);
}
