//! Rows of logits with noise added: their weights.

use super::head::Head;
use super::race::score;
use super::sums::lost;
use crate::lanes::vector::{Real, Vector};

/// The head of a row of logits and that of the row of its scores.
pub(crate) struct Perturbed<A> {
    pub(crate) head: Head<A>,
    pub(crate) scores: Head<A>,
    pub(crate) inverse_temperature: A,
}

impl<A: Real> Perturbed<A> {
    /// The unnormalised weights. What the two additions of a score round off is some units of the seventh digit of a
    /// weight at a temperature of 0.3, and counts.
    #[inline(always)]
    pub(crate) fn weight<V: Vector<Scalar = A>>(&self, x: V, noise: V) -> V {
        let z = self.head.exponent(x);
        let score = score(z, noise);
        let rest = lost(x, V::splat(A::ZERO - self.head.max), z) + lost(z, noise, score);
        // NaN beside an infinite number.
        let rest = V::select(rest.eq(rest), rest, V::splat(A::ZERO));
        let exponent = self.scores.exponent(score);
        rest.mul_add(V::splat(self.inverse_temperature), exponent)
            .exp()
    }

    /// The maximum for the statistics; a row with `+inf` stores the mark of a constant one.
    #[inline(always)]
    pub(crate) fn max(&self) -> A {
        if self.head.is_constant() {
            self.head.max
        } else {
            self.scores.max
        }
    }
}
