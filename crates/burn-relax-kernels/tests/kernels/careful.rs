//! Rows whose gradients are small differences and are taken in `f64`, beside those that are not.

use crate::case::Case;
use crate::support::{assert_close, filled, narrow, out, stats, wide};
use burn_relax_kernels as kernels;

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
