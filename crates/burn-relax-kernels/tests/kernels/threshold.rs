//! Sparse rows with entries near the threshold.

use crate::support::{assert_close, filled, narrow, out, stats, wide};
use burn_relax_kernels::{self as kernels, Element, naive};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// The entmax of a row with a fixed alpha.
fn entmax<F: Element>(x: &[f64], alpha: f64) -> Vec<f64> {
    let (mut p, mut s) = (out::<F>(x.len()), stats::<F>(2));
    kernels::entmax(&narrow::<F>(x), x.len(), alpha, &mut p, &mut s);
    wide(&filled(p))
}

#[test]
fn an_entry_that_joins_beyond_alpha_three_has_its_weight() {
    // (1 + 4 z / v)^(1/4) at z = -.2375, from forty digits.
    let want = [0.987_259, 0.012_741];
    assert_close(
        "f32",
        &entmax::<f32>(&[0.0, -0.2375], 5.0),
        &want,
        1e-6,
        0.0,
    );
    assert_close(
        "f64",
        &entmax::<f64>(&[0.0, -0.2375], 5.0),
        &want,
        1e-6,
        0.0,
    );
    // A pair p, 1 - p by its difference (p^e - (1 - p)^e) / e, whatever alpha is.
    for alpha in [3.0, 4.0, 5.0, 7.0, 9.0, 16.0] {
        let e: f64 = alpha - 1.0;
        for p in [0.5, 0.4, 0.2, 0.1, 0.05, 0.02] {
            let z = (f64::powf(p, e) - f64::powf(1.0 - p, e)) / e;
            // What f64 cannot tell of the logit shows in the weight.
            let slope = f64::powf(p, 1.0 - e) * f64::EPSILON;
            let got = entmax::<f64>(&[z, 0.0], alpha);
            assert!(
                (got[0] - p).abs() < 1e-12 + slope.min(p),
                "{alpha} {p}: {got:?}"
            );
            assert!((got[0] + got[1] - 1.0).abs() < 1e-12);
        }
    }
}

#[test]
fn the_oracle_of_the_budget_takes_whole_budgets_with_ties() {
    for step in [0.1, 0.3, 0.7, 1.1, 1e8 + 0.1] {
        for n in 2..40 {
            let x: Vec<f64> = (0..n).map(|i| f64::from(i / 3) * step).collect();
            for k in 1..n {
                let p = naive::budget(&x, f64::from(k));
                let sum: f64 = p.iter().sum();
                assert!((sum - f64::from(k)).abs() < 1e-6, "{step} {n} {k}: {sum}");
            }
        }
    }
}

/// The entmax of a row, for `alpha > 1`: with `w` the base of the lowest entry that has weight, found by halving its exponent.
fn by_halving(x: &[f64], alpha: f64) -> Vec<f64> {
    let e = alpha - 1.0;
    let mut sorted = x.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let weight = |x: f64, y: f64, w: f64| {
        let base = e * (x - y) + w;
        if x < y || base <= 0.0 {
            0.0
        } else {
            (base.ln() / e).exp()
        }
    };
    let sum = |y: f64, w: f64| {
        // From the small ones on.
        let parts = sorted.iter().rev().map(|&x| weight(x, y, w));
        parts.sum::<f64>()
    };
    let lowest = sorted[sorted.partition_point(|&y| sum(y, 0.0) < 1.0) - 1];
    let (mut low, mut high) = (-700.0, 0.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if sum(lowest, f64::exp(middle)) < 1.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    x.iter().map(|&x| weight(x, lowest, high.exp())).collect()
}

#[test]
fn one_leader_before_a_crowd() {
    for (alpha, n) in [(1.9, 3000), (1.5, 4467)] {
        let mut rng = StdRng::seed_from_u64(62);
        let crowd = (1..n).map(|_| f64::from(rng.random_range(0.0..1e-3_f32)));
        let x: Vec<f64> = crowd.chain([0.9]).collect();
        let want = by_halving(&narrow_wide(&x), alpha);
        assert_close("crowd", &entmax::<f32>(&x, alpha), &want, 4e-7, 0.0);
    }
}

/// What f32 holds of a row.
fn narrow_wide(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| f64::from(*x as f32)).collect()
}

#[test]
fn random_leaders_and_crowds() {
    let mut rng = StdRng::seed_from_u64(63);
    for r in 0..600 {
        let n = 10f64.powf(rng.random_range(1.0..3.7)) as usize;
        let spread = 10f64.powf(rng.random_range(-4.0..1.0));
        let ahead = 10f64.powf(rng.random_range(-3.0..1.0));
        let alpha = match r % 6 {
            0 => 1.5,
            1 => 2.0,
            2 => rng.random_range(0.3..1.0),
            _ => rng.random_range(1.0..16.0),
        };
        let mut x: Vec<f64> = (0..n)
            .map(|_| spread * rng.random_range(-1.0..1.0))
            .collect();
        for _ in 0..r % 3 {
            let leader = rng.random_range(0..n);
            x[leader] += ahead;
        }
        let x = narrow_wide(&x);
        let want = if alpha < 1.0 {
            naive::entmax(&x, alpha)
        } else {
            by_halving(&x, alpha)
        };
        let got = entmax::<f32>(&x, alpha);
        let apart = got.iter().zip(&want).map(|(a, b)| (a - b).abs());
        let apart = apart.fold(0.0, f64::max);
        assert!(
            apart < 5e-7,
            "{r}: {n} of {spread:e}, {ahead:e} ahead, alpha {alpha}: {apart:e}"
        );
    }
}

#[test]
fn random_budgets_whole_and_fractional() {
    let mut rng = StdRng::seed_from_u64(64);
    for r in 0..3000 {
        let n = 10f64.powf(rng.random_range(0.0..3.5)) as usize;
        let spread = 10f64.powf(rng.random_range(-4.0..4.0));
        let budget = match r % 3 {
            0 => rng.random_range(1..=n) as f64,
            1 => f64::from(rng.random_range(0.0..n as f32)),
            _ => {
                (rng.random_range(1..=n) as f64 + 1e-6 * rng.random_range(-1.0..1.0)).min(n as f64)
            }
        };
        let x: Vec<f64> = (0..n)
            .map(|_| spread * rng.random_range(-1.0..1.0))
            .collect();
        let x = narrow_wide(&x);
        let budget = f64::from(budget as f32);
        let want = naive::budget(&x, budget);
        let (mut p, mut s) = (out::<f32>(n), stats::<f32>(2));
        kernels::budget(&narrow::<f32>(&x), &[budget as f32], n, &mut p, &mut s);
        let got = wide(&filled(p));
        let apart = got
            .iter()
            .zip(&want)
            .map(|(a, b)| (a - b).abs() / (1.0 + spread));
        let apart = apart.fold(0.0, f64::max);
        let sum = (got.iter().sum::<f64>() - budget).abs() / budget.max(1.0);
        assert!(
            apart < 3e-7 && sum < 1e-6,
            "{r}: {n} of {spread:e}, budget {budget}: {apart:e} {sum:e}"
        );
    }
}
