//! Errors against the standard library, and the same bits on every path.

use super::*;
use crate::lanes::pack::Pack;
use crate::lanes::path::Path;
use crate::lanes::region::{Region, enter};
use crate::lanes::sets::arrays;
use crate::lanes::vector::Backend;
use std::sync::Mutex;

/// Applies a lane function to a table through one path.
struct Table<'a, T> {
    input: &'a [T],
    logarithm: bool,
    output: Mutex<Vec<T>>,
}

#[inline(always)]
fn map<V: Vector>(input: &[V::Scalar], logarithm: bool, out: &mut [V::Scalar]) {
    for (x, y) in input
        .chunks_exact(V::LANES)
        .zip(out.chunks_exact_mut(V::LANES))
    {
        let v = V::load(x);
        let v = if logarithm { v.ln() } else { v.exp() };
        v.overwrite(y);
    }
}

impl Region for &Table<'_, f32> {
    #[inline(always)]
    fn run<B: Backend>(self) {
        map::<B::F32>(self.input, self.logarithm, &mut self.output.lock().unwrap());
    }
}

impl Region for &Table<'_, f64> {
    #[inline(always)]
    fn run<B: Backend>(self) {
        map::<B::F64>(self.input, self.logarithm, &mut self.output.lock().unwrap());
    }
}

/// The lanes of processors without a file of their own.
struct Arrays;

impl Backend for Arrays {
    type F32 = Pack<arrays::F32x4, 4>;
    type F64 = Pack<arrays::F64x4, 2>;
    const PATH: Path = Path::Portable;
}

#[test]
fn lanes_as_arrays_give_the_same_bits() {
    let x: Vec<f32> = (0..4096).map(|i| -0.03 * i as f32).collect();
    let positive: Vec<f32> = x.iter().map(|x| 1e-3 - x).collect();
    for (logarithm, input) in [(false, &x), (true, &positive)] {
        let table = Table {
            input,
            logarithm,
            output: Mutex::new(vec![0.0; input.len()]),
        };
        (&table).run::<Arrays>();
        assert!(table.output.into_inner().unwrap() == apply(input, logarithm, Path::Portable));
    }
    let x: Vec<f64> = x.iter().map(|&x| x as f64 * 1.01).collect();
    let positive: Vec<f64> = x.iter().map(|x| 1e-3 - x).collect();
    for (logarithm, input) in [(false, &x), (true, &positive)] {
        let table = Table {
            input,
            logarithm,
            output: Mutex::new(vec![0.0; input.len()]),
        };
        (&table).run::<Arrays>();
        assert!(table.output.into_inner().unwrap() == apply(input, logarithm, Path::Portable));
    }
}

fn apply<T: Copy + Default>(input: &[T], logarithm: bool, path: Path) -> Vec<T>
where
    for<'a, 'b> &'b Table<'a, T>: Region,
{
    let table = Table {
        input,
        logarithm,
        output: Mutex::new(vec![T::default(); input.len()]),
    };
    enter(path, &table);
    table.output.into_inner().unwrap()
}

fn ulps32(got: f32, want: f64) -> f64 {
    let w = (want as f32).abs().max(f32::MIN_POSITIVE);
    let ulp = (f32::from_bits(w.to_bits() + 1) - w) as f64;
    (got as f64 - want).abs() / ulp
}

/// Every 61st bit pattern between two floats of one sign: all exponents, millions of mantissas.
fn patterns(from: f32, to: f32) -> Vec<f32> {
    let mut v: Vec<f32> = (from.to_bits()..=to.to_bits())
        .step_by(61)
        .map(f32::from_bits)
        .collect();
    v.resize(v.len().next_multiple_of(16), from);
    v
}

#[test]
fn exp_of_f32_is_within_a_ulp_or_so_over_its_range() {
    let x = patterns(-0.0, -87.33);
    let reference = apply(&x, false, Path::Portable);
    let worst = x
        .iter()
        .zip(&reference)
        .fold(0.0f64, |w, (&x, &y)| w.max(ulps32(y, (x as f64).exp())));
    assert!(worst <= 1.1, "{worst} ulp");
    for &path in Path::available() {
        assert!(apply(&x, false, path) == reference, "{path:?}");
    }
    let x = patterns(0.0, 88.0);
    let y = apply(&x, false, Path::Portable);
    let worst = x
        .iter()
        .zip(&y)
        .fold(0.0f64, |w, (&x, &y)| w.max(ulps32(y, (x as f64).exp())));
    assert!(worst <= 1.1, "{worst} ulp");
}

#[test]
fn ln_of_f32_is_within_two_ulp_over_all_positive_numbers() {
    let x = patterns(f32::from_bits(1), f32::MAX);
    let reference = apply(&x, true, Path::Portable);
    let worst = x
        .iter()
        .zip(&reference)
        .fold(0.0f64, |w, (&x, &y)| w.max(ulps32(y, (x as f64).ln())));
    assert!(worst <= 1.2, "{worst} ulp");
    for &path in Path::available() {
        assert!(apply(&x, true, path) == reference, "{path:?}");
    }
}

#[test]
fn exp_and_ln_of_f64_are_within_two_ulp_of_the_standard_library() {
    let ulps = |got: f64, want: f64| {
        (got - want).abs() / (f64::from_bits(want.abs().to_bits() + 1) - want.abs())
    };
    let x: Vec<f64> = (0..1 << 20)
        .map(|i| -708.3 * ((i as f64 + 0.3) / (1 << 20) as f64).powi(3))
        .collect();
    let y = apply(&x, false, Path::Portable);
    let worst = x
        .iter()
        .zip(&y)
        .fold(0.0f64, |w, (&x, &y)| w.max(ulps(y, x.exp())));
    assert!(worst <= 1.1, "exp: {worst} ulp");
    for &path in Path::available() {
        assert!(apply(&x, false, path) == y, "{path:?}");
    }
    let x: Vec<f64> = (0..1 << 20)
        .map(|i| f64::from_bits((i as u64) * (f64::MAX.to_bits() >> 20) + 12_345))
        .chain((1..=1 << 20).map(|i| i as f64 / (1 << 19) as f64))
        .collect();
    let y = apply(&x, true, Path::Portable);
    let worst = x
        .iter()
        .zip(&y)
        .filter(|(x, _)| **x != 1.0)
        .fold(0.0f64, |w, (&x, &y)| w.max(ulps(y, x.ln())));
    assert!(worst <= 1.5, "ln: {worst} ulp");
    for &path in Path::available() {
        assert!(apply(&x, true, path) == y, "{path:?}");
    }
}

#[test]
fn exp_is_zero_at_minus_infinity_one_at_zero_and_keeps_nan() {
    let mut x = [0.0f32; 16];
    x[..4].copy_from_slice(&[f32::NEG_INFINITY, 0.0, f32::NAN, -1e30]);
    for &path in Path::available() {
        let y = apply(&x, false, path);
        assert_eq!((y[0], y[1], y[3]), (0.0, 1.0, 0.0));
        assert!(y[2].is_nan());
    }
}
