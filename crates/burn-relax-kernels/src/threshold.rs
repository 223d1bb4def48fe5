//! The search for the threshold of a sparse map, without sorting.
//!
//! With `e = alpha - 1` and `z = x - max x`, the weights are `p_i = r_i / R` with `r_i = (1 + e z_i / v)^(1/e)` where that base is
//! positive, else 0, and `R = sum r`. The unknown `v = (max p)^e` solves `v R(v)^e = 1`; relative to the largest weight every
//! term keeps its digits, in flat rows, at `alpha = 1` (where `r = exp z`) and beyond 2.
//!
//! Only entries with `e z > -1` can have weight. They are copied side by side once; the search passes over that list alone, and
//! ends when the step no longer matters. Newton's method on `v R^e` converges monotonically from `v = 1` for `alpha <= 2`
//! (a norm is convex), in 2 to 13 passes; sparsemax has Michelot's algorithm, of the same kind. Beyond 2 the slope is infinite where an
//! entry joins, and the steps are kept inside a bracket that is halved when they do not shrink it.

use crate::math::{exp, ln_1p};
use crate::real::Real;
use crate::rows::{Sum, get, lanes, unless_zero};
use crate::simd::{Backend, Pack, Vector};

/// Beyond this excess the map is the uniform distribution over the ties of the maximum, as far as floats can tell.
#[inline(always)]
pub(crate) fn limited<A: Real>(excess: A) -> A {
    if excess > A::EXCESS_LIMIT {
        A::EXCESS_LIMIT
    } else {
        excess
    }
}

/// A member of the family: how unnormalised weights come from `t = e z / v`.
pub(crate) trait Map<A: Real>: Copy {
    /// `(r, r / (1 + t))`, both 0 outside the support.
    fn weights<V: Vector<Scalar = A>>(self, t: V) -> (V, V);
    /// `alpha - 1`
    fn excess(self) -> A;
    /// `R^(1 - e)`
    fn lowered(self, total: A) -> A;
}

/// 1.5-entmax.
#[derive(Clone, Copy)]
pub(crate) struct Square;

/// Any `alpha` but 1.
#[derive(Clone, Copy)]
pub(crate) struct General<A> {
    pub(crate) excess: A,
}

impl<A: Real> Map<A> for Square {
    #[inline(always)]
    fn weights<V: Vector<Scalar = A>>(self, t: V) -> (V, V) {
        let root = (V::splat(A::ONE) + t).max(V::splat(A::ZERO));
        (root * root, root)
    }
    #[inline(always)]
    fn excess(self) -> A {
        A::from_f64(0.5)
    }
    #[inline(always)]
    fn lowered(self, total: A) -> A {
        A::from_f64(total.to_f64().sqrt())
    }
}

impl<A: Real> Map<A> for General<A> {
    #[inline(always)]
    fn weights<V: Vector<Scalar = A>>(self, t: V) -> (V, V) {
        let (zero, one) = (V::splat(A::ZERO), V::splat(A::ONE));
        let base = one + t;
        // Below alpha = 1 a forbidden entry has an infinite base.
        let r = exp(ln_1p(t) * V::splat(A::ONE / self.excess));
        let r = V::select(base.lt(V::splat(A::INFINITY)), r, zero);
        let r = V::select(zero.lt(base), r, zero);
        (r, unless_zero(r, r / base))
    }
    #[inline(always)]
    fn excess(self) -> A {
        self.excess
    }
    #[inline(always)]
    fn lowered(self, total: A) -> A {
        let total = total.to_f64();
        A::from_f64(total * (-self.excess.to_f64() * total.ln()).exp())
    }
}

/// Copies the entries that may have weight to the front of `list`, less `shift`, and returns their number. The list has room for the
/// row and one more vector.
#[inline(always)]
pub(crate) fn candidates<B: Backend, A: Real>(
    x: &[A],
    max: A,
    excess: A,
    shift: A,
    list: &mut [A],
) -> usize {
    let lowest = lowest(excess);
    let mut len = 0;
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let x = get::<B, A, U>(x, i, k, A::NEG_INFINITY);
        let inside = Pack::splat(lowest).lt(x - Pack::splat(max));
        if Pack::<A::Lanes<B>, U>::bits(inside) != 0 {
            for (x, inside) in (x - Pack::splat(shift)).0.into_iter().zip(inside) {
                let room = &mut list[len..][..A::Lanes::<B>::LANES];
                // SAFETY: `room` is one vector long.
                len += unsafe { x.compress(inside, room.as_mut_ptr()) };
            }
        }
    });
    len
}

/// What `x - max` of an entry with weight exceeds; a little lower, since the division is rounded.
#[inline(always)]
pub(crate) fn lowest<A: Real>(excess: A) -> A {
    if excess > A::ZERO {
        A::ZERO - (A::ONE / excess) * A::from_f64(1.0 + 1e-6)
    } else {
        A::NEG_INFINITY
    }
}

/// Sums over a list at one `v`.
struct Sums<A> {
    /// `sum r`
    total: A,
    /// `sum r / (1 + t)`
    slope: A,
    /// Entries with weight.
    support: usize,
}

#[inline(always)]
fn evaluate<B: Backend, A: Real, M: Map<A>>(map: M, list: &[A], v: A) -> Sums<A> {
    let scale = map.excess() / v;
    let mut total = Sum::<A::Lanes<B>>::new();
    let mut slope = Sum::<A::Lanes<B>>::new();
    let mut support = 0;
    lanes!(A::Lanes<B>, list.len(), |i, k, U| {
        let z = get::<B, A, U>(list, i, k, A::NEG_INFINITY);
        let (r, d) = map.weights(z * Pack::splat(scale));
        support += Pack::<A::Lanes<B>, U>::bits(Pack::splat(A::ZERO).lt(r)).count_ones() as usize;
        total.add(r);
        slope.add(d);
    } flush {
        total.flush();
        slope.flush();
    });
    Sums {
        total: total.total(),
        slope: slope.total(),
        support,
    }
}

/// The threshold of a row.
pub(crate) struct Threshold<A> {
    /// `e / v`, which turns `x - max` into `t`.
    pub(crate) scale: A,
    /// `1 / R`
    pub(crate) normaliser: A,
    /// Number of entries with weight.
    pub(crate) support: usize,
}

/// Passes after which the search ends whatever it found: more than any row needs, so that no input can hang it.
const MOST_PASSES: usize = 200;

/// Steps without halving the bracket before it is halved.
const PATIENCE: usize = 3;

/// Finds the threshold for a list of candidates, the maximum (0) among them.
#[inline(always)]
pub(crate) fn search<B: Backend, A: Real, M: Map<A>>(map: M, list: &[A]) -> Threshold<A> {
    let excess = map.excess();
    let mut v = A::ONE;
    let mut bracket = Bracket::new(excess, list.len());
    let mut last = false;
    let mut passes = 0;
    let sums = loop {
        // The only place that evaluates: its code is large.
        let sums = evaluate::<B, A, M>(map, list, v);
        passes += 1;
        if last || passes == MOST_PASSES {
            break sums;
        }
        let step = (v * sums.total - map.lowered(sums.total)) / sums.slope;
        let next = if excess > A::ONE {
            bracket.next(v, step)
        } else {
            Next::newton(v, step)
        };
        if next.v == v {
            break sums;
        }
        (v, last) = (next.v, next.last);
    };
    Threshold {
        scale: excess / v,
        normaliser: A::ONE / sums.total,
        support: sums.support,
    }
}

/// Where the search goes from here: nowhere if `v` stays.
struct Next<A> {
    v: A,
    last: bool,
}

impl<A: Real> Next<A> {
    /// Newton's method from `v = 1`, for `alpha <= 2`. The error after a step of relative size d is of the order of d^2.
    #[inline(always)]
    fn newton(v: A, step: A) -> Self {
        let last = v * A::LAST_STEP;
        Next {
            v: v - step,
            last: step < last && A::ZERO - step < last,
        }
    }
}

/// Ends between which `v` lies, for `alpha > 2`.
struct Bracket<A> {
    low: A,
    high: A,
    width: A,
    stalled: usize,
}

impl<A: Real> Bracket<A> {
    #[inline(always)]
    fn new(excess: A, count: usize) -> Self {
        // All entries tied would have (1 / count)^e. `e / v` stays finite.
        let tied = A::from_f64((-excess.to_f64() * (count as f64).ln()).exp());
        let least = A::TINY * (A::from_f64(4.0) * excess);
        let low = if tied > least { tied } else { least };
        Bracket {
            low,
            high: A::ONE,
            width: A::ONE - low,
            stalled: 0,
        }
    }

    /// Newton's method inside the bracket, which is halved where the steps do not shrink it.
    #[inline(always)]
    fn next(&mut self, v: A, step: A) -> Next<A> {
        let small = v * A::NO_STEP;
        if step < small && A::ZERO - step < small {
            return Next { v, last: true };
        }
        if step > A::ZERO {
            self.high = v;
        } else {
            self.low = v;
        }
        let width = self.high - self.low;
        let halved = width + width <= self.width;
        self.stalled = if halved { 0 } else { self.stalled + 1 };
        self.width = width;
        let next = v - step;
        let inside = self.low < next && next < self.high;
        if inside && self.stalled < PATIENCE {
            return Next {
                v: next,
                last: false,
            };
        }
        self.stalled = 0;
        let next = middle(self.low, self.high);
        let inside = self.low < next && next < self.high;
        Next {
            v: if inside { next } else { v },
            last: false,
        }
    }
}

/// Halves a bracket, by its exponent where it spans several powers of two.
#[inline(always)]
fn middle<A: Real>(low: A, high: A) -> A {
    if high > low * A::from_f64(4.0) {
        A::from_f64((low.to_f64() * high.to_f64()).sqrt())
    } else {
        low + (high - low) * A::from_f64(0.5)
    }
}

/// The threshold of sparsemax: a weight is `(x - base) - offset` where that is positive.
///
/// `base` is near the threshold, so that a small weight keeps its digits, and thousands of them add up to 1.
pub(crate) struct Linear<A> {
    pub(crate) base: A,
    pub(crate) offset: A,
    /// Number of entries with weight.
    pub(crate) support: usize,
}

/// Corrections of the offset after the support was found: the second sees what the first rounded.
const CORRECTIONS: usize = 2;

impl<A: Real> Linear<A> {
    /// The weights.
    #[inline(always)]
    pub(crate) fn weights<V: Vector<Scalar = A>>(&self, x: V) -> V {
        let p = (x - V::splat(self.base)) - V::splat(self.offset);
        p.max(V::splat(A::ZERO))
    }

    /// Michelot's algorithm on a list of candidates: as long as an entry leaves the support, the threshold rises.
    #[inline(always)]
    pub(crate) fn search<B: Backend>(list: &[A], max: A) -> Self {
        let mut linear = Linear {
            base: max,
            offset: A::ZERO - A::ONE,
            support: usize::MAX,
        };
        let mut corrections = 0;
        for _ in 0..MOST_PASSES {
            let (total, support) = linear.evaluate::<B>(list);
            linear.offset = linear.offset + (total - A::ONE) / A::from_f64(support as f64);
            let found = support == linear.support;
            linear.support = support;
            if found && corrections == 0 {
                let base = max + linear.offset;
                linear.offset = (max - base) + linear.offset;
                linear.base = base;
            }
            if found || corrections > 0 {
                corrections += 1;
                if corrections > CORRECTIONS {
                    break;
                }
            }
        }
        linear
    }

    /// The sum of the weights, and how many there are.
    #[inline(always)]
    fn evaluate<B: Backend>(&self, list: &[A]) -> (A, usize) {
        let mut total = Sum::<A::Lanes<B>>::new();
        let mut support = 0;
        lanes!(A::Lanes<B>, list.len(), |i, k, U| {
            let p = self.weights(get::<B, A, U>(list, i, k, A::NEG_INFINITY));
            support += Pack::<A::Lanes<B>, U>::bits(Pack::splat(A::ZERO).lt(p)).count_ones() as usize;
            total.add(p);
        } flush { total.flush() });
        (total.total(), support)
    }
}
