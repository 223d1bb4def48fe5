//! The weights: one pass for the maximum, one that copies the candidates into a scratch row, the search on those, one pass that
//! writes.

use super::calls::{Forward, excess_of};
use super::candidates::{candidates, put_back, room};
use super::joined::{is_delicate, joined_row};
use super::map::{General, Map, Square};
use super::michelot::Linear;
use super::threshold::search;
use crate::lanes::pack::Pack;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{filled, get, lanes, put};
use crate::row::head::{Head, scale};
use crate::row::special::{Kind, fill, max_and_nan, put_stats, stored_max};
use crate::row::sums::{Sum, inverse};
use core::mem::MaybeUninit;

/// The softmax of a row.
#[inline(always)]
fn softmax_row<B: Backend, A: Real>(x: &[A], max: A, probs: &mut [MaybeUninit<A>]) -> usize {
    let head = Head::new(max, A::ONE);
    let mut sum = Sum::<A::Lanes<B>>::new();
    let mut support = 0;
    let weights = filled!(B, A, probs, |i, k, U| {
        let e = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
        support += Pack::<A::Lanes<B>, U>::bits(Pack::splat(A::ZERO).lt(e)).count_ones() as usize;
        sum.add(e);
        e
    } flush { sum.flush() });
    scale::<B, A>(weights, inverse(sum.total()));
    support
}

/// The weights of a row that has a finite maximum; returns the size of the support.
#[inline(always)]
fn sparse_row<B: Backend, A: Real, M: Map<A>>(
    map: M,
    x: &[A],
    max: A,
    list: &mut [A],
    probs: &mut [MaybeUninit<A>],
) -> usize {
    let found = search::<B, A, M>(map, x, max, list);
    if is_delicate::<B, A>(x, max, map.excess(), &found) {
        let threshold = max.to_f64() - 1.0 / found.scale.to_f64();
        return joined_row(x, threshold, map.excess().to_f64(), probs);
    }
    if M::KEPT {
        put_back::<B, A>(x, max, found.listed, list, found.normaliser, probs);
        return found.support;
    }
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let z = get::<B, A, U>(x, i, k, A::NEG_INFINITY) - Pack::splat(max);
        let (r, _) = map.weights(z, Pack::splat(found.scale));
        put::<B, A, U>(probs, i, k, r * Pack::splat(found.normaliser));
    });
    found.support
}

/// The weights of sparsemax for a row that has a finite maximum; returns the size of the support.
#[inline(always)]
fn sparsemax_row<B: Backend, A: Real>(
    x: &[A],
    max: A,
    list: &mut [A],
    probs: &mut [MaybeUninit<A>],
) -> usize {
    let len = candidates::<B, A>(x, max, A::ONE, A::ZERO, list);
    let found = Linear::search::<B>(&list[..len], max);
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let x = get::<B, A, U>(x, i, k, A::NEG_INFINITY);
        put::<B, A, U>(probs, i, k, found.weights(x));
    });
    found.support
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.logits.width;
        let fixed = A::from_f64(self.excess);
        let mut list = room(self.logits.width);
        for r in self.shape.rows() {
            let x = self.logits.row(r, n);
            let (probs, stats) = (self.probs.row(r, n), self.stats.row(r, 2));
            let (max, nan) = max_and_nan::<B, A>(x);
            let excess = excess_of(&self.alpha, r, fixed);
            let kind = Kind::of(max, nan || excess.is_nan());
            if kind == Kind::Unknown {
                fill(probs, A::NAN);
                put_stats(stats, A::NAN, A::NAN);
                continue;
            }
            // Rows that hold +inf or nothing but -inf are those of the softmax whatever alpha is.
            let support = if excess == A::ZERO || kind != Kind::Finite {
                softmax_row::<B, A>(x, max, probs)
            } else {
                let list = &mut list;
                if excess == A::ONE {
                    sparsemax_row::<B, A>(x, max, list, probs)
                } else if excess == A::from_f64(0.5) {
                    sparse_row::<B, A, _>(Square, x, max, list, probs)
                } else {
                    sparse_row::<B, A, _>(General { excess }, x, max, list, probs)
                }
            };
            put_stats(stats, stored_max(max), A::from_f64(support as f64));
        }
    }
}
