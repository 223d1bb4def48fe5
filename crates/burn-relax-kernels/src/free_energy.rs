//! Free energy `F = -T ln sum_k p_k exp(-f_k / T)` of costs `f` under `p = softmax(logits)`, forward and backward.
//!
//! Two formulas, chosen per row. Where the temperature is high against the spread of the costs, `F` is the lowest cost `c`
//! minus `T ln(1 + S)` with `S = sum p (exp(-(f - c)/T) - 1)`, which keeps full accuracy as `T` grows and `F` tends to the mean
//! cost. Where `S < -1/2`, the mass lies on costs far above the lowest, and the sum is taken in the log domain, relative to the
//! lowest `f - T ln p`. Forward: one pass for the maximum of the logits, one for the normaliser and the lowest
//! costs, one for the sums; all but the first find the rows in cache. Backward: one pass. Arithmetic binds on one thread.

use crate::distribute::run;
use crate::element::Element;
use crate::math::{exp, exp_m1};
use crate::real::Real;
use crate::rows::{
    Head, Output, check_len, count_rows, get, inverse, lanes, put, reciprocal, row, row_max,
    unless_zero,
};
use crate::simd::{Backend, Pack, Region, Vector, min_lanes};
use crate::sums::Sum;
use core::mem::MaybeUninit;
use core::ops::Range;

/// Values of statistics per row.
const STATS: usize = 4;

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

struct Forward<'a, A: Real> {
    logits: &'a [A],
    cost: &'a [A],
    n: usize,
    temperature: f64,
    out: Output<'a, A>,
    stats: Output<'a, A>,
}

impl<A: Real> Forward<'_, A> {
    /// The free energy of a row and what the backward pass needs.
    #[inline(always)]
    fn row<B: Backend>(&self, x: &[A], f: &[A]) -> (A, [A; STATS]) {
        let (zero, infinity) = (A::ZERO, A::INFINITY);
        let inverse_temperature = reciprocal::<A>(self.temperature);
        let temperature = bounded::<A>(self.temperature);
        let head = Head::new(row_max::<B, A>(x), A::ONE);

        let mut sum = Sum::<A::Lanes<B>>::new();
        let mut lowest = A::Lanes::<B>::splat(infinity);
        let mut lowest_joint = lowest;
        let mut nan = lowest.is_nan();
        lanes!(A::Lanes<B>, x.len(), |i, k, U| {
            let z = head.exponent(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
            let f = if_allowed(z, get::<B, A, U>(f, i, k, infinity), infinity);
            let joint = if_allowed(z, f - z * Pack::splat(temperature), infinity);
            sum.add(exp(z));
            lowest = f.fold(|a, b| a.min(b)).min(lowest);
            lowest_joint = joint.fold(|a, b| a.min(b)).min(lowest_joint);
            for f in f.0 {
                nan = A::Lanes::<B>::or(nan, f.is_nan());
            }
        } flush { sum.flush() });
        let normaliser = sum.total();
        let (lowest, lowest_joint) = (min_lanes(lowest), min_lanes(lowest_joint));
        if normaliser.is_nan() || A::Lanes::<B>::bits(nan) != 0 {
            return (A::NAN, [A::NAN; STATS]);
        }
        if lowest == infinity {
            let value = if normaliser == zero { zero } else { infinity };
            return (value, [head.max, normaliser, infinity, zero]);
        }

        let mut mean = Sum::<A::Lanes<B>>::new();
        let mut joint = Sum::<A::Lanes<B>>::new();
        lanes!(A::Lanes<B>, x.len(), |i, k, U| {
            let z = head.exponent(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
            let f = if_allowed(z, get::<B, A, U>(f, i, k, infinity), infinity);
            let none = Pack::splat(zero);
            mean.add(exp(z) * exp_m1(none - excess(f, lowest, inverse_temperature)));
            joint.add(exp(none.min(z - excess(f, lowest_joint, inverse_temperature))));
        } flush {
            mean.flush();
            joint.flush();
        });
        let s = mean.total().to_f64() / normaliser.to_f64();
        if s > -0.5 {
            let value = A::from_f64(lowest.to_f64() - self.temperature * s.ln_1p());
            (value, [head.max, normaliser, lowest, A::from_f64(s)])
        } else {
            let z = joint.total();
            let log = z.to_f64().ln() - normaliser.to_f64().ln();
            let value = A::from_f64(lowest_joint.to_f64() - self.temperature * log);
            (value, [head.max, normaliser, lowest_joint, z])
        }
    }
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        for r in rows {
            let (value, row_stats) =
                self.row::<B>(row(self.logits, r, self.n), row(self.cost, r, self.n));
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (out, stats) = unsafe { (self.out.row(r, 1), self.stats.row(r, STATS)) };
            out[0].write(value);
            for (to, from) in stats.iter_mut().zip(row_stats) {
                to.write(from);
            }
        }
    }
}

struct Backward<'a, A: Real> {
    logits: &'a [A],
    cost: &'a [A],
    stats: &'a [A],
    grad: &'a [A],
    n: usize,
    temperature: f64,
    grad_logits: Output<'a, A>,
    grad_cost: Output<'a, A>,
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        let (zero, one, infinity) = (A::ZERO, A::ONE, A::INFINITY);
        let inverse_temperature = reciprocal::<A>(self.temperature);
        for r in rows {
            let (x, f) = (row(self.logits, r, n), row(self.cost, r, n));
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (grad_x, grad_f) =
                unsafe { (self.grad_logits.row(r, n), self.grad_cost.row(r, n)) };
            let [max, normaliser, reference, s] = [0, 1, 2, 3].map(|j| self.stats[STATS * r + j]);
            if normaliser == zero || reference == infinity {
                grad_x.fill(MaybeUninit::new(zero));
                grad_f.fill(MaybeUninit::new(zero));
                continue;
            }
            let head = Head::from_stats(max, one);
            let g = self.grad[r];
            let to_logit = if head.is_constant() {
                zero
            } else {
                bounded::<A>(self.temperature) * g
            };
            // The stored sum is S <= 0 in the first formula, a normaliser of about 1 or more in the second.
            let warm = s <= zero;
            let factor = inverse(normaliser);
            let joint_factor = if warm { one / (one + s) } else { one / s };
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let z = head.exponent(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
                let f = if_allowed(z, get::<B, A, U>(f, i, k, infinity), infinity);
                let none = Pack::splat(zero);
                let p = exp(z) * Pack::splat(factor);
                let u = none - excess(f, reference, inverse_temperature);
                // With responsibilities r: r, and p - r without cancellation where that can be had.
                let (responsibility, difference) = if warm {
                    let m = exp_m1(u);
                    let p_scaled = p * Pack::splat(joint_factor);
                    (
                        p_scaled * (m + Pack::splat(one)),
                        p_scaled * (Pack::splat(s) - m),
                    )
                } else {
                    let responsibility = exp(none.min(z + u)) * Pack::splat(joint_factor);
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

/// The free energy of every row, and four values of statistics per row for [`free_energy_backward`].
///
/// The statistics are the maximum and the normaliser of the logits, a reference cost and a sum relative to it; what the last two
/// mean depends on the row, see the [module](mod@crate::free_energy). A cost of `+inf` forbids its class no less than a
/// logit of `-inf`. A row without an allowed class gives 0; one whose allowed costs are all `+inf` gives `+inf`. Costs must
/// not be `-inf`. A cost at a forbidden class is ignored, NaN or not.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn free_energy<F: Element>(
    logits: &[F],
    cost: &[F],
    n: usize,
    temperature: f64,
    out: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    let rows = count_rows("free_energy", logits.len(), n);
    check_len("free_energy", "cost", cost.len(), logits.len());
    check_len("free_energy", "out", out.len(), rows);
    check_len("free_energy", "stats", stats.len(), STATS * rows);
    run!(Forward, rows, 4 * n, |_first| { logits: n, cost: n } {} { out: 1 } { stats: STATS } {
        n: n,
        temperature: temperature,
    });
}

/// Gradient of [`free_energy`]: `T (p - r) g` for the logits, `r g` for the costs, with the responsibilities
/// `r ~ p exp(-f / T)`.
///
/// Both are 0 at forbidden classes, and in rows whose value is infinite; rows with logits of `+inf` have gradient 0 for the
/// logits.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
#[allow(clippy::too_many_arguments)]
pub fn free_energy_backward<F: Element>(
    logits: &[F],
    cost: &[F],
    stats: &[F::Acc],
    grad: &[F],
    n: usize,
    temperature: f64,
    grad_logits: &mut [MaybeUninit<F>],
    grad_cost: &mut [MaybeUninit<F>],
) {
    const KERNEL: &str = "free_energy_backward";
    let rows = count_rows(KERNEL, logits.len(), n);
    check_len(KERNEL, "cost", cost.len(), logits.len());
    check_len(KERNEL, "stats", stats.len(), STATS * rows);
    check_len(KERNEL, "grad", grad.len(), rows);
    check_len(KERNEL, "grad_logits", grad_logits.len(), logits.len());
    check_len(KERNEL, "grad_cost", grad_cost.len(), logits.len());
    run!(
        Backward, rows, 4 * n, |_first|
        { logits: n, cost: n, grad: 1 } { stats: STATS } { grad_logits: n, grad_cost: n } {}
        { n: n, temperature: temperature }
    );
}
