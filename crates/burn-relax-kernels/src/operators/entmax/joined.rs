//! Rows of a large `alpha` in which an entry is near the threshold.
//!
//! Such an entry joins with much of its weight at once: `(1e-8)^(1/4)` is a hundredth. The threshold's own rounding decides over that,
//! so it is not used. With `D_i = e (x_i - x_j)` above the lowest entry `x_j` that has weight, that weight `q` solves
//! `sum (D_i + q^e)^(1/e) = 1`. Each term is the e-norm of two numbers, increasing and convex in `q`, so that Newton's method
//! comes down from `q = (1 - S) / m`, `S` being the sum at `q = 0` of the entries above and `m` the number of those at `x_j`; and an
//! entry has weight if `S < 1` there. All in `f64`.

use crate::lanes::pack::Pack;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{get, lanes};
use core::mem::MaybeUninit;

/// The excess from which on this is looked at: what an entry gains by a unit of rounding is then a thousandth and more.
pub(super) const JOINING: f64 = 2.0;

/// A base `1 + t` below this is near the threshold.
const NEAR: f64 = 1.0 / 64.0;

/// Newton steps at most: they end by themselves when nothing changes.
const MOST_STEPS: usize = 100;

/// Whether an entry is near the threshold.
#[inline(always)]
pub(super) fn joins<B: Backend, A: Real>(x: &[A], max: A, scale: A) -> bool {
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
    let q = joining_weight(entries, joining, excess);
    let raised = power(q, excess);
    for (p, x) in probs.iter_mut().zip(x) {
        let above = x.to_f64() - joining;
        p.write(A::from_f64(if above > 0.0 {
            power(excess * above + raised, 1.0 / excess)
        } else if above == 0.0 {
            q
        } else {
            0.0
        }));
    }
    support
}

/// The weight `q` of the lowest of the entries.
fn joining_weight(entries: &[f64], joining: f64, excess: f64) -> f64 {
    let above = sum_above(entries, joining, excess);
    let ties = entries.iter().filter(|&&x| x == joining).count();
    let entries = &entries[..entries.len() - ties];
    let ties = ties as f64;
    let mut q = (1.0 - above) / ties;
    for _ in 0..MOST_STEPS {
        let raised = power(q, excess);
        let (mut total, mut slope) = (ties * q, ties);
        for x in entries {
            let p = power(excess * (x - joining) + raised, 1.0 / excess);
            total += p;
            slope += power(q / p, excess - 1.0);
        }
        let next = q - (total - 1.0) / slope;
        if !(0.0 < next && next < q) {
            break;
        }
        q = next;
    }
    q
}
