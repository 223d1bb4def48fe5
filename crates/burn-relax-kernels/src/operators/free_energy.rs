//! Free energy `F = -T ln sum_k p_k exp(-f_k / T)` of costs `f` under `p = softmax(logits)`, forward and backward.
//!
//! Two formulas, chosen per row. Where the temperature is high against the spread of the costs, `F` is the lowest cost `c`
//! minus `T ln(1 + S)` with `S = sum p (exp(-(f - c)/T) - 1)`, which keeps full accuracy as `T` grows and `F` tends to the mean
//! cost. Where `S < -1/2`, the mass lies on costs far above the lowest, and the sum is taken in the log domain: `ln p - (f - c) / T`
//! relative to its largest. Costs enter as differences from the lowest only, so that what they have in common costs no digits.
//! Forward: one pass for the maximum of the logits, one for the normaliser and the lowest cost, one for `S`, and one more in the
//! log domain; all but the first find the rows in cache. Backward: one pass. Arithmetic binds on one thread.

use super::kernels::kernels;
use crate::lanes::math::near::exp_m1;
use crate::lanes::pack::Pack;
use crate::lanes::reduce::{max_lanes, min_lanes};
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{get, lanes, put};
use crate::row::head::{Head, reciprocal};
use crate::row::special::{fill, row_max};
use crate::row::sums::{Sum, inverse, unless_zero};

/// Values of statistics per row.
const STATS: usize = 5;

kernels! {
    /// The free energy of every row, and five values of statistics per row for [`free_energy_backward`].
    ///
    /// The statistics are the maximum and the normaliser of the logits, the lowest cost, and two numbers whose meaning depends on
    /// the row: 0 and `S`, or in the log domain the largest exponent and the sum relative to it. A cost of `+inf` forbids its class no less than a logit of `-inf`. A row without an allowed class
    /// gives 0; one whose allowed costs are all `+inf` gives `+inf`. Costs must not be `-inf`. A cost at a forbidden class is
    /// ignored, NaN or not.
    free_energy(logits: F[n], cost: F[n]; temperature: f64) -> (energy: F[1], stats: Acc[STATS])
        => struct Forward {}, work 4 * n;

    /// Gradient of [`free_energy`]: `T (p - r) g` for the logits, `r g` for the costs, with the responsibilities
    /// `r ~ p exp(-f / T)`.
    ///
    /// Both are 0 at forbidden classes, and in rows whose value is infinite; rows with logits of `+inf` have gradient 0 for the
    /// logits.
    free_energy_backward(logits: F[n], cost: F[n], stats: Acc[STATS], grad: F[1]; temperature: f64)
        -> (grad_logits: F[n], grad_cost: F[n])
        => struct Backward {}, work 4 * n;
}

/// `x` where the exponent is not `-inf`, else `otherwise`.
#[inline(always)]
fn if_allowed<V: Vector>(exponent: V, x: V, otherwise: V::Scalar) -> V {
    V::select(
        exponent.ne(V::splat(V::Scalar::NEG_INFINITY)),
        x,
        V::splat(otherwise),
    )
}

/// `(f - reference) / T`, where an infinite cost stays infinite.
#[inline(always)]
fn excess<V: Vector>(cost: V, reference: V::Scalar, inverse_temperature: V::Scalar) -> V {
    (cost - V::splat(reference)) * V::splat(inverse_temperature)
}

/// A temperature that stays finite in the type of arithmetic, so that its product with 0 is 0.
#[inline(always)]
fn bounded<A: Real>(temperature: f64) -> A {
    let t = A::from_f64(temperature);
    if t > A::MAX { A::MAX } else { t }
}

impl<A: Real> Forward<'_, A> {
    /// The free energy of a row and what the backward pass needs.
    #[inline(always)]
    fn row<B: Backend>(x: &[A], f: &[A], temperature: f64) -> (A, [A; STATS]) {
        let (zero, infinity) = (A::ZERO, A::INFINITY);
        let inverse_temperature = reciprocal::<A>(temperature);
        let head = Head::new(row_max::<B, A>(x), A::ONE);

        let mut sum = Sum::<A::Lanes<B>>::new();
        let mut lowest = A::Lanes::<B>::splat(infinity);
        let mut nan = lowest.is_nan();
        lanes!(A::Lanes<B>, x.len(), |i, k, U| {
            let z = head.exponent(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
            let f = if_allowed(z, get::<B, A, U>(f, i, k, infinity), infinity);
            sum.add(z.exp());
            lowest = f.fold(|a, b| a.min(b)).min(lowest);
            for f in f.0 {
                nan = A::Lanes::<B>::or(nan, f.is_nan());
            }
        } folded flush { sum.flush() });
        let normaliser = sum.total();
        let lowest = min_lanes(lowest);
        if normaliser.is_nan() || A::Lanes::<B>::bits(nan) != 0 {
            return (A::NAN, [A::NAN; STATS]);
        }
        if lowest == infinity {
            let value = if normaliser == zero { zero } else { infinity };
            return (value, [head.max, normaliser, infinity, zero, zero]);
        }

        let mut mean = Sum::<A::Lanes<B>>::new();
        let mut most = A::Lanes::<B>::splat(A::NEG_INFINITY);
        lanes!(A::Lanes<B>, x.len(), |i, k, U| {
            let z = head.exponent(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
            let f = if_allowed(z, get::<B, A, U>(f, i, k, infinity), infinity);
            let none = Pack::splat(zero);
            let excess = excess(f, lowest, inverse_temperature);
            mean.add(z.exp() * exp_m1(none - excess));
            most = (z - excess).fold(|a, b| a.max(b)).max(most);
        } folded flush { mean.flush() });
        let s = mean.total().to_f64() / normaliser.to_f64();
        if s > -0.5 {
            let value = A::from_f64(lowest.to_f64() - temperature * s.ln_1p());
            (value, [head.max, normaliser, lowest, zero, A::from_f64(s)])
        } else {
            let most = max_lanes(most);
            let mut joint = Sum::<A::Lanes<B>>::new();
            lanes!(A::Lanes<B>, x.len(), |i, k, U| {
                let z = head.exponent(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
                let f = if_allowed(z, get::<B, A, U>(f, i, k, infinity), infinity);
                let exponent = z - excess(f, lowest, inverse_temperature);
                joint.add((exponent - Pack::splat(most)).exp());
            } flush { joint.flush() });
            let joint = joint.total();
            let log = most.to_f64() + joint.to_f64().ln() - normaliser.to_f64().ln();
            let value = A::from_f64(lowest.to_f64() - temperature * log);
            (value, [head.max, normaliser, lowest, most, joint])
        }
    }
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.logits.width;
        for r in self.shape.rows() {
            let (x, f) = (self.logits.row(r, n), self.cost.row(r, n));
            let (energy, stats) = Self::row::<B>(x, f, self.temperature);
            self.energy.set(r, energy);
            self.stats.row(r, STATS).write_copy_of_slice(&stats);
        }
    }
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.logits.width;
        let (zero, one, infinity) = (A::ZERO, A::ONE, A::INFINITY);
        let inverse_temperature = reciprocal::<A>(self.temperature);
        for r in self.shape.rows() {
            let (x, f) = (self.logits.row(r, n), self.cost.row(r, n));
            let (grad_x, grad_f) = (self.grad_logits.row(r, n), self.grad_cost.row(r, n));
            let stats = self.stats.row(r, STATS);
            let [max, normaliser, lowest, most, s] = [0, 1, 2, 3, 4].map(|j| stats[j]);
            if normaliser == zero || lowest == infinity {
                fill(grad_x, zero);
                fill(grad_f, zero);
                continue;
            }
            let head = Head::from_stats(max, one);
            let g = self.grad.one(r);
            let to_logit = if head.is_constant() {
                zero
            } else {
                bounded::<A>(self.temperature) * g
            };
            // The stored sum is S <= 0 in the first formula, at least 1 in the second.
            let warm = s <= zero;
            let factor = inverse(normaliser);
            let joint_factor = if warm { one / (one + s) } else { one / s };
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let z = head.exponent(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
                let f = if_allowed(z, get::<B, A, U>(f, i, k, infinity), infinity);
                let none = Pack::splat(zero);
                let p = z.exp() * Pack::splat(factor);
                let u = none - excess(f, lowest, inverse_temperature);
                // With responsibilities r: r, and p - r without cancellation where that can be had.
                let (responsibility, difference) = if warm {
                    let m = exp_m1(u);
                    let p_scaled = p * Pack::splat(joint_factor);
                    (
                        p_scaled * (m + Pack::splat(one)),
                        p_scaled * (Pack::splat(s) - m),
                    )
                } else {
                    let exponent = none.min((z + u) - Pack::splat(most));
                    let responsibility = exponent.exp() * Pack::splat(joint_factor);
                    (responsibility, p - responsibility)
                };
                let d = unless_zero(Pack::splat(to_logit), difference * Pack::splat(to_logit));
                put::<B, A, U>(grad_x, i, k, if_allowed(z, d, zero));
                let d = unless_zero(responsibility, responsibility * Pack::splat(g));
                put::<B, A, U>(grad_f, i, k, if_allowed(z, d, zero));
            });
        }
    }
}
