//! Rows of logits with noise added: their weights.

use super::access::{get, lanes};
use super::head::Head;
use super::race::score;
use super::special::stored_max;
use super::sums::lost;
use crate::lanes::reduce::max_lanes;
use crate::lanes::region::shared;
use crate::lanes::vector::{Backend, Real, Vector};

/// From this inverse temperature on, what rounding took from the largest score makes a difference of more than a hundredth in all
/// exponents of a row together.
const COLD: f64 = 4096.0;

/// The head of a row of logits and the largest of its scores.
pub(crate) struct Perturbed<A> {
    head: Head<A>,
    max: A,
    /// What the weights are relative to, beyond the maximum: the rest of the score that wins, or 0 in rows that are not cold.
    rest: A,
    inverse_temperature: A,
}

impl<A: Real> Perturbed<A> {
    /// Of logits, their noise and the largest of their scores.
    #[inline(always)]
    pub(crate) fn new<B: Backend>(
        head: Head<A>,
        (x, noise): (&[A], &[A]),
        largest: A,
        inverse_temperature: A,
    ) -> Self {
        let mut row = Perturbed {
            head,
            max: stored_max(largest),
            rest: A::ZERO,
            inverse_temperature,
        };
        if inverse_temperature.to_f64() >= COLD {
            let most = largest_gap::<B, A>(&row, x, noise);
            row.rest = if most > A::NEG_INFINITY {
                most
            } else {
                A::ZERO
            };
        }
        row
    }

    /// The scores relative to the reference. What the two additions of a score round off is some units of the seventh digit of a
    /// weight at a temperature of 0.3, and decides at one of 1e-10.
    #[inline(always)]
    fn gap<V: Vector<Scalar = A>>(&self, x: V, noise: V) -> V {
        let z = self.head.exponent(x);
        let score = score(z, noise);
        let rest = lost(x, V::splat(A::ZERO - self.head.max), z) + lost(z, noise, score);
        // NaN beside an infinite number.
        let rest = V::select(rest.eq(rest), rest, V::splat(A::ZERO));
        ((score - V::splat(self.max)) + rest) - V::splat(self.rest)
    }

    /// The unnormalised weights.
    #[inline(always)]
    pub(crate) fn weight<V: Vector<Scalar = A>>(&self, x: V, noise: V) -> V {
        (self.gap(x, noise) * V::splat(self.inverse_temperature)).exp()
    }

    /// The maximum for the statistics; a row with `+inf` stores the mark of a constant one.
    #[inline(always)]
    pub(crate) fn stored_max(&self) -> A {
        if self.head.is_constant() {
            self.head.max
        } else {
            self.max
        }
    }
}

shared! {
    /// The largest of the gaps of a row.
    fn largest_gap<B: Backend, A: Real>(row: &Perturbed<A>, x: &[A], noise: &[A]) -> A {
        let mut most = A::Lanes::<B>::splat(A::NEG_INFINITY);
        lanes!(A::Lanes<B>, x.len(), |i, k, U| {
            let x = get::<B, A, U>(x, i, k, A::NEG_INFINITY);
            let gap = row.gap(x, get::<B, A, U>(noise, i, k, A::ZERO));
            most = gap.fold(|a, b| a.max(b)).max(most);
        } folded);
        max_lanes(most)
    }
}
