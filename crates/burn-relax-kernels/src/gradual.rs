//! Gradual argmax: `1 - (1 - v)^p` at every maximum of a row, `v^p` elsewhere.
//!
//! Forward: one pass for the maximum, one for the powers; the value at the maximum is the same for all ties and taken once per row,
//! in `f64`. `v^p` is `v exp((p - 1) ln v)` for `p >= 1`, which is exact at `p = 1`, and `exp(p ln v)` below. Backward reads
//! values and upstream gradient; it needs no saved output. A logarithm and an exponential per element make both
//! bound by arithmetic on one thread.

use crate::argmax::max_and_nan;
use crate::distribute::{part, run, stage};
use crate::element::Element;
use crate::math::{exp, ln};
use crate::real::Real;
use crate::rows::{Output, check_len, count_rows, get, lanes, put, row, written};
use crate::simd::{Backend, Pack, Region, Vector, current_path, enter};
use crate::sums::Sum;
use core::mem::MaybeUninit;
use core::ops::Range;

/// The power of row `r` from a slice of one power or one per row.
#[inline(always)]
pub(crate) fn power_of<A: Real>(power: &[A], r: usize) -> A {
    power[if power.len() == 1 { 0 } else { r }]
}

/// Checks that there is one power, or one per row.
#[track_caller]
pub(crate) fn check_power(kernel: &str, got: usize, rows: usize) {
    assert!(
        got == 1 || got == rows,
        "{kernel}: power must have 1 or {rows} values, got {got}"
    );
}

/// `v^(p - 1)` and `v^p` for `v > 0`; other lanes are to be replaced.
#[inline(always)]
pub(crate) fn powers<V: Vector>(v: V, log: V, p: V::Scalar) -> (V, V) {
    if p >= V::Scalar::ONE {
        let lower = exp(V::splat(p - V::Scalar::ONE) * log);
        (lower, lower * v)
    } else {
        let upper = exp(V::splat(p) * log);
        ((upper / v).min(V::splat(V::Scalar::MAX)), upper)
    }
}

/// `0^(p - 1)` as the derivatives use it: 1 for `p = 1`, else 0, for `p < 1` too, where it is infinite.
#[inline(always)]
pub(crate) fn zero_power<A: Real>(p: A) -> A {
    if p == A::ONE { A::ONE } else { A::ZERO }
}

/// `1 - (1 - v)^p`, in `f64` inside.
#[inline(always)]
fn top_value<A: Real>(v: A, p: A) -> A {
    if p == A::ONE {
        return v;
    }
    A::from_f64(-(p.to_f64() * (-v.to_f64()).ln_1p()).exp_m1())
}

/// `p (1 - v)^(p - 1)`
#[inline(always)]
fn top_slope<A: Real>(v: A, p: A) -> A {
    if p == A::ONE {
        A::ONE
    } else if v == A::ONE {
        A::ZERO
    } else {
        let (log, power) = ((-v.to_f64()).ln_1p(), p.to_f64());
        A::from_f64(power * ((power - 1.0) * log).exp())
    }
}

/// `-(1 - v)^p ln(1 - v)`
#[inline(always)]
fn top_power_slope(v: f64, p: f64) -> f64 {
    if v == 1.0 {
        return 0.0;
    }
    let log = (-v).ln_1p();
    -(p * log).exp() * log
}

struct Forward<'a, A: Real> {
    values: &'a [A],
    power: &'a [A],
    n: usize,
    out: Output<'a, A>,
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        for r in rows {
            let v = row(self.values, r, n);
            // SAFETY: row `r` is in this task's range and borrowed once.
            let out = unsafe { self.out.row(r, n) };
            let (largest, nan) = max_and_nan::<B, A>(v);
            let p = power_of(self.power, r);
            if nan {
                out.fill(MaybeUninit::new(A::NAN));
                continue;
            }
            let top = top_value(largest, p);
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let v = get::<B, A, U>(v, i, k, A::ZERO);
                let (_, y) = powers(v, ln(v), p);
                let zero = Pack::splat(A::ZERO);
                let y = Pack::select(v.ne(zero), y, zero);
                put::<B, A, U>(
                    out,
                    i,
                    k,
                    Pack::select(v.ne(Pack::splat(largest)), y, Pack::splat(top)),
                );
            });
        }
    }
}

struct Backward<'a, A: Real> {
    values: &'a [A],
    power: &'a [A],
    grad: &'a [A],
    n: usize,
    grad_values: Output<'a, A>,
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        for r in rows {
            let (v, g) = (row(self.values, r, n), row(self.grad, r, n));
            // SAFETY: row `r` is in this task's range and borrowed once.
            let grad_v = unsafe { self.grad_values.row(r, n) };
            let (largest, nan) = max_and_nan::<B, A>(v);
            let p = power_of(self.power, r);
            if nan {
                grad_v.fill(MaybeUninit::new(A::NAN));
                continue;
            }
            let (top, at_zero) = (top_slope(largest, p), p * zero_power(p));
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let v = get::<B, A, U>(v, i, k, A::ZERO);
                let (lower, _) = powers(v, ln(v), p);
                let (positive, loser) = (v.ne(Pack::splat(A::ZERO)), v.ne(Pack::splat(largest)));
                let slope = Pack::select(positive, Pack::splat(p) * lower, Pack::splat(at_zero));
                let slope = Pack::select(loser, slope, Pack::splat(top));
                put::<B, A, U>(grad_v, i, k, get::<B, A, U>(g, i, k, A::ZERO) * slope);
            });
        }
    }
}

/// The gradient of the power: a sum over the row of terms of either sign, which may be small beside them. It is taken in `f64`, whose
/// logarithm and exponential take longer than the rest of the backward pass, and is left to calls that ask for it.
struct OfPower<'a> {
    values: &'a [f64],
    power: &'a [f64],
    grad: &'a [f64],
    n: usize,
    grad_power: Output<'a, f64>,
}

impl Region for OfPower<'_> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        for r in rows {
            let (v, g) = (row(self.values, r, n), row(self.grad, r, n));
            // SAFETY: row `r` is in this task's range and borrowed once.
            let grad_power = unsafe { self.grad_power.row(r, 1) };
            let (largest, nan) = max_and_nan::<B, f64>(v);
            let p = power_of(self.power, r);
            let top = top_power_slope(largest, p);
            let mut sum = Sum::<B::F64>::new();
            lanes!(B::F64, n, |i, k, U| {
                let v = get::<B, f64, U>(v, i, k, 0.0);
                let (log, zero) = (ln(v), Pack::splat(0.0));
                let slope = Pack::select(v.ne(zero), powers(v, log, p).1 * log, zero);
                let slope = Pack::select(v.ne(Pack::splat(largest)), slope, Pack::splat(top));
                sum.add(get::<B, f64, U>(g, i, k, 0.0) * slope);
            } flush { sum.flush() });
            grad_power[0].write(if nan { f64::NAN } else { sum.total() });
        }
    }
}

impl OfPower<'_> {
    // Not generic: this is where the code of the region is compiled.
    fn run_rows(&self, rows: usize) {
        enter(current_path(), self, 0..rows);
    }
}

/// The gradual argmax of every row: `1 - (1 - v)^p` at every maximum, `v^p` elsewhere.
///
/// `power` holds one value for all rows or one per row. The domain is `0 <= v <= 1`, `p > 0`; outside it the result
/// has no meaning. Zero stays zero, `p = 1` changes nothing, a row with NaN becomes NaN.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn gradual_argmax<F: Element>(values: &[F], power: &[F], n: usize, out: &mut [MaybeUninit<F>]) {
    let rows = count_rows("gradual_argmax", values.len(), n);
    check_power("gradual_argmax", power.len(), rows);
    check_len("gradual_argmax", "out", out.len(), values.len());
    let per_row = usize::from(power.len() > 1);
    run!(Forward, rows, 2 * n, |_first| { values: n, power: per_row } {} { out: n } {} { n: n });
}

/// Gradient of [`gradual_argmax`]: for the values `g p (1 - v)^(p - 1)` at every maximum and `g p v^(p - 1)` elsewhere; for
/// the power, if it is asked for, one sum per row of `-g (1 - v)^p ln(1 - v)` and `g v^p ln v`.
///
/// `0^(p - 1)` counts as 1 for `p = 1` and as 0 for every other `p`: for `p < 1` the derivative there is infinite, and 0
/// is what does not destroy a training step. Powers that overflow stop at the largest finite number.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn gradual_argmax_backward<F: Element>(
    values: &[F],
    power: &[F],
    grad: &[F],
    n: usize,
    grad_values: &mut [MaybeUninit<F>],
    grad_power: Option<&mut [MaybeUninit<F>]>,
) {
    const KERNEL: &str = "gradual_argmax_backward";
    let rows = count_rows(KERNEL, values.len(), n);
    check_power(KERNEL, power.len(), rows);
    check_len(KERNEL, "grad", grad.len(), values.len());
    check_len(KERNEL, "grad_values", grad_values.len(), values.len());
    let per_row = usize::from(power.len() > 1);
    run!(
        Backward, rows, 3 * n, |_first|
        { values: n, power: per_row, grad: n } {} { grad_values: n } {} { n: n }
    );
    let Some(grad_power) = grad_power else {
        return;
    };
    check_len(KERNEL, "grad_power", grad_power.len(), rows);
    let wide = |slice: &[F]| -> Vec<f64> { slice.iter().map(|x| x.to_acc().to_f64()).collect() };
    let out = Output::new(grad_power);
    stage(rows, 8 * n, 1, |block| {
        let mut sums = vec![MaybeUninit::uninit(); block.len()];
        let region = OfPower {
            values: &wide(part(values, &block, n)),
            power: &wide(part(power, &block, per_row)),
            grad: &wide(part(grad, &block, n)),
            n,
            grad_power: Output::new(&mut sums),
        };
        region.run_rows(block.len());
        // SAFETY: blocks do not overlap, and the region has written every sum.
        let (out, sums) = unsafe { (out.part(block.start, block.len()), written(&sums)) };
        for (out, &sum) in out.iter_mut().zip(sums) {
            out.write(F::from_acc(Real::from_f64(sum)));
        }
    });
}
