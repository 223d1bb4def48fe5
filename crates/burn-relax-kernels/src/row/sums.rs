//! Sums over a row, always added in the same order.

use super::access::{get, lanes};
use crate::lanes::pack::Pack;
use crate::lanes::region::shared;
use crate::lanes::vector::{Backend, Real, Vector};

/// A sum in two levels.
///
/// The vectors of a group are added to each other first, by halves. Where the loops take one vector at a time, `flush` ends a group if
/// anything was added since the last one.
#[derive(Clone, Copy)]
pub(crate) struct Sum<V> {
    inner: V,
    outer: V,
    /// Of a group: the vectors whose turn it is to be added to, and the others.
    halves: [V; 2],
    /// Whether a group has begun.
    begun: bool,
}

impl<V: Vector> Sum<V> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        let zero = V::splat(V::Scalar::ZERO);
        Sum {
            inner: zero,
            outer: zero,
            halves: Self::no_halves(),
            begun: false,
        }
    }
    /// Negative zeros: adding one changes nothing, not even the sign of a zero.
    #[inline(always)]
    fn no_halves() -> [V; 2] {
        [V::splat(V::Scalar::NEG_ZERO); 2]
    }
    #[inline(always)]
    pub(crate) fn add<const U: usize>(&mut self, x: Pack<V, U>) {
        if V::CALLS {
            for x in x.0 {
                let [half, other] = self.halves;
                self.halves = [other, half + x];
            }
            self.begun = true;
        } else {
            self.inner = self.inner + x.fold(|a, b| a + b);
        }
    }
    /// As adding zeros, where [`add`](Self::add) is not called for all vectors of a row.
    #[inline(always)]
    pub(crate) fn skip(&mut self) {
        let [half, other] = self.halves;
        self.halves = [other, half];
        self.begun = true;
    }
    /// Adds the products `a b`, each without a rounding of its own.
    #[inline(always)]
    pub(crate) fn add_product<const U: usize>(&mut self, a: Pack<V, U>, b: Pack<V, U>) {
        for (a, b) in a.0.into_iter().zip(b.0) {
            self.inner = a.mul_add(b, self.inner);
        }
        self.begun = true;
    }
    #[inline(always)]
    pub(crate) fn flush(&mut self) {
        if V::CALLS && self.begun {
            let [a, b] = self.halves;
            self.inner = self.inner + (a + b);
            self.halves = Self::no_halves();
            self.begun = false;
            return;
        }
        self.outer = self.outer + self.inner;
        self.inner = V::splat(V::Scalar::ZERO);
    }
    /// Multiplies what was added so far, after a `flush`.
    #[inline(always)]
    pub(crate) fn rescale(&mut self, factor: V::Scalar) {
        self.outer = self.outer * V::splat(factor);
    }
    /// The total, after the last `flush`.
    #[inline(always)]
    pub(crate) fn total(self) -> V::Scalar {
        V::Scalar::from_f64(self.wide_total())
    }
    #[inline(always)]
    pub(crate) fn wide_total(self) -> f64 {
        self.outer.wide_sum()
    }
}

/// What the rounding of `sum = a + b` took away, exactly (Knuth's two-sum). NaN where one of them is infinite.
#[inline(always)]
pub(crate) fn lost<V: Vector>(a: V, b: V, sum: V) -> V {
    let added = sum - a;
    (a - (sum - added)) + (b - added)
}

/// A sum of numbers of both signs, which may be small beside them: what the additions round off is summed too.
#[derive(Clone, Copy)]
pub(crate) struct CompensatedSum<V> {
    sum: V,
    lost: V,
}

impl<V: Vector> CompensatedSum<V> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        let zero = V::splat(V::Scalar::ZERO);
        CompensatedSum {
            sum: zero,
            lost: zero,
        }
    }
    #[inline(always)]
    pub(crate) fn add<const U: usize>(&mut self, x: Pack<V, U>) {
        for x in x.0 {
            let sum = self.sum + x;
            self.lost = self.lost + lost(self.sum, x, sum);
            self.sum = sum;
        }
    }
    #[inline(always)]
    pub(crate) fn total(self) -> f64 {
        let (sum, lost) = (self.sum.wide_sum(), self.lost.wide_sum());
        // An infinite sum has lost NaN.
        if lost.is_nan() { sum } else { sum + lost }
    }
}

/// The mean `<w, g> / sum w`, which does not feel what all weights are off by together.
#[derive(Clone, Copy)]
pub(crate) struct Mean<V> {
    weighted: Sum<V>,
    weights: Sum<V>,
}

impl<V: Vector> Mean<V> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Mean {
            weighted: Sum::new(),
            weights: Sum::new(),
        }
    }
    /// What stands where the weight is 0 does not count, NaN or not.
    #[inline(always)]
    pub(crate) fn add<const U: usize>(&mut self, w: Pack<V, U>, g: Pack<V, U>) {
        self.weighted.add(unless_zero(w, w * g));
        self.weights.add(w);
    }
    /// See [`Sum::skip`].
    #[inline(always)]
    pub(crate) fn skip(&mut self) {
        self.weighted.skip();
        self.weights.skip();
    }
    #[inline(always)]
    pub(crate) fn flush(&mut self) {
        self.weighted.flush();
        self.weights.flush();
    }
    /// The sum of the weights, after the last `flush`.
    #[inline(always)]
    pub(crate) fn weight(&self) -> V::Scalar {
        self.weights.total()
    }
    /// The mean, after the last `flush`; 0 without weights.
    #[inline(always)]
    pub(crate) fn value(&self) -> V::Scalar {
        let total = self.weights.wide_total();
        V::Scalar::from_f64(if total == 0.0 {
            0.0
        } else {
            self.weighted.wide_total() / total
        })
    }
}

/// Whether the largest weight of a row may be more than a quarter, by its normaliser. Its gradient is then a small multiple of
/// the difference from a mean, and what rounding took from that mean shows. Such rows take one more pass; they are in cache.
#[inline(always)]
pub(crate) fn dominated<A: Real>(normaliser: A) -> bool {
    normaliser < A::from_f64(4.0)
}

shared! {
    /// What `about`, a mean of `g`, is off by: the mean of what `g` differs from it. Small products have small roundings.
    pub(crate) fn residual<B: Backend, A: Real>(w: &[A], g: &[A], about: A) -> A {
        let mut rest = Mean::<A::Lanes<B>>::new();
        lanes!(A::Lanes<B>, w.len(), |i, k, U| {
            let w = get::<B, A, U>(w, i, k, A::ZERO);
            rest.add(w, get::<B, A, U>(g, i, k, A::ZERO) - Pack::splat(about));
        } flush { rest.flush() });
        rest.value()
    }
}

/// `1 / normaliser`, 0 for a row in which nothing can be chosen.
#[inline(always)]
pub(crate) fn inverse<A: Real>(normaliser: A) -> A {
    if normaliser == A::ZERO {
        A::ZERO
    } else {
        A::ONE / normaliser
    }
}

/// `x` where `weight` is not 0, else 0: what a forbidden entry carries does not matter, NaN or not.
#[inline(always)]
pub(crate) fn unless_zero<V: Vector>(weight: V, x: V) -> V {
    let zero = V::splat(V::Scalar::ZERO);
    V::select(weight.ne(zero), x, zero)
}
