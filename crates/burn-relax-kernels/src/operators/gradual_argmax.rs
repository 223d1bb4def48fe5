//! Gradual argmax: `1 - (1 - v)^p` at every maximum of a row, `v^p` elsewhere.
//!
//! Forward: one pass for the maximum, one for the powers; the value at the maximum is the same for all ties and taken once per row,
//! in `f64`. `v^p` is `v exp((p - 1) ln v)` for `p >= 1`, which is exact at `p = 1`, and `exp(p ln v)` below. Backward reads
//! values and upstream gradient; it needs no saved output. A logarithm and an exponential per element make both
//! bound by arithmetic on one thread.

use super::kernels::kernels;
use crate::lanes::pack::Pack;
use crate::lanes::path::Path;
use crate::lanes::region::{Region, enter};
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{get, lanes, put};
use crate::row::input::In;
use crate::row::powers::{
    powers, top_power_slope, top_slope, top_value, unit, unit_max, zero_power,
};
use crate::row::special::{fill, max_and_nan};
use crate::row::sums::{Sum, unless_zero};
use core::ops::Range;

/// Elements whose gradient of the power is taken together: their copies in `f64` stay in the first-level cache.
const GROUP: usize = 1024;

/// Work of an element of the gradient of the power.
const OF_POWER: usize = 8;

kernels! {
    /// The gradual argmax of every row: `1 - (1 - v)^p` at every maximum, `v^p` elsewhere.
    ///
    /// `power` holds one value for all rows or one per row. The domain is `0 <= v <= 1`, `p > 0`; values outside,
    /// where rounding may carry them, count as its ends. Zero stays zero, `p = 1` changes nothing, a row with NaN becomes NaN.
    gradual_argmax(values: F[n], power: One[1];) -> (output: F[n])
        => struct Forward {}, work 2 * n;

    /// Gradient of [`gradual_argmax`]: for the values `g p (1 - v)^(p - 1)` at every maximum and `g p v^(p - 1)` elsewhere; for
    /// the power, if it is asked for, one sum per row of `-g (1 - v)^p ln(1 - v)` and `g v^p ln v`, else 0.
    ///
    /// `0^(p - 1)` counts as 1 for `p = 1` and as 0 for every other `p`: for `p < 1` the derivative there is infinite, and 0
    /// is what does not destroy a training step. Powers that overflow stop at the largest finite number.
    gradual_argmax_backward(values: F[n], power: One[1], grad: F[n]; of_power: bool)
        -> (grad_values: F[n], grad_power: F[1])
        => struct Backward {}, work (3 + if of_power { OF_POWER } else { 0 }) * n;
}

/// The values of a row, given the largest and what becomes of it.
#[inline(always)]
pub(super) fn sharpened<V: Vector>(
    v: V,
    (largest, top): (V::Scalar, V::Scalar),
    p: V::Scalar,
) -> V {
    let v = unit(v);
    let (_, y) = powers(v, v.ln(), p);
    V::select(v.ne(V::splat(largest)), unless_zero(v, y), V::splat(top))
}

/// The slopes of a row, given the largest value and the slope there.
#[inline(always)]
pub(super) fn slope<V: Vector>(v: V, (largest, top): (V::Scalar, V::Scalar), p: V::Scalar) -> V {
    let v = unit(v);
    let (lower, _) = powers(v, v.ln(), p);
    let positive = v.ne(V::splat(V::Scalar::ZERO));
    let slope = V::select(positive, V::splat(p) * lower, V::splat(p * zero_power(p)));
    V::select(v.ne(V::splat(largest)), slope, V::splat(top))
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.values.width;
        for r in self.shape.rows() {
            let (v, p) = (self.values.row(r, n), self.power.one(r));
            let out = self.output.row(r, n);
            let (largest, nan) = max_and_nan::<B, A>(v);
            if nan {
                fill(out, A::NAN);
                continue;
            }
            let largest = unit_max(largest);
            let top = top_value(largest, p);
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let v = get::<B, A, U>(v, i, k, A::ZERO);
                put::<B, A, U>(out, i, k, sharpened(v, (largest, top), p));
            });
        }
    }
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.values.width;
        for r in self.shape.rows() {
            let (v, g, p) = (
                self.values.row(r, n),
                self.grad.row(r, n),
                self.power.one(r),
            );
            let grad_v = self.grad_values.row(r, n);
            let (largest, nan) = max_and_nan::<B, A>(v);
            if nan {
                fill(grad_v, A::NAN);
                continue;
            }
            let largest = unit_max(largest);
            let top = top_slope(largest, p);
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let v = get::<B, A, U>(v, i, k, A::ZERO);
                let slope = slope(v, (largest, top), p);
                put::<B, A, U>(grad_v, i, k, get::<B, A, U>(g, i, k, A::ZERO) * slope);
            });
        }
        if !self.of_power {
            fill(self.grad_power.all(), A::ZERO);
            return;
        }
        for group in groups(self.shape.rows(), n) {
            let (values, grad) = (
                self.values.rows(group.clone()),
                self.grad.rows(group.clone()),
            );
            let powers: Vec<f64> = group.clone().map(|r| self.power.one(r).to_f64()).collect();
            for (r, sum) in group.zip(of_power::<B, A>(values, grad, &powers)) {
                self.grad_power.set(r, A::from_f64(sum));
            }
        }
    }
}

/// Rows of `n` entries whose gradients of the power are taken together.
pub(super) fn groups(rows: Range<usize>, n: usize) -> impl Iterator<Item = Range<usize>> {
    let most = (GROUP / n).max(1);
    let end = rows.end;
    rows.step_by(most)
        .map(move |start| start..(start + most).min(end))
}

/// The gradients of the power of rows, one for each power.
#[inline(always)]
pub(super) fn of_power<B: Backend, A: Real>(values: &[A], grad: &[A], powers: &[f64]) -> Vec<f64> {
    let n = values.len() / powers.len();
    let mut sums = vec![0.0; powers.len()];
    OfPower {
        values: In::each(&wide(values), n),
        powers,
        grad: In::each(&wide(grad), n),
        sums: &mut sums,
    }
    .run_on(B::PATH);
    sums
}

/// Numbers in `f64`.
fn wide<A: Real>(row: &[A]) -> Vec<f64> {
    row.iter().map(|x| x.to_f64()).collect()
}

/// The gradient of the power: a sum over the row of terms of either sign, which may be small beside them. It is taken in `f64`, whose
/// logarithm and exponential take longer than the rest of the backward pass, and is left to calls that ask for it.
struct OfPower<'a> {
    values: In<'a, f64>,
    powers: &'a [f64],
    grad: In<'a, f64>,
    sums: &'a mut [f64],
}

impl OfPower<'_> {
    // Not generic: this is where the code of the region is compiled.
    fn run_on(self, path: Path) {
        enter(path, self);
    }
}

impl Region for OfPower<'_> {
    #[inline(always)]
    fn run<B: Backend>(self) {
        let n = self.values.width;
        for (r, (out, &p)) in self.sums.iter_mut().zip(self.powers).enumerate() {
            let (v, g) = (self.values.row(r, n), self.grad.row(r, n));
            let (largest, nan) = max_and_nan::<B, f64>(v);
            let largest = unit_max(largest);
            let top = top_power_slope(largest, p);
            let mut sum = Sum::<B::F64>::new();
            lanes!(B::F64, n, |i, k, U| {
                let v = unit(get::<B, f64, U>(v, i, k, 0.0));
                let (log, zero) = (v.ln(), Pack::splat(0.0));
                let slope = Pack::select(v.ne(zero), powers(v, log, p).1 * log, zero);
                let slope = Pack::select(v.ne(Pack::splat(largest)), slope, Pack::splat(top));
                sum.add(get::<B, f64, U>(g, i, k, 0.0) * slope);
            } flush { sum.flush() });
            *out = if nan { f64::NAN } else { sum.total() };
        }
    }
}
