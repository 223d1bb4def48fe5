//! The sparse maps against sorting and bisection in `f64`, on many random rows; their limits and their laws.

use crate::case::Case;
use crate::oracle::compared;
use crate::support::{assert_close, filled, narrow, out, stats, wide};
use burn_relax_kernels::{self as kernels, Element, naive};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Random rows of each test of all maps.
const ROWS: usize = 100_000;

/// Of weights at most 1: sixteen units of `f32`'s rounding at 1.
const F32: f64 = 1e-6;

/// Relative, in `f32`: a thousand small weights share the rounding of `x - max`, and what they get too much the large ones lack.
const CROWDED: f64 = 8e-6;

/// As much above the rounding of `f64`.
const F64: f64 = 1e-12;

/// A row: its length log-uniform in 1–4096, its scale in 1e-5–1e4, at times with ties, masks, or one leader. Exact in `f32`.
fn random_row(rng: &mut StdRng) -> Vec<f64> {
    let n = (4096f64.powf(rng.random::<f64>()) as usize).clamp(1, 4096);
    let scale = 10f64.powf(-5.0 + 9.0 * rng.random::<f64>());
    let kind = rng.random_range(0..5);
    let mut row: Vec<f64> = (0..n)
        .map(|_| {
            let x = scale * (2.0 * rng.random::<f64>() - 1.0);
            let x = if kind == 1 {
                (x / scale * 3.0).round() * scale
            } else {
                x
            };
            f64::from(x as f32)
        })
        .collect();
    match kind {
        2 => row.iter_mut().for_each(|x| {
            *x = if rng.random::<f64>() < 0.4 {
                f64::NEG_INFINITY
            } else {
                *x
            }
        }),
        3 => row[n / 2] = f64::from((2.0 * scale) as f32),
        _ => {}
    }
    row
}

/// One row through the kernel.
fn entmax<F: Element>(x: &[f64], alpha: f64) -> Vec<f64> {
    let (mut p, mut s) = (out::<F>(x.len()), stats::<F>(2));
    kernels::entmax(&narrow::<F>(x), x.len(), alpha, &mut p, &mut s);
    wide(&filled(p))
}

fn entmax_with_gradients(x: &[f64], alpha: f64, grad: &[f64]) -> (Vec<f64>, Vec<f64>, f64) {
    let n = x.len();
    let (mut p, mut s) = (out::<f64>(n), stats::<f64>(2));
    kernels::entmax_rows(x, &[alpha], n, &mut p, &mut s);
    let (p, s) = (filled(p), filled(s));
    let (mut gx, mut ga) = (out::<f64>(n), out::<f64>(1));
    kernels::entmax_rows_backward(&p, &[alpha], &s, grad, n, &mut gx, &mut ga);
    (p, filled(gx), filled(ga)[0])
}

/// Compares rows drawn from `seed` with `want`, for `f32` and `f64`.
fn compare(seed: u64, rows: usize, alpha: f64, want: impl Fn(&[f64]) -> Vec<f64>) {
    let mut rng = StdRng::seed_from_u64(seed);
    for r in 0..rows {
        let x = random_row(&mut rng);
        let want = want(&x);
        let label = format!("alpha {alpha}, seed {seed}, row {r} of {}", x.len());
        assert_close(
            &format!("{label} f32"),
            &entmax::<f32>(&x, alpha),
            &want,
            F32,
            CROWDED,
        );
        assert_close(
            &format!("{label} f64"),
            &entmax::<f64>(&x, alpha),
            &want,
            F64,
            0.0,
        );
    }
}

#[test]
fn sparsemax_equals_the_sorted_closed_form_on_many_rows() {
    compare(1, ROWS, 2.0, naive::sparsemax);
}

#[test]
fn entmax15_equals_the_sorted_closed_form_on_many_rows() {
    compare(2, ROWS, 1.5, naive::entmax15);
}

#[test]
fn general_alpha_equals_the_bracketed_root_on_many_rows() {
    // Ten alphas share the rows.
    for (k, alpha) in [
        0.5,
        1.0 - 1e-7,
        1.0 + 1e-7,
        1.001,
        1.1,
        1.2,
        1.25,
        4.0 / 3.0,
        1.75,
        1.99,
    ]
    .into_iter()
    .enumerate()
    {
        compare(10 + k as u64, ROWS / 10, alpha, |x| naive::entmax(x, alpha));
    }
}

/// At alpha 3 a crowd of weights near 0 feels the rounding of the threshold by up to the square of their number, here 4096.
const CROWDED_F64: f64 = 1e-8;

/// In `f32`, whose rows of 4096 are the worst of it.
const CROWDED_F32: f64 = 1e-3;

#[test]
fn alpha_above_two_is_right_in_short_rows() {
    let mut rng = StdRng::seed_from_u64(35);
    for alpha in [2.001f64, 2.25, 3.0] {
        // An entry on the threshold has the weight of an error there to the power 1 / (alpha - 1), which the others lack. The search
        // ends in a bracket of 2 units, and the logits' differences are rounded.
        let joining = (8.0 * f64::from(f32::EPSILON)).powf(1.0 / (alpha - 1.0));
        for r in 0..ROWS / 10 {
            let n = rng.random_range(1..16);
            let x: Vec<f64> = (0..n)
                .map(|_| f64::from(4.0 * rng.random::<f32>() - 2.0))
                .collect();
            let linear = |p: Vec<f64>| p.iter().map(|p| p.powf(alpha - 1.0)).collect::<Vec<_>>();
            let (got, want) = (
                linear(entmax::<f32>(&x, alpha)),
                linear(naive::entmax(&x, alpha)),
            );
            assert_close(
                &format!("alpha {alpha}, row {r} of {n}"),
                &got,
                &want,
                F32 + joining,
                0.0,
            );
        }
    }
}

#[test]
fn alpha_above_two_equals_the_bracketed_root_on_many_rows() {
    // A weight near 0 has an unbounded slope there, so that `p^(alpha - 1)`, which is linear in the logits, is compared.
    for (k, alpha) in [2.001, 2.25, 3.0].into_iter().enumerate() {
        let mut rng = StdRng::seed_from_u64(30 + k as u64);
        for r in 0..ROWS / 10 {
            let x = random_row(&mut rng);
            let linear = |p: Vec<f64>| p.iter().map(|p| p.powf(alpha - 1.0)).collect::<Vec<_>>();
            let want = linear(naive::entmax(&x, alpha));
            let label = format!("alpha {alpha}, row {r} of {}", x.len());
            let got = linear(entmax::<f64>(&x, alpha));
            assert_close(&label, &got, &want, CROWDED_F64, 0.0);
            let nothing = x.iter().all(|&x| x == f64::NEG_INFINITY);
            let narrow = entmax::<f32>(&x, alpha);
            assert_close(
                &format!("{label} f32"),
                &linear(narrow.clone()),
                &want,
                CROWDED_F32,
                0.0,
            );
            let total: f64 = narrow.iter().sum();
            assert!(
                (total - if nothing { 0.0 } else { 1.0 }).abs() < F32,
                "{label}"
            );
        }
    }
}

#[test]
fn budget_equals_the_sorted_breakpoints_on_many_rows() {
    let mut rng = StdRng::seed_from_u64(40);
    for r in 0..ROWS {
        let x = random_row(&mut rng);
        let n = x.len();
        let k = f64::from((n as f64 * rng.random::<f64>().powi(3) + 1e-3) as f32);
        let want = naive::budget(&x, k);
        let label = format!("budget {k}, row {r} of {n}");
        let budget = |x: &[f32]| {
            let (mut p, mut s) = (out::<f32>(n), stats::<f32>(2));
            kernels::budget(x, &[k as f32], n, &mut p, &mut s);
            wide(&filled(p))
        };
        // Weights are differences of the logits and a threshold: of exact ones, to the rounding of a number near 1. The sum to be
        // reached, k, is itself rounded to f32.
        let rounding = F32 * (1.0 + k / 16.0);
        assert_close(&label, &budget(&narrow::<f32>(&x)), &want, rounding, 0.0);
        let (mut p, mut s) = (out::<f64>(n), stats::<f64>(2));
        kernels::budget(&x, &[k], n, &mut p, &mut s);
        // The oracle's threshold is a number of the logits' size, up to 1e4, and rounded as such.
        let rounding = 10.0 * F64 * (1.0 + k / 16.0);
        assert_close(&label, &filled(p), &want, rounding, 0.0);
    }
}

#[test]
fn a_budget_just_below_a_whole_number_leaves_the_last_weights_free() {
    // among many entries, far from 0: the threshold lies between two numbers
    let n = 2000;
    for (top, missing) in [
        (&[30.0f32][..], 8.344_65e-7f32),
        (&[30.0, 30.0], 1e-6),
        (&[31.0, 30.0, 30.0, 30.0], 2e-6),
        (&[1000.0, 1000.0], 1e-6),
    ] {
        let mut x: Vec<f32> = (0..n).map(|i| (i % 17) as f32 * 0.25 - 2.0).collect();
        x[100..100 + top.len()].copy_from_slice(top);
        let k = top.len() as f32 - missing;
        let mut case = Case::random(1, 1, n, 1.0);
        case.logits = wide(&x);
        case.budget = vec![f64::from(k)];
        case.grad = (0..n).map(|i| (i % 5) as f64 * 0.5 - 1.0).collect();
        for (answer, want) in compared::<f32>(&case) {
            let tolerance = match (answer.operator, answer.output) {
                ("budget", _) => 1e-7,
                (_, "grad_budget") => 1e-6,
                _ => continue,
            };
            let label = format!("{top:?} {}", answer.name());
            assert_close(&label, &answer.values, &want, tolerance, 0.0);
        }
    }
}

#[test]
fn rows_lie_on_the_simplex_and_the_support_shrinks_as_alpha_grows() {
    let mut rng = StdRng::seed_from_u64(50);
    for r in 0..ROWS / 100 {
        let x = random_row(&mut rng);
        let nothing = x.iter().all(|&x| x == f64::NEG_INFINITY);
        let mut support = usize::MAX;
        for alpha in [1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 4.0, 1e3, 1e6, 1e30] {
            let p = entmax::<f32>(&x, alpha);
            let sum: f64 = p.iter().sum();
            let label = format!("alpha {alpha}, row {r} of {}", x.len());
            assert!(
                (sum - if nothing { 0.0 } else { 1.0 }).abs() < F32,
                "{label}: sum {sum}"
            );
            assert!(p.iter().all(|p| (0.0..=1.0 + F32).contains(p)), "{label}");
            let count = p.iter().filter(|&&p| p > 0.0).count();
            assert!(count <= support, "{label}: {count} after {support}");
            support = count;
        }
    }
}

#[test]
fn sparsemax_is_idempotent() {
    let mut rng = StdRng::seed_from_u64(60);
    for _ in 0..ROWS / 100 {
        let p = entmax::<f32>(&random_row(&mut rng), 2.0);
        if p.iter().any(|&p| p > 0.0) {
            // Entries of weight 0 stay below a threshold of 0 within rounding.
            assert_close("sparsemax twice", &entmax::<f32>(&p, 2.0), &p, F32, 0.0);
        }
    }
}

#[test]
fn masked_equals_shorter() {
    let mut rng = StdRng::seed_from_u64(70);
    for _ in 0..ROWS / 100 {
        let x = random_row(&mut rng);
        let mut long = Vec::new();
        let mut places = Vec::new();
        for &x in &x {
            while rng.random::<f64>() < 0.3 {
                long.push(f64::NEG_INFINITY);
            }
            places.push(long.len());
            long.push(x);
        }
        for alpha in [1.0, 1.3, 1.5, 2.0, 3.0] {
            let (short, long) = (entmax::<f64>(&x, alpha), entmax::<f64>(&long, alpha));
            let picked: Vec<f64> = places.iter().map(|&i| long[i]).collect();
            // Beyond 2 a weight near 0 feels the rounding of the threshold by its root.
            let tolerance = if alpha > 2.0 { 1e-7 } else { F64 };
            assert_close("masked", &picked, &short, tolerance, 0.0);
            assert!((long.iter().sum::<f64>() - picked.iter().sum::<f64>()).abs() < F64);
        }
    }
}

#[test]
fn the_family_passes_through_softmax_in_value_and_gradients() {
    let mut rng = StdRng::seed_from_u64(80);
    for _ in 0..200 {
        let n = rng.random_range(1..40);
        let x: Vec<f64> = (0..n).map(|_| 6.0 * rng.random::<f64>() - 3.0).collect();
        let g: Vec<f64> = (0..n).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect();
        let (p, gx, ga) = entmax_with_gradients(&x, 1.0, &g);
        assert_close("softmax", &p, &naive::softmax(&x, 1.0), F64, 0.0);
        // -1/2 p (ln^2 p - sum p ln^2 p)
        let square = |p: &f64| p * p.ln().powi(2);
        let mean: f64 = p.iter().map(square).sum();
        let limit: f64 = (p.iter().zip(&g))
            .map(|(p, g)| -0.5 * (square(p) - p * mean) * g)
            .sum();
        assert_close("alpha at 1", &[ga], &[limit], F64, 1e-11);
        for alpha in [1.0 - 1e-7, 1.0 + 1e-7] {
            let (q, hx, ha) = entmax_with_gradients(&x, alpha, &g);
            assert_close("value near 1", &q, &p, 1e-6, 0.0);
            assert_close("logits near 1", &hx, &gx, 1e-6, 0.0);
            assert_close("alpha near 1", &[ha], &[limit], 1e-6, 0.0);
        }
    }
}

#[test]
fn gradients_equal_the_oracle_and_its_differences() {
    let mut rng = StdRng::seed_from_u64(90);
    for alpha in [
        0.7,
        1.0 + 1e-6,
        1.001,
        1.2,
        4.0 / 3.0,
        1.5,
        1.75,
        2.0,
        2.25,
        3.0,
    ] {
        for _ in 0..50 {
            let n = rng.random_range(1..12);
            let x: Vec<f64> = (0..n).map(|_| 3.0 * rng.random::<f64>()).collect();
            let g: Vec<f64> = (0..n).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect();
            let (_, gx, ga) = entmax_with_gradients(&x, alpha, &g);
            let (want, want_alpha) = naive::entmax_backward(&x, alpha, &g);
            // A vanishing weight's slope magnifies its rounding beyond alpha = 2.
            let relative = if alpha > 2.0 { 1e-6 } else { 1e-9 };
            let size = want.iter().fold(1.0f64, |a, b| a.max(b.abs()));
            assert_close(&format!("alpha {alpha}"), &gx, &want, relative * size, 0.0);
            assert_close(
                &format!("alpha {alpha}"),
                &[ga],
                &[want_alpha],
                relative * size.max(want_alpha.abs()),
                0.0,
            );
        }
    }
}

#[test]
fn a_vanishing_weight_beyond_alpha_two_gives_finite_gradients() {
    // The second weight is the smallest f32 can hold: its slope p^(2 - alpha) overflows.
    for alpha in [3.0, 5.0, 50.0] {
        let (p, s) = ([1.0f32, f32::MIN_POSITIVE], [0.0f32, 2.0]);
        let (mut gx, mut ga) = (out::<f32>(2), out::<f32>(1));
        let alpha = [alpha];
        kernels::entmax_rows_backward(&p, &alpha, &s, &[1.0, -1.0], 2, &mut gx, &mut ga);
        let (gx, ga) = (filled(gx), filled(ga));
        assert!(gx.iter().chain(&ga).all(|x| x.is_finite()), "{gx:?} {ga:?}");
    }
}

#[test]
fn statistics_hold_the_maximum_and_the_size_of_the_support() {
    let inf = f32::INFINITY;
    let x = [-2.0, 0.0, 0.5, inf, 0.0, inf, -inf, -inf, -inf];
    for alpha in [1.5, 2.0] {
        let (mut p, mut s) = (out::<f32>(9), stats::<f32>(6));
        kernels::entmax(&x, 3, alpha, &mut p, &mut s);
        assert_eq!(filled(s), [0.5, 2.0, f32::MAX, 2.0, f32::MIN, 0.0]);
        assert_eq!(filled(p)[3..], [0.5, 0.0, 0.5, 0.0, 0.0, 0.0]);
    }
}
