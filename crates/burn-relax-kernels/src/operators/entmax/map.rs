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
