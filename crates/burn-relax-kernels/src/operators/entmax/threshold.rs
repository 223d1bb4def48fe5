//! The search for the threshold of a sparse map, without sorting.
//!
//! With `e = alpha - 1` and `z = x - max x`, the weights are `p_i = r_i / R` with `r_i = (1 + e z_i / v)^(1/e)` where that base is
//! positive, else 0, and `R = sum r`. The unknown `v = (max p)^e` solves `v R(v)^e = 1`; relative to the largest weight every
//! term keeps its digits, in flat rows, at `alpha = 1` (where `r = exp z`) and beyond 2.
//!
//! Only entries with `e z > -v` have weight. They are copied side by side, and the search passes over that list alone and
//! ends when the step no longer matters. Newton's method on `v R^e` converges monotonically from any `v` above the root for
//! `alpha <= 2` (a norm is convex), and a step from below it lands above. The first digits of `v` come from a sample of a long
//! list, which is cut to what they leave if weights are dear; where they turn out to be too low, the list is made again for the `v`
//! that the step leads to. Beyond 2 the slope is infinite where an entry joins, and the steps are kept inside a bracket that is
//! halved when they do not shrink it.

use super::candidates::{SAMPLE, candidates, shrink};
use super::map::Map;
use super::steps::{Bracket, Newton, least};
use crate::lanes::pack::Pack;
use crate::lanes::vector::{Backend, MAX_LANES, Real, Vector};
use crate::row::access::{get, lanes, poke};
use crate::row::sums::Sum;

/// Sums over a list at one `v`.
struct Sums<A> {
    /// `sum r`
    total: A,
    /// `sum r / (1 + t)`
    slope: A,
    /// Entries with weight.
    support: usize,
}

/// The sums at `v`. With `keep`, the list holds the weights `r` afterwards.
#[inline(always)]
fn evaluate<B: Backend, A: Real, M: Map<A>>(map: M, list: &mut [A], v: A, keep: bool) -> Sums<A> {
    let scale = map.excess() / v;
    let mut total = Sum::<A::Lanes<B>>::new();
    let mut slope = Sum::<A::Lanes<B>>::new();
    let mut support = 0;
    lanes!(A::Lanes<B>, list.len(), |i, k, U| {
        let z = get::<B, A, U>(list, i, k, A::NEG_INFINITY);
        let (r, d) = map.weights(z, Pack::splat(scale));
        support += Pack::<A::Lanes<B>, U>::bits(Pack::splat(A::ZERO).lt(r)).count_ones() as usize;
        total.add(r);
        slope.add(d);
        if keep {
            poke::<A::Lanes<B>, U>(list, i, k, r);
        }
    } flush {
        total.flush();
        slope.flush();
    });
    Sums {
        total: total.total(),
        slope: slope.total(),
        support,
    }
}

/// What a search has found.
pub(crate) struct Threshold<A> {
    /// `e / v`, which turns `x - max` into `t`.
    pub(crate) scale: A,
    /// The same where the list was made, which [`candidates`] was told.
    pub(crate) listed: A,
    /// `1 / R`
    pub(crate) normaliser: A,
    /// Number of entries with weight.
    pub(crate) support: usize,
    /// How much the sum of the weights changes, in parts of it, with the bases of all entries: `sum r (1 / (1 + t) - 1) / (e R)`.
    pub(crate) sensitivity: A,
}

/// Passes after which the search ends whatever it found: more than any row needs, so that no input can hang it.
const MOST_PASSES: usize = 200;

/// Neighbours that go into a sample together.
const SAMPLE_BLOCK: usize = 16;

/// One block of this many goes into a sample at most.
const SAMPLE_STRIDE: usize = 4;

/// A relative step after which a sample has told what it can.
const NEAR: f64 = 1.0 / 32.0;

/// What `v` of the sample is raised by: the list is then complete more often than not, and little longer than need be.
const MARGIN: f64 = 1.0 + 1.0 / 16.0;

/// Copies blocks at equal distances, and returns the number of entries: none if the list is too short for its search to gain by it.
#[inline(always)]
fn take_sample<A: Real>(list: &[A], sample: &mut [A]) -> usize {
    let blocks = list.len() / SAMPLE_BLOCK;
    let taken = (SAMPLE / SAMPLE_BLOCK).min(blocks / SAMPLE_STRIDE);
    if taken < 4 {
        return 0;
    }
    let stride = blocks / taken;
    let from = list.chunks_exact(SAMPLE_BLOCK).step_by(stride);
    for (to, from) in sample[..taken * SAMPLE_BLOCK]
        .chunks_exact_mut(SAMPLE_BLOCK)
        .zip(from)
    {
        to.copy_from_slice(from);
    }
    taken * SAMPLE_BLOCK
}

/// Finds the threshold of a row whose largest entry is `max`. Leaves the candidates in the list, which is [`room`](super::candidates::room) for
/// them, or their weights `r` if the map is one that keeps them.
#[inline(always)]
pub(crate) fn search<B: Backend, A: Real, M: Map<A>>(
    map: M,
    x: &[A],
    max: A,
    list: &mut [A],
) -> Threshold<A> {
    let excess = map.excess();
    let mut newton = Newton::new(excess);
    let mut bracket = Bracket::whole();
    let (list, sample) = list.split_at_mut(x.len() + MAX_LANES);
    let mut samples = 0;
    let mut v = A::ONE;
    let mut last = false;
    let mut passes = 0;
    // Where the list was made, and its length.
    let (mut reach, mut len) = (A::ZERO, 0);
    let sums = loop {
        // Below alpha = 1 every entry has weight.
        if samples == 0 && reach < v && (reach == A::ZERO || A::ZERO < excess) {
            len = candidates::<B, A>(x, max, excess / v, max, list);
            if A::ONE < excess {
                bracket = Bracket::new(excess, len);
            } else if reach == A::ZERO && A::ZERO < excess {
                samples = take_sample(&list[..len], sample);
            }
            reach = v;
        }
        let part = if samples > 0 {
            &mut sample[..samples]
        } else {
            &mut list[..len]
        };
        // The only place that evaluates: its code is large.
        let sums = evaluate::<B, A, M>(map, part, v, M::KEPT && last);
        passes += 1;
        if last {
            break sums;
        }
        if samples > 0 {
            // Each entry of the sample stands for several of the list.
            let each = A::from_f64(len as f64 / samples as f64);
            let step = map.step(v, sums.total * each, sums.slope * each);
            // Steps back, small ones and none at all (NaN) end it.
            let far = v * A::from_f64(NEAR) < step;
            v = least(v - step, newton.most);
            if !far {
                samples = 0;
                if M::KEPT {
                    v = least(v * A::from_f64(MARGIN), newton.most);
                    reach = v;
                    len = shrink::<B, A>(list, len, excess / v);
                }
            }
            continue;
        }
        let step = map.step(v, sums.total, sums.slope);
        let next = if excess > A::ONE {
            bracket.next(v, step)
        } else {
            newton.next(v, step)
        };
        last = next.last || next.v == v || passes + 1 >= MOST_PASSES;
        v = next.v;
    };
    Threshold {
        scale: excess / v,
        listed: excess / reach,
        normaliser: A::ONE / sums.total,
        support: sums.support,
        sensitivity: (sums.slope - sums.total) / (excess * sums.total),
    }
}
