//! Gradual argmax, power softmax, soft-argmax, free energy and their gradients against f64 on the device.

#![cfg(feature = "wgpu")]

mod common;

use burn_relax_kernels::naive;
use burn_relax_wgpu::{
    free_energy, free_energy_backward, gradual_argmax, gradual_argmax_backward, power_softmax,
    power_softmax_backward, soft_argmax, soft_argmax_backward,
};
use common::{
    LENGTHS, Numbers, assert_close, assert_close_at_scale, read, rows_for, rows_of, special_rows,
    tensor,
};

/// Of the largest magnitude of a tensor.
const TOLERANCE: f64 = 1e-6;

/// A responsibility is a quotient of two exponentials of differences, where a weight is one of one.
const RESPONSIBILITY: f64 = 2.0 * TOLERANCE;

/// Gradual argmax and power softmax of `v`, `[rows, n]`, with one power for each row.
#[track_caller]
fn check_powers(what: &str, v: &[f32], powers: &[f32], n: usize) {
    let count = v.len() / n;
    let rows = rows_of(v, n);
    let g = Numbers(n as u64 + 5).take(v.len(), 1.0);
    let upstream = rows_of(&g, n);
    let values = || tensor(v, &[count, n]);
    let grad = || tensor(&g, &[count, n]);
    let power = || tensor(powers, &[powers.len(), 1]);
    let power_of = |r: usize| f64::from(powers[r % powers.len()]);

    let y = gradual_argmax(values(), power(), 1);
    let want: Vec<f64> = (0..count)
        .flat_map(|r| naive::gradual_argmax(&rows[r], power_of(r)))
        .collect();
    assert_close(&format!("{what}: gradual"), &read(&y), &want, TOLERANCE);

    let (of_values, of_power) = gradual_argmax_backward(values(), power(), grad(), 1);
    let want: Vec<(Vec<f64>, f64)> = (0..count)
        .map(|r| naive::gradual_argmax_backward(&rows[r], power_of(r), &upstream[r]))
        .collect();
    let want_values: Vec<f64> = want.iter().flat_map(|(v, _)| v.clone()).collect();
    let want_power: Vec<f64> = want.iter().map(|(_, p)| *p).collect();
    assert_close(
        &format!("{what}: gradual backward, values"),
        &read(&of_values),
        &want_values,
        TOLERANCE,
    );
    // A sum of n terms of order 1 and either sign, each of them rounded.
    assert_close_at_scale(
        &format!("{what}: gradual backward, power"),
        &read(&of_power),
        &want_power,
        TOLERANCE,
        (n as f64).sqrt(),
    );

    let (y, stats) = power_softmax(values(), power(), 1);
    let want: Vec<f64> = (0..count)
        .flat_map(|r| naive::power_softmax(&rows[r], power_of(r)))
        .collect();
    assert_close(
        &format!("{what}: power softmax"),
        &read(&y),
        &want,
        TOLERANCE,
    );
    let (of_values, of_power) = power_softmax_backward(values(), power(), stats, grad(), 1);
    let want: Vec<(Vec<f64>, f64)> = (0..count)
        .map(|r| naive::power_softmax_backward(&rows[r], power_of(r), &upstream[r]))
        .collect();
    let want_values: Vec<f64> = want.iter().flat_map(|(v, _)| v.clone()).collect();
    let want_power: Vec<f64> = want.iter().map(|(_, p)| *p).collect();
    // A lone class has no gradient but that of the upstream gradient's rounding.
    let least = if n == 1 { 1.0 } else { 1e-30 };
    assert_close_at_scale(
        &format!("{what}: power softmax backward, values"),
        &read(&of_values),
        &want_values,
        TOLERANCE,
        least,
    );
    assert_close_at_scale(
        &format!("{what}: power softmax backward, power"),
        &read(&of_power),
        &want_power,
        TOLERANCE,
        1.0,
    );
}

/// Soft-argmax and free energy of `x`, `[rows, n]`.
#[track_caller]
fn check_sums(what: &str, x: &[f32], n: usize) {
    let count = x.len() / n;
    let rows = rows_of(x, n);
    let logits = || tensor(x, &[count, n]);
    let mut numbers = Numbers(n as u64 + 9);
    let c = numbers.take(n, 1.0);
    let c_row = rows_of(&c, n).remove(0);
    let g = numbers.take(count, 1.0);
    let upstream = || tensor(&g, &[count, 1]);
    let temperature = 0.7;

    let (y, stats) = soft_argmax(logits(), tensor(&c, &[n]), 1, temperature);
    let want: Vec<f64> = rows
        .iter()
        .flat_map(|x| naive::soft_argmax_gather(x, &c_row, 1, temperature))
        .collect();
    assert_close_at_scale(
        &format!("{what}: soft-argmax"),
        &read(&y),
        &want,
        TOLERANCE,
        1.0,
    );
    let grad = soft_argmax_backward(
        logits(),
        tensor(&c, &[n]),
        stats,
        y,
        upstream(),
        1,
        temperature,
    );
    let want: Vec<f64> = rows
        .iter()
        .zip(&g)
        .flat_map(|(x, &g)| {
            let (of_logits, _) =
                naive::soft_argmax_gather_backward(x, &c_row, &[f64::from(g)], temperature);
            // Forbidden entries have no gradient even where their row holds NaN.
            let excluded = common::excluded(x);
            (0..n)
                .map(|i| if excluded[i] { 0.0 } else { of_logits[i] })
                .collect::<Vec<f64>>()
        })
        .collect();
    assert_close_at_scale(
        &format!("{what}: soft-argmax backward"),
        &read(&grad),
        &want,
        TOLERANCE,
        1.0 / n as f64,
    );

    let f = numbers.take(x.len(), 2.0);
    let costs = rows_of(&f, n);
    let cost = || tensor(&f, &[count, n]);
    for temperature in [0.05, 0.7, 30.0] {
        let (y, stats) = free_energy(logits(), cost(), 1, temperature);
        let want: Vec<f64> = rows
            .iter()
            .zip(&costs)
            .map(|(x, f)| naive::free_energy(x, f, temperature))
            .collect();
        let what = format!("{what}: free energy at {temperature}");
        assert_close_at_scale(&what, &read(&y), &want, TOLERANCE, 1.0);
        let (of_logits, of_cost) =
            free_energy_backward(logits(), cost(), stats, upstream(), 1, temperature);
        let want: Vec<(Vec<f64>, Vec<f64>)> = rows
            .iter()
            .zip(costs.iter().zip(&g))
            .map(|(x, (f, &g))| {
                let excluded = common::excluded(x);
                let (a, b) = naive::free_energy_backward(x, f, temperature, f64::from(g));
                let keep = |v: Vec<f64>| {
                    (0..n)
                        .map(|i| if excluded[i] { 0.0 } else { v[i] })
                        .collect::<Vec<f64>>()
                };
                (keep(a), keep(b))
            })
            .collect();
        let want_logits: Vec<f64> = want.iter().flat_map(|(v, _)| v.clone()).collect();
        let want_cost: Vec<f64> = want.iter().flat_map(|(_, v)| v.clone()).collect();
        // A difference of weights, scaled by the temperature.
        let least = temperature.max(1.0) / n as f64;
        assert_close_at_scale(
            &format!("{what} backward, logits"),
            &read(&of_logits),
            &want_logits,
            RESPONSIBILITY,
            least,
        );
        assert_close_at_scale(
            &format!("{what} backward, cost"),
            &read(&of_cost),
            &want_cost,
            RESPONSIBILITY,
            1.0 / n as f64,
        );
    }
}

/// Numbers in [0, 1), some of them 0.
fn unit(count: usize, seed: u64) -> Vec<f32> {
    let mut v = Numbers(seed).take(count, 1.0);
    for (i, v) in v.iter_mut().enumerate() {
        *v = if i % 11 == 5 { 0.0 } else { v.abs() };
    }
    v
}

#[test]
fn powers_of_rows_of_every_length_agree_with_f64() {
    for n in LENGTHS {
        let rows = rows_for(n);
        let v = unit(rows * n, n as u64);
        for powers in [vec![1.0], vec![3.0], vec![0.5; rows], vec![2.5; rows]] {
            check_powers(&format!("{n} classes, power {powers:?}"), &v, &powers, n);
        }
    }
}

#[test]
fn sums_over_rows_of_every_length_agree_with_f64() {
    for n in LENGTHS {
        let x = Numbers(n as u64).take(rows_for(n) * n, 4.0);
        check_sums(&format!("{n} classes"), &x, n);
    }
}

#[test]
fn many_rows_agree_with_f64() {
    for n in [3, 33, 128] {
        let v = unit(1025 * n, n as u64);
        let powers: Vec<f32> = Numbers(4).take(1025, 1.0).iter().map(|p| p + 2.0).collect();
        check_powers(&format!("1025 rows of {n}"), &v, &powers, n);
        check_sums(
            &format!("1025 rows of {n}"),
            &Numbers(n as u64).take(1025 * n, 4.0),
            n,
        );
    }
}

#[test]
fn ties_zeros_ones_and_nan_follow_the_contract_in_their_row_only() {
    for n in [2, 3, 17, 257, 40_001] {
        let mut v = unit(6 * n, n as u64);
        v[n..2 * n].fill(0.0);
        v[2 * n..3 * n].fill(0.5);
        v[3 * n + n / 2] = 1.0;
        v[3 * n + n - 1] = 1.0;
        v[4 * n + n / 3] = f32::NAN;
        for power in [1.0, 0.5, 4.0] {
            check_powers(
                &format!("special rows of {n}, power {power}"),
                &v,
                &[power],
                n,
            );
        }
    }
}

#[test]
fn masks_infinities_nan_and_ties_follow_the_contract_in_sums() {
    for n in [2, 3, 16, 17, 33, 257, 1025, 40_001] {
        let (x, _) = special_rows(n);
        for repeat in [1, 3] {
            check_sums(&format!("special rows of {n}"), &x.repeat(repeat), n);
        }
    }
}
