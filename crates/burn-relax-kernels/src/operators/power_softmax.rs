//! Power softmax: `v^p / sum v^p`, the normalised twin of the gradual argmax.
//!
//! Forward: maximum, then `exp(p ln(v / max))` and its sum, then the division; the row stays in cache. Relative to the maximum
//! nothing overflows and the largest entry is exact; what the division rounds off, which a power multiplies, goes into the exponent.
//! Backward from the saved output and the row's statistics, in two passes; steep rows take their mean in `f64`. Arithmetic binds.

use super::kernels::kernels;
use crate::lanes::pack::Pack;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{filled, get, lanes, put};
use crate::row::head::scale;
use crate::row::powers::{powers, zero_power};
use crate::row::special::{fill, is_constant, max_and_nan, put_stats, stored_max};
use crate::row::sums::{Mean, Sum, dominated, inverse, residual, unless_zero};

kernels! {
    /// `v^p / sum v^p` for every row, and its statistics: the maximum of `v` and `sum (v / max)^p`.
    ///
    /// `power` holds one value for all rows or one per row. The domain is `v >= 0`, `p > 0`; below it `v` counts as 0. A row of zeros gives zeros and stores
    /// 0 and 0; a row with `+inf` shares the weight among those entries and stores the largest number and how many they are.
    power_softmax(values: F[n], power: One[1];) -> (output: F[n], stats: Acc[2])
        => struct Forward {}, work 3 * n;

    /// Gradient of [`power_softmax`]: for the values `(p / v) y (g - <y, g>)`, for the power, one per row,
    /// `sum y (g - <y, g>) ln v`.
    ///
    /// `v^(p - 1)` at `v = 0` counts as 1 for `p = 1` and 0 for every other `p`, as in
    /// [`gradual_argmax_backward`](crate::gradual_argmax_backward). Rows of zeros and rows with `+inf` get 0.
    power_softmax_backward(values: F[n], power: One[1], output: F[n], stats: Acc[2], grad: F[n];)
        -> (grad_values: F[n], grad_power: F[1])
        => struct Backward {}, work 4 * n;
}

/// What turns the values of a row into powers relative to its maximum.
#[derive(Clone, Copy)]
struct Relative<A> {
    max: A,
    /// A power of two that makes the maximum a normal number.
    lift: A,
    /// `1 / (lift max)`
    inverse: A,
    /// What rounding takes from it.
    rest: A,
}

impl<A: Real> Relative<A> {
    /// Relative to a maximum above 0, which may be infinite.
    #[inline(always)]
    fn new(max: A) -> Self {
        let lift = if max < A::TINY { A::LIFT } else { A::ONE };
        let lifted = max * lift;
        let inverse = A::ONE / lifted;
        let missing = 1.0 - inverse.to_f64() * lifted.to_f64();
        Relative {
            max,
            lift,
            inverse,
            rest: A::from_f64(missing) * inverse,
        }
    }

    /// `q = v / max` rounded, exactly 1 at the maximum even if that is infinite, and `l` so that `ln q + l` is the logarithm of
    /// `v / max`: for a large power what rounding takes from `q` shows.
    #[inline(always)]
    fn quotient<V: Vector<Scalar = A>>(&self, v: V) -> (V, V) {
        let (zero, one, inverse) = (V::splat(A::ZERO), V::splat(A::ONE), V::splat(self.inverse));
        // What rounding has carried below 0 is 0.
        let v = zero.max(v);
        let below = v.ne(V::splat(self.max));
        let v = v * V::splat(self.lift);
        let q = v * inverse;
        let lost = v.mul_add(inverse, zero - q);
        let lost = v.mul_add(V::splat(self.rest), lost);
        // 1 / q within a tenth from .38 on; powers of what is below are small.
        let reciprocal = q.mul_add(V::splat(A::from_f64(-2.3)), V::splat(A::from_f64(3.2)));
        let lost = lost * reciprocal;
        (V::select(below, q, one), V::select(below, lost, zero))
    }

    /// `(v / max)^p`, 0 at 0.
    #[inline(always)]
    fn weight<V: Vector<Scalar = A>>(&self, v: V, p: A) -> V {
        let (q, lost) = self.quotient(v);
        unless_zero(q, (V::splat(p) * (q.ln() + lost)).exp())
    }
}

/// `q^(p - 1)` with the logarithm of `q` in two parts, the product not rounded for `p >= 1`.
#[inline(always)]
fn lower_power<V: Vector>(q: V, log: V, lost: V, p: V::Scalar) -> V {
    if p < V::Scalar::ONE {
        return powers(q, log + lost, p).0;
    }
    let p = V::splat(p - V::Scalar::ONE);
    let exponent = p * log;
    let rest = p.mul_add(log, V::splat(V::Scalar::ZERO) - exponent);
    let e = exponent.exp();
    // What is left of an infinite exponent is not a number.
    unless_zero(e, e.mul_add(p.mul_add(lost, rest), e))
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.values.width;
        let zero = A::ZERO;
        for r in self.shape.rows() {
            let (v, p) = (self.values.row(r, n), self.power.one(r));
            let (out, stats) = (self.output.row(r, n), self.stats.row(r, 2));
            let (largest, nan) = max_and_nan::<B, A>(v);
            if nan || largest <= zero {
                let value = if nan { A::NAN } else { zero };
                fill(out, value);
                fill(stats, value);
                continue;
            }
            let relative = Relative::new(largest);
            let mut sum = Sum::<A::Lanes<B>>::new();
            let powers = filled!(B, A, out, |i, k, U| {
                let e = relative.weight(get::<B, A, U>(v, i, k, zero), p);
                sum.add(e);
                e
            } flush { sum.flush() });
            let normaliser = sum.total();
            scale::<B, A>(powers, inverse(normaliser));
            put_stats(stats, stored_max(largest), normaliser);
        }
    }
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.values.width;
        let zero = A::ZERO;
        for r in self.shape.rows() {
            let (v, y, g) = (
                self.values.row(r, n),
                self.output.row(r, n),
                self.grad.row(r, n),
            );
            let grad_v = self.grad_values.row(r, n);
            let stats = self.stats.row(r, 2);
            let (max, normaliser) = (stats[0], stats[1]);
            if is_constant(max) || normaliser == zero {
                fill(grad_v, zero);
                self.grad_power.set(r, zero);
                continue;
            }
            let p = self.power.one(r);
            let (mean, rest, normaliser) = mean::<B, A>(v, y, g, (max, normaliser), p);
            let scale = A::from_f64(p.to_f64() / (normaliser * max.to_f64()));
            let scale = if scale > A::MAX { A::MAX } else { scale };
            let relative = Relative::new(max);
            let mut sum = Sum::<A::Lanes<B>>::new();
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let v = get::<B, A, U>(v, i, k, zero);
                let (y, g) = (get::<B, A, U>(y, i, k, zero), get::<B, A, U>(g, i, k, zero));
                let (q, lost) = relative.quotient(v);
                let log = q.ln();
                let lower = lower_power(q, log, lost, p);
                let lower = Pack::select(q.ne(Pack::splat(zero)), lower, Pack::splat(zero_power(p)));
                let difference = (g - Pack::splat(mean)) - Pack::splat(rest);
                put::<B, A, U>(grad_v, i, k, unless_zero(lower, lower * difference * Pack::splat(scale)));
                // Adding a constant to all logarithms changes nothing: those of v / max are the accurate ones.
                sum.add(unless_zero(y, y * difference * log));
            } flush { sum.flush() });
            self.grad_power.set(r, sum.total());
        }
    }
}

/// The slope `p / max` above which the mean of a row that few entries dominate is taken in `f64`: the gradient is that many times
/// a small difference from it.
const STEEP: f64 = 4.0;

/// The mean of `g` by the weights of a row, what rounding takes from it, and the normaliser.
#[inline(always)]
fn mean<B: Backend, A: Real>(
    v: &[A],
    y: &[A],
    g: &[A],
    (max, normaliser): (A, A),
    p: A,
) -> (A, A, f64) {
    if !A::DOUBLE && dominated(normaliser) && p / max > A::from_f64(STEEP) {
        let wide = wide_mean::<B, A>(v, g, max.to_f64(), p.to_f64());
        let mean = A::from_f64(wide.value());
        return (
            mean,
            A::from_f64(wide.value() - mean.to_f64()),
            wide.weight(),
        );
    }
    let mut mean = Mean::<A::Lanes<B>>::new();
    lanes!(A::Lanes<B>, y.len(), |i, k, U| {
        mean.add(get::<B, A, U>(y, i, k, A::ZERO), get::<B, A, U>(g, i, k, A::ZERO));
    } flush { mean.flush() });
    let mean = mean.value();
    let rest = if dominated(normaliser) {
        residual::<B, A>(y, g, mean)
    } else {
        A::ZERO
    };
    (mean, rest, normaliser.to_f64())
}

/// The mean in `f64`, weights too.
#[inline(always)]
fn wide_mean<B: Backend, A: Real>(
    v: &[A],
    g: &[A],
    max: f64,
    p: f64,
) -> Mean<<A::Lanes<B> as Vector>::Wide> {
    let relative = Relative::new(max);
    let mut mean = Mean::<<A::Lanes<B> as Vector>::Wide>::new();
    lanes!(A::Lanes<B>, v.len(), |i, k, U| {
        let v = get::<B, A, U>(v, i, k, A::ZERO).widen();
        mean.add(relative.weight(v, p), get::<B, A, U>(g, i, k, A::ZERO).widen());
    } flush { mean.flush() });
    mean
}
