//! The search for the threshold of a sparse map, without sorting.
//!
//! With `e = alpha - 1` and `z = x - max x`, the weights are `p_i = r_i / R` with `r_i = (1 + e z_i / v)^(1/e)` where that base is
//! positive, else 0, and `R = sum r`. The unknown `v = (max p)^e` solves `v R(v)^e = 1`; relative to the largest weight every
//! term keeps its digits, in flat rows, at `alpha = 1` (where `r = exp z`) and beyond 2.
//!
//! Only entries with `e z > -v` have weight. They are copied side by side, and the search passes over that list alone and
//! ends when the step no longer matters. Newton's method on `v R^e` converges monotonically from any `v` above the root for
//! `alpha <= 2` (a norm is convex), and a step from below it lands above. The first digits of `v` come from a sample of a long
//! list, which is cut to what they leave if weights are dear; where they turn out to be too low, the list is made again for the `v`
//! that the step leads to. Beyond 2 the slope is infinite where an entry joins, and the steps are kept inside a bracket that is
//! halved when they do not shrink it.

use crate::candidates::{candidates, shrink};
use crate::math::{exp, ln_near_one};
use crate::real::Real;
use crate::rows::{get, lanes, poke};
use crate::simd::{Backend, MAX_LANES, Pack, Vector};
use crate::sums::Sum;

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
    /// Whether the weights are kept from the last pass of the search, because computing them takes longer than moving them.
    const KEPT: bool;
    /// `(r, r / (1 + t))` with `t = scale z`, both 0 outside the support. The base `1 + t` is rounded once: a row may have thousands
    /// of entries near the threshold.
    fn weights<V: Vector<Scalar = A>>(self, z: V, scale: V) -> (V, V);
    /// `alpha - 1`
    fn excess(self) -> A;
    /// `R^(1 - e)`
    fn lowered(self, total: A) -> A;
    /// Newton's step for `v R^e = 1`.
    #[inline(always)]
    fn step(self, v: A, total: A, slope: A) -> A {
        (v * total - self.lowered(total)) / slope
    }
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
    const KEPT: bool = false;
    #[inline(always)]
    fn weights<V: Vector<Scalar = A>>(self, z: V, scale: V) -> (V, V) {
        let root = z.mul_add(scale, V::splat(A::ONE)).max(V::splat(A::ZERO));
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
    const KEPT: bool = true;
    #[inline(always)]
    fn weights<V: Vector<Scalar = A>>(self, z: V, scale: V) -> (V, V) {
        let (zero, one) = (V::splat(A::ZERO), V::splat(A::ONE));
        let base = z.mul_add(scale, one);
        let log = ln_near_one(base, z.mul_add(scale, one - base));
        // r = base^(1/e) as base^(1/e - 1) base: the slope is needed too, and a division takes longer.
        let slope = exp(log * V::splat(A::ONE / self.excess - A::ONE));
        // Below alpha = 1 a forbidden entry has an infinite base.
        let outside = V::or(base.not_lt(V::splat(A::INFINITY)), zero.not_lt(base));
        (
            V::select(outside, zero, slope * base),
            V::select(outside, zero, slope),
        )
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

/// Sums over a list at one `v`.
struct Sums<A> {
    /// `sum r`
    total: A,
    /// `sum r / (1 + t)`
    slope: A,
    /// Entries with weight.
    support: usize,
}

/// The sums at `v`. With `keep`, the list holds the weights `r` afterwards.
#[inline(always)]
fn evaluate<B: Backend, A: Real, M: Map<A>>(map: M, list: &mut [A], v: A, keep: bool) -> Sums<A> {
    let scale = map.excess() / v;
    let mut total = Sum::<A::Lanes<B>>::new();
    let mut slope = Sum::<A::Lanes<B>>::new();
    let mut support = 0;
    lanes!(A::Lanes<B>, list.len(), |i, k, U| {
        let z = get::<B, A, U>(list, i, k, A::NEG_INFINITY);
        let (r, d) = map.weights(z, Pack::splat(scale));
        support += Pack::<A::Lanes<B>, U>::bits(Pack::splat(A::ZERO).lt(r)).count_ones() as usize;
        total.add(r);
        slope.add(d);
        if keep {
            poke::<A::Lanes<B>, U>(list, i, k, r);
        }
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

/// What a search has found.
pub(crate) struct Threshold<A> {
    /// `e / v`, which turns `x - max` into `t`.
    pub(crate) scale: A,
    /// The same where the list was made, which [`candidates`] was told.
    pub(crate) listed: A,
    /// `1 / R`
    pub(crate) normaliser: A,
    /// Number of entries with weight.
    pub(crate) support: usize,
}

/// Passes after which the search ends whatever it found: more than any row needs, so that no input can hang it.
const MOST_PASSES: usize = 200;

/// Steps without halving the bracket before it is halved.
const PATIENCE: usize = 3;

/// Entries of a sample at most.
pub(crate) const SAMPLE: usize = 1024;

/// Neighbours that go into a sample together.
const SAMPLE_BLOCK: usize = 16;

/// One block of this many goes into a sample at most.
const SAMPLE_STRIDE: usize = 4;

/// A relative step after which a sample has told what it can.
const NEAR: f64 = 1.0 / 32.0;

/// What `v` of the sample is raised by: the list is then complete more often than not, and little longer than need be.
const MARGIN: f64 = 1.0 + 1.0 / 16.0;

/// Copies blocks at equal distances, and returns the number of entries: none if the list is too short for its search to gain by it.
#[inline(always)]
fn take_sample<A: Real>(list: &[A], sample: &mut [A]) -> usize {
    let blocks = list.len() / SAMPLE_BLOCK;
    let taken = (SAMPLE / SAMPLE_BLOCK).min(blocks / SAMPLE_STRIDE);
    if taken < 4 {
        return 0;
    }
    let stride = blocks / taken;
    let from = list.chunks_exact(SAMPLE_BLOCK).step_by(stride);
    for (to, from) in sample[..taken * SAMPLE_BLOCK]
        .chunks_exact_mut(SAMPLE_BLOCK)
        .zip(from)
    {
        to.copy_from_slice(from);
    }
    taken * SAMPLE_BLOCK
}

/// Finds the threshold of a row whose largest entry is `max`. Leaves the candidates in the list, which is [`room`](crate::candidates::room) for
/// them, or their weights `r` if the map is one that keeps them.
#[inline(always)]
pub(crate) fn search<B: Backend, A: Real, M: Map<A>>(
    map: M,
    x: &[A],
    max: A,
    list: &mut [A],
) -> Threshold<A> {
    let excess = map.excess();
    let mut newton = Newton::new(excess);
    let mut bracket = Bracket::whole();
    let (list, sample) = list.split_at_mut(x.len() + MAX_LANES);
    let mut samples = 0;
    let mut v = A::ONE;
    let mut last = false;
    let mut passes = 0;
    // Where the list was made, and its length.
    let (mut reach, mut len) = (A::ZERO, 0);
    let sums = loop {
        // Below alpha = 1 every entry has weight.
        if samples == 0 && reach < v && (reach == A::ZERO || A::ZERO < excess) {
            len = candidates::<B, A>(x, max, excess / v, max, list);
            if A::ONE < excess {
                bracket = Bracket::new(excess, len);
            } else if reach == A::ZERO && A::ZERO < excess {
                samples = take_sample(&list[..len], sample);
            }
            reach = v;
        }
        let part = if samples > 0 {
            &mut sample[..samples]
        } else {
            &mut list[..len]
        };
        // The only place that evaluates: its code is large.
        let sums = evaluate::<B, A, M>(map, part, v, M::KEPT && last);
        passes += 1;
        if last {
            break sums;
        }
        if samples > 0 {
            // Each entry of the sample stands for several of the list.
            let each = A::from_f64(len as f64 / samples as f64);
            let step = map.step(v, sums.total * each, sums.slope * each);
            // Steps back, small ones and none at all (NaN) end it.
            let far = v * A::from_f64(NEAR) < step;
            v = least(v - step, newton.most);
            if !far {
                samples = 0;
                if M::KEPT {
                    v = least(v * A::from_f64(MARGIN), newton.most);
                    reach = v;
                    len = shrink::<B, A>(list, len, excess / v);
                }
            }
            continue;
        }
        let step = map.step(v, sums.total, sums.slope);
        let next = if excess > A::ONE {
            bracket.next(v, step)
        } else {
            newton.next(v, step)
        };
        last = next.last || next.v == v || passes + 1 >= MOST_PASSES;
        v = next.v;
    };
    Threshold {
        scale: excess / v,
        listed: excess / reach,
        normaliser: A::ONE / sums.total,
        support: sums.support,
    }
}

/// Where the search goes from here: nowhere if `v` stays.
struct Next<A> {
    v: A,
    last: bool,
}

/// Newton's method for `alpha <= 2`.
struct Newton<A> {
    /// What `v` never exceeds.
    most: A,
    /// The relative step after which the error left does not matter.
    enough: A,
    /// Whether there was a step back.
    turned: bool,
}

impl<A: Real> Newton<A> {
    #[inline(always)]
    fn new(excess: A) -> Self {
        Newton {
            most: if excess > A::ZERO { A::ONE } else { A::MAX },
            // The error after a step of relative size d is of the order of d^2 up to alpha = 1.5. Beyond, the slope jumps where an
            // entry loses its weight, and the error is only known to be less than d.
            enough: if excess > A::from_f64(0.5) {
                A::NO_STEP
            } else {
                A::LAST_STEP
            },
            turned: false,
        }
    }

    #[inline(always)]
    fn next(&mut self, v: A, step: A) -> Next<A> {
        let small = v * self.enough;
        // Up to 1, v comes down after the first step: what leads back is rounding.
        let back = self.most == A::ONE && step < A::ZERO;
        let rounding = self.turned && back;
        self.turned |= back;
        Next {
            v: least(v - step, self.most),
            last: step < small && A::ZERO - step < small || rounding,
        }
    }
}

/// The smaller of two; `most` if `v` is NaN.
#[inline(always)]
fn least<A: Real>(v: A, most: A) -> A {
    if v < most { v } else { most }
}

/// Ends between which `v` lies, for `alpha > 2`.
struct Bracket<A> {
    low: A,
    high: A,
    width: A,
    stalled: usize,
}

impl<A: Real> Bracket<A> {
    /// All that is possible.
    #[inline(always)]
    fn whole() -> Self {
        Bracket {
            low: A::ZERO,
            high: A::ONE,
            width: A::ONE,
            stalled: 0,
        }
    }

    #[inline(always)]
    fn new(excess: A, count: usize) -> Self {
        // All entries tied would have (1 / count)^e. `e / v` stays finite.
        let tied = A::from_f64((-excess.to_f64() * (count as f64).ln()).exp());
        let least = A::TINY * (A::from_f64(4.0) * excess);
        let low = if tied > least { tied } else { least };
        Bracket {
            low,
            width: A::ONE - low,
            ..Self::whole()
        }
    }

    /// Newton's method inside the bracket, which is halved where the steps do not shrink it.
    #[inline(always)]
    fn next(&mut self, v: A, step: A) -> Next<A> {
        if step > A::ZERO {
            self.high = v;
        } else {
            self.low = v;
        }
        let width = self.high - self.low;
        let unit = v * A::NO_STEP * A::from_f64(0.25);
        if step == A::ZERO {
            return Next { v, last: true };
        }
        if width <= unit + unit {
            // At a large alpha an entry joins with nearly all its weight: the lower end is before that.
            return Next {
                v: self.low,
                last: true,
            };
        }
        // Where an entry has just joined, the slope is so steep that a step is short far from the root.
        let step = if A::ZERO < step && step < unit {
            unit
        } else if step < A::ZERO && A::ZERO - unit < step {
            A::ZERO - unit
        } else {
            step
        };
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
