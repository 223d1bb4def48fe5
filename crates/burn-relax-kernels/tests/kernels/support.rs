//! Buffers, conversions and comparisons.

use burn_relax_kernels::{Element, Path, Real, Seed, force_path};
use core::mem::MaybeUninit;

/// The seed of every call that makes noise.
pub const SEED: Seed = Seed::new(0x1234_5678_9abc_def0, 77);

pub fn narrow<F: Element>(x: &[f64]) -> Vec<F> {
    x.iter()
        .map(|&x| F::from_acc(F::Acc::from_f64(x)))
        .collect()
}

pub fn wide<F: Element>(x: &[F]) -> Vec<f64> {
    x.iter().map(|x| x.to_acc().to_f64()).collect()
}

/// An output buffer whose unwritten values show: NaN is never a right answer for finite input.
pub fn buffer<T: Copy>(len: usize, poison: T) -> Vec<MaybeUninit<T>> {
    vec![MaybeUninit::new(poison); len]
}

pub fn filled<T: Copy>(v: Vec<MaybeUninit<T>>) -> Vec<T> {
    // SAFETY: `buffer` initialises every value.
    v.into_iter().map(|x| unsafe { x.assume_init() }).collect()
}

/// An output of the element type.
pub fn out<F: Element>(len: usize) -> Vec<MaybeUninit<F>> {
    buffer(len, F::from_acc(F::Acc::NAN))
}

/// An output of the type of arithmetic.
pub fn stats<F: Element>(len: usize) -> Vec<MaybeUninit<F::Acc>> {
    buffer(len, F::Acc::NAN)
}

/// Runs `f` with one SIMD path forced on this thread.
pub fn on_path<T>(path: Path, f: impl FnOnce() -> T) -> T {
    force_path(Some(path));
    let result = f();
    force_path(None);
    result
}

/// Runs `f` in a pool of its own.
pub fn on_threads<T: Send>(threads: usize, f: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(f)
}

/// Equality of every bit, any NaN equal to any other.
pub fn same(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
}

/// Panics with the worst value unless `|got - want| <= absolute + relative |want|`, infinities and NaN being equal to themselves.
pub fn assert_close(what: &str, got: &[f64], want: &[f64], absolute: f64, relative: f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (&g, &w)) in got.iter().zip(want).enumerate() {
        let equal = g == w || (g.is_nan() && w.is_nan());
        assert!(
            equal || (g - w).abs() <= absolute + relative * w.abs(),
            "{what}[{i}]: got {g:e}, want {w:e}, difference {:e}",
            (g - w).abs()
        );
    }
}
