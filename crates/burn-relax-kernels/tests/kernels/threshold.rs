//! Sparse rows with entries near the threshold.

use crate::support::{assert_close, filled, narrow, out, stats, wide};
use burn_relax_kernels::{self as kernels, Element, naive};

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
