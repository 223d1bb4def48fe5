//! The threshold of sparsemax, by Michelot's algorithm.

use crate::lanes::pack::Pack;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{get, lanes};
use crate::row::sums::Sum;

/// Passes after which the search ends whatever it found: more than any row needs, so that no input can hang it.
const MOST_PASSES: usize = 200;

/// The threshold of sparsemax: a weight is `(x - base) - offset` where that is positive.
///
/// `base` is near the threshold, so that a small weight keeps its digits, and thousands of them add up to 1.
pub(crate) struct Linear<A> {
    pub(crate) base: A,
    pub(crate) offset: A,
    /// Number of entries with weight.
    pub(crate) support: usize,
}

/// Corrections of the offset after the support was found: the second sees what the first rounded.
const CORRECTIONS: usize = 2;

impl<A: Real> Linear<A> {
    /// The weights.
    #[inline(always)]
    pub(crate) fn weights<V: Vector<Scalar = A>>(&self, x: V) -> V {
        let p = (x - V::splat(self.base)) - V::splat(self.offset);
        p.max(V::splat(A::ZERO))
    }

    /// Michelot's algorithm on a list of candidates: as long as an entry leaves the support, the threshold rises.
    #[inline(always)]
    pub(crate) fn search<B: Backend>(list: &[A], max: A) -> Self {
        let mut linear = Linear {
            base: max,
            offset: A::ZERO - A::ONE,
            support: usize::MAX,
        };
        let mut corrections = 0;
        for _ in 0..MOST_PASSES {
            let (total, support) = linear.evaluate::<B>(list);
            linear.offset = linear.offset + (total - A::ONE) / A::from_f64(support as f64);
            let found = support == linear.support;
            linear.support = support;
            if found && corrections == 0 {
                let base = max + linear.offset;
                linear.offset = (max - base) + linear.offset;
                linear.base = base;
            }
            if found || corrections > 0 {
                corrections += 1;
                if corrections > CORRECTIONS {
                    break;
                }
            }
        }
        linear
    }

    /// The sum of the weights, and how many there are.
    #[inline(always)]
    fn evaluate<B: Backend>(&self, list: &[A]) -> (A, usize) {
        let mut total = Sum::<A::Lanes<B>>::new();
        let mut support = 0;
        lanes!(A::Lanes<B>, list.len(), |i, k, U| {
            let p = self.weights(get::<B, A, U>(list, i, k, A::NEG_INFINITY));
            support += Pack::<A::Lanes<B>, U>::bits(Pack::splat(A::ZERO).lt(p)).count_ones() as usize;
            total.add(p);
        } flush { total.flush() });
        (total.total(), support)
    }
}
