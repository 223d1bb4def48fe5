//! Powers of values in 0..1 or relative to the largest of a row, and what the gradual argmax makes of that one.

use crate::lanes::vector::{Real, Vector};

/// Values that rounding has carried out of 0..1, back at its ends.
#[inline(always)]
pub(crate) fn unit<V: Vector>(v: V) -> V {
    V::splat(V::Scalar::ZERO)
        .max(v)
        .min(V::splat(V::Scalar::ONE))
}

/// The same for the largest value of a row.
#[inline(always)]
pub(crate) fn unit_max<A: Real>(largest: A) -> A {
    if largest > A::ONE {
        A::ONE
    } else if largest > A::ZERO {
        largest
    } else {
        A::ZERO
    }
}

/// `v^(p - 1)` and `v^p` for `v > 0`; other lanes are to be replaced.
#[inline(always)]
pub(crate) fn powers<V: Vector>(v: V, log: V, p: V::Scalar) -> (V, V) {
    if p >= V::Scalar::ONE {
        let lower = (V::splat(p - V::Scalar::ONE) * log).exp();
        (lower, lower * v)
    } else {
        let upper = (V::splat(p) * log).exp();
        ((upper / v).min(V::splat(V::Scalar::MAX)), upper)
    }
}

/// `0^(p - 1)` as the derivatives use it: 1 for `p = 1`, else 0, for `p < 1` too, where it is infinite.
#[inline(always)]
pub(crate) fn zero_power<A: Real>(p: A) -> A {
    if p == A::ONE { A::ONE } else { A::ZERO }
}

/// `1 - (1 - v)^p`, in `f64` inside.
#[inline(always)]
pub(crate) fn top_value<A: Real>(v: A, p: A) -> A {
    if p == A::ONE {
        return v;
    }
    A::from_f64(-(p.to_f64() * (-v.to_f64()).ln_1p()).exp_m1())
}

/// `p (1 - v)^(p - 1)`
#[inline(always)]
pub(crate) fn top_slope<A: Real>(v: A, p: A) -> A {
    if p == A::ONE {
        A::ONE
    } else if v == A::ONE {
        A::ZERO
    } else {
        let (log, power) = ((-v.to_f64()).ln_1p(), p.to_f64());
        A::from_f64(power * ((power - 1.0) * log).exp())
    }
}

/// `-(1 - v)^p ln(1 - v)`
#[inline(always)]
pub(crate) fn top_power_slope(v: f64, p: f64) -> f64 {
    if v == 1.0 {
        return 0.0;
    }
    let log = (-v).ln_1p();
    -(p * log).exp() * log
}
