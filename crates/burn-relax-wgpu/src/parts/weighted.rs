//! Weighted sums over rows, `Σ w V`, for the soft read-outs.
//!
//! Values are also summed relative to the winner's: where it has most of the weight, what is left of that sum is small and the
//! result is rounded once, which the gradient of the winner's logit depends on. The parts of a split row hand on their sums and
//! pivots.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{
    lanes::{row_sums, sum_slots},
    number::{number, zero},
    partials::{merged_first, merged_max, merged_normaliser, partial_at},
    plan::Phase,
    row::Place,
    special::{divisor, is_excluded, raw_weight, rescale},
    view::Row,
};

/// Features summed in one walk through a row: their sums stay in registers on any device, and the weight is computed
/// once for all of them.
pub(crate) const FEATURE_TILE: usize = 4;

/// Largest value that others are summed relative to: the difference of two values stays finite below it.
const LARGEST_PIVOT: f32 = 1e30;

/// Numbers that a chunk hands on: maximum, normaliser and class of the maximum, then [`FEATURE_PARTS`] for each feature.
pub(crate) const ROW_PARTS: usize = 3;

/// Numbers that a chunk hands on for each feature: the weighted sum, the same relative to a pivot, and the pivot.
pub(crate) const FEATURE_PARTS: usize = 3;

/// Numbers that a chunk hands on for so many features.
#[cube]
pub(crate) fn parts_width(features: usize) -> usize {
    ROW_PARTS + FEATURE_PARTS * features
}

/// A feature whose values can be read: beyond the last one it is summed again, and not stored.
#[cube]
fn read_feature(feature: usize, place: &Place, #[comptime] tile: usize) -> usize {
    if comptime!(tile > 1) {
        min(feature, place.rows.features - 1)
    } else {
        0usize.runtime()
    }
}

/// The winner's value if it can serve as the origin of a sum, else 0.
#[cube]
fn pivot<A: Float>(value: A) -> A {
    let largest = number::<A>(LARGEST_PIVOT);
    let usable = value < largest && value > -largest;
    select(usable, value, zero::<A>())
}

/// Sums over a row or its chunk, for the features from `feature` on: `tile` weighted sums, `tile` weighted sums relative to the
/// pivots, then the normaliser.
#[cube]
fn weighted_sums<F: Float, A: Float, N: Size>(
    logits: &Row<'_, F, N>,
    values: &Row<'_, F, N>,
    place: &Place,
    max: A,
    reciprocal: A,
    feature: usize,
    pivots: &Array<A>,
    #[comptime] tile: usize,
) -> Array<A> {
    place.sums::<A>(place.end, comptime!(2 * tile + 1), |sums, g| {
        let x = logits.group::<A>(g);
        let mut weights = Vector::<A, N>::empty();
        #[unroll]
        for k in 0..N::value() {
            let weight = raw_weight::<A>(x.extract(k), max, reciprocal);
            weights.insert(k, weight);
            sums[comptime!(2 * tile)] += weight;
        }
        #[unroll]
        for s in 0..tile {
            let value = values.group_of::<A>(g, read_feature(feature + s, place, tile));
            #[unroll]
            for k in 0..N::value() {
                let weight = weights.extract(k);
                let excluded = is_excluded::<A>(x.extract(k), max);
                let value = value.extract(k);
                let relative = value - pivots[s];
                sums[s] += weight * select(excluded, zero::<A>(), value);
                sums[tile + s] += weight * select(excluded, zero::<A>(), relative);
            }
        }
    })
}

/// `Σ w V / Σ w` from the plain sum and from that relative to the pivot.
#[cube]
fn mean<A: Float>(plain: A, relative: A, pivot: A, normaliser: A) -> A {
    let plain = plain / divisor::<A>(normaliser);
    let relative = pivot + relative / divisor::<A>(normaliser);
    // A normaliser below 2 means that the winner has more than half of the weight.
    select(normaliser < number::<A>(2.0_f32), relative, plain)
}

/// Sums `Σ w V / Σ w` of a row into `out` for every feature, or hands on what a chunk knows; returns the normaliser.
#[cube]
pub(crate) fn expected_values<F: Float, A: Float, N: Size>(
    logits: &Row<'_, F, N>,
    values: &Row<'_, F, N>,
    out: &mut Tensor<F>,
    partials: &mut Tensor<A>,
    place: &Place,
    max: A,
    winner: u32,
    reciprocal: A,
    #[comptime] tile: usize,
) -> A {
    let phase = comptime!(place.rows.phase);
    let layout = comptime!(place.rows.layout);
    let features = place.rows.features;
    let out_start = place.row * features;
    let parts_start = partial_at(place, place.chunk, parts_width(features));
    let mut shared = sum_slots::<A>(place, comptime!(2 * tile + 1));
    let mut normaliser = zero::<A>();
    let mut pivots = Array::<A>::new(tile);
    let none = winner == place.rows.classes as u32;
    let class = select(none, 0, winner as usize);
    let mut feature = 0usize;
    while feature < features {
        #[unroll]
        for s in 0..tile {
            let value = values.value::<A>(class, read_feature(feature + s, place, tile));
            pivots[s] = select(none, zero::<A>(), pivot::<A>(value));
        }
        let mut sums = weighted_sums::<F, A, N>(
            logits, values, place, max, reciprocal, feature, &pivots, tile,
        );
        row_sums::<A>(&mut sums, &mut shared, place, comptime!(2 * tile + 1));
        normaliser = sums[comptime!(2 * tile)];
        if place.speaks_for_chunk() {
            #[unroll]
            for s in 0..tile {
                if feature + s < features {
                    if comptime!(phase == Phase::Partial) {
                        let at = parts_start + parts_width(feature + s);
                        partials[at] = sums[s];
                        partials[at + 1] = sums[tile + s];
                        partials[at + 2] = pivots[s];
                    } else {
                        let value = mean::<A>(sums[s], sums[tile + s], pivots[s], normaliser);
                        out[out_start + feature + s] = F::cast_from(value);
                    }
                }
            }
        }
        if comptime!(tile > 1 && layout.lanes > 1) {
            // The next tile's sums take the same shared memory.
            sync_cube();
        }
        feature += tile;
    }
    normaliser
}

/// Combines the chunks of a row into `out`; returns maximum, class of the maximum, and normaliser.
#[cube]
pub(crate) fn combined_values<F: Float, A: Float, N: Size>(
    out: &mut Tensor<F>,
    partials: &Tensor<A>,
    place: &Place,
    reciprocal: A,
) -> (A, u32, A) {
    let features = place.rows.features;
    let width = parts_width(features);
    let max = merged_max::<A>(partials, place, width);
    let normaliser = merged_normaliser::<A>(partials, place, max, reciprocal, width);
    let (chunk, index) = merged_first::<A, N>(partials, place, max, 2usize, width);
    let none = chunk == place.rows.chunks;
    let winner = select(none, 0, chunk);
    let first = partial_at(place, 0usize, width);
    let mut feature = place.lane;
    while feature < features {
        let slot = parts_width(feature);
        let origin = partials[first + winner * width + slot + 2];
        let origin = select(none, zero::<A>(), origin);
        let mut plain = zero::<A>();
        let mut relative = zero::<A>();
        for chunk in 0..place.rows.chunks {
            let at = first + chunk * width;
            let factor = rescale::<A>(partials[at], max, reciprocal);
            let moved = partials[at + 1] * (partials[at + slot + 2] - origin);
            plain += factor * partials[at + slot];
            relative += factor * (partials[at + slot + 1] + moved);
        }
        if place.live {
            let value = mean::<A>(plain, relative, origin, normaliser);
            out[place.row * features + feature] = F::cast_from(value);
        }
        feature = place.next(feature);
    }
    (max, index, normaliser)
}
