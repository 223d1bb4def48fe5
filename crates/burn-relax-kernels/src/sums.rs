//! Sums over a row, always added in the same order.

use crate::real::Real;
use crate::rows::{UNROLL, get, lanes, unless_zero};
use crate::simd::{Backend, MAX_LANES, Pack, Vector};

/// A sum in two levels.
#[derive(Clone, Copy)]
pub(crate) struct Sum<V> {
    inner: V,
    outer: V,
}

impl<V: Vector> Sum<V> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        let zero = V::splat(V::Scalar::ZERO);
        Sum {
            inner: zero,
            outer: zero,
        }
    }
    #[inline(always)]
    pub(crate) fn add<const U: usize>(&mut self, x: Pack<V, U>) {
        self.inner = self.inner + x.fold(|a, b| a + b);
    }
    #[inline(always)]
    pub(crate) fn flush(&mut self) {
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
        V::Scalar::from_f64(wide_sum(self.outer))
    }
}

/// A sum of numbers of both signs, which may be small beside them: what the additions round off is summed too (Knuth's two-sum).
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
            let added = sum - self.sum;
            self.lost = self.lost + ((self.sum - (sum - added)) + (x - added));
            self.sum = sum;
        }
    }
    /// Adds the products `a b`.
    #[inline(always)]
    pub(crate) fn add_product<const U: usize>(&mut self, a: Pack<V, U>, b: Pack<V, U>) {
        let product = a * b;
        self.add(product);
        let zero = Pack::splat(V::Scalar::ZERO);
        for lost in a.mul_add(b, zero - product).0 {
            self.lost = self.lost + lost;
        }
    }
    #[inline(always)]
    pub(crate) fn total(self) -> f64 {
        let (sum, lost) = (wide_sum(self.sum), wide_sum(self.lost));
        // An infinite sum has lost NaN.
        if lost.is_nan() { sum } else { sum + lost }
    }
}

/// Sum of the lanes in `f64`, by halves: the same tree on every path.
#[inline(always)]
fn wide_sum<V: Vector>(v: V) -> f64 {
    let mut lanes = [V::Scalar::ZERO; MAX_LANES];
    // SAFETY: `LANES <= MAX_LANES`.
    unsafe { v.store(lanes.as_mut_ptr()) };
    let mut lanes = lanes.map(Real::to_f64);
    let mut half = V::LANES / 2;
    while half > 0 {
        for j in 0..half {
            lanes[j] += lanes[j + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// The mean `<w, g> / sum w`. It does not feel what all weights are off by together, and is known to more digits than one number
/// of its type has: gradients `w (g - mean)` may be small beside `g`.
#[derive(Clone, Copy)]
pub(crate) struct Mean<V> {
    weighted: Pack<V, UNROLL>,
    weights: Pack<V, UNROLL>,
    outer: [V; 2],
}

impl<V: Vector> Mean<V> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        let zero = V::splat(V::Scalar::ZERO);
        Mean {
            weighted: Pack([zero; UNROLL]),
            weights: Pack([zero; UNROLL]),
            outer: [zero; 2],
        }
    }
    /// What stands where the weight is 0 does not count, NaN or not.
    #[inline(always)]
    pub(crate) fn add<const U: usize>(&mut self, w: Pack<V, U>, g: Pack<V, U>) {
        for (u, (w, g)) in w.0.into_iter().zip(g.0).enumerate() {
            self.weighted.0[u] = w.mul_add(unless_zero(w, g), self.weighted.0[u]);
            self.weights.0[u] = self.weights.0[u] + w;
        }
    }
    #[inline(always)]
    pub(crate) fn flush(&mut self) {
        let Mean {
            weighted,
            weights,
            outer: [mean, total],
        } = *self;
        *self = Mean {
            outer: [
                mean + weighted.fold(|a, b| a + b),
                total + weights.fold(|a, b| a + b),
            ],
            ..Self::new()
        };
    }
    /// The sum of the weights, after the last `flush`.
    #[inline(always)]
    pub(crate) fn weights(&self) -> f64 {
        wide_sum(self.outer[1])
    }
    /// The mean, after the last `flush`; 0 without weights.
    #[inline(always)]
    pub(crate) fn value(&self) -> Split<V::Scalar> {
        let total = self.weights();
        Split::new(if total == 0.0 {
            0.0
        } else {
            wide_sum(self.outer[0]) / total
        })
    }
}

/// The mean `<w, g> / sum w` of a row, 0 without weights.
#[inline(always)]
pub(crate) fn mean<B: Backend, A: Real>(w: &[A], g: &[A]) -> Split<A> {
    let mut mean = Mean::<A::Lanes<B>>::new();
    lanes!(A::Lanes<B>, w.len(), |i, k, U| {
        let w = get::<B, A, U>(w, i, k, A::ZERO);
        mean.add(w, get::<B, A, U>(g, i, k, A::ZERO));
    } flush { mean.flush() });
    mean.value()
}

/// Whether the largest weight of a row may be more than a quarter, by its normaliser. Its gradient is then a small multiple of
/// the difference from a mean, and what rounding took from that mean shows. Such rows take one more pass; they are in cache.
#[inline(always)]
pub(crate) fn dominated<A: Real>(normaliser: A) -> bool {
    normaliser < A::from_f64(4.0)
}

/// A mean once more, as a known one plus the mean of what `g` differs from it: without the rounding of large products.
#[inline(always)]
pub(crate) fn refined<B: Backend, A: Real>(w: &[A], g: &[A], about: Split<A>) -> Split<A> {
    let mut rest = Mean::<A::Lanes<B>>::new();
    lanes!(A::Lanes<B>, w.len(), |i, k, U| {
        let w = get::<B, A, U>(w, i, k, A::ZERO);
        rest.add(w, about.below(get::<B, A, U>(g, i, k, A::ZERO)));
    } flush { rest.flush() });
    Split {
        low: about.low + rest.value().high,
        ..about
    }
}

/// A number and what rounding took from it.
#[derive(Clone, Copy)]
pub(crate) struct Split<A> {
    high: A,
    low: A,
}

impl<A: Real> Split<A> {
    #[inline(always)]
    fn new(x: f64) -> Self {
        let high = A::from_f64(x);
        let low = x - high.to_f64();
        // Infinity less itself.
        let low = if low.is_nan() { 0.0 } else { low };
        Split {
            high,
            low: A::from_f64(low),
        }
    }
    /// The number, rounded.
    #[inline(always)]
    pub(crate) fn high(self) -> A {
        self.high
    }
    /// `x` less this number.
    #[inline(always)]
    pub(crate) fn below<V: Vector<Scalar = A>>(self, x: V) -> V {
        (x - V::splat(self.high)) - V::splat(self.low)
    }
}
