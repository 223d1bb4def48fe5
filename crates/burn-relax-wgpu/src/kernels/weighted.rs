//! Weighted sums over rows, `Σ w V`, for the soft read-outs.
//!
//! Values are also summed relative to the winner's: where it has most of the weight, what is left of that sum is small and the
//! result is rounded once, which the gradient of the winner's logit depends on. The parts of a split row hand on their sums and
//! pivots.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{
    lanes::{row_sums, sum_slots},
    reduce::{
        divisor, is_excluded, merged_first, merged_max, merged_normaliser, partial_at, raw_weight,
        rescale,
    },
    row::{Layout, Phase, Place, Rows, row_start},
    view::Steps,
};

/// Features summed in one walk through a row: their sums stay in registers on any device, and the weight is computed
/// once for all of them.
pub(super) const FEATURE_TILE: usize = 4;

/// Largest value that others are summed relative to: the difference of two values stays finite below it.
const LARGEST_PIVOT: f32 = 1e30;

/// Numbers that a chunk hands on: maximum, normaliser and class of the maximum, then these for each feature.
pub(super) const ROW_PARTS: usize = 3;

/// Numbers that a chunk hands on for each feature: the weighted sum, the same relative to a pivot, and the pivot.
pub(super) const FEATURE_PARTS: usize = 3;

/// Offset of a feature among those of its class.
#[cube]
fn feature_offset(
    feature: usize,
    values_steps: &Steps,
    rows: &Rows,
    #[comptime] tile: usize,
) -> usize {
    // Beyond the last feature the last one is summed again, and not stored.
    if comptime!(tile > 1) {
        min(feature, rows.features - 1) * values_steps.feature
    } else {
        0usize.runtime()
    }
}

/// The value of one class.
#[cube]
pub(super) fn value_of<F: Float, N: Size>(
    values: &Tensor<Vector<F, N>>,
    start: usize,
    class: usize,
    values_steps: &Steps,
) -> F {
    let size = N::value().comptime();
    if comptime!(size == 1) {
        values[start + class * values_steps.class].extract(0usize)
    } else {
        values[start + class / size * values_steps.class].extract_dynamic(class % size)
    }
}

/// The winner's value if it can serve as the origin of a sum, else 0.
#[cube]
fn pivot<A: Float>(value: A) -> A {
    let usable = value < A::new(LARGEST_PIVOT) && value > A::new(-LARGEST_PIVOT);
    select(usable, value, A::new(0.0_f32))
}

/// Sums over a row or its chunk, for the features from `feature` on: `tile` weighted sums, `tile` weighted sums relative to the
/// pivots, then the normaliser.
#[cube]
#[allow(clippy::too_many_arguments)]
fn weighted_sums<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,
    values: &Tensor<Vector<F, N>>,
    logits_start: usize,
    values_start: usize,
    logits_steps: &Steps,
    values_steps: &Steps,
    max: A,
    reciprocal: A,
    rows: &Rows,
    feature: usize,
    pivots: &Array<A>,
    place: &Place,
    #[comptime] tile: usize,
    #[comptime] layout: Layout,
) -> Array<A> {
    let mut sums = Array::<A>::new(comptime!(2 * tile + 1));
    let mut parts = Array::<A>::new(comptime!(2 * tile + 1));
    #[unroll]
    for s in 0..comptime!(2 * tile + 1) {
        sums[s] = A::new(0.0_f32);
    }
    let mut from = place.first;
    while from < place.end {
        let end = min(from + rows.block, place.end);
        #[unroll]
        for s in 0..comptime!(2 * tile + 1) {
            parts[s] = A::new(0.0_f32);
        }
        let mut g = from;
        while g < end {
            let x = Vector::<A, N>::cast_from(logits[logits_start + g * logits_steps.class]);
            let mut weights = Vector::<A, N>::empty();
            #[unroll]
            for k in 0..N::value() {
                let weight = raw_weight::<A>(x.extract(k), max, reciprocal);
                weights.insert(k, weight);
                parts[comptime!(2 * tile)] += weight;
            }
            #[unroll]
            for s in 0..tile {
                let offset = feature_offset(feature + s, values_steps, rows, tile);
                let at = values_start + g * values_steps.class + offset;
                let value = Vector::<A, N>::cast_from(values[at]);
                #[unroll]
                for k in 0..N::value() {
                    let weight = weights.extract(k);
                    let excluded = is_excluded::<A>(x.extract(k), max);
                    let value = value.extract(k);
                    let relative = value - pivots[s];
                    parts[s] += weight * select(excluded, A::new(0.0_f32), value);
                    parts[tile + s] += weight * select(excluded, A::new(0.0_f32), relative);
                }
            }
            g += layout.lanes;
        }
        #[unroll]
        for s in 0..comptime!(2 * tile + 1) {
            sums[s] += parts[s];
        }
        from += rows.block;
    }
    sums
}

/// `Σ w V / Σ w` from the plain sum and from that relative to the pivot.
#[cube]
fn mean<A: Float>(plain: A, relative: A, pivot: A, normaliser: A) -> A {
    let plain = plain / divisor::<A>(normaliser);
    let relative = pivot + relative / divisor::<A>(normaliser);
    // A normaliser below 2 means that the winner has more than half of the weight.
    select(normaliser < A::new(2.0_f32), relative, plain)
}

/// Sums `Σ w V / Σ w` of a row into `out` for every feature, or hands on what a chunk knows; returns the normaliser.
#[cube]
#[allow(clippy::too_many_arguments)]
pub(super) fn expected_values<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,
    values: &Tensor<Vector<F, N>>,
    out: &mut Tensor<F>,
    partials: &mut Tensor<A>,
    place: &Place,
    logits_steps: &Steps,
    values_steps: &Steps,
    max: A,
    winner: u32,
    reciprocal: A,
    rows: &Rows,
    #[comptime] tile: usize,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
) -> A {
    let logits_start = row_start(place, logits_steps);
    let values_start = row_start(place, values_steps);
    let out_start = (place.outer * rows.inner + place.inner) * rows.features;
    let parts_start = partial_at(
        place,
        rows,
        place.chunk,
        ROW_PARTS + FEATURE_PARTS * rows.features,
    );
    let mut shared = sum_slots::<A>(comptime!(2 * tile + 1), layout);
    let mut normaliser = A::new(0.0_f32);
    let mut pivots = Array::<A>::new(tile);
    let none = winner == rows.classes as u32;
    let class = select(none, 0, winner as usize);
    let mut feature = 0usize;
    while feature < rows.features {
        #[unroll]
        for s in 0..tile {
            let offset = feature_offset(feature + s, values_steps, rows, tile);
            let value = value_of::<F, N>(values, values_start + offset, class, values_steps);
            let origin = pivot::<A>(A::cast_from(value));
            pivots[s] = select(none, A::new(0.0_f32), origin);
        }
        let mut sums = weighted_sums::<F, A, N>(
            logits,
            values,
            logits_start,
            values_start,
            logits_steps,
            values_steps,
            max,
            reciprocal,
            rows,
            feature,
            &pivots,
            place,
            tile,
            layout,
        );
        row_sums::<A>(
            &mut sums,
            &mut shared,
            place.lane,
            comptime!(2 * tile + 1),
            layout,
        );
        normaliser = sums[comptime!(2 * tile)];
        if place.live && place.lane == 0 {
            #[unroll]
            for s in 0..tile {
                if feature + s < rows.features {
                    if comptime!(phase == Phase::Partial) {
                        let at = parts_start + ROW_PARTS + FEATURE_PARTS * (feature + s);
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
pub(super) fn combined_values<F: Float, A: Float, N: Size>(
    out: &mut Tensor<F>,
    partials: &Tensor<A>,
    place: &Place,
    rows: &Rows,
    reciprocal: A,
    #[comptime] layout: Layout,
) -> (A, u32, A) {
    let width = ROW_PARTS + FEATURE_PARTS * rows.features;
    let max = merged_max::<A>(partials, place, rows, width);
    let normaliser = merged_normaliser::<A>(partials, place, rows, max, reciprocal, width);
    let (chunk, index) = merged_first::<A, N>(partials, place, rows, max, 2usize, width);
    let none = chunk == rows.chunks;
    let winner = select(none, 0, chunk);
    let first = partial_at(place, rows, 0usize, width);
    let mut feature = place.lane;
    while feature < rows.features {
        let slot = ROW_PARTS + FEATURE_PARTS * feature;
        let origin = partials[first + winner * width + slot + 2];
        let origin = select(none, A::new(0.0_f32), origin);
        let mut plain = A::new(0.0_f32);
        let mut relative = A::new(0.0_f32);
        for chunk in 0..rows.chunks {
            let at = first + chunk * width;
            let factor = rescale::<A>(partials[at], max, reciprocal);
            let moved = partials[at + 1] * (partials[at + slot + 2] - origin);
            plain += factor * partials[at + slot];
            relative += factor * (partials[at + slot + 1] + moved);
        }
        if place.live {
            let at = (place.outer * rows.inner + place.inner) * rows.features + feature;
            out[at] = F::cast_from(mean::<A>(plain, relative, origin, normaliser));
        }
        feature += layout.lanes;
    }
    (max, index, normaliser)
}
