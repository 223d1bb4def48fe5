//! Same input, same bits: again and again, and from threads with streams of their own.

#![cfg(feature = "wgpu")]

mod common;

use std::{sync::Barrier, thread};

use burn_backend::DType;
use burn_cubecl::tensor::CubeTensor;
use burn_relax_wgpu::*;
use common::{Numbers, bits, read_ints, tensor};

/// Runs of everything on each thread.
const RUNS: usize = 500;

/// What every operator gives for the same data at `[rows, n]`, as bits.
fn run(rows: usize, n: usize) -> Vec<Vec<u32>> {
    let shape = [rows, n];
    let mut numbers = Numbers(n as u64);
    let mut new = |shape: &[usize]| {
        let count = shape.iter().product();
        tensor(&numbers.take(count, 1.0), shape)
    };
    let (x, v, g) = (new(&shape), new(&shape), new(&shape));
    let row = new(&[rows, 1]);
    let unit: Vec<f32> = numbers
        .take(rows * n, 1.0)
        .iter()
        .map(|v| v.abs())
        .collect();
    let unit = tensor(&unit, &shape);
    let power = tensor(&[2.5], &[1, 1]);
    let noise = || Noise::Drawn {
        key: 5,
        step: 6,
        row: 0,
    };

    let (probs, stats) = softmax(x.clone(), 1, 0.9);
    let softmax_grad = softmax_backward(probs.clone(), stats, g.clone(), 1, 0.9);
    let (sparse, stats) = entmax(x.clone(), 1, 1.3);
    let sparse_grad = entmax_backward(sparse.clone(), stats, v.clone(), 1, 1.3);
    let (shares, _) = budget(x.clone(), row.clone(), 1);
    let (soft, stats) = soft_argmax_gather(x.clone(), v.clone(), 1, 0.9);
    let (of_logits, of_values) =
        soft_argmax_gather_backward(x.clone(), v, stats, soft.clone(), row.clone(), 1, 0.9);
    let gradual = gradual_argmax(unit.clone(), power.clone(), 1);
    let (of_unit, of_power) = gradual_argmax_backward(unit, power, g.clone(), 1);
    let (hard, stats) = gumbel_argmax(x.clone(), noise(), 1, 0.9);
    let hard_grad = gumbel_argmax_backward(x.clone(), noise(), stats, g, 1, 0.9);
    let (index, log_prob, stats) = sample_categorical(x.clone(), 1, 1, 0.9, [7, 8, 0], DType::I32);
    let drawn: Vec<u32> = read_ints(&index).iter().map(|&i| i as u32).collect();
    let sample_grad = categorical_log_prob_backward(x, index, stats, row, 1, 0.9);
    let results: [CubeTensor; 15] = [
        probs,
        softmax_grad,
        soft,
        of_logits,
        of_values,
        gradual,
        of_unit,
        of_power,
        hard,
        hard_grad,
        log_prob,
        sample_grad,
        sparse,
        sparse_grad,
        shares,
    ];
    let mut bits: Vec<Vec<u32>> = results.iter().map(bits).collect();
    bits.push(drawn);
    bits
}

#[test]
fn a_thousand_runs_on_two_threads_give_the_same_bits() {
    // Few rows: lanes that wait for each other. Many rows: one unit for each.
    let shapes = [(3, 600), (40, 33)];
    let first = shapes.map(|(rows, n)| run(rows, n));
    let start = Barrier::new(2);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                start.wait();
                for i in 0..RUNS {
                    let shape = i % shapes.len();
                    let (rows, n) = shapes[shape];
                    assert!(run(rows, n) == first[shape], "run {i} of {rows} × {n}");
                }
            });
        }
    });
}

#[test]
fn long_rows_give_the_same_bits_in_two_launches() {
    let first = run(1, 128_001);
    for _ in 0..10 {
        assert!(run(1, 128_001) == first);
    }
}
