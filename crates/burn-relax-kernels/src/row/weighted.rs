//! The mean of values by the weights of a row, block by block, in one pass over memory.

use super::access::{get, lanes, prefetch};
use super::head::Head;
use super::special::row_max;
use super::sums::{Mean, Sum, inverse, unless_zero};
use crate::lanes::pack::Pack;
use crate::lanes::reduce::max_lanes;
use crate::lanes::region::shared;
use crate::lanes::vector::{Backend, Real, Vector};

/// Entries between two looks for a larger maximum. Both passes over a block find it in the first-level cache.
const BLOCK: usize = 2048;

/// What a row amounts to.
pub(crate) struct Weighted<A> {
    /// The largest logit as it is.
    pub(crate) largest: A,
    /// The same as statistics store it.
    pub(crate) max: A,
    /// `sum e_i` with `e_i = exp((x_i - max) / temperature)`.
    pub(crate) normaliser: A,
    /// `sum e_i v_i`
    weighted: A,
}

impl<A: Real> Weighted<A> {
    /// Sums a row, as if all its values were finite first; a value at a weight of 0 that is not shows as NaN.
    #[inline(always)]
    pub(crate) fn new<B: Backend>(x: &[A], v: &[A], inverse_temperature: A) -> Self {
        let total = Self::summed::<B, false>(x, v, inverse_temperature);
        if total.weighted.is_nan() {
            Self::summed::<B, true>(x, v, inverse_temperature)
        } else {
            total
        }
    }

    /// Sums a row block by block, relative to the largest logit so far; `CAREFUL` passes over the values at weights of 0.
    #[inline(always)]
    fn summed<B: Backend, const CAREFUL: bool>(x: &[A], v: &[A], inverse_temperature: A) -> Self {
        let mut largest = A::NEG_INFINITY;
        let mut head = Head::new(largest, inverse_temperature);
        let mut sum = Sum::<A::Lanes<B>>::new();
        let mut weighted = Sum::<A::Lanes<B>>::new();
        let mut start = 0;
        while start < x.len() {
            let end = x.len().min(start + BLOCK);
            let (x, v) = (&x[start..end], &v[start..end]);
            let block_largest = row_max::<B, A>(x);
            if block_largest > largest {
                let before = head.max;
                largest = block_largest;
                head = Head::new(largest, inverse_temperature);
                if start > 0 {
                    let factor = max_lanes(head.weight(A::Lanes::<B>::splat(before)));
                    sum.rescale(factor);
                    weighted.rescale(factor);
                }
            }
            lanes!(A::Lanes<B>, x.len(), |i, k, U| {
                prefetch(v, i, k);
                let e = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
                let v = get::<B, A, U>(v, i, k, A::ZERO);
                sum.add(e);
                weighted.add_product(e, if CAREFUL { unless_zero(e, v) } else { v });
            } flush {
                sum.flush();
                weighted.flush();
            });
            start = end;
        }
        Weighted {
            largest,
            max: head.max,
            normaliser: sum.total(),
            weighted: weighted.total(),
        }
    }

    /// `sum w_i v_i`, 0 where nothing can be chosen.
    #[inline(always)]
    pub(crate) fn mean(&self) -> A {
        self.weighted * inverse(self.normaliser)
    }
}

shared! {
    /// `sum w_i (v_i - soft) / sum w_i`: what rounding took from the saved output.
    pub(crate) fn residual<B: Backend, A: Real>(head: &Head<A>, x: &[A], v: &[A], soft: A) -> A {
        let mut mean = Mean::<A::Lanes<B>>::new();
        lanes!(A::Lanes<B>, x.len(), |i, k, U| {
            let w = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
            mean.add(w, get::<B, A, U>(v, i, k, A::ZERO) - Pack::splat(soft));
        } flush { mean.flush() });
        mean.value()
    }
}
