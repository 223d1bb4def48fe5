//! `soft_argmax_gather`, its hard form and their gradient against f64 on the device.

#![cfg(feature = "wgpu")]

mod common;

use burn_backend::ops::FloatTensorOps;
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use burn_relax_wgpu::{hard_argmax_gather, soft_argmax_gather, soft_argmax_gather_backward};
use common::{
    LENGTHS, Numbers, Rows, assert_close, assert_close_at_scale, bits, excluded, read,
    special_rows, tensor, weights,
};

/// Of the largest magnitude of a tensor.
const TOLERANCE: f64 = 1e-6;

/// Everything the operator returns, from f64.
struct Reference {
    soft: Vec<f64>,
    hard: Vec<f64>,
    stats: Vec<f64>,
    grad_logits: Vec<f64>,
    grad_values: Vec<f64>,
}

fn reference(x: &[f32], v: &[f32], g: &[f32], rows: Rows, temperature: f64) -> Reference {
    let Rows {
        classes,
        inner,
        features,
        ..
    } = rows;
    let mut r = Reference {
        soft: vec![0.0; rows.count() * features],
        hard: vec![0.0; rows.count() * features],
        stats: vec![0.0; rows.count() * 2],
        grad_logits: vec![0.0; x.len()],
        grad_values: vec![0.0; v.len()],
    };
    for row in 0..rows.count() {
        let logits = rows.row(x, row);
        let (max, sum, w) = weights(&logits, temperature);
        let at = row / inner * 2 * inner + row % inner;
        (r.stats[at], r.stats[at + inner]) = (max, sum);
        let value = |i: usize, f: usize| f64::from(v[rows.at(row, i) * features + f]);
        let upstream = |f: usize| f64::from(g[row * features + f]);
        let excluded = excluded(&logits);
        let used = |i: usize| !excluded[i];
        let best = (0..classes)
            .rev()
            .fold(0, |b, i| if logits[i] >= logits[b] { i } else { b });
        for f in 0..features {
            r.soft[row * features + f] = (0..classes)
                .filter(|&i| used(i))
                .map(|i| w[i] * value(i, f))
                .sum();
            r.hard[row * features + f] = match sum {
                0.0 => 0.0,
                sum if sum.is_nan() => f64::NAN,
                _ => value(best, f),
            };
        }
        let s: f64 = (0..features)
            .map(|f| r.soft[row * features + f] * upstream(f))
            .sum();
        for i in (0..classes).filter(|&i| used(i)) {
            let d: f64 = (0..features).map(|f| value(i, f) * upstream(f)).sum();
            if max != f64::from(f32::MAX) {
                r.grad_logits[rows.at(row, i)] = w[i] * (d - s) / temperature;
            }
            for f in 0..features {
                r.grad_values[rows.at(row, i) * features + f] = w[i] * upstream(f);
            }
        }
    }
    r
}

/// Runs both forms and the gradient on device tensors and compares with f64.
#[track_caller]
fn check_tensors(what: &str, x: CubeTensor, v: CubeTensor, dim: usize, temperature: f64) {
    let shape: Vec<usize> = v.meta.shape().to_vec();
    let rows = Rows::new(&shape, dim, x.meta.num_dims());
    let mut grad_shape = shape.clone();
    grad_shape[dim] = 1;
    let g = Numbers(7).take(rows.count() * rows.features, 1.0);
    let want = reference(&read(&x), &read(&v), &g, rows, temperature);

    let (soft, stats) = soft_argmax_gather(x.clone(), v.clone(), dim, temperature);
    assert_eq!(soft.meta.shape()[..], grad_shape[..], "{what}: shape");
    assert_close(
        &format!("{what}: soft"),
        &read(&soft),
        &want.soft,
        TOLERANCE,
    );
    assert_close(
        &format!("{what}: stats"),
        &read(&stats),
        &want.stats,
        TOLERANCE,
    );
    let (hard, soft_again, stats_again) =
        hard_argmax_gather(x.clone(), v.clone(), dim, temperature);
    assert_close(&format!("{what}: hard"), &read(&hard), &want.hard, 0.0);
    assert_eq!(
        bits(&soft),
        bits(&soft_again),
        "{what}: soft output of the hard form"
    );
    assert_eq!(
        bits(&stats),
        bits(&stats_again),
        "{what}: statistics of the hard form"
    );

    let g = tensor(&g, &grad_shape);
    // Where one class has all the weight, its gradient is a difference of values that f32 cannot tell apart: what remains is
    // measured by the values, not by the vanishing gradient.
    let saturated = read(&x).iter().any(|x| x.abs() > 1e3);
    let least = if saturated { 1.0 / temperature } else { 1e-30 };
    let (grad_logits, grad_values) =
        soft_argmax_gather_backward(x, v, stats, soft, g, dim, temperature);
    assert_close_at_scale(
        &format!("{what}: grad_logits"),
        &read(&grad_logits),
        &want.grad_logits,
        TOLERANCE,
        least,
    );
    assert_close(
        &format!("{what}: grad_values"),
        &read(&grad_values),
        &want.grad_values,
        TOLERANCE,
    );
}

/// [`check_tensors`] on random data.
#[track_caller]
fn check(shape: &[usize], features: &[usize], dim: usize, scale: f32, temperature: f64) {
    let values_shape = [shape, features].concat();
    let mut numbers = Numbers(shape.iter().sum::<usize>() as u64 + 11);
    let x = numbers.take(shape.iter().product(), scale);
    let v = numbers.take(values_shape.iter().product(), 2.0);
    let what = format!("{shape:?}+{features:?} along {dim}, ±{scale}, T={temperature}");
    check_tensors(
        &what,
        tensor(&x, shape),
        tensor(&v, &values_shape),
        dim,
        temperature,
    );
}

#[test]
fn rows_of_every_length_agree_with_f64() {
    for n in LENGTHS {
        check(&[3, n], &[], 1, 4.0, 1.0);
    }
}

#[test]
fn every_dim_agrees_with_f64() {
    for n in [1, 2, 16, 17, 33, 257, 1025] {
        check(&[n, 5], &[], 0, 4.0, 0.7);
        check(&[3, n, 5], &[], 1, 4.0, 0.7);
        check(&[2, 3, 2, n], &[], 3, 4.0, 0.7);
    }
}

#[test]
fn features_agree_with_f64() {
    for features in [&[1][..], &[2], &[3], &[4], &[5], &[2, 3], &[65]] {
        for n in [1, 3, 17, 300] {
            check(&[4, n], features, 1, 3.0, 1.0);
            check(&[2, n, 3], features, 1, 3.0, 2.0);
        }
    }
}

#[test]
fn many_rows_fill_several_cubes_and_axes() {
    check(&[70_001, 3], &[], 1, 3.0, 1.0);
    check(&[20, 70_001], &[], 0, 3.0, 1.0);
    check(&[1025, 33], &[], 1, 3.0, 1.0);
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
fn large_logits_and_extreme_temperatures_stay_exact() {
    for temperature in [1e-3, 0.1, 1.0, 10.0] {
        check(&[7, 40], &[], 1, 1e4, temperature);
        check(&[40, 7], &[2], 0, 1e4, temperature);
    }
    for temperature in [1e-40, 1e-30, 1e30, 1e300] {
        let x = [1.0, 2.0, 2.0, 0.5];
        let (soft, _) = soft_argmax_gather(
            tensor(&x, &[4]),
            tensor(&[1.0, 2.0, 3.0, 4.0], &[4]),
            0,
            temperature,
        );
        assert_close("soft", &read(&soft), &[2.5], 1e-6);
    }
}

#[test]
fn the_known_numbers_of_the_contract_come_out() {
    let x = tensor(&[-2.0, 0.0, 0.5], &[3]);
    let v = tensor(&[10.0, 20.0, 30.0], &[3]);
    let (soft, stats) = soft_argmax_gather(x.clone(), v.clone(), 0, 1.0);
    assert_close("soft", &read(&soft), &[25.435902], 1e-7);
    let (grad, _) = soft_argmax_gather_backward(x, v, stats, soft, tensor(&[1.0], &[1]), 0, 1.0);
    assert_close(
        "gradient",
        &read(&grad),
        &[-0.750352, -1.952512, 2.702863],
        1e-6,
    );
}

#[test]
fn transposed_sliced_and_expanded_inputs_agree_with_f64() {
    let mut numbers = Numbers(3);
    let x = tensor(&numbers.take(24 * 40, 3.0), &[24, 40]);
    let v = tensor(&numbers.take(24 * 40, 3.0), &[24, 40]);
    let turn = |t: &CubeTensor| CubeBackend::float_swap_dims(t.clone(), 0, 1);
    check_tensors("transposed", turn(&x), turn(&v), 1, 1.0);
    check_tensors("transposed, first dim", turn(&x), turn(&v), 0, 1.0);
    check_tensors(
        "only the values transposed",
        turn(&x),
        tensor(&read(&turn(&v)), &[40, 24]),
        0,
        1.0,
    );

    let cut = |t: &CubeTensor| {
        let slices = [(3..20).into(), (5..38).into()];
        CubeBackend::float_slice(t.clone(), &slices)
    };
    check_tensors("sliced", cut(&x), cut(&v), 1, 1.0);
    check_tensors("sliced, first dim", cut(&x), cut(&v), 0, 1.0);

    let wide = tensor(&numbers.take(24, 3.0), &[24, 1]);
    let wide = CubeBackend::float_expand(wide, [24, 40].into());
    check_tensors("expanded logits", wide.clone(), v.clone(), 1, 1.0);
    check_tensors("expanded values", x.clone(), wide, 0, 1.0);

    let cube = tensor(&numbers.take(4 * 5 * 6, 3.0), &[4, 5, 6]);
    let values = tensor(&numbers.take(4 * 5 * 6, 3.0), &[6, 4, 5]);
    let cube = CubeBackend::float_permute(cube, &[2, 0, 1]);
    for dim in 0..3 {
        check_tensors("permuted", cube.clone(), values.clone(), dim, 1.0);
    }
}

#[test]
fn masks_infinities_nan_and_ties_follow_the_contract_in_their_row_only() {
    for n in [2, 3, 16, 17, 33, 257, 1025] {
        let (x, rows) = special_rows(n);
        // Few rows share their work between lanes, many do not.
        for repeat in [1, 3] {
            let (x, rows) = (x.repeat(repeat), rows * repeat);
            let v = Numbers(5).take(rows * n, 2.0);
            let (x, v) = (tensor(&x, &[rows, n]), tensor(&v, &[rows, n]));
            check_tensors(
                &format!("special rows of {n}"),
                x.clone(),
                v.clone(),
                1,
                0.5,
            );
            let turn = |t: CubeTensor| CubeBackend::float_swap_dims(t, 0, 1);
            check_tensors(&format!("special columns of {n}"), turn(x), turn(v), 0, 0.5);
        }
    }
}

#[test]
fn values_and_gradients_at_forbidden_entries_are_ignored_even_if_nan() {
    for n in [2, 16, 17, 300] {
        let (x, rows) = special_rows(n);
        let mut v = Numbers(5).take(rows * n, 2.0);
        for row in [1, 2] {
            for i in 0..n {
                if x[row * n + i] == f32::NEG_INFINITY {
                    v[row * n + i] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][i % 3];
                }
            }
        }
        check_tensors(
            "poisoned",
            tensor(&x, &[rows, n]),
            tensor(&v, &[rows, n]),
            1,
            1.0,
        );
    }
    // An upstream gradient that is NaN: forbidden entries keep their zero.
    let x = tensor(
        &[f32::NEG_INFINITY, 1.0, f32::NEG_INFINITY, f32::NEG_INFINITY],
        &[2, 2],
    );
    let v = tensor(&[1.0, 2.0, 3.0, 4.0], &[2, 2]);
    let (soft, stats) = soft_argmax_gather(x.clone(), v.clone(), 1, 1.0);
    let g = tensor(&[f32::NAN, f32::NAN], &[2, 1]);
    let (grad_logits, grad_values) = soft_argmax_gather_backward(x, v, stats, soft, g, 1, 1.0);
    assert_close(
        "grad_logits",
        &read(&grad_logits),
        &[0.0, f64::NAN, 0.0, 0.0],
        0.0,
    );
    assert_close(
        "grad_values",
        &read(&grad_values),
        &[0.0, f64::NAN, 0.0, 0.0],
        0.0,
    );
}

#[test]
fn the_hard_form_takes_the_lowest_index_on_ties() {
    for n in [2, 16, 17, 256, 1025, 32000] {
        for first in [0, 1, n / 2, n - 1] {
            let mut x = vec![-1.0; n];
            x[first..].iter_mut().step_by(3).for_each(|x| *x = 2.0);
            let v: Vec<f32> = (0..n).map(|i| i as f32).collect();
            let (hard, _, _) = hard_argmax_gather(tensor(&x, &[1, n]), tensor(&v, &[1, n]), 1, 1.0);
            assert_eq!(read(&hard), [first as f32], "n = {n}");
        }
    }
    let lowest = [f32::NEG_INFINITY, f32::MIN, f32::MIN];
    let (hard, _, _) = hard_argmax_gather(
        tensor(&lowest, &[3]),
        tensor(&[1.0, 2.0, 3.0], &[3]),
        0,
        1.0,
    );
    assert_eq!(read(&hard), [2.0]);
}

#[test]
fn no_rows_give_empty_results() {
    for shape in [[0, 5], [5, 0]] {
        let dim = if shape[0] == 0 { 1 } else { 0 };
        let (x, v) = (tensor(&[], &shape), tensor(&[], &shape));
        let (soft, stats) = soft_argmax_gather(x.clone(), v.clone(), dim, 1.0);
        let (hard, _, _) = hard_argmax_gather(x.clone(), v.clone(), dim, 1.0);
        let mut want = shape;
        want[dim] = 1;
        assert_eq!(soft.meta.shape()[..], want[..]);
        assert_eq!(hard.meta.shape()[..], want[..]);
        want[dim] = 2;
        assert_eq!(stats.meta.shape()[..], want[..]);
        let (gx, gv) = soft_argmax_gather_backward(x, v, stats, soft.clone(), soft, dim, 1.0);
        assert_eq!(
            (&gx.meta.shape()[..], &gv.meta.shape()[..]),
            (&shape[..], &shape[..])
        );
    }
}

#[test]
fn no_features_give_empty_values_and_the_statistics() {
    let x = tensor(&[0.0, 1.0], &[1, 2]);
    let v = tensor(&[], &[1, 2, 0]);
    let (soft, stats) = soft_argmax_gather(x.clone(), v.clone(), 1, 1.0);
    assert_eq!(soft.meta.shape()[..], [1, 1, 0]);
    assert_close(
        "stats",
        &read(&stats),
        &[1.0, 1.0 + (-1.0f64).exp()],
        TOLERANCE,
    );
    let (grad, _) = soft_argmax_gather_backward(x, v, stats, soft.clone(), soft, 1, 1.0);
    assert_eq!(read(&grad), [0.0, 0.0]);
}

#[test]
fn repeated_runs_give_the_same_bits() {
    for (shape, dim) in [([7, 5000], 1), ([5000, 7], 0), ([900, 33], 1)] {
        let mut numbers = Numbers(1);
        let x = tensor(&numbers.take(shape[0] * shape[1], 5.0), &shape);
        let v = tensor(&numbers.take(shape[0] * shape[1], 5.0), &shape);
        let run = || {
            let (soft, stats) = soft_argmax_gather(x.clone(), v.clone(), dim, 0.9);
            let (gx, gv) = soft_argmax_gather_backward(
                x.clone(),
                v.clone(),
                stats.clone(),
                soft.clone(),
                soft.clone(),
                dim,
                0.9,
            );
            [soft, stats, gx, gv].map(|t| bits(&t))
        };
        let first = run();
        for _ in 0..20 {
            assert!(run() == first, "another result for {shape:?}");
        }
    }
}

#[test]
#[should_panic(expected = "values must have the shape of logits")]
fn values_of_another_shape_are_refused() {
    soft_argmax_gather(
        tensor(&[0.0; 6], &[2, 3]),
        tensor(&[0.0; 6], &[3, 2]),
        1,
        1.0,
    );
}
