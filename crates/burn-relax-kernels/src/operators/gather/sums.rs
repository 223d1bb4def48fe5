//! Weighted sums of features, and products of features with an upstream gradient.

use crate::lanes::pack::Pack;
use crate::lanes::region::shared;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::get;
use crate::row::sums::unless_zero;
use core::mem::MaybeUninit;
use core::ops::Range;

/// Vectors of features summed together.
pub(super) const STRIP: usize = 4;
/// Classes whose contributions are summed before they move to the outer sums.
const CLASS_BLOCK: usize = 32;

/// The features of class `i`.
#[inline(always)]
pub(super) fn class<A>(values: &[A], i: usize, features: usize) -> &[A] {
    &values[i * features..][..features]
}

/// Writes sums in `f64`, times a factor.
#[inline(always)]
pub(super) fn put_wide<A: Real, V: Vector<Scalar = f64>, const S: usize>(
    sums: Pack<V, S>,
    factor: f64,
    out: &mut [MaybeUninit<A>],
) {
    for (out, sums) in out.chunks_mut(V::LANES).zip(sums.0) {
        for (out, sum) in out.iter_mut().zip(&sums.lanes()) {
            out.write(A::from_f64(sum * factor));
        }
    }
}

shared! {
    /// The weighted sums of some features, in `S` vectors.
    pub(super) fn strip<B: Backend, A: Real, const S: usize>(
        weights: &[A],
        values: &[A],
        features: Range<usize>,
        stride: usize,
    ) -> Pack<<A::Lanes<B> as Vector>::Wide, S> {
        let (f, k) = (features.start, features.len());
        let mut outer = Pack::<A::Lanes<B>, S>::splat(A::ZERO).widen();
        for (weights, values) in weights
            .chunks(CLASS_BLOCK)
            .zip(values.chunks(CLASS_BLOCK * stride))
        {
            let zero = Pack::splat(A::ZERO);
            let (mut a, mut b, mut c, mut d) = (zero, zero, zero, zero);
            let (fours, rows) = (weights.chunks_exact(4), values.chunks(4 * stride));
            let rest = fours.remainder();
            for (w, v) in fours.zip(rows) {
                a = weighted(get::<B, A, S>(class(v, 0, stride), f, k, A::ZERO), w[0], a);
                b = weighted(get::<B, A, S>(class(v, 1, stride), f, k, A::ZERO), w[1], b);
                c = weighted(get::<B, A, S>(class(v, 2, stride), f, k, A::ZERO), w[2], c);
                d = weighted(get::<B, A, S>(class(v, 3, stride), f, k, A::ZERO), w[3], d);
            }
            let last = &values[(weights.len() - rest.len()) * stride..];
            for (i, w) in rest.iter().enumerate() {
                let features = get::<B, A, S>(class(last, i, stride), f, k, A::ZERO);
                a = weighted(features, *w, a);
            }
            outer = outer + ((a + b) + (c + d)).widen();
        }
        outer
    }
}

/// `sum + w class`; a class of weight 0 does not count.
#[inline(always)]
fn weighted<V: Vector>(class: V, w: V::Scalar, sum: V) -> V {
    let w = V::splat(w);
    unless_zero(w, class).mul_add(w, sum)
}

/// Products summed side by side.
const PRODUCTS: usize = 8;

/// `<a, b>` in `f64`, where products of `f32` are exact.
#[inline(always)]
pub(super) fn product<A: Real>(a: &[A], b: &[f64]) -> f64 {
    let whole = b.len() - b.len() % PRODUCTS;
    let mut rest = 0.0;
    for (a, b) in a[whole..].iter().zip(&b[whole..]) {
        rest += a.to_f64() * b;
    }
    if whole == 0 {
        return rest;
    }
    let mut sums = [0.0; PRODUCTS];
    for (a, b) in a.chunks_exact(PRODUCTS).zip(b.chunks_exact(PRODUCTS)) {
        for j in 0..PRODUCTS {
            sums[j] += a[j].to_f64() * b[j];
        }
    }
    let mut half = PRODUCTS / 2;
    while half > 0 {
        for j in 0..half {
            sums[j] += sums[j + half];
        }
        half /= 2;
    }
    sums[0] + rest
}
