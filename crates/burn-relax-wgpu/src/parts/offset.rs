//! The second search for entmax's threshold, where the rounding of the first decides over much weight.
//!
//! For a large alpha an entry near the threshold joins with much of its weight at once; below, thousands of entries there gain and lose
//! together. Counted from the entry nearest to the threshold the base of the weights, `w` there, keeps its digits; it may be negative.
//! It solves `Σ (e (x - x_near) + w)^(1/e) = 1`, and its exponent is halved.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{
    lanes::{row_max, row_sums, sum_slots},
    math::{exp_nonpositive, ln_positive},
    number::{by_precision, number, one, zero},
    row::Place,
    search::{flag, goes_on},
    special::is_excluded,
    threshold::Found,
    view::Row,
};

/// The excess from which on entries near the threshold are looked for.
const JOINING: f32 = 2.0;

/// The excess below which no entry is near the threshold.
const SMOOTH: f32 = 1.0 / 16.0;

/// How much the sum of the weights changes, in parts of it, with the bases of all entries, from which on the threshold's rounding is
/// more than that of the weights.
const SENSITIVE: f32 = 16.0;

/// A base below this is near the threshold.
const NEAR: f32 = 1.0 / 64.0;

/// A bound of what rounding leaves in `v`, in parts of it.
const ROUNDING: f32 = 1e-4;

/// Halvings that leave no number between the ends of a bracket, and the pass before them.
const STEPS: [u32; 2] = [34, 66];

/// Where bases are counted from.
#[derive(CubeType)]
pub(crate) struct Offset<A: Float> {
    /// Whether this is more exact than what the first search found; nothing else is to be used if not.
    pub(crate) holds: bool,
    near: A,
    base: A,
    total: A,
}

/// `(e (x - near) + base)^(1/e)`
#[cube]
fn unnormalised<A: Float>(x: A, near: A, base: A, max: A, excess: A) -> A {
    let base = (x - near) * excess + base;
    let tiny = by_precision::<A>(f32::MIN_POSITIVE, f64::MIN_POSITIVE);
    let inside = base > tiny && !is_excluded::<A>(x, max);
    let log = ln_positive::<A>(select(inside, base, one::<A>()));
    // During the search a base may be above 1.
    let log = select(log > zero::<A>(), zero::<A>(), log);
    select(inside, exp_nonpositive::<A>(log / excess), zero::<A>())
}

#[cube]
impl<A: Float> Offset<A> {
    /// The weight of an entry.
    pub(crate) fn weight(&self, x: A, max: A, excess: A) -> A {
        unnormalised::<A>(x, self.near, self.base, max, excess) / self.total
    }
}

/// Searches on where it matters. The arguments are those of [`find_threshold`](super::threshold::find_threshold), and what that found.
#[cube]
pub(crate) fn find_offset<F: Float, A: Float, N: Size>(
    list: &Row<'_, F, N>,
    end: usize,
    place: &Place,
    max: A,
    excess: A,
    found: &Found<A>,
    most: u32,
) -> Offset<A> {
    let (zero, one) = (zero::<A>(), one::<A>());
    let steps = if comptime!(A::size().comptime() == 4) {
        STEPS[0].runtime()
    } else {
        STEPS[1].runtime()
    };
    let bound = found.total * excess * number::<A>(SENSITIVE);
    let sensitive = excess > number::<A>(SMOOTH) && found.slopes - found.total > bound;
    let joining = excess >= number::<A>(JOINING) && found.total > zero;
    let mut holds = (sensitive || joining) && steps <= most;

    let v = one / found.inverse;
    let mut near = max;
    let mut base = v;
    let mut total = one;
    let mut flag = flag();
    let mut shared = sum_slots::<A>(place, 1usize);
    // Not a loop: all units of a cube have to agree on it.
    let mut looked = false;
    while goes_on(holds && !looked, place, &mut flag) {
        looked = true;
        let mut above = A::min_value();
        let mut below = A::min_value();
        if place.live {
            place.each(|g| {
                if g < end {
                    let x = list.group::<A>(g);
                    #[unroll]
                    for k in 0..N::value() {
                        let x = x.extract(k);
                        let inside = (x - max) * excess + v > zero;
                        above = select(inside && -x > above, -x, above);
                        below = select(!inside && x > below, x, below);
                    }
                }
            });
        }
        let above = -row_max::<A>(above, place);
        let below = row_max::<A>(below, place);
        let (over, under) = ((above - max) * excess + v, (max - below) * excess - v);
        near = select(under < over, below, above);
        let distance = select(under < over, under, over);
        holds = holds && (sensitive || distance < v * number::<A>(NEAR));
        base = number::<A>(2.0_f32) * distance + v * number::<A>(ROUNDING);
    }

    let mut high = base;
    let mut low = by_precision::<A>(f32::MIN_POSITIVE, f64::MIN_POSITIVE);
    let mut sign = one;
    let mut next = zero;
    let mut step = 0u32;
    let mut pending = holds;
    while goes_on(pending, place, &mut flag) {
        base = next;
        let mut sums = place.sums::<A>(end, 1usize, |sums, g| {
            let x = list.group::<A>(g);
            #[unroll]
            for k in 0..N::value() {
                sums[0] += unnormalised::<A>(x.extract(k), near, base, max, excess);
            }
        });
        row_sums::<A>(&mut sums, &mut shared, place, 1usize);
        total = sums[0];
        if step == 0u32 {
            // The nearest has weight if the entries above leave some.
            sign = select(total < one, one, -one);
        } else {
            let beyond = (total - one) * sign > zero;
            high = select(beyond, base * sign, high);
            low = select(beyond, low, base * sign);
        }
        next = low.sqrt() * high.sqrt() * sign;
        step += 1u32;
        pending = step < steps;
    }
    Offset::<A> {
        holds,
        near,
        base,
        total,
    }
}
