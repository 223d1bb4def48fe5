//! The numerics contract: infinities, NaN, masks, ties, large logits, extreme temperatures and powers, costs.

use crate::case::Case;
use crate::operators::{Answer, answers};
use crate::oracle::compared;
use crate::support::{assert_close, filled, out, same, stats, wide};
use burn_relax_kernels::{self as kernels, Element, naive};
use half::{bf16, f16};

const INF: f64 = f64::INFINITY;

/// A case whose rows 1, 3, 5, 7 hold NaN, `+inf`, two `+inf` and only `-inf`.
fn special<F: Element>(n: usize) -> Case {
    let mut case = Case::random(9, 9, n, 0.6).rounded::<F>();
    case.logits[n + n / 2] = f64::NAN;
    case.unit[n + n / 2] = f64::NAN;
    case.logits[3 * n + n - 1] = INF;
    case.logits[5 * n] = INF;
    case.logits[5 * n + n - 1] = INF;
    case.logits[7 * n..8 * n].fill(-INF);
    case
}

fn special_rows<F: Element>(absolute: f64) {
    for n in [1, 2, 3, 15, 16, 17, 33, 65, 257, 1025] {
        let case = special::<F>(n);
        for (answer, want) in compared::<F>(&case) {
            let steep =
                answer.operator == "power_softmax_backward" && answer.output == "grad_values";
            let scale = if steep { 20.0 } else { 6.0 } * (n as f64).sqrt();
            let label = format!("{} n={n}", answer.name());
            assert_close(&label, &answer.values, &want, absolute * scale, absolute);
        }
    }
}

#[test]
fn special_rows_agree_with_the_oracle_in_every_type() {
    special_rows::<f32>(5e-7);
    special_rows::<f64>(2e-15);
    special_rows::<f16>(2e-3);
    special_rows::<bf16>(1.6e-2);
}

#[test]
fn nan_stays_in_its_row() {
    for n in [1, 16, 33, 1025] {
        let clean = Case::random(9, 9, n, 0.6).rounded::<f32>();
        let mut case = clean.clone();
        case.logits[4 * n + n / 2] = f64::NAN;
        case.unit[4 * n + n / 2] = f64::NAN;
        for (got, want) in answers::<f32>(&case).iter().zip(answers::<f32>(&clean)) {
            let label = format!("{} n={n}", got.name());
            for r in 0..9 {
                if r != 4 {
                    assert!(same(got.row(r), want.row(r)), "{label} row {r}");
                } else if got.output != "indices" && !["uniform", "gumbel"].contains(&got.operator)
                {
                    assert!(
                        got.row(r).iter().all(|x| x.is_nan()),
                        "{label}: {:?}",
                        got.row(r)
                    );
                }
            }
        }
    }
}

#[test]
fn what_stands_at_a_forbidden_class_is_never_looked_at() {
    for n in [2, 17, 40, 300] {
        let mut clean = Case::random(3, 3, n, 0.9).rounded::<f32>();
        for i in (1..n).step_by(2) {
            for r in 0..3 {
                clean.logits[r * n + i] = -INF;
                clean.unit[r * n + i] = 0.0;
            }
        }
        let mut poisoned = clean.clone();
        for i in (1..n).step_by(2) {
            for r in 0..3 {
                let poison = if i % 4 == 1 { f64::NAN } else { INF };
                poisoned.cost[r * n + i] = poison;
                poisoned.noise[r * n + i] = poison;
                poisoned.grad[r * n + i] = poison;
                for gather in &mut poisoned.gathers {
                    let f = gather.features;
                    gather.values[(r * n + i) * f..][..f].fill(poison);
                }
            }
        }
        for (got, want) in answers::<f32>(&poisoned).iter().zip(answers::<f32>(&clean)) {
            // The gradual argmax knows no forbidden classes; a zero of the power softmax passes no gradient here (p > 1).
            if !got.operator.contains("gradual_argmax") {
                assert!(same(&got.values, &want.values), "{} n={n}", got.name());
            }
        }
    }
}

#[test]
fn masked_equals_shorter() {
    // Classes are appended, so that the sums run in the same lanes: equality is exact.
    let (short, long) = (48, 112);
    let a = Case::random(5, 1, short, 0.8).rounded::<f32>();
    let mut b = Case::random(6, 1, long, 0.8).rounded::<f32>();
    b.logits.fill(-INF);
    b.logits[..short].copy_from_slice(&a.logits);
    b.gathers[0].values[..short].copy_from_slice(&a.gathers[0].values);
    b.gathers[0].grad = a.gathers[0].grad.clone();
    b.grad[..short].copy_from_slice(&a.grad);
    b.grad_row = a.grad_row.clone();
    b.cost[..short].copy_from_slice(&a.cost);
    let (a, b) = (answers::<f32>(&a), answers::<f32>(&b));
    for name in [
        "softmax  probs",
        "softmax_backward  grad_logits",
        "log_softmax  log_probs",
        "soft_argmax_gather 1 soft",
        "soft_argmax_gather_backward 1 grad_logits",
        "soft_argmax_gather_backward 1 grad_values",
        "free_energy  energy",
    ] {
        let find = |v: &[Answer]| v.iter().find(|x| x.name() == name).unwrap().values.clone();
        let (a, b) = (find(&a), find(&b));
        assert_close(name, &b[..a.len()], &a, 1e-7, 1e-6);
        let rest = if name.starts_with("log_softmax") {
            -INF
        } else {
            0.0
        };
        assert!(b[a.len()..].iter().all(|&x| x == rest), "{name}");
    }
}

#[test]
fn large_logits_and_extreme_temperatures_stay_finite_and_right() {
    for temperature in [1.0, 1e-3, 1e-30, 1e-300, 1e3, 1e30, 1e300] {
        let mut case = Case::random(4, 4, 37, temperature).rounded::<f32>();
        for (i, x) in case.logits.iter_mut().enumerate() {
            if x.is_finite() {
                *x = ((*x * 2500.0) as f32) as f64 + if i % 37 == 5 { 1e4 } else { 0.0 };
            }
        }
        for (answer, want) in compared::<f32>(&case) {
            let label = format!("{} temperature={temperature:e}", answer.name());
            assert!(answer.values.iter().all(|x| !x.is_nan()), "{label}");
            let forward = [
                "softmax  probs",
                "soft_argmax_gather 1 soft",
                "hard_argmax_gather 1 hard",
                "soft_argmax  output",
                "gumbel_softmax_with_noise  probs",
                "argmax  indices",
            ];
            if forward.contains(&answer.name().as_str()) {
                assert_close(&label, &answer.values, &want, 4e-6, 1e-6);
            }
        }
    }
}

#[test]
fn weights_sum_to_one() {
    for n in [1, 10, 100, 4096] {
        let case = Case::random(8, 4, n, 1.0).rounded::<f32>();
        let probs = &answers::<f32>(&case)[0];
        assert_eq!(probs.name(), "softmax  probs");
        for r in 0..4 {
            if !probs.row(r).iter().all(|&p| p == 0.0) {
                assert!((probs.row(r).iter().sum::<f64>() - 1.0).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn hard_gather_returns_the_chosen_value_exactly_and_the_lowest_index_on_ties() {
    let logits = [0.5f32, 2.0, 2.0, 1.0, 7.0, 7.0];
    let values = [0.1f32, 0.2, 0.3, 0.7, 0.8, 0.9];
    let (mut hard, mut soft, mut s) = (out::<f32>(2), out::<f32>(2), stats::<f32>(4));
    kernels::hard_argmax_gather(&logits, &values, 3, 1, 1.0, &mut hard, &mut soft, &mut s);
    assert_eq!(filled(hard), [0.2, 0.8]);
}

#[test]
fn the_gradual_argmax_keeps_its_corner_cases() {
    // power 1 is the identity, exactly; powers below 1 have no infinite slope at 0 and 1
    let v = [0.0f32, 0.3, 1.0, 0.77, 1e-40, 0.5];
    let mut y = out::<f32>(6);
    kernels::gradual_argmax(&v, &[1.0], 6, &mut y);
    assert_eq!(filled(y), v);
    let (mut gv, mut gp) = (out::<f32>(6), out::<f32>(1));
    kernels::gradual_argmax_backward(&v, &[0.5], &[1.0; 6], 6, true, &mut gv, &mut gp);
    let gv = filled(gv);
    assert_eq!((gv[0], gv[2]), (0.0, 0.0));
    assert!(gv.iter().chain(&filled(gp)).all(|x| x.is_finite()));
    // a huge power gives the indicator, a row of zeros stays zero
    let mut y = out::<f32>(6);
    kernels::gradual_argmax(&[0.5f32, 0.9, 0.1, 0.0, 0.0, 0.0], &[1e30, 3.0], 3, &mut y);
    assert_eq!(filled(y), [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    // a tiny maximum keeps its digits
    let mut y = out::<f32>(2);
    kernels::gradual_argmax(&[1e-12f32, 1e-13], &[3.0], 2, &mut y);
    assert!((filled(y)[0] as f64 / 3e-12 - 1.0).abs() < 1e-6);
    // zeros over their sum have no gradient, whatever arrives
    let (zeros, mut gv, mut gp) = ([0.0f32; 3], out::<f32>(3), out::<f32>(1));
    let backward = kernels::normalised_gradual_argmax_backward;
    backward(
        &zeros,
        &[2.5],
        &zeros,
        &[0.0; 2],
        &[f32::NAN; 3],
        3,
        true,
        &mut gv,
        &mut gp,
    );
    assert_eq!((filled(gv), filled(gp)), (vec![0.0; 3], vec![0.0]));
}

#[test]
fn the_published_values_come_out() {
    let v = [0.1304f64, 0.5134, 0.7426, 0.7159, 0.5705];
    let cases = [
        (2.0, [0.0170, 0.2636, 0.9337, 0.5125, 0.3254]),
        (3.0, [0.0022, 0.1353, 0.9829, 0.3669, 0.1857]),
        (5.0, [3.7761e-5, 3.5664e-2, 0.99887, 0.18803, 6.0419e-2]),
    ];
    for (p, want) in cases {
        let mut y = out::<f64>(5);
        kernels::gradual_argmax(&v, &[p], 5, &mut y);
        assert_close("gradual", &filled(y), &want, 1e-4, 1e-4);
    }
    let (x, values) = ([-2.0f64, 0.0, 0.5], [10.0, 20.0, 30.0]);
    let (mut y, mut s) = (out::<f64>(1), stats::<f64>(2));
    kernels::soft_argmax_gather(&x, &values, 3, 1, 1.0, &mut y, &mut s);
    let (y, s) = (filled(y), filled(s));
    assert_close("gather", &y, &[25.435902], 5e-7, 0.0);
    let (mut gx, mut gv) = (out::<f64>(3), out::<f64>(3));
    kernels::soft_argmax_gather_backward(&x, &values, &s, &y, &[1.0], 3, 1, 1.0, &mut gx, &mut gv);
    assert_close(
        "gather gradient",
        &filled(gx),
        &[-0.750352, -1.952512, 2.702863],
        5e-7,
        0.0,
    );
    let energies = [
        (10.0, 1.721102603, [-0.036348180, -0.674586850, 0.710935030]),
        (1.0, 0.900036098, [0.004624340, -0.524303970, 0.519679620]),
        (0.1, 0.102390291, [0.004860470, -0.064080580, 0.059220110]),
    ];
    for (t, value, gradient) in energies {
        let (mut e, mut s) = (out::<f64>(1), stats::<f64>(5));
        kernels::free_energy(&x, &[1.0, 0.0, 3.0], 3, t, &mut e, &mut s);
        assert_close("free energy", &filled(e), &[value], 1e-8, 0.0);
        let (mut gx, mut gf) = (out::<f64>(3), out::<f64>(3));
        kernels::free_energy_backward(
            &x,
            &[1.0, 0.0, 3.0],
            &filled(s),
            &[1.0],
            3,
            t,
            &mut gx,
            &mut gf,
        );
        assert_close("free energy gradient", &filled(gx), &gradient, 1e-8, 0.0);
    }
    let noise = [0.3f64, -0.1, 0.2];
    for (t, want) in [
        (1.0, [0.058906, 0.291763, 0.649331]),
        (0.5, [0.006801, 0.166839, 0.826360]),
    ] {
        let (mut y, mut s) = (out::<f64>(3), stats::<f64>(2));
        kernels::gumbel_softmax_with_noise(&x, &noise, 3, t, &mut y, &mut s);
        assert_close("gumbel_softmax", &filled(y), &want, 5e-7, 0.0);
    }
}

fn energy(x: &[f32], cost: &[f32], t: f64) -> (f32, Vec<f32>, Vec<f32>) {
    let n = x.len();
    let (mut e, mut s) = (out::<f32>(1), stats::<f32>(5));
    kernels::free_energy(x, cost, n, t, &mut e, &mut s);
    let (mut gx, mut gf) = (out::<f32>(n), out::<f32>(n));
    kernels::free_energy_backward(x, cost, &filled(s), &[1.0], n, t, &mut gx, &mut gf);
    (filled(e)[0], filled(gx), filled(gf))
}

#[test]
fn the_free_energy_holds_at_both_ends_of_the_temperature() {
    let (x, cost) = ([0.3f32, -1.0, 0.8, 0.1], [2.0f32, 0.5, 1.0, 3.0]);
    let (x64, cost64) = (wide(&x), wide(&cost));
    let p = naive::softmax(&x64, 1.0);
    let mean: f64 = p.iter().zip(&cost64).map(|(p, f)| p * f).sum();
    // hot: the mean cost, and the gradient of it, to full accuracy
    let (e, gx, gf) = energy(&x, &cost, 1e7);
    assert!((e as f64 - mean).abs() < 5e-7);
    let want: Vec<f64> = p.iter().zip(&cost64).map(|(p, f)| p * (f - mean)).collect();
    assert_close("hot gradient", &wide(&gx), &want, 5e-7, 0.0);
    assert_close("hot responsibilities", &wide(&gf), &p, 2e-7, 0.0);
    // cold: the lowest cost
    let (e, gx, gf) = energy(&x, &cost, 1e-6);
    assert!((e - 0.5).abs() < 1e-5);
    assert_eq!(gf, [0.0, 1.0, 0.0, 0.0]);
    assert!(gx.iter().all(|g| g.abs() <= 1e-6));
    // in between, against the oracle
    for t in [0.05, 0.3, 1.0, 20.0, 1e3] {
        let (e, gx, gf) = energy(&x, &cost, t);
        assert_close(
            "value",
            &[e as f64],
            &[naive::free_energy(&x64, &cost64, t)],
            5e-7,
            0.0,
        );
        let (wx, wf) = naive::free_energy_backward(&x64, &cost64, t, 1.0);
        assert_close(&format!("logits, T={t}"), &wide(&gx), &wx, 5e-7, 1e-6);
        assert_close("costs", &wide(&gf), &wf, 2e-7, 1e-6);
    }
}

#[test]
fn the_free_energy_stands_infinite_and_enormous_costs() {
    let inf = f32::INFINITY;
    let (e, gx, gf) = energy(&[0.0, 0.0, 0.0], &[1.0, inf, 1.0], 1.0);
    assert!((e - (1.0 + 1.5f32.ln())).abs() < 1e-6);
    assert_eq!(gf[1], 0.0);
    assert!((gx[1] - 1.0 / 3.0).abs() < 1e-6 && (gf[0] - 0.5).abs() < 1e-6);
    let (e, gx, gf) = energy(&[0.0, 1.0], &[inf, inf], 1.0);
    assert_eq!((e, gx, gf), (inf, vec![0.0; 2], vec![0.0; 2]));
    let (e, gx, gf) = energy(&[-inf, -inf], &[1.0, 2.0], 1.0);
    assert_eq!((e, gx, gf), (0.0, vec![0.0; 2], vec![0.0; 2]));
    let (e, gx, gf) = energy(&[0.0, 5.0, -80.0], &[1e30, 2e30, 1e30], 0.5);
    assert!((e / 1e30 - 1.0).abs() < 1e-6);
    assert!(gx.iter().chain(&gf).all(|g| g.is_finite()));
    // a large common offset costs no accuracy
    let (e, _, gf) = energy(&[0.0, 0.0], &[10_000.0, 10_001.0], 1.0);
    assert!((e as f64 - naive::free_energy(&[0.0, 0.0], &[10_000.0, 10_001.0], 1.0)).abs() < 1e-3);
    assert!((gf[0] - 0.731_058_6).abs() < 1e-6);
    // mass on costs far above the lowest: the log-domain formula
    let (e, gx, gf) = energy(&[40.0, 0.0], &[100.0, 0.0], 1.0);
    let (wx, wf) = naive::free_energy_backward(&[40.0, 0.0], &[100.0, 0.0], 1.0, 1.0);
    assert!((e - 40.0).abs() < 1e-5);
    assert_close("logits", &wide(&gx), &wx, 1e-6, 1e-6);
    assert_close("costs", &wide(&gf), &wf, 1e-6, 1e-6);
}

#[test]
fn gumbel_softmax_keeps_the_noise_of_rows_with_large_logits() {
    let noise = [0.3f32, -0.1, 0.2, 1.7];
    let run = |x: [f32; 4]| {
        let (mut y, mut s) = (out::<f32>(4), stats::<f32>(2));
        kernels::gumbel_softmax_with_noise(&x, &noise, 4, 0.5, &mut y, &mut s);
        filled(y)
    };
    assert_eq!(run([1e4, 1e4, 9999.0, 9998.0]), run([0.0, 0.0, -1.0, -2.0]));
    assert_eq!(
        run([-1e4, -1e4, -10001.0, -10002.0]),
        run([0.0, 0.0, -1.0, -2.0])
    );
}

#[test]
fn power_softmax_holds_at_its_ends() {
    // zeros get nothing, a row of zeros gives zeros, tiny values do not underflow
    let v = [0.0f32, 2e-30, 1e-30, 0.0, 0.0, 0.0];
    let (mut y, mut s) = (out::<f32>(6), stats::<f32>(4));
    kernels::power_softmax(&v, &[3.0], 3, &mut y, &mut s);
    assert_close(
        "power_softmax",
        &wide(&filled(y)),
        &[0.0, 8.0 / 9.0, 1.0 / 9.0, 0.0, 0.0, 0.0],
        1e-7,
        0.0,
    );
    // at power 1 a zero still has the gradient of v / sum v
    let v = [0.0f64, 0.25, 0.75];
    let (mut y, mut s) = (out::<f64>(3), stats::<f64>(2));
    kernels::power_softmax(&v, &[1.0], 3, &mut y, &mut s);
    let (y, s) = (filled(y), filled(s));
    let (mut gv, mut gp) = (out::<f64>(3), out::<f64>(1));
    kernels::power_softmax_backward(&v, &[1.0], &y, &s, &[1.0, 2.0, 4.0], 3, &mut gv, &mut gp);
    assert_close("slope at 0", &filled(gv), &[-2.5, -1.5, 0.5], 1e-15, 0.0);
}
