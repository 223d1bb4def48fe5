//! What turns the logits of a row into weights, and the weights into their gradient.

use super::access::{get, lanes, poke};
use super::special::{is_constant, row_max, stored_max};
use super::sums::{Mean, Sum, dominated, inverse, residual, unless_zero};
use crate::lanes::pack::Pack;
use crate::lanes::region::shared;
use crate::lanes::vector::{Backend, Real, Vector};

/// `1 / temperature`, kept positive and finite so that `-inf` and 0 stay what they are when multiplied by it.
#[inline(always)]
pub(crate) fn reciprocal<A: Real>(temperature: f64) -> A {
    let r = A::from_f64(1.0 / temperature);
    if r > A::MAX {
        A::MAX
    } else if r < A::TINY {
        A::TINY
    } else {
        r
    }
}

/// What turns the logits of a row into unnormalised weights: `exp((x - max) * scale)`.
///
/// In a row with `+inf`, `max` is [`Real::MAX`] and so is `scale`: `+inf` gets weight 1, everything finite 0. In a row of
/// `-inf`, `max` is [`Real::MIN`] and every weight is 0. Neither needs a branch in the loops.
#[derive(Clone, Copy)]
pub(crate) struct Head<A> {
    pub(crate) max: A,
    pub(crate) scale: A,
}

impl<A: Real> Head<A> {
    /// From the largest value of the row.
    #[inline(always)]
    pub(crate) fn new(largest: A, inverse_temperature: A) -> Self {
        Self::from_stats(stored_max(largest), inverse_temperature)
    }

    /// From the stored maximum of the row.
    #[inline(always)]
    pub(crate) fn from_stats(max: A, inverse_temperature: A) -> Self {
        Head {
            max,
            scale: if is_constant(max) {
                A::MAX
            } else {
                inverse_temperature
            },
        }
    }

    /// Whether the row holds `+inf`: its weights do not depend on its logits.
    #[inline(always)]
    pub(crate) fn is_constant(&self) -> bool {
        is_constant(self.max)
    }

    /// The exponents `min(0, (x - max) * scale)`.
    #[inline(always)]
    pub(crate) fn exponent<V: Vector<Scalar = A>>(&self, x: V) -> V {
        V::splat(A::ZERO).min((x - V::splat(self.max)) * V::splat(self.scale))
    }

    /// The exponent of one logit.
    #[inline(always)]
    pub(crate) fn exponent_of(&self, x: A) -> A {
        let z = (x - self.max) * self.scale;
        if z > A::ZERO { A::ZERO } else { z }
    }

    /// The unnormalised weights.
    #[inline(always)]
    pub(crate) fn weight<V: Vector<Scalar = A>>(&self, x: V) -> V {
        self.exponent(x).exp()
    }
}

shared! {
    /// The sum of the unnormalised weights.
    pub(crate) fn wide_normaliser<B: Backend, A: Real>(head: &Head<A>, x: &[A]) -> f64 {
        let mut sum = Sum::<A::Lanes<B>>::new();
        lanes!(A::Lanes<B>, x.len(), |i, k, U| {
            sum.add(head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY)));
        } flush { sum.flush() });
        sum.wide_total()
    }
}

/// Head and normaliser of a row, and `ln` of the latter, 0 where nothing can be chosen.
#[inline(always)]
pub(crate) fn normalisers<B: Backend, A: Real>(x: &[A], scale: A) -> (Head<A>, A, A) {
    let head = Head::new(row_max::<B, A>(x), scale);
    let normaliser = A::from_f64(wide_normaliser::<B, A>(&head, x));
    let log = if normaliser == A::ZERO {
        A::ZERO
    } else {
        normaliser.ln()
    };
    (head, normaliser, log)
}

shared! {
    /// Replaces the weights `w` in a row by `w / W (g - mean) / T`, `W` their sum.
    pub(crate) fn soft_gradient<B: Backend, A: Real>(
        weights: &mut [A],
        g: &[A],
        mean: &Mean<A::Lanes<B>>,
        inverse_temperature: A,
    ) {
        let (zero, total, about) = (A::ZERO, mean.weight(), mean.value());
        let rest = if dominated(total) {
            residual::<B, A>(weights, g, about)
        } else {
            zero
        };
        let factor = inverse(total) * inverse_temperature;
        lanes!(A::Lanes<B>, g.len(), |i, k, U| {
            let w = get::<B, A, U>(weights, i, k, zero);
            let g = get::<B, A, U>(g, i, k, zero);
            let d = w * ((g - Pack::splat(about)) - Pack::splat(rest)) * Pack::splat(factor);
            poke(weights, i, k, unless_zero(w, d));
        });
    }
}

shared! {
    /// Multiplies a row by one factor.
    pub(crate) fn scale<B: Backend, A: Real>(row: &mut [A], factor: A) {
        lanes!(A::Lanes<B>, row.len(), |i, k, U| {
            let e = get::<B, A, U>(row, i, k, A::ZERO);
            poke(row, i, k, e * Pack::splat(factor));
        });
    }
}
