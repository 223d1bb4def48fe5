//! Exponentials near 1 and logarithms of what is.

use super::elementary::{ln_normal, polynomial};
use crate::lanes::region::shared;
use crate::lanes::vector::{Real, Vector};

shared! {
    /// `e^x - 1` for `x <= 0`, accurate near 0.
    pub(crate) fn exp_m1<V: Vector>(x: V) -> V {
        // For |x| <= 1/4 the polynomial of the exponential needs no reduction.
        let near = (x * x).mul_add(polynomial(x, V::Scalar::EXP_POLYNOMIAL), x);
        let far = x.exp() - V::splat(V::Scalar::ONE);
        V::select(x.lt(V::splat(V::Scalar::EXP_M1_NEAR)), far, near)
    }
}

shared! {
    /// `ln(u + lost)`, where `u` is the rounded sum of 1 and some number, and `lost` what the rounding lost.
    pub(crate) fn ln_near_one<V: Vector>(u: V, lost: V) -> V {
        let one = V::splat(V::Scalar::ONE);
        // 1 / u to first order around 1: where that is far off, the loss is too small to matter, and below u = 1/2 there is almost none.
        // A positive u is at least the rounding of 1.
        let inverse = (one - (u - one)).max(V::splat(V::Scalar::ZERO));
        lost.mul_add(inverse, ln_normal(u))
    }
}
