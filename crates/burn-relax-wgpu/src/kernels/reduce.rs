//! What the lanes of a row find out together: maximum, first argmax, sums.
//!
//! Partial results meet in shared memory in two levels of fan-in `√lanes`: two barriers where a binary tree of 256 lanes needs
//! eight. Every lane ends with the same result, computed in the same order, so that nothing need be broadcast. Plane operations
//! are not used: WebGPU makes them optional and software drivers lack them.
//!
//! Each function must be called by every unit of the cube, and returns the same result in every lane of a row.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{
    math::{exp_nonpositive, is_nan},
    row::{Layout, Place, Rows},
    view::Steps,
};

/// `exp((x - max) / T)` under the rules for special rows: 0 at forbidden entries; in a row that holds `+inf`, 1 there and 0
/// elsewhere; NaN at NaN.
///
/// WGSL may assume that there are no infinities and no NaN, so infinities are told by comparison with the largest finite number
/// (which thereby counts as infinite), and NaN by its bits.
#[cube]
pub(crate) fn raw_weight<A: Float>(x: A, max: A, reciprocal: A) -> A {
    let finite = exp_nonpositive::<A>((x - max) * reciprocal);
    let infinite = select(x >= A::max_value(), A::new(1.0_f32), A::new(0.0_f32));
    let weight = select(max >= A::max_value(), infinite, finite);
    let weight = select(x < A::min_value(), A::new(0.0_f32), weight);
    select(is_nan::<A>(x), x, weight)
}

/// Whether an entry can have no weight, so that its value must not be used even if it is NaN.
#[cube]
pub(crate) fn is_excluded<A: Float>(x: A, max: A) -> bool {
    x < A::min_value() || (max >= A::max_value() && x < A::max_value())
}

/// The normaliser as a divisor: a row without any choice has weights `0 / 1`.
#[cube]
pub(crate) fn divisor<A: Float>(normaliser: A) -> A {
    select(normaliser == A::new(0.0_f32), A::new(1.0_f32), normaliser)
}

/// First shared-memory slot of this unit's row; its lane `l` has the slot `l * layout.step()` further on.
#[cube]
fn first_slot(#[comptime] layout: Layout) -> usize {
    let unit = UNIT_POS as usize;
    if comptime!(layout.rows_fast) {
        unit % layout.rows
    } else {
        unit / layout.lanes * layout.lanes
    }
}

/// The maximum of the row that begins at `start`, as its statistics hold it: finite even if the row is not, and never NaN.
#[cube]
pub(crate) fn find_max<F: Float, A: Float>(
    logits: &Tensor<F>,
    start: usize,
    steps: &Steps,
    rows: &Rows,
    lane: usize,
    #[comptime] layout: Layout,
) -> A {
    let mut max = A::min_value();
    let mut i = lane;
    while i < rows.classes {
        let x = A::cast_from(logits[start + i * steps.class]);
        max = select(x > max, x, max);
        i += layout.lanes;
    }
    let max = row_max::<A>(max, lane, layout);
    select(max > A::max_value(), A::max_value(), max)
}

/// Writes a row's statistics; both are NaN if the normaliser is.
#[cube]
pub(crate) fn write_stats<A: Float>(
    stats: &mut Tensor<A>,
    place: &Place,
    rows: &Rows,
    max: A,
    normaliser: A,
) {
    if place.live && place.lane == 0 {
        let at = place.outer * 2 * rows.inner + place.inner;
        stats[at] = select(is_nan::<A>(normaliser), normaliser, max);
        stats[at + rows.inner] = normaliser;
    }
}

/// The largest of the lanes' `value`s.
#[cube]
fn row_max<A: Float>(value: A, lane: usize, #[comptime] layout: Layout) -> A {
    let mut best = value;
    if comptime!(layout.lanes > 1) {
        let mut shared = Shared::<[A]>::new_slice(comptime!(layout.lanes * layout.rows));
        let step = comptime!(layout.step());
        let groups = comptime!(layout.groups());
        let first = first_slot(layout);
        shared[UNIT_POS as usize] = value;
        sync_cube();
        if comptime!(groups < layout.lanes) {
            if lane < groups {
                for k in 1..comptime!(layout.lanes / groups) {
                    let other = shared[first + (lane + k * groups) * step];
                    best = select(other > best, other, best);
                }
                shared[UNIT_POS as usize] = best;
            }
            sync_cube();
        }
        best = shared[first];
        for k in 1..groups {
            let other = shared[first + k * step];
            best = select(other > best, other, best);
        }
    }
    best
}

/// The largest of the lanes' `value`s and the lowest of the `index`es that have it.
#[cube]
pub(crate) fn row_first_max<A: Float>(
    value: A,
    index: u32,
    lane: usize,
    #[comptime] layout: Layout,
) -> (A, u32) {
    let mut best = value;
    let mut best_index = index;
    if comptime!(layout.lanes > 1) {
        let mut values = Shared::<[A]>::new_slice(comptime!(layout.lanes * layout.rows));
        let mut indices = Shared::<[u32]>::new_slice(comptime!(layout.lanes * layout.rows));
        let step = comptime!(layout.step());
        let groups = comptime!(layout.groups());
        let first = first_slot(layout);
        values[UNIT_POS as usize] = value;
        indices[UNIT_POS as usize] = index;
        sync_cube();
        if comptime!(groups < layout.lanes) {
            if lane < groups {
                for k in 1..comptime!(layout.lanes / groups) {
                    let slot = first + (lane + k * groups) * step;
                    let (other, other_index) = (values[slot], indices[slot]);
                    let better = other > best || (other == best && other_index < best_index);
                    best = select(better, other, best);
                    best_index = select(better, other_index, best_index);
                }
                values[UNIT_POS as usize] = best;
                indices[UNIT_POS as usize] = best_index;
            }
            sync_cube();
        }
        best = values[first];
        best_index = indices[first];
        for k in 1..groups {
            let slot = first + k * step;
            let (other, other_index) = (values[slot], indices[slot]);
            let better = other > best || (other == best && other_index < best_index);
            best = select(better, other, best);
            best_index = select(better, other_index, best_index);
        }
    }
    (best, best_index)
}

/// Shared memory for [`row_sums`] of `count` sums.
#[cube]
pub(crate) fn sum_slots<A: Float>(
    #[comptime] count: usize,
    #[comptime] layout: Layout,
) -> Shared<[A]> {
    Shared::<[A]>::new_slice(if comptime!(layout.lanes > 1) {
        count * layout.lanes * layout.rows
    } else {
        1
    })
}

/// Replaces each of `count` partial sums by the sum over the row's lanes. A barrier must lie between two calls with the same
/// `shared`.
#[cube]
pub(crate) fn row_sums<A: Float>(
    sums: &mut Array<A>,
    shared: &mut Shared<[A]>,
    lane: usize,
    #[comptime] count: usize,
    #[comptime] layout: Layout,
) {
    if comptime!(layout.lanes > 1) {
        let units = comptime!(layout.lanes * layout.rows);
        let step = comptime!(layout.step());
        let groups = comptime!(layout.groups());
        let first = first_slot(layout);
        let own = UNIT_POS as usize;
        #[unroll]
        for s in 0..count {
            shared[s * units + own] = sums[s];
        }
        sync_cube();
        if comptime!(groups < layout.lanes) {
            if lane < groups {
                #[unroll]
                for s in 0..count {
                    let mut sum = sums[s];
                    for k in 1..comptime!(layout.lanes / groups) {
                        sum += shared[s * units + first + (lane + k * groups) * step];
                    }
                    shared[s * units + own] = sum;
                }
            }
            sync_cube();
        }
        #[unroll]
        for s in 0..count {
            let mut sum = shared[s * units + first];
            for k in 1..groups {
                sum += shared[s * units + first + k * step];
            }
            sums[s] = sum;
        }
    }
}
