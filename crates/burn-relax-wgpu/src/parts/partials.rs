//! Numbers that the parts of a split row hand on, `width` each, and how the second launch combines them.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{
    number::{number, zero},
    plan::Phase,
    row::Place,
    special::rescale,
};

/// Where what `chunk` knows lies between two launches.
#[cube]
pub(crate) fn partial_at(place: &Place, chunk: usize, width: usize) -> usize {
    (place.row * place.rows.chunks + chunk) * width
}

/// The largest of the chunks' maxima, which are the first of their numbers.
#[cube]
pub(crate) fn merged_max<A: Float>(partials: &Tensor<A>, place: &Place, width: usize) -> A {
    let first = partial_at(place, 0usize, width);
    let mut max = partials[first];
    for chunk in 1..place.rows.chunks {
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
    max: A,
    reciprocal: A,
    width: usize,
) -> A {
    let first = partial_at(place, 0usize, width);
    let mut sum = zero::<A>();
    for chunk in 0..place.rows.chunks {
        let at = first + chunk * width;
        sum += rescale::<A>(partials[at], max, reciprocal) * partials[at + 1];
    }
    sum
}

/// The sum over the chunks of their number `slot`.
#[cube]
pub(crate) fn merged_sum<A: Float>(
    partials: &Tensor<A>,
    place: &Place,
    slot: usize,
    width: usize,
) -> A {
    let first = partial_at(place, 0usize, width) + slot;
    let mut sum = zero::<A>();
    for chunk in 0..place.rows.chunks {
        sum += partials[first + chunk * width];
    }
    sum
}

/// The first `count` of the sums that the chunks hand on.
#[cube]
pub(crate) fn merged_sums<A: Float>(
    partials: &Tensor<A>,
    place: &Place,
    #[comptime] count: usize,
    #[comptime] width: usize,
) -> Array<A> {
    let mut sums = Array::<A>::new(count);
    #[unroll]
    for s in 0..count {
        sums[s] = merged_sum::<A>(partials, place, s, width);
    }
    sums
}

/// Hands on `count` numbers of a chunk from its number `slot` on, in the first of two launches.
#[cube]
pub(crate) fn hand_on<A: Float>(
    partials: &mut Tensor<A>,
    place: &Place,
    numbers: &Array<A>,
    #[comptime] slot: usize,
    #[comptime] count: usize,
    #[comptime] width: usize,
) {
    let phase = comptime!(place.rows.phase);
    if comptime!(phase == Phase::Partial) {
        if place.speaks_for_chunk() {
            let at = partial_at(place, place.chunk, width) + slot;
            #[unroll]
            for i in 0..count {
                partials[at + i] = numbers[i];
            }
        }
    }
}

/// A class of this unit's part of a row as a number to hand on: relative to the part, -1 for none.
#[cube]
pub(crate) fn handed_on_index<A: Float, N: Size>(index: u32, place: &Place) -> A {
    let base = (place.chunk * place.rows.span * N::value()) as u32;
    let none = index == place.rows.classes as u32;
    select(none, number::<A>(-1.0_f32), A::cast_from(index - base))
}

/// The first chunk whose maximum is the row's and has a class there, and that class; the number of chunks and of classes if there
/// is none. The chunks hand on their maximum first, and their class as number `slot`.
#[cube]
pub(crate) fn merged_first<A: Float, N: Size>(
    partials: &Tensor<A>,
    place: &Place,
    max: A,
    slot: usize,
    width: usize,
) -> (usize, u32) {
    let chunks = place.rows.chunks;
    let first = partial_at(place, 0usize, width);
    let mut winner = chunks;
    let mut index = place.rows.classes as u32;
    for chunk in 0..chunks {
        let at = first + chunk * width;
        let class = partials[at + slot];
        let wins = winner == chunks && partials[at] == max && class >= zero::<A>();
        let class = u32::cast_from(select(wins, class, zero::<A>()));
        let base = (chunk * place.rows.span * N::value()) as u32;
        index = select(wins, class + base, index);
        winner = select(wins, chunk, winner);
    }
    (winner, index)
}
