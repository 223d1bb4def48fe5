//! The weights.
//!
//! A unit copies the groups of its row that may have weight to the front of its own part of the result, so that the search passes
//! over those alone; the weights replace them at the end. Rows are not split: every pass needs the sum of the whole row.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::alpha::{Alpha, Excess};
use crate::parts::{
    lanes::row_sum,
    math::is_nan,
    offset::find_offset,
    prelude::*,
    reduce::find_max,
    search::{MOST_PASSES, USUAL_PASSES},
    special::divisor,
    stats::write_stats,
    threshold::{Curve, find_threshold, lowest, weight},
    view::result_row,
};

/// Walks through a row beside the search: for the maximum, to copy, and to write.
const WALKS: usize = 3;

/// The maximum, two sums, and the support.
const NEED: Need = Need::walks(WALKS + USUAL_PASSES).numbers(4);

#[cube(launch_unchecked, address_type = "dynamic")]
fn entmax_kernel<F: Float, A: Float, N: Size>(
    logits: &Grid<'_, F, N>,        // [outer, classes, inner]
    alpha: &Excess<'_, F>,          // [outer, 1, inner]
    out: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    stats: &mut Tensor<A>,          // [outer, 2, inner]
    rows: Rows,
    most: u32,
    #[comptime] curve: Curve,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows);
    let logits = logits.row(&place);
    let excess = alpha.of::<A>(&place);
    let unknown = is_nan::<A>(excess);
    let nan = excess;
    let excess = select(unknown, zero::<A>(), excess);
    let max = find_max::<F, A, N>(&logits, &place);

    let lowest = lowest::<A>(excess);
    let mut list_end = place.first;
    if place.live {
        place.each(|g| {
            let group = logits.stored(g);
            let x = Vector::<A, N>::cast_from(group);
            let mut candidate = false;
            #[unroll]
            for k in 0..N::value() {
                let x = x.extract(k);
                candidate = candidate || x - max > lowest || is_nan::<A>(x);
            }
            if candidate {
                out[place.at(list_end)] = group;
                list_end = place.next(list_end);
            }
        });
    }
    let list = result_row::<F, N>(&*out, &place);
    let found = find_threshold::<F, A, N>(&list, list_end, &place, max, excess, most, curve);
    let (inverse, total) = (found.inverse, select(unknown, nan, found.total));
    let offset = find_offset::<F, A, N>(&list, list_end, &place, max, excess, &found, most);

    let mut support = zero::<A>();
    let divisor = divisor::<A>(total);
    logits.entries().write::<A>(out, &place, |x, _| {
        let (r, _slope) = weight::<A>(x, max, inverse, excess, curve);
        let mut p = r / divisor;
        if offset.holds {
            p = offset.weight(x, max, excess);
        }
        support += select(p > zero::<A>(), one::<A>(), zero::<A>());
        p
    });
    let support = row_sum::<A>(support, &place);
    let support = select(is_nan::<A>(total), total, support);
    write_stats::<A>(stats, &place, max, support);
}

/// Entmax along `dim`, and row statistics: the maximum, and the number of entries with weight.
///
/// The weights are `(1 + (alpha - 1)(x - c))^(1 / (alpha - 1))` where that base is positive, else 0, with `c` such that they sum to 1:
/// the softmax at `alpha = 1`, sparsemax at 2. A row that holds `+inf` shares the weight among those entries, whatever alpha is.
///
/// # Shapes
/// - `logits`: `[.., n, ..]`, n at `dim`
/// - first result: that of `logits`
/// - second result: the same with size 2 at `dim`
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn entmax(logits: CubeTensor, dim: usize, alpha: f64) -> (CubeTensor, CubeTensor) {
    forward("entmax", logits, Alpha::Fixed(alpha), dim)
}

/// [`entmax`] with an `alpha` for all rows, or one for each: its shape is that of `logits` with size 1 at `dim`.
///
/// # Panics
/// If alpha has another shape or dtype, or the device cannot compute with the dtype.
pub fn entmax_rows(logits: CubeTensor, alpha: CubeTensor, dim: usize) -> (CubeTensor, CubeTensor) {
    forward("entmax_rows", logits, Alpha::Rows(alpha), dim)
}

/// Launches the kernel.
fn forward(
    op: &'static str,
    logits: CubeTensor,
    alpha: Alpha,
    dim: usize,
) -> (CubeTensor, CubeTensor) {
    let mut call = Call::new(op, &logits, dim);
    let (out, stats) = (call.per_class(), call.stats(2));
    let logits = call.view(logits);
    let alpha = alpha.source(&mut call, &logits);
    let launches = call.walk(&[&logits]).whole(NEED);
    let most = launches.passes(MOST_PASSES, WALKS);
    launch!(
        entmax_kernel, launches, |at|
        vectors [logits] given [alpha.arg(&call)] results [out, stats];
        most, alpha.curve, call.elements
    );
    (out, stats)
}
