//! How the lanes of a row combine: maximum, first argmax, sums.
//!
//! Where the device has plane operations, neighbouring lanes combine by shuffles first and the planes' results meet in shared
//! memory: one barrier. Where not, partial results meet there in two levels of fan-in `√lanes`: two barriers where a binary tree
//! of 256 lanes needs eight. Every lane ends with the same result, computed in the same order, so that nothing need be
//! broadcast.
//!
//! Each function must be called by every unit of the cube, and returns the same result in every lane of a row.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{layout::Layout, row::Place};

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

/// The first of a row's slots in shared memory, where each plane has one.
#[cube]
fn plane_slots(#[comptime] layout: Layout) -> usize {
    UNIT_POS as usize / layout.lanes * comptime!(layout.lanes / layout.plane)
}

/// Whether this unit writes its plane's slot.
#[cube]
fn speaks_for_plane(#[comptime] layout: Layout) -> bool {
    UNIT_POS as usize % layout.plane == 0
}

/// The largest of the lanes' `value`s.
#[cube]
pub(crate) fn row_max<A: Float>(value: A, place: &Place) -> A {
    let layout = comptime!(place.rows.layout);
    let mut best = value;
    if comptime!(layout.plane > 1) {
        #[unroll]
        for level in 0..comptime!(layout.plane.ilog2()) {
            let other = plane_shuffle_xor(best, comptime!(1u32 << level));
            best = select(other > best, other, best);
        }
        if comptime!(layout.lanes > layout.plane) {
            let mut shared =
                Shared::<[A]>::new_slice(comptime!(layout.lanes * layout.rows / layout.plane));
            if speaks_for_plane(layout) {
                shared[UNIT_POS as usize / layout.plane] = best;
            }
            sync_cube();
            let first = plane_slots(layout);
            best = shared[first];
            for k in 1..comptime!(layout.lanes / layout.plane) {
                let other = shared[first + k];
                best = select(other > best, other, best);
            }
        }
    } else if comptime!(layout.lanes > 1) {
        let mut shared = Shared::<[A]>::new_slice(comptime!(layout.lanes * layout.rows));
        let step = comptime!(layout.step());
        let groups = comptime!(layout.groups());
        let first = first_slot(layout);
        shared[UNIT_POS as usize] = value;
        sync_cube();
        if comptime!(groups < layout.lanes) {
            if place.lane < groups {
                for k in 1..comptime!(layout.lanes / groups) {
                    let other = shared[first + (place.lane + k * groups) * step];
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

/// The larger value, on a tie the lower index.
#[cube]
fn larger<A: Float>(a: A, a_index: u32, b: A, b_index: u32) -> (A, u32) {
    let better = b > a || (b == a && b_index < a_index);
    (select(better, b, a), select(better, b_index, a_index))
}

/// The largest of the lanes' `value`s and the lowest of the `index`es that have it.
#[cube]
pub(crate) fn row_first_max<A: Float>(value: A, index: u32, place: &Place) -> (A, u32) {
    let layout = comptime!(place.rows.layout);
    let mut best = value;
    let mut best_index = index;
    if comptime!(layout.plane > 1) {
        #[unroll]
        for level in 0..comptime!(layout.plane.ilog2()) {
            let other = plane_shuffle_xor(best, comptime!(1u32 << level));
            let other_index = plane_shuffle_xor(best_index, comptime!(1u32 << level));
            let (a, i) = larger::<A>(best, best_index, other, other_index);
            best = a;
            best_index = i;
        }
        if comptime!(layout.lanes > layout.plane) {
            let slots = comptime!(layout.lanes * layout.rows / layout.plane);
            let mut values = Shared::<[A]>::new_slice(slots);
            let mut indices = Shared::<[u32]>::new_slice(slots);
            if speaks_for_plane(layout) {
                values[UNIT_POS as usize / layout.plane] = best;
                indices[UNIT_POS as usize / layout.plane] = best_index;
            }
            sync_cube();
            let first = plane_slots(layout);
            best = values[first];
            best_index = indices[first];
            for k in 1..comptime!(layout.lanes / layout.plane) {
                let (a, i) = larger::<A>(best, best_index, values[first + k], indices[first + k]);
                best = a;
                best_index = i;
            }
        }
    } else if comptime!(layout.lanes > 1) {
        let mut values = Shared::<[A]>::new_slice(comptime!(layout.lanes * layout.rows));
        let mut indices = Shared::<[u32]>::new_slice(comptime!(layout.lanes * layout.rows));
        let step = comptime!(layout.step());
        let groups = comptime!(layout.groups());
        let first = first_slot(layout);
        values[UNIT_POS as usize] = value;
        indices[UNIT_POS as usize] = index;
        sync_cube();
        if comptime!(groups < layout.lanes) {
            if place.lane < groups {
                for k in 1..comptime!(layout.lanes / groups) {
                    let slot = first + (place.lane + k * groups) * step;
                    let (a, i) = larger::<A>(best, best_index, values[slot], indices[slot]);
                    best = a;
                    best_index = i;
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
            let (a, i) = larger::<A>(best, best_index, values[slot], indices[slot]);
            best = a;
            best_index = i;
        }
    }
    (best, best_index)
}

/// The sum of the lanes' `value`s.
#[cube]
pub(crate) fn row_sum<A: Float>(value: A, place: &Place) -> A {
    let mut sums = Array::<A>::new(1usize);
    sums[0] = value;
    add_up::<A>(&mut sums, place, 1usize);
    sums[0]
}

/// Replaces each of `count` partial sums by the sum over the row's lanes.
#[cube]
pub(crate) fn add_up<A: Float>(sums: &mut Array<A>, place: &Place, #[comptime] count: usize) {
    let mut shared = sum_slots::<A>(place, count);
    row_sums::<A>(sums, &mut shared, place, count);
}

/// Shared memory for [`row_sums`] of `count` sums.
#[cube]
pub(crate) fn sum_slots<A: Float>(place: &Place, #[comptime] count: usize) -> Shared<[A]> {
    let layout = comptime!(place.rows.layout);
    Shared::<[A]>::new_slice(if comptime!(layout.lanes > layout.plane) {
        count * layout.lanes * layout.rows / layout.plane
    } else {
        1
    })
}

/// [`add_up`] in given shared memory. A barrier must lie between two calls with the same.
#[cube]
pub(crate) fn row_sums<A: Float>(
    sums: &mut Array<A>,
    shared: &mut Shared<[A]>,
    place: &Place,
    #[comptime] count: usize,
) {
    let layout = comptime!(place.rows.layout);
    if comptime!(layout.plane > 1) {
        #[unroll]
        for s in 0..count {
            let mut sum = sums[s];
            #[unroll]
            for level in 0..comptime!(layout.plane.ilog2()) {
                sum += plane_shuffle_xor(sum, comptime!(1u32 << level));
            }
            sums[s] = sum;
        }
        if comptime!(layout.lanes > layout.plane) {
            let slots = comptime!(layout.lanes * layout.rows / layout.plane);
            if speaks_for_plane(layout) {
                #[unroll]
                for s in 0..count {
                    shared[s * slots + UNIT_POS as usize / layout.plane] = sums[s];
                }
            }
            sync_cube();
            let first = plane_slots(layout);
            #[unroll]
            for s in 0..count {
                let mut sum = shared[s * slots + first];
                for k in 1..comptime!(layout.lanes / layout.plane) {
                    sum += shared[s * slots + first + k];
                }
                sums[s] = sum;
            }
        }
    } else if comptime!(layout.lanes > 1) {
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
            if place.lane < groups {
                #[unroll]
                for s in 0..count {
                    let mut sum = sums[s];
                    for k in 1..comptime!(layout.lanes / groups) {
                        sum += shared[s * units + first + (place.lane + k * groups) * step];
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
