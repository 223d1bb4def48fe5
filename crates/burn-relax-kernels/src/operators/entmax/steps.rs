//! Steps towards the threshold: Newton's method for `alpha <= 2`, and inside a bracket beyond.

use crate::lanes::vector::Real;

/// Steps without halving the bracket before it is halved.
const PATIENCE: usize = 3;

/// Where the search goes from here: nowhere if `v` stays.
pub(super) struct Next<A> {
    pub(super) v: A,
    pub(super) last: bool,
}

/// Newton's method for `alpha <= 2`.
pub(super) struct Newton<A> {
    /// What `v` never exceeds.
    pub(super) most: A,
    /// The relative step after which the error left does not matter.
    enough: A,
    /// Whether there was a step back.
    turned: bool,
}

impl<A: Real> Newton<A> {
    #[inline(always)]
    pub(super) fn new(excess: A) -> Self {
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
    pub(super) fn next(&mut self, v: A, step: A) -> Next<A> {
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
pub(super) fn least<A: Real>(v: A, most: A) -> A {
    if v < most { v } else { most }
}

/// Ends between which `v` lies, for `alpha > 2`.
pub(super) struct Bracket<A> {
    low: A,
    high: A,
    width: A,
    stalled: usize,
}

impl<A: Real> Bracket<A> {
    /// All that is possible.
    #[inline(always)]
    pub(super) fn whole() -> Self {
        Bracket {
            low: A::ZERO,
            high: A::ONE,
            width: A::ONE,
            stalled: 0,
        }
    }

    #[inline(always)]
    pub(super) fn new(excess: A, count: usize) -> Self {
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
    pub(super) fn next(&mut self, v: A, step: A) -> Next<A> {
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
