//! The members of the family, as the search sees them.

use crate::lanes::math::near::ln_near_one;
use crate::lanes::vector::{Real, Vector};

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
    /// `(r, r / (1 + t))` with `t = scale z`, both 0 outside the support. A row may have thousands of entries near the threshold,
    /// where the base `1 + t` is small: it is rounded relative to itself, and the scale has digits for that.
    fn weights<V: Vector<Scalar = A>>(self, z: V, scale: Scale<A>) -> (V, V);
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

/// `e / v`, which turns `z` into `t`, in two parts.
#[derive(Clone, Copy)]
pub(crate) struct Scale<A> {
    high: A,
    low: A,
}

impl<A: Real> Scale<A> {
    /// Of `v` and what rounding took from it.
    #[inline(always)]
    pub(super) fn new(excess: A, v: A, rest: A) -> Self {
        let scale = excess.to_f64() / (v.to_f64() + rest.to_f64());
        let high = A::from_f64(scale);
        let low = A::from_f64(scale - high.to_f64());
        Scale { high, low }
    }

    /// Both parts together.
    #[inline(always)]
    pub(super) fn value(&self) -> f64 {
        self.high.to_f64() + self.low.to_f64()
    }

    /// `1 + scale z`
    #[inline(always)]
    pub(super) fn base<V: Vector<Scalar = A>>(&self, z: V) -> V {
        let base = z.mul_add(V::splat(self.high), V::splat(A::ONE));
        let longer = z.mul_add(V::splat(self.low), base);
        // An infinite base meets an infinity of the other sign.
        V::select(longer.eq(longer), longer, base)
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
    fn weights<V: Vector<Scalar = A>>(self, z: V, scale: Scale<A>) -> (V, V) {
        let root = scale.base(z).max(V::splat(A::ZERO));
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
    fn weights<V: Vector<Scalar = A>>(self, z: V, scale: Scale<A>) -> (V, V) {
        let (zero, one) = (V::splat(A::ZERO), V::splat(A::ONE));
        let base = scale.base(z);
        let lost = z.mul_add(V::splat(scale.high), one - base);
        let log = ln_near_one(base, z.mul_add(V::splat(scale.low), lost));
        // r = base^(1/e) as base^(1/e - 1) base: the slope is needed too, and a division takes longer.
        let slope = (log * V::splat(A::ONE / self.excess - A::ONE)).exp();
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
