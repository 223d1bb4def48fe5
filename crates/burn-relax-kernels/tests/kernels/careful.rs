//! Rows whose gradients are small differences and are taken in `f64`, beside those that are not.

use crate::case::Case;
use crate::support::{assert_close, filled, narrow, out, stats, wide};
use burn_relax_kernels::{self as kernels, Element};

/// The gradient of log-probabilities in one row.
fn log_prob_gradient(x: &[f32], index: &[i64], g: &[f32]) -> Vec<f64> {
    let (n, samples) = (x.len(), index.len());
    let (mut y, mut s) = (out::<f32>(samples), stats::<f32>(2));
    kernels::categorical_log_prob(x, index, n, samples, &mut y, &mut s);
    let mut b = out::<f32>(n);
    kernels::categorical_log_prob_backward(x, index, &filled(s), g, n, samples, 1.0, &mut b);
    wide(&filled(b))
}

#[test]
fn a_class_drawn_several_times_gets_all_its_gradients() {
    // one class has most of the weight; few samples go through f64, many do not
    let x = [4.0f32, 1.0, 0.5, -1.0];
    let sum: f64 = x.iter().map(|&x| f64::from(x).exp()).sum();
    for samples in [1, 3, 16, 17, 40] {
        let index: Vec<i64> = (0..samples).map(|i| [0, 0, 2, 0, 1][i % 5]).collect();
        let g: Vec<f32> = (0..samples).map(|i| 0.1 + i as f32 * 0.07).collect();
        let total: f64 = g.iter().map(|&g| f64::from(g)).sum();
        let mut want: Vec<f64> = x
            .iter()
            .map(|&x| -f64::from(x).exp() / sum * total)
            .collect();
        for (&k, &g) in index.iter().zip(&g) {
            want[k as usize] += f64::from(g);
        }
        let got = log_prob_gradient(&x, &index, &g);
        // in f64 the cancellation costs nothing
        let allowed = if samples > 16 { 1e-5 } else { 6e-8 };
        assert_close(&format!("{samples} samples"), &got, &want, allowed, 2.5e-7);
    }
}

/// The power softmax of a row and the gradients of its values and its power.
fn power_softmax(v: &[f32], power: f32, g: &[f32]) -> (Vec<f32>, Vec<f32>, f32) {
    let n = v.len();
    let (mut y, mut s) = (out::<f32>(n), stats::<f32>(2));
    kernels::power_softmax(v, &[power], n, &mut y, &mut s);
    let (y, s) = (filled(y), filled(s));
    let (mut gv, mut gp) = (out::<f32>(n), out::<f32>(1));
    kernels::power_softmax_backward(v, &[power], &y, &s, g, n, &mut gv, &mut gp);
    (y, filled(gv), filled(gp)[0])
}

#[test]
fn steep_rows_of_the_power_softmax_keep_their_limits() {
    // slopes of up to 6e37 stay finite, and the same values times a power of two have gradients divided by it
    let g = [0.3f32, -0.7, 0.4];
    let (_, flat, power) = power_softmax(&[0.6875, 0.5, 0.625], 6.0, &g);
    let tiny = 2f32.powi(-90);
    let (_, steep, same_power) = power_softmax(&[0.6875 * tiny, 0.5 * tiny, 0.625 * tiny], 6.0, &g);
    assert_eq!(steep, flat.iter().map(|g| g / tiny).collect::<Vec<_>>());
    assert_eq!(power, same_power);
    let (_, limited, _) = power_softmax(&[2e-38, 1.9e-38, 1.8e-38], 6.0, &g);
    assert!(limited.iter().all(|g| g.is_finite() && *g != 0.0));
}

#[test]
fn the_power_softmax_takes_subnormal_values_and_any_power() {
    let g = [0.3f32, -0.7, 0.4];
    // 3, 2 and 1 of the smallest subnormal numbers
    let subnormal =
        [3e-45f32, 4.2e-45, 1.4e-45].map(|v| f32::from_bits((v / 1.4e-45).round() as u32));
    let (y, gv, gp) = power_softmax(&subnormal, 2.0, &g);
    let want = [4.0, 9.0, 1.0].map(|w| w / 14.0);
    assert_close("subnormal", &wide(&y), &want, 1e-7, 0.0);
    assert!(gv.iter().all(|g| g.is_finite()) && gp.is_finite());
    for power in [1e-30f32, 0.3, 1.0, 3e4, 1e30, f32::MAX] {
        for v in [
            [0.5f32, 0.25, 0.0],
            [1.0, 1e-38, 1e-45],
            [3e38, 1e-30, 2e38],
        ] {
            let (y, gv, gp) = power_softmax(&v, power, &g);
            let all = [&y[..], &gv, &[gp]].concat();
            assert!(
                all.iter().all(|x| x.is_finite()),
                "{power:e} {v:?}: {all:?}"
            );
            assert_close("sum", &[wide(&y).iter().sum()], &[1.0], 1e-6, 0.0);
        }
    }
}

#[test]
fn the_gradient_of_the_values_does_not_depend_on_that_of_the_power() {
    let case = Case::random(3, 7, 65, 1.0).rounded::<f32>();
    let (v, p, g) = (
        narrow::<f32>(&case.unit),
        narrow::<f32>(&case.power),
        narrow::<f32>(&case.grad),
    );
    let (mut with, mut without) = (out::<f32>(v.len()), out::<f32>(v.len()));
    let mut of_power = out::<f32>(7);
    kernels::gradual_argmax_backward(&v, &p, &g, 65, true, &mut with, &mut of_power);
    assert!(filled(of_power).iter().any(|g| *g != 0.0));
    let mut none = out::<f32>(7);
    kernels::gradual_argmax_backward(&v, &p, &g, 65, false, &mut without, &mut none);
    assert_eq!(filled(with), filled(without));
    assert_eq!(filled(none), [0.0; 7]);
}

#[test]
fn many_features_are_as_many_gathers() {
    let (rows, n, features, t) = (5, 37, 33, 0.7);
    let case = Case::random(11, rows, n, t).rounded::<f32>();
    let logits = narrow::<f32>(&case.logits);
    let value = |i: usize, f: usize| ((i * 31 + f * 17) % 64) as f32 / 64.0 - 0.4;
    let all: Vec<f32> = (0..rows * n * features)
        .map(|j| value(j / features, j % features))
        .collect();
    let (mut soft, mut s) = (out::<f32>(rows * features), stats::<f32>(2 * rows));
    kernels::soft_argmax_gather(&logits, &all, n, features, t, &mut soft, &mut s);
    let soft = filled(soft);
    for f in 0..features {
        let one: Vec<f32> = (0..rows * n).map(|i| value(i, f)).collect();
        let (mut want, mut s) = (out::<f32>(rows), stats::<f32>(2 * rows));
        kernels::soft_argmax_gather(&logits, &one, n, 1, t, &mut want, &mut s);
        let got: Vec<f64> = (0..rows)
            .map(|r| f64::from(soft[r * features + f]))
            .collect();
        assert_close(
            &format!("feature {f}"),
            &got,
            &wide(&filled(want)),
            1.5e-7,
            0.0,
        );
    }
}

/// Energy and gradients of one row of costs.
pub fn energy<F: Element>(x: &[f64], f: &[f64], temperature: f64) -> (f64, Vec<f64>, Vec<f64>) {
    let n = x.len();
    let (x, f) = (narrow::<F>(x), narrow::<F>(f));
    let (mut y, mut s) = (out::<F>(1), stats::<F>(5));
    kernels::free_energy(&x, &f, n, temperature, &mut y, &mut s);
    let (s, g) = (filled(s), narrow::<F>(&[1.0]));
    let (mut of_x, mut of_f) = (out::<F>(n), out::<F>(n));
    kernels::free_energy_backward(&x, &f, &s, &g, n, temperature, &mut of_x, &mut of_f);
    (
        wide(&filled(y))[0],
        wide(&filled(of_x)),
        wide(&filled(of_f)),
    )
}

#[test]
fn an_unlikely_class_of_the_lowest_cost_is_found_at_any_temperature() {
    // F = 1 + 200 T: the exponent of the other class is -1e10.
    let (energy_32, _, of_cost) = energy::<f32>(&[0.0, -200.0], &[2.0, 1.0], 1e-10);
    assert_eq!(energy_32, f64::from(1.000_000_02_f32));
    assert_eq!(of_cost, [0.0, 1.0]);
    let (energy_64, _, _) = energy::<f64>(&[0.0, -200.0], &[2.0, 1.0], 1e-10);
    assert!((energy_64 - 1.000_000_02).abs() < 1e-15);
}

#[test]
fn what_costs_have_in_common_costs_no_digits() {
    let (energy, _, of_cost) = energy::<f32>(&[0.0, 3.0], &[10_000.0, 10_000.125], 0.01);
    // ln(r_0 / r_1) = 12.5 - 3 = 9.5
    let second = 1.0 / (1.0 + 9.5f64.exp());
    assert!((of_cost[1] / second - 1.0).abs() < 1e-5, "{of_cost:?}");
    assert!((of_cost[0] - (1.0 - second)).abs() < 1e-7);
    assert!((energy - 10_000.030_486).abs() < 5e-4, "{energy}");
    // Alike in a row of a thousand.
    let x: Vec<f64> = (0..1000).map(|i| (i % 7) as f64).collect();
    let f: Vec<f64> = (0..1000).map(|i| (i % 13) as f64 / 64.0).collect();
    let far: Vec<f64> = f.iter().map(|f| f + 8192.0).collect();
    let (_, _, near) = self::energy::<f32>(&x, &f, 0.02);
    let (_, _, far) = self::energy::<f32>(&x, &far, 0.02);
    assert_eq!(near, far);
}

/// The gradual argmax and the power softmax of one row, and the gradients of their first entry for the values.
fn sharpened(v: &[f32], p: f32) -> [Vec<f32>; 4] {
    let n = v.len();
    let mut g = vec![0.0; n];
    g[0] = 1.0;
    let (mut y, mut w, mut s) = (out::<f32>(n), out::<f32>(n), stats::<f32>(2));
    kernels::gradual_argmax(v, &[p], n, &mut y);
    kernels::power_softmax(v, &[p], n, &mut w, &mut s);
    let (w, s) = (filled(w), filled(s));
    let (mut of_y, mut of_w) = (out::<f32>(n), out::<f32>(n));
    let mut of_p = out::<f32>(1);
    kernels::gradual_argmax_backward(v, &[p], &g, n, true, &mut of_y, &mut of_p);
    kernels::power_softmax_backward(v, &[p], &w, &s, &g, n, &mut of_w, &mut of_p);
    [filled(y), w, filled(of_y), filled(of_w)]
}

#[test]
fn values_one_rounding_outside_count_as_the_ends() {
    for p in [0.5, 1.0, 2.5, 70.0] {
        let inside = sharpened(&[0.0, 0.4, 1.0], p);
        let outside = sharpened(&[-1e-7, 0.4, 1.000_000_1], p);
        assert_eq!(outside[0], inside[0], "{p}");
        assert_eq!(outside[2], inside[2], "{p}");
        let inside = sharpened(&[0.0, 0.4, 0.6], p);
        let outside = sharpened(&[-1e-7, 0.4, 0.6], p);
        assert_eq!(outside, inside, "{p}");
    }
    let [y, w, ..] = sharpened(&[-1e-7, -1e-8], 2.5);
    assert_eq!((y, w), (vec![0.0; 2], vec![0.0; 2]));
}
