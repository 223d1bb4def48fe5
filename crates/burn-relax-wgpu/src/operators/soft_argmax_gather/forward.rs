//! The read-outs.
//!
//! The lanes of a row find its maximum, then sum normaliser and weighted values in a second walk, the features in tiles that fit
//! registers.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use crate::parts::{
    call::resized,
    launch::Launch,
    math::is_nan,
    partials::{handed_on_index, partial_at},
    prelude::*,
    reduce::find_first_max,
    row::Place,
    stats::write_stats,
    view::{Row, View},
    weighted::{
        FEATURE_PARTS, FEATURE_TILE, ROW_PARTS, combined_values, expected_values, parts_width,
    },
};

/// One phase of the soft read-out; returns the class of the maximum, and the normaliser.
#[cube]
fn read_out<F: Float, A: Float, N: Size>(
    logits: &Grid<'_, F, N>,
    values: &Row<'_, F, N>,
    out: &mut Tensor<F>,
    stats: &mut Tensor<A>,
    partials: &mut Tensor<A>,
    place: &Place,
    reciprocal: A,
    #[comptime] tile: usize,
) -> (u32, A) {
    let phase = comptime!(place.rows.phase);
    let (max, index, normaliser) = if comptime!(phase == Phase::Finish) {
        combined_values::<F, A, N>(out, &*partials, place, reciprocal)
    } else {
        let logits = logits.row(place);
        let (max, index) = find_first_max::<F, A, N>(&logits, place);
        let normaliser = expected_values::<F, A, N>(
            &logits, values, out, partials, place, max, index, reciprocal, tile,
        );
        (max, index, normaliser)
    };
    if comptime!(phase == Phase::Partial) {
        if place.speaks_for_chunk() {
            let at = partial_at(place, place.chunk, parts_width(place.rows.features));
            partials[at] = max;
            partials[at + 1] = normaliser;
            partials[at + 2] = handed_on_index::<A, N>(index, place);
        }
    } else {
        write_stats::<A>(stats, place, max, normaliser);
    }
    (index, normaliser)
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn soft_argmax_gather_kernel<F: Float, A: Float, N: Size>(
    logits: &Grid<'_, F, N>,  // [outer, classes, inner]
    values: &Grid<'_, F, N>,  // [outer, classes, inner, features]
    out: &mut Tensor<F>,      // [outer, 1, inner, features]
    stats: &mut Tensor<A>,    // [outer, 2, inner]
    partials: &mut Tensor<A>, // [rows, chunks, 3 + 3 features]
    rows: Rows,
    reciprocal: InputScalar,
    #[comptime] tile: usize,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows);
    let values = values.row(&place);
    let reciprocal = reciprocal.get::<A>();
    read_out::<F, A, N>(
        logits, &values, out, stats, partials, &place, reciprocal, tile,
    );
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn hard_argmax_gather_kernel<F: Float, A: Float, N: Size>(
    logits: &Grid<'_, F, N>,  // [outer, classes, inner]
    values: &Grid<'_, F, N>,  // [outer, classes, inner, features]
    hard: &mut Tensor<F>,     // [outer, 1, inner, features]
    soft: &mut Tensor<F>,     // [outer, 1, inner, features]
    stats: &mut Tensor<A>,    // [outer, 2, inner]
    partials: &mut Tensor<A>, // [rows, chunks, 3 + 3 features]
    rows: Rows,
    reciprocal: InputScalar,
    #[comptime] tile: usize,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let values = values.row(&place);
    let reciprocal = reciprocal.get::<A>();
    let (index, normaliser) = read_out::<F, A, N>(
        logits, &values, soft, stats, partials, &place, reciprocal, tile,
    );
    if comptime!(phase != Phase::Partial) {
        if place.live {
            // A row of nothing but NaN has no index either.
            let none = index == place.rows.classes as u32;
            let chosen = select(none, 0, index as usize);
            let features = place.rows.features;
            let mut feature = place.lane;
            while feature < features {
                let value = values.value::<F>(chosen, feature);
                let value = select(normaliser == zero::<A>(), zero::<F>(), value);
                hard[place.row * features + feature] =
                    select(is_nan::<A>(normaliser), F::cast_from(normaliser), value);
                feature = place.next(feature);
            }
        }
    }
}

/// Features in one walk through a row.
fn tile(call: &Call) -> usize {
    if call.features > 1 { FEATURE_TILE } else { 1 }
}

/// The launch of either form.
fn launches<'a>(call: &'a Call, logits: &View, values: &View) -> Launch<'a> {
    let tile = tile(call);
    // The maximum, its index, the sums and the normaliser.
    let walks = 2 + call.features.div_ceil(tile);
    let need = Need::walks(walks).numbers(2 * tile + 2).indices(1);
    let width = ROW_PARTS + FEATURE_PARTS * call.features;
    call.walk(&[logits, values]).split_once(width, need)
}

/// Launches the soft form; returns the statistics.
fn soft(
    mut call: Call,
    logits: View,
    values: View,
    out: &CubeTensor,
    temperature: f64,
) -> CubeTensor {
    let stats = call.stats(2);
    launch!(
        soft_argmax_gather_kernel, launches(&call, &logits, &values), |at|
        vectors [logits, values] results [out, stats] partials;
        call.reciprocal(temperature), tile(&call), call.elements
    );
    stats
}

/// The expected value of the choice that `logits` describe: `y = Σ w_i V_i`, `w = softmax(logits / temperature)` along `dim`.
///
/// # Shapes
/// - `logits`: `[.., n, ..]`, n at `dim`
/// - `values`: the shape of `logits`, then any feature dimensions
/// - first result: the shape of `values` with size 1 at `dim`
/// - second result: the statistics, see the crate's documentation
///
/// # Panics
/// If shapes or dtypes do not match, or the device cannot compute with the dtype.
pub fn soft_argmax_gather(
    logits: CubeTensor,
    values: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    let mut call = Call::new("soft_argmax_gather", &logits, dim).with_values(&values);
    let out = call.result(resized(values.meta.shape(), dim, 1));
    if call.features == 0 {
        let (_, stats) = soft_argmax_gather(logits.clone(), logits, dim, temperature);
        return (out, stats);
    }
    let [logits, values] = call.views([logits, values]);
    let stats = soft(call, logits, values, &out, temperature);
    (out, stats)
}

/// The expected coordinate of the choice that `logits` describe: `Σ w_i c_i`, `w = softmax(logits / temperature)` along `dim`.
///
/// # Shapes
/// - `logits`: `[.., n, ..]`, n at `dim`
/// - `coordinates`: `[n]`
/// - first result: the shape of `logits` with size 1 at `dim`
/// - second result: the statistics, see the crate's documentation
///
/// # Panics
/// If shapes or dtypes do not match, or the device cannot compute with the dtype.
pub fn soft_argmax(
    logits: CubeTensor,
    coordinates: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    let mut call = Call::new("soft_argmax", &logits, dim);
    let coordinates = call.coordinates(coordinates);
    let out = call.one_per_row();
    let logits = call.view(logits);
    let stats = soft(call, logits, coordinates, &out, temperature);
    (out, stats)
}

/// The value of the likeliest choice, exactly `V_argmax` (the lowest index on ties), beside [`soft_argmax_gather`]'s results.
///
/// The three results are: the chosen value, the soft value (which the backward pass needs), the statistics.
///
/// # Panics
/// As [`soft_argmax_gather`].
pub fn hard_argmax_gather(
    logits: CubeTensor,
    values: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let mut call = Call::new("hard_argmax_gather", &logits, dim).with_values(&values);
    let shape = resized(values.meta.shape(), dim, 1);
    let (hard, soft) = (call.result(shape.clone()), call.result(shape));
    if call.features == 0 {
        let (_, stats) = soft_argmax_gather(logits.clone(), logits, dim, temperature);
        return (hard, soft, stats);
    }
    let stats = call.stats(2);
    let [logits, values] = call.views([logits, values]);
    launch!(
        hard_argmax_gather_kernel, launches(&call, &logits, &values), |at|
        vectors [logits, values] results [hard, soft, stats] partials;
        call.reciprocal(temperature), tile(&call), call.elements
    );
    (hard, soft, stats)
}
