//! The sparse maps and their gradients against f64 on the device.

#![cfg(feature = "wgpu")]

mod common;

use burn_relax_kernels::naive;
use burn_relax_wgpu::{
    budget, budget_backward, entmax, entmax_backward, entmax_rows, entmax_rows_backward,
};
use common::{
    LENGTHS, Numbers, assert_close, assert_close_at_scale, read, rows_for, rows_of, special_rows,
    tensor,
};

/// Of the largest magnitude of a row's weights or gradients: sixteen units of rounding.
const TOLERANCE: f64 = 1e-6;

/// The same beyond alpha = 2, where a crowd of weights near 0 feels the rounding of the threshold by its number.
const STEEP: f64 = 1e-5;

/// The same for the gradient of alpha: the formula of its terms loses two bits.
const ALONG_ALPHA: f64 = 4.0 * TOLERANCE;

/// Softmax, its neighbours, the closed forms, and what lies between and beyond.
const ALPHAS: [f64; 10] = [
    1.0,
    1.0 + 1e-6,
    1.001,
    1.2,
    4.0 / 3.0,
    1.5,
    1.75,
    2.0,
    2.25,
    3.0,
];

/// `alpha` as the device has it, in a tensor.
fn narrow(alpha: f64) -> f64 {
    f64::from(alpha as f32)
}

/// The weights, or what is linear in the logits where their slope is unbounded.
fn tame(p: &[f64], alpha: f64) -> Vec<f64> {
    let power = (alpha - 1.0).max(1.0);
    p.iter().map(|p| p.powf(power)).collect()
}

fn tolerance(alpha: f64) -> f64 {
    if alpha > 2.0 { STEEP } else { TOLERANCE }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

fn narrowed(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&x| x as f32).collect()
}

/// Entmax of `x`, `[rows, n]`, at a fixed alpha and with one for each row, and their gradients.
#[track_caller]
fn check_entmax(what: &str, x: &[f32], alpha: f64, n: usize) {
    let count = x.len() / n;
    let g = Numbers(n as u64 + 5).take(x.len(), 1.0);
    let grad = || tensor(&g, &[count, n]);
    let alphas = tensor(&vec![alpha as f32; count], &[count, 1]);
    let (fixed, fixed_stats) = entmax(tensor(x, &[count, n]), 1, alpha);
    let (rows, stats) = entmax_rows(tensor(x, &[count, n]), alphas.clone(), 1);
    let of_fixed = entmax_backward(fixed.clone(), fixed_stats.clone(), grad(), 1, alpha);
    let (of_rows, of_alpha) = entmax_rows_backward(rows.clone(), alphas, stats.clone(), grad(), 1);
    let of_alpha = read(&of_alpha);
    let upstream = rows_of(&g, n);
    let forms = [
        (
            "fixed",
            alpha,
            read(&fixed),
            read(&of_fixed),
            read(&fixed_stats),
        ),
        (
            "rows",
            narrow(alpha),
            read(&rows),
            read(&of_rows),
            read(&stats),
        ),
    ];
    for (form, alpha, probs, gradient, stats) in forms {
        let logits = rows_of(x, n);
        for (r, x) in logits.iter().enumerate() {
            let what = format!("{what}: alpha {alpha}, {form}, row {r}");
            let own = &probs[r * n..(r + 1) * n];
            let want = naive::entmax(x, alpha);
            let tamed = tame(&wide(own), alpha);
            assert_close(
                &what,
                &narrowed(&tamed),
                &tame(&want, alpha),
                tolerance(alpha),
            );
            let unknown = x.iter().any(|x| x.is_nan());
            if unknown {
                assert!(stats[2 * r].is_nan() && stats[2 * r + 1].is_nan(), "{what}");
                assert!(
                    gradient[r * n..(r + 1) * n].iter().all(|g| g.is_nan()),
                    "{what}"
                );
                continue;
            }
            let support = own.iter().filter(|&&p| p > 0.0).count();
            assert!(
                (stats[2 * r + 1] - support as f32).abs() <= 1.0,
                "{what}: {support}"
            );

            // The gradients of these very weights: those of the exact ones may have another support.
            let want = gradients_of(x, &wide(own), alpha, &upstream[r]);
            assert_close_at_scale(
                &format!("{what}, gradient"),
                &gradient[r * n..(r + 1) * n],
                &want.0,
                TOLERANCE,
                want.2,
            );
            if form == "rows" {
                assert_close_at_scale(
                    &format!("{what}, gradient of alpha"),
                    &of_alpha[r..=r],
                    &[want.1],
                    ALONG_ALPHA,
                    want.3,
                );
            }
        }
    }
}

/// Gradients of the logits and of alpha from given weights, and the magnitudes of the terms that they add up.
fn gradients_of(x: &[f64], p: &[f64], alpha: f64, g: &[f64]) -> (Vec<f64>, f64, f64, f64) {
    if x.contains(&f64::INFINITY) {
        return (vec![0.0; x.len()], 0.0, 1.0, 1.0);
    }
    let e = alpha - 1.0;
    let slope = |p: f64| if p == 0.0 { 0.0 } else { p.powf(1.0 - e) };
    let s: Vec<f64> = p.iter().map(|&p| slope(p)).collect();
    let total: f64 = s.iter().sum();
    let weighted: f64 = s.iter().zip(g).map(|(s, g)| s * g).sum();
    let mean = if total == 0.0 { 0.0 } else { weighted / total };
    let of_logits = s.iter().zip(g).map(|(s, g)| s * (g - mean)).collect();
    let change = |p: f64| {
        let w = e * p.ln();
        if p == 0.0 {
            0.0
        } else if w.abs() < 1e-3 {
            p * p.ln() * p.ln() * (-0.5 + w / 6.0 - w * w / 24.0 + w * w * w / 120.0)
        } else {
            -p * ((-w).exp_m1() + w) / (e * e)
        }
    };
    let changes: Vec<f64> = p.iter().map(|&p| change(p)).collect();
    let of_alpha = changes.iter().zip(g).map(|(c, g)| c * (g - mean)).sum();
    let largest = |v: &[f64]| v.iter().fold(1e-30, |m: f64, v| m.max(v.abs()));
    let terms: f64 = changes.iter().map(|c| c.abs()).sum();
    (of_logits, of_alpha, largest(&s), terms.max(1e-30))
}

/// Budgets of `x`, `[rows, n]`, and their gradients.
#[track_caller]
fn check_budget(what: &str, x: &[f32], budgets: &[f32], n: usize) {
    let count = x.len() / n;
    let g = Numbers(n as u64 + 6).take(x.len(), 1.0);
    let k = tensor(budgets, &[budgets.len(), 1]);
    let (probs, stats) = budget(tensor(x, &[count, n]), k, 1);
    let (of_logits, of_budget) = budget_backward(probs.clone(), stats, tensor(&g, &[count, n]), 1);
    let (probs, of_logits, of_budget) = (read(&probs), read(&of_logits), read(&of_budget));
    let upstream = rows_of(&g, n);
    for (r, x) in rows_of(x, n).iter().enumerate() {
        let k = f64::from(budgets[r % budgets.len()]);
        let what = format!("{what}: budget {k}, row {r}");
        let own = &probs[r * n..(r + 1) * n];
        assert_close_at_scale(&what, own, &naive::budget(x, k), TOLERANCE, 1.0);
        let decided = x.contains(&f64::INFINITY);
        let free = |p: f32| 0.0 < p && p < 1.0 && !decided;
        let unknown = x.iter().any(|x| x.is_nan());
        let members = own.iter().zip(&upstream[r]).filter(|(p, _)| free(**p));
        let total = members.clone().count().max(1) as f64;
        let mean = members.map(|(_, g)| g).sum::<f64>() / total;
        let mean = if unknown { f64::NAN } else { mean };
        let want: Vec<f64> = own
            .iter()
            .zip(&upstream[r])
            .map(|(&p, g)| if unknown || free(p) { g - mean } else { 0.0 })
            .collect();
        let got = &of_logits[r * n..(r + 1) * n];
        assert_close_at_scale(&format!("{what}, gradient"), got, &want, TOLERANCE, 1.0);
        let got = &of_budget[r..=r];
        assert_close_at_scale(
            &format!("{what}, gradient of the budget"),
            got,
            &[mean],
            TOLERANCE,
            1.0,
        );
    }
}

#[test]
fn entmax_of_rows_of_every_length_agrees_with_f64() {
    for n in LENGTHS {
        // The reference halves a bracket sixty times for each alpha.
        let alphas: &[f64] = match n {
            ..10_000 => &ALPHAS,
            10_000..200_000 => &[1.0, 1.2, 1.5, 2.0, 2.25],
            _ => &[1.5, 2.0],
        };
        for &alpha in alphas {
            let x = Numbers(n as u64).take(rows_for(n) * n, 4.0);
            check_entmax(&format!("{n} classes"), &x, alpha, n);
        }
    }
}

#[test]
fn entmax_of_flat_and_of_steep_rows_agrees_with_f64() {
    for scale in [1e-5, 1e-2, 1e2, 1e4] {
        for n in [3, 40, 1000, 4096] {
            for alpha in ALPHAS {
                let x = Numbers(n as u64).take(3 * n, scale);
                check_entmax(&format!("{n} classes within {scale}"), &x, alpha, n);
            }
        }
    }
}

#[test]
fn entmax_of_many_rows_agrees_with_f64() {
    for n in [3, 33, 128] {
        for alpha in [1.0, 1.2, 1.5, 2.0, 2.25] {
            let x = Numbers(n as u64).take(300 * n, 3.0);
            check_entmax(&format!("300 rows of {n}"), &x, alpha, n);
        }
    }
}

#[test]
fn entmax_of_special_rows_follows_the_contract() {
    for n in [1, 2, 3, 16, 17, 33, 257, 1025] {
        let (x, _) = special_rows(n);
        for alpha in [1.0, 1.001, 1.5, 1.75, 2.0, 3.0] {
            for repeat in [1, 3] {
                check_entmax(&format!("special rows of {n}"), &x.repeat(repeat), alpha, n);
            }
        }
    }
    let (x, _) = special_rows(40_001);
    check_entmax("special rows of 40001", &x, 1.5, 40_001);
}

#[test]
fn each_row_has_its_alpha() {
    let (count, n) = (40, 100);
    let x = Numbers(7).take(count * n, 3.0);
    let alphas: Vec<f32> = (0..count)
        .map(|r| ALPHAS[r % ALPHAS.len()] as f32)
        .collect();
    let (probs, _) = entmax_rows(tensor(&x, &[count, n]), tensor(&alphas, &[count, 1]), 1);
    let probs = read(&probs);
    for (r, x) in rows_of(&x, n).iter().enumerate() {
        let alpha = f64::from(alphas[r]);
        let own = tame(&wide(&probs[r * n..(r + 1) * n]), alpha);
        let want = tame(&naive::entmax(x, alpha), alpha);
        assert_close(
            &format!("alpha {alpha}"),
            &narrowed(&own),
            &want,
            tolerance(alpha),
        );
    }
}

#[test]
fn an_unknown_alpha_or_budget_makes_its_row_unknown() {
    let x = tensor(&[1.0, 2.0, 3.0, 1.0, 2.0, 3.0], &[2, 3]);
    let unknown = tensor(&[f32::NAN, 2.0], &[2, 1]);
    let (probs, stats) = entmax_rows(x.clone(), unknown.clone(), 1);
    let (shares, share_stats) = budget(x, unknown, 1);
    for values in [read(&probs), read(&shares)] {
        assert!(values[..3].iter().all(|p| p.is_nan()), "{values:?}");
        assert!(values[3..].iter().all(|p| p.is_finite()), "{values:?}");
    }
    for stats in [read(&stats), read(&share_stats)] {
        assert!(stats[0].is_nan() && stats[1].is_nan(), "{stats:?}");
    }
}

#[test]
fn rows_along_any_dim_are_those_of_the_last() {
    let shape = [3, 37, 5];
    let x = Numbers(11).take(shape.iter().product(), 3.0);
    let alphas = tensor(&[1.3; 15], &[3, 1, 5]);
    let budgets = tensor(&[2.5; 15], &[3, 1, 5]);
    let along = tensor(&x, &shape);
    let results = [
        read(&entmax(along.clone(), 1, 1.5).0),
        read(&entmax_rows(along.clone(), alphas, 1).0),
        read(&budget(along, budgets, 1).0),
    ];
    let rows = common::Rows::new(&shape, 1, 3);
    for r in 0..rows.count() {
        let x = rows.row(&x, r);
        let want = [
            naive::entmax(&x, 1.5),
            naive::entmax(&x, narrow(1.3)),
            naive::budget(&x, 2.5),
        ];
        for (got, want) in results.iter().zip(want) {
            let got = narrowed(&rows.row(got, r));
            assert_close(&format!("row {r}"), &got, &want, TOLERANCE);
        }
    }
}

#[test]
fn budgets_of_rows_of_every_length_agree_with_f64() {
    for n in LENGTHS {
        let x = Numbers(n as u64).take(rows_for(n) * n, 4.0);
        let n_f = n as f32;
        for k in [0.5, 1.0, 2.5, 0.3 * n_f, 0.9 * n_f] {
            check_budget(&format!("{n} classes"), &x, &[k], n);
        }
    }
}

#[test]
fn budgets_of_flat_and_of_steep_rows_agree_with_f64() {
    for scale in [1e-5, 1e-2, 1e2, 1e4] {
        for n in [3, 40, 1000] {
            let x = Numbers(n as u64).take(3 * n, scale);
            for k in [0.5, 2.5, 0.3 * n as f32] {
                check_budget(&format!("{n} classes within {scale}"), &x, &[k], n);
            }
        }
    }
}

#[test]
fn budgets_of_special_and_of_many_rows_follow_the_contract() {
    for n in [1, 2, 3, 16, 17, 33, 257, 1025, 40_001] {
        let (x, count) = special_rows(n);
        for repeat in [1, 3] {
            let budgets: Vec<f32> = (0..count * repeat)
                .map(|r| [0.5, 1.0, 3.25][r % 3])
                .collect();
            let x = x.repeat(repeat);
            check_budget(&format!("special rows of {n}"), &x, &budgets, n);
            check_budget(&format!("special rows of {n}"), &x, &[0.0], n);
            check_budget(&format!("special rows of {n}"), &x, &[n as f32], n);
        }
    }
}
