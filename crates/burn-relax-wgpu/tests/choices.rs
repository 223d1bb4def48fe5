//! Straight-through argmax, argmax, argmax gather, log-probability and their gradients against f64 on the device.

#![cfg(feature = "wgpu")]

mod common;

use burn_backend::{DType, Shape, TensorData, ops::IntTensorOps};
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use burn_relax_kernels::naive;
use burn_relax_wgpu::{
    argmax, argmax_gather, argmax_gather_backward, categorical_log_prob,
    categorical_log_prob_backward, straight_through_argmax, straight_through_argmax_backward,
};
use common::{
    LENGTHS, Numbers, assert_close, assert_close_at_scale, device, read, read_ints, rows_for,
    rows_of, special_rows, tensor,
};

/// Of the largest magnitude of a tensor.
const TOLERANCE: f64 = 1e-6;

fn indices(values: &[i32], shape: &[usize]) -> CubeTensor {
    let data = TensorData::new(values.to_vec(), Shape::from(shape));
    CubeBackend::int_from_data(data, &device())
}

/// Every operator on `x`, `[rows, n]`.
#[track_caller]
fn check(what: &str, x: &[f32], n: usize) {
    let count = x.len() / n;
    let rows = rows_of(x, n);
    let logits = tensor(x, &[count, n]);
    let mut numbers = Numbers(n as u64 + 3);
    let g = numbers.take(x.len(), 1.0);
    let upstream = rows_of(&g, n);
    let temperature = 0.7;

    let (hard, stats) = straight_through_argmax(logits.clone(), 1, temperature);
    let one_hot = |x: &Vec<f64>| {
        let k = naive::argmax(x);
        let nothing = x[k] == f64::NEG_INFINITY;
        let unknown = x.iter().any(|x| x.is_nan());
        (0..n).map(move |i| match (unknown, nothing) {
            (true, _) => f64::NAN,
            (_, true) => 0.0,
            _ => f64::from(u8::from(i == k)),
        })
    };
    let want: Vec<f64> = rows.iter().flat_map(one_hot).collect();
    assert_close(&format!("{what}: one-hot"), &read(&hard), &want, 0.0);
    let grad = straight_through_argmax_backward(
        logits.clone(),
        stats,
        tensor(&g, &[count, n]),
        1,
        temperature,
    );
    let want: Vec<f64> = rows
        .iter()
        .zip(&upstream)
        .flat_map(|(x, g)| naive::softmax_backward(x, g, temperature))
        .collect();
    let heaviest = rows
        .iter()
        .flat_map(|x| naive::softmax(x, temperature))
        .fold(0.0, f64::max);
    // A row that is nearly decided has a gradient much smaller than the upstream gradient, in whose rounding it is lost.
    let least = 0.25 * heaviest / temperature;
    assert_close_at_scale(
        &format!("{what}: one-hot backward"),
        &read(&grad),
        &want,
        TOLERANCE,
        least,
    );

    let index = argmax(logits.clone(), 1, DType::I32);
    let want: Vec<i64> = rows.iter().map(|x| naive::argmax(x) as i64).collect();
    assert_eq!(read_ints(&index), want, "{what}: argmax");

    for features in [1, 3] {
        let v = numbers.take(x.len() * features, 2.0);
        let values = tensor(&v, &[count, n, features]);
        let out = argmax_gather(logits.clone(), values, 1);
        let v = rows_of(&v, n * features);
        let want: Vec<f64> = rows
            .iter()
            .zip(&v)
            .flat_map(|(x, v)| naive::hard_argmax_gather(x, v, features))
            .collect();
        assert_close(&format!("{what}: argmax gather"), &read(&out), &want, 0.0);
        let g = numbers.take(count * features, 1.0);
        let grad = argmax_gather_backward(logits.clone(), tensor(&g, &[count, 1, features]), 1);
        let want: Vec<f64> = rows
            .iter()
            .zip(g.chunks(features))
            .flat_map(|(x, g)| {
                let k = naive::argmax(x);
                let unknown = x.iter().any(|x| x.is_nan());
                let nothing = x[k] == f64::NEG_INFINITY;
                (0..n * features).map(move |at| match (unknown, at / features == k && !nothing) {
                    (true, _) => f64::NAN,
                    (_, true) => f64::from(g[at % features]),
                    _ => 0.0,
                })
            })
            .collect();
        assert_close(
            &format!("{what}: argmax gather backward"),
            &read(&grad),
            &want,
            0.0,
        );
    }

    let samples = 5;
    let named: Vec<i32> = (0..count * samples)
        .map(|i| ((i * 7919) % n) as i32)
        .collect();
    let index = indices(&named, &[count, samples]);
    let (log_prob, stats) = categorical_log_prob(logits.clone(), index.clone(), 1);
    let want: Vec<f64> = rows
        .iter()
        .zip(named.chunks(samples))
        .flat_map(|(x, named)| {
            let l = naive::log_softmax(x);
            named.iter().map(move |&k| l[k as usize])
        })
        .collect();
    assert_close(
        &format!("{what}: log-probability"),
        &read(&log_prob),
        &want,
        TOLERANCE,
    );
    let g = numbers.take(count * samples, 1.0);
    let grad =
        categorical_log_prob_backward(logits, index, stats, tensor(&g, &[count, samples]), 1, 1.0);
    let want: Vec<f64> = rows
        .iter()
        .zip(named.chunks(samples).zip(g.chunks(samples)))
        .flat_map(|(x, (named, g))| {
            let mut total = vec![0.0; n];
            for (&k, &g) in named.iter().zip(g) {
                total[k as usize] += f64::from(g);
            }
            // Forbidden entries have no gradient even where their row holds NaN.
            let excluded = common::excluded(x);
            let grad = naive::log_softmax_backward(x, &total);
            (0..n)
                .map(|i| if excluded[i] { 0.0 } else { grad[i] })
                .collect::<Vec<f64>>()
        })
        .collect();
    assert_close_at_scale(
        &format!("{what}: log-probability backward"),
        &read(&grad),
        &want,
        TOLERANCE,
        1.0,
    );
}

#[test]
fn rows_of_every_length_agree_with_f64() {
    for n in LENGTHS {
        let x = Numbers(n as u64).take(rows_for(n) * n, 4.0);
        check(&format!("{n} classes"), &x, n);
    }
}

#[test]
fn many_rows_agree_with_f64() {
    for n in [3, 33, 128] {
        let x = Numbers(n as u64).take(1025 * n, 4.0);
        check(&format!("1025 rows of {n}"), &x, n);
    }
}

#[test]
fn masks_infinities_nan_and_ties_follow_the_contract_in_their_row_only() {
    // Beyond the longest row of a cube, parts of a row hold nothing special or nothing else.
    for n in [2, 3, 16, 17, 33, 257, 1025, 40_001] {
        let (x, _) = special_rows(n);
        for repeat in [1, 3] {
            check(&format!("special rows of {n}"), &x.repeat(repeat), n);
        }
    }
}
