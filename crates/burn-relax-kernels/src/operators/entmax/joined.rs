//! Rows in which the rounding of the threshold decides over much weight.
//!
//! - For a large `alpha` an entry near the threshold joins with much of its weight at once: `(1e-8)^(1/4)` is a hundredth.
//! - Below, thousands of entries near the threshold gain and lose together, and whoever leads pays for all.
//!
//! There the threshold is told by its distance from the lowest entry `x_j` that has weight. With `D_i = e (x_i - x_j)`, the base `w` of
//! that entry solves `sum (D_i + w)^(1/e) = 1`. Up to `e = 1` each term is convex in `w`, so that Newton's method comes down from
//! `w = m^-e`, `m` being the number of entries. Beyond, each is the e-norm of two numbers and convex in the weight `q = w^(1/e)`, and it
//! comes down from `q = (1 - S) / m`, `S` being the sum at `q = 0` of the entries above and `m` the number of those at `x_j`. An
//! entry has weight if `S < 1` there. All in `f64`.

use super::threshold::Threshold;
use crate::lanes::pack::Pack;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{get, lanes};
use core::mem::MaybeUninit;

/// The excess from which on entries near the threshold are looked for: what one gains by a unit of rounding is then a thousandth and
/// more.
const JOINING: f64 = 2.0;

/// The excess below which the map is so near the softmax that no entry is near the threshold.
const SMOOTH: f64 = 1.0 / 16.0;

/// The sensitivity from which on the threshold's rounding is more than that of the weights. Rows of random numbers have about 1.
const SENSITIVE: f64 = 16.0;

/// A base `1 + t` below this is near the threshold.
const NEAR: f64 = 1.0 / 64.0;

/// Newton steps at most: they end by themselves when nothing changes.
const MOST_STEPS: usize = 100;

/// Whether the rounding of the threshold decides over much weight.
#[inline(always)]
pub(super) fn is_delicate<B: Backend, A: Real>(
    x: &[A],
    max: A,
    excess: A,
    found: &Threshold<A>,
) -> bool {
    if excess < A::from_f64(JOINING) {
        excess > A::from_f64(SMOOTH) && found.sensitivity > A::from_f64(SENSITIVE)
    } else {
        joins::<B, A>(x, max, found.scale)
    }
}

/// Whether an entry is near the threshold.
#[inline(always)]
fn joins<B: Backend, A: Real>(x: &[A], max: A, scale: A) -> bool {
    let near = A::from_f64(NEAR);
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let z = get::<B, A, U>(x, i, k, A::NEG_INFINITY) - Pack::splat(max);
        let base = z.mul_add(Pack::splat(scale), Pack::splat(A::ONE));
        let (low, high) = (Pack::splat(A::ZERO - near), Pack::splat(near));
        let below = Pack::<A::Lanes<B>, U>::bits(base.lt(high));
        if below & Pack::<A::Lanes<B>, U>::bits(low.lt(base)) != 0 {
            return true;
        }
    });
    false
}

/// `sum (e (x - y))^(1/e)` over the entries above `y`.
fn sum_above(entries: &[f64], y: f64, excess: f64) -> f64 {
    let above = entries.iter().take_while(|&&x| x > y);
    above.map(|x| power(excess * (x - y), 1.0 / excess)).sum()
}

/// `base^exponent` for a base that is not negative.
fn power(base: f64, exponent: f64) -> f64 {
    (exponent * base.ln()).exp()
}

/// The weights of a row whose threshold is about this; returns the size of the support.
pub(super) fn joined_row<A: Real>(
    x: &[A],
    threshold: f64,
    excess: f64,
    probs: &mut [MaybeUninit<A>],
) -> usize {
    let max = x
        .iter()
        .fold(f64::NEG_INFINITY, |max, x| max.max(x.to_f64()));
    let lowest = threshold - (max - threshold) * (4.0 * NEAR);
    let candidates = x.iter().map(|x| x.to_f64()).filter(|&x| x > lowest);
    let mut entries: Vec<f64> = candidates.collect();
    entries.sort_unstable_by(|a, b| b.total_cmp(a));
    let support = entries.partition_point(|&y| sum_above(&entries, y, excess) < 1.0);
    let entries = &entries[..support];
    let joining = entries[support - 1];
    let ties = entries.iter().filter(|&&x| x == joining).count();
    let (above, ties) = (&entries[..support - ties], ties as f64);
    // The base of a large alpha's weight may be too small for a number.
    let (q, base) = if excess > 1.0 {
        let q = joining_weight(above, ties, joining, excess);
        (q, power(q, excess))
    } else {
        let base = joining_base(above, ties, joining, excess);
        (power(base, 1.0 / excess), base)
    };
    for (p, x) in probs.iter_mut().zip(x) {
        let above = x.to_f64() - joining;
        p.write(A::from_f64(if above > 0.0 {
            power(excess * above + base, 1.0 / excess)
        } else if above == 0.0 {
            q
        } else {
            0.0
        }));
    }
    support
}

/// The weight of the `ties` entries at `joining`, below those of the list.
fn joining_weight(list: &[f64], ties: f64, joining: f64, excess: f64) -> f64 {
    let start = (1.0 - sum_above(list, joining, excess)) / ties;
    descend(start, |q| {
        let raised = power(q, excess);
        let (mut total, mut slope) = (ties * q, ties);
        for x in list {
            let p = power(excess * (x - joining) + raised, 1.0 / excess);
            total += p;
            slope += power(q / p, excess - 1.0);
        }
        (total, slope)
    })
}

/// The base of the `ties` entries at `joining`, below those of the list.
fn joining_base(list: &[f64], ties: f64, joining: f64, excess: f64) -> f64 {
    let start = power(list.len() as f64 + ties, -excess);
    descend(start, |base| {
        let lowest = ties * power(base, 1.0 / excess);
        let (mut total, mut slope) = (lowest, lowest / base);
        for x in list {
            let base = excess * (x - joining) + base;
            let p = power(base, 1.0 / excess);
            total += p;
            slope += p / base;
        }
        (total, slope / excess)
    })
}

/// Newton's method for where a convex sum, which `evaluate` gives with its slope, is 1: down from a place above.
fn descend(mut place: f64, evaluate: impl Fn(f64) -> (f64, f64)) -> f64 {
    for _ in 0..MOST_STEPS {
        let (total, slope) = evaluate(place);
        let next = place - (total - 1.0) / slope;
        if !(0.0 < next && next < place) {
            break;
        }
        place = next;
    }
    place
}
