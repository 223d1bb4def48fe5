//! What a row has to know of itself: its weights, maximum, first argmax and normaliser; and the same from what the parts of a split
//! row hand on.
//!
//! The functions that find something must be called by every unit of the cube.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{
    lanes::{row_first_max, row_max, row_sum},
    math::{exp_nonpositive, is_nan},
    row::{Layout, Place, Rows, speaks_for_row},
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

/// The largest logit of this unit's part of the row that begins at `start`, as statistics hold it: finite even if the row is not,
/// and never NaN.
#[cube]
pub(crate) fn find_max<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,
    start: usize,
    steps: &Steps,
    place: &Place,
    #[comptime] layout: Layout,
) -> A {
    let mut max = A::min_value();
    let mut g = place.first;
    while g < place.end {
        let x = Vector::<A, N>::cast_from(logits[start + g * steps.class]);
        #[unroll]
        for k in 0..N::value() {
            let x = x.extract(k);
            max = select(x > max, x, max);
        }
        g += layout.lanes;
    }
    let max = row_max::<A>(max, place.lane, layout);
    select(max > A::max_value(), A::max_value(), max)
}

/// [`find_max`] and the lowest class that has it: the number of classes if none does.
#[cube]
pub(crate) fn find_first_max<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,
    start: usize,
    steps: &Steps,
    place: &Place,
    rows: &Rows,
    #[comptime] layout: Layout,
) -> (A, u32) {
    let none = rows.classes as u32;
    let mut max = A::min_value();
    let mut index = none;
    let mut g = place.first;
    while g < place.end {
        let x = Vector::<A, N>::cast_from(logits[start + g * steps.class]);
        #[unroll]
        for k in 0..N::value() {
            let x = x.extract(k);
            // The second case is an entry that is exactly the smallest finite number.
            let better = x > max || (index == none && x == max);
            max = select(better, x, max);
            index = select(better, (g * N::value() + k) as u32, index);
        }
        g += layout.lanes;
    }
    let (max, index) = row_first_max::<A>(max, index, place.lane, layout);
    (select(max > A::max_value(), A::max_value(), max), index)
}

/// The normaliser of this unit's part of the row, relative to `max`.
#[cube]
pub(crate) fn find_normaliser<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,
    start: usize,
    steps: &Steps,
    place: &Place,
    rows: &Rows,
    max: A,
    reciprocal: A,
    #[comptime] layout: Layout,
) -> A {
    let mut sum = A::new(0.0_f32);
    let mut from = place.first;
    while from < place.end {
        let end = min(from + rows.block, place.end);
        let mut part = A::new(0.0_f32);
        let mut g = from;
        while g < end {
            let x = Vector::<A, N>::cast_from(logits[start + g * steps.class]);
            #[unroll]
            for k in 0..N::value() {
                part += raw_weight::<A>(x.extract(k), max, reciprocal);
            }
            g += layout.lanes;
        }
        sum += part;
        from += rows.block;
    }
    row_sum::<A>(sum, place.lane, layout)
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
    if speaks_for_row(place) {
        let at = place.outer * 2 * rows.inner + place.inner;
        stats[at] = select(is_nan::<A>(normaliser), normaliser, max);
        stats[at + rows.inner] = normaliser;
    }
}

/// Where what `chunk` knows lies between two launches, `width` numbers for each chunk.
#[cube]
pub(crate) fn partial_at(place: &Place, rows: &Rows, chunk: usize, width: usize) -> usize {
    (place.row * rows.chunks + chunk) * width
}

/// Whether this unit writes what its chunk knows.
#[cube]
pub(crate) fn speaks_for_chunk(place: &Place) -> bool {
    place.live && place.lane == 0
}

/// What a sum relative to the maximum `part` is worth relative to the row's maximum.
#[cube]
pub(crate) fn rescale<A: Float>(part: A, max: A, reciprocal: A) -> A {
    let factor = exp_nonpositive::<A>((part - max) * reciprocal);
    // In a row that holds `+inf` nothing else has weight.
    let factor = select(max >= A::max_value(), A::new(0.0_f32), factor);
    select(part == max, A::new(1.0_f32), factor)
}

/// The largest of the chunks' maxima, which are the first of their numbers.
#[cube]
pub(crate) fn merged_max<A: Float>(
    partials: &Tensor<A>,
    place: &Place,
    rows: &Rows,
    width: usize,
) -> A {
    let first = partial_at(place, rows, 0, width);
    let mut max = partials[first];
    for chunk in 1..rows.chunks {
        let part = partials[first + chunk * width];
        max = select(part > max, part, max);
    }
    max
}

/// The row's normaliser from those of the chunks, which are the second of their numbers.
#[cube]
pub(crate) fn merged_normaliser<A: Float>(
    partials: &Tensor<A>,
    place: &Place,
    rows: &Rows,
    max: A,
    reciprocal: A,
    width: usize,
) -> A {
    let first = partial_at(place, rows, 0, width);
    let mut sum = A::new(0.0_f32);
    for chunk in 0..rows.chunks {
        let at = first + chunk * width;
        sum += rescale::<A>(partials[at], max, reciprocal) * partials[at + 1];
    }
    sum
}

/// A class of this unit's part of a row as a number to hand on: relative to the part, -1 for none.
#[cube]
pub(crate) fn handed_on_index<A: Float, N: Size>(index: u32, place: &Place, rows: &Rows) -> A {
    let base = (place.chunk * rows.span * N::value()) as u32;
    let none = index == rows.classes as u32;
    select(none, A::new(-1.0_f32), A::cast_from(index - base))
}

/// The first chunk whose maximum is the row's and has a class there, and that class; the number of chunks and of classes if there
/// is none. The chunks hand on their maximum first, and their class as number `slot`.
#[cube]
pub(crate) fn merged_first<A: Float, N: Size>(
    partials: &Tensor<A>,
    place: &Place,
    rows: &Rows,
    max: A,
    slot: usize,
    width: usize,
) -> (usize, u32) {
    let first = partial_at(place, rows, 0, width);
    let mut winner = rows.chunks;
    let mut index = rows.classes as u32;
    for chunk in 0..rows.chunks {
        let at = first + chunk * width;
        let class = partials[at + slot];
        let wins = winner == rows.chunks && partials[at] == max && class >= A::new(0.0_f32);
        let class = u32::cast_from(select(wins, class, A::new(0.0_f32)));
        index = select(wins, class + (chunk * rows.span * N::value()) as u32, index);
        winner = select(wins, chunk, winner);
    }
    (winner, index)
}

/// The sum over the chunks of their number `slot`.
#[cube]
pub(crate) fn merged_sum<A: Float>(
    partials: &Tensor<A>,
    place: &Place,
    rows: &Rows,
    slot: usize,
    width: usize,
) -> A {
    let first = partial_at(place, rows, 0, width) + slot;
    let mut sum = A::new(0.0_f32);
    for chunk in 0..rows.chunks {
        sum += partials[first + chunk * width];
    }
    sum
}
