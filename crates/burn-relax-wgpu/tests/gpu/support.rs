//! Lengths of rows, and comparisons.

/// Row lengths round every width that the kernels know.
pub const LENGTHS: [usize; 17] = [
    1, 2, 15, 16, 17, 31, 32, 33, 255, 256, 257, 1000, 1025, 4096, 32000, 128001, 1_000_000,
];

/// Whether a number is neither infinite nor NaN nor a statistic that stands for an infinity.
fn counts(x: &f64) -> bool {
    x.abs() < f64::from(f32::MAX)
}

/// Fails unless `got` is `want`: NaN and infinities at the same places, the rest within `tolerance` of the largest magnitude
/// among the wanted.
#[track_caller]
pub fn assert_close(what: &str, got: &[impl Copy + Into<f64>], want: &[f64], tolerance: f64) {
    assert_close_at_scale(what, got, want, tolerance, 0.0);
}

/// [`assert_close`] where the largest magnitude counts as at least `least`.
#[track_caller]
pub fn assert_close_at_scale(
    what: &str,
    got: &[impl Copy + Into<f64>],
    want: &[f64],
    tolerance: f64,
    least: f64,
) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    let scale = want
        .iter()
        .filter(|w| counts(w))
        .fold(least.max(1e-30), |m: f64, w| m.max(w.abs()));
    let mut worst = (0.0, 0);
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        let got = got.into();
        if !counts(&want) {
            assert!(
                got == want || (got.is_nan() && want.is_nan()),
                "{what}: at {i} got {got}, want {want}"
            );
            continue;
        }
        let error = (got - want).abs() / scale;
        assert!(!error.is_nan(), "{what}: at {i} got {got}, want {want}");
        if error > worst.0 {
            worst = (error, i);
        }
    }
    if std::env::var_os("SHOW_ERRORS").is_some() {
        println!("{what}: {:.2e}", worst.0);
    }
    assert!(
        worst.0 <= tolerance,
        "{what}: at {} got {}, want {}: {:.2e} of the largest magnitude {scale:.3e}, allowed {tolerance:.1e}",
        worst.1,
        got[worst.1].into(),
        want[worst.1],
        worst.0
    );
}
