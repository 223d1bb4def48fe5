//! The capped simplex: `clip(x - t, 0, 1)` with sum `k`, forward and backward.
//!
//! The sum falls piecewise linearly as `t` grows: Newton's method is exact on a piece, and a bracket is halved where a step leaves
//! it. The threshold is kept as a number near it and an offset, so that `x - t` keeps its digits among large logits. Each step
//! passes over the row, which stays in cache.

use super::kernels::kernels;
use crate::lanes::pack::Pack;
use crate::lanes::reduce::min_lanes;
use crate::lanes::region::{Region, shared};
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{get, lanes, put};
use crate::row::special::{Kind, fill, is_constant, max_and_nan, put_stats, stored_max};
use crate::row::sums::{Sum, inverse};
use core::mem::MaybeUninit;

/// Steps after which the search ends whatever it found: twice those that halve a bracket of the largest floats to nothing.
const MOST_PASSES: usize = 4400;

/// Steps without halving the bracket before it is halved.
const PATIENCE: usize = 3;

/// Corrections of the offset once the number near the threshold is found: each is exact unless an entry changes its piece.
const CORRECTIONS: usize = 4;

/// Work per element against a kernel that passes over memory once or twice.
const WORK: usize = 4;

kernels! {
    /// Weights in `[0, 1]` with the sum `budget` that are closest to the logits, and two statistics: the row's maximum and the number
    /// of entries strictly between 0 and 1.
    ///
    /// `budget` holds one value for all rows or one for each. A row with fewer allowed entries than its budget gives 1 to each; a row
    /// with `+inf` gives them equal parts of the budget, at most 1, and nothing to the others; a row with NaN is NaN.
    budget(logits: F[n], budget: One[1];) -> (probs: F[n], stats: Acc[2])
        => struct Forward {}, work WORK * n;

    /// Gradients of [`budget`]: for the logits `g - mean g` over the entries strictly between 0 and 1, for the budget, one per row,
    /// that mean; both 0 where there are none.
    budget_backward(probs: F[n], stats: Acc[2], grad: F[n];) -> (grad_logits: F[n], grad_budget: F[1])
        => struct Backward {}, work 2 * n;
}

/// `clip((x - base) - offset, 0, 1)`
#[inline(always)]
fn clipped<V: Vector>(x: V, base: V::Scalar, offset: V::Scalar) -> V {
    let shifted = (x - V::splat(base)) - V::splat(offset);
    V::splat(V::Scalar::ONE).min(V::splat(V::Scalar::ZERO).max(shifted))
}

/// The weights of a row at one threshold: by how much their sum exceeds `k`, how many lie strictly between 0 and 1, how many are 1.
struct Piece<A> {
    rest: A,
    free: usize,
    full: usize,
}

shared! {
    fn piece<B: Backend, A: Real>(x: &[A], base: A, offset: A, k: A) -> Piece<A> {
        let mut sum = Sum::<A::Lanes<B>>::new();
        let (mut positive, mut full) = (0, 0);
        lanes!(A::Lanes<B>, x.len(), |i, len, U| {
            let p = clipped(get::<B, A, U>(x, i, len, A::NEG_INFINITY), base, offset);
            let (zero, one) = (Pack::splat(A::ZERO), Pack::splat(A::ONE));
            positive += Pack::<A::Lanes<B>, U>::bits(zero.lt(p)).count_ones() as usize;
            full += Pack::<A::Lanes<B>, U>::bits(p.eq(one)).count_ones() as usize;
            sum.add(Pack::select(p.eq(one), zero, p));
        } flush { sum.flush() });
        Piece {
            // The ones are counted, so that thousands of them take no digits from the others.
            rest: sum.total() - (k - A::from_f64(full as f64)),
            free: positive - full,
            full,
        }
    }
}

impl<A: Real> Piece<A> {
    /// How far the threshold moves until this piece's line reaches the sum.
    #[inline(always)]
    fn step(&self) -> A {
        self.rest / A::from_f64(self.free as f64)
    }

    /// Whether a step along the other's line was exact; a flat piece has no line.
    #[inline(always)]
    fn same_as(&self, other: &Self) -> bool {
        self.free > 0 && self.free == other.free && self.full == other.full
    }
}

/// The threshold of a row, as a number near it and an offset.
#[inline(always)]
fn search<B: Backend, A: Real>(x: &[A], least: A, most: A, k: A) -> (A, A) {
    let (mut low, mut high) = (least - A::ONE, most);
    let mut base = most - A::ONE;
    let (mut width, mut stalled) = (high - low, 0);
    // The piece whose line was followed to where the search is; none after a halving.
    let mut line: Option<Piece<A>> = None;
    for _ in 0..MOST_PASSES {
        let piece = piece::<B, A>(x, base, A::ZERO, k);
        if piece.rest == A::ZERO || line.is_some_and(|line| piece.same_as(&line)) {
            break;
        }
        if piece.rest > A::ZERO {
            low = base;
        } else {
            high = base;
        }
        let halved = (high - low) * A::from_f64(2.0) <= width;
        stalled = if halved { 0 } else { stalled + 1 };
        width = high - low;
        let next = base + piece.step();
        // A step of a flat piece is infinite.
        let inside = low < next && next < high;
        if inside && stalled < PATIENCE {
            if next == base {
                break;
            }
            base = next;
            line = Some(piece);
        } else {
            stalled = 0;
            line = None;
            base = low + (high - low) * A::from_f64(0.5);
            if !(low < base && base < high) {
                break;
            }
        }
    }
    let mut offset = A::ZERO;
    let mut before = piece::<B, A>(x, base, offset, k);
    for _ in 0..CORRECTIONS {
        if before.rest == A::ZERO {
            break;
        }
        // Where the threshold is closer to an entry than the next number, the piece of that entry is entered: by a little from 0, and from
        // 1, where a little would be rounded off, as if the entry were alone.
        offset = offset
            + if before.free > 0 {
                before.step()
            } else if before.rest > A::ZERO {
                before.rest
            } else {
                before.rest / A::from_f64(x.len() as f64)
            };
        let piece = piece::<B, A>(x, base, offset, k);
        if piece.same_as(&before) {
            break;
        }
        before = piece;
    }
    (base, offset)
}

/// The smallest entry that is allowed, and the number of those.
#[inline(always)]
fn allowed<B: Backend, A: Real>(x: &[A]) -> (A, usize) {
    let mut least = A::Lanes::<B>::splat(A::INFINITY);
    let mut count = 0;
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let x = get::<B, A, U>(x, i, k, A::NEG_INFINITY);
        let inside = Pack::splat(A::NEG_INFINITY).lt(x);
        count += Pack::<A::Lanes<B>, U>::bits(inside).count_ones() as usize;
        let finite = Pack::select(inside, x, Pack::splat(A::INFINITY));
        least = finite.fold(|a, b| a.min(b)).min(least);
    } folded);
    (min_lanes(least), count)
}

/// Writes `value` where `x` exceeds `bound`, else 0.
#[inline(always)]
fn above<B: Backend, A: Real>(x: &[A], bound: A, value: A, probs: &mut [MaybeUninit<A>]) {
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let inside = Pack::splat(bound).lt(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
        put::<B, A, U>(
            probs,
            i,
            k,
            Pack::select(inside, Pack::splat(value), Pack::splat(A::ZERO)),
        );
    });
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.logits.width;
        for r in self.shape.rows() {
            let (x, k) = (self.logits.row(r, n), self.budget.one(r));
            let (probs, stats) = (self.probs.row(r, n), self.stats.row(r, 2));
            let (most, nan) = max_and_nan::<B, A>(x);
            let kind = Kind::of(most, nan || k.is_nan());
            if kind == Kind::Unknown {
                fill(probs, A::NAN);
                put_stats(stats, A::NAN, A::NAN);
                continue;
            }
            let max = stored_max(most);
            if kind == Kind::Infinite {
                let mut infinite = 0;
                lanes!(A::Lanes<B>, n, |i, k, U| {
                    let x = get::<B, A, U>(x, i, k, A::ZERO);
                    infinite += Pack::<A::Lanes<B>, U>::bits(x.eq(Pack::splat(A::INFINITY)))
                        .count_ones() as usize;
                });
                let share = k / A::from_f64(infinite as f64);
                let share = if share < A::ONE { share } else { A::ONE };
                above::<B, A>(x, A::MAX, share, probs);
                put_stats(stats, max, A::ZERO);
                continue;
            }
            let (least, count) = allowed::<B, A>(x);
            if k <= A::ZERO || k >= A::from_f64(count as f64) {
                let value = if k <= A::ZERO { A::ZERO } else { A::ONE };
                above::<B, A>(x, A::NEG_INFINITY, value, probs);
                put_stats(stats, max, A::ZERO);
                continue;
            }
            let (base, offset) = search::<B, A>(x, least, most, k);
            let free = piece::<B, A>(x, base, offset, k).free;
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let p = clipped(get::<B, A, U>(x, i, k, A::NEG_INFINITY), base, offset);
                put::<B, A, U>(probs, i, k, p);
            });
            put_stats(stats, max, A::from_f64(free as f64));
        }
    }
}

/// `x` where `0 < p < 1`, else 0.
#[inline(always)]
fn if_free<V: Vector>(p: V, x: V) -> V {
    let (zero, one) = (V::splat(V::Scalar::ZERO), V::splat(V::Scalar::ONE));
    V::select(p.lt(one), V::select(zero.lt(p), x, zero), zero)
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.probs.width;
        let zero = A::ZERO;
        for r in self.shape.rows() {
            let (p, g, stats) = (
                self.probs.row(r, n),
                self.grad.row(r, n),
                self.stats.row(r, 2),
            );
            let out = self.grad_logits.row(r, n);
            let (max, free) = (stats[0], stats[1]);
            if is_constant(max) || free.is_nan() {
                let value = if free.is_nan() { A::NAN } else { zero };
                fill(out, value);
                self.grad_budget.set(r, value);
                continue;
            }
            let mut sum = Sum::<A::Lanes<B>>::new();
            let mut count = 0;
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let p = get::<B, A, U>(p, i, k, zero);
                let inside = if_free(p, Pack::splat(A::ONE));
                count += Pack::<A::Lanes<B>, U>::bits(Pack::splat(zero).lt(inside)).count_ones() as usize;
                sum.add(if_free(p, get::<B, A, U>(g, i, k, zero)));
            } flush { sum.flush() });
            let mean = sum.total() * inverse(A::from_f64(count as f64));
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let p = get::<B, A, U>(p, i, k, zero);
                let g = get::<B, A, U>(g, i, k, zero);
                put::<B, A, U>(out, i, k, if_free(p, g - Pack::splat(mean)));
            });
            self.grad_budget.set(r, mean);
        }
    }
}
