//! The class that a row chooses: that of its largest entry, found in one walk, or in two launches where rows are split.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{
    lanes::row_first_max,
    layout::Need,
    math::is_nan,
    number::{one, zero},
    partials::{handed_on_index, merged_first, merged_max, partial_at},
    plan::Phase,
    row::Place,
    special::finite_max,
    view::{Row, WIDEST_VECTOR},
};

/// Numbers that a chunk hands on: maximum, its class, whether there is a NaN, its class.
pub(crate) const CHOICE_PARTS: usize = 4;

/// Maximum and flag with an index each; a walk through the row and one through what is written, with `features` values for each class.
pub(crate) fn choice_need(features: usize) -> Need {
    Need::walks(2 + WIDEST_VECTOR * features)
        .numbers(2)
        .indices(2)
}

/// The choice of a row.
#[derive(CubeType)]
pub(crate) struct Choice {
    /// The class of the first NaN if there is one, else that of the maximum, else 0.
    pub(crate) index: usize,
    /// Whether there is a NaN.
    pub(crate) unknown: bool,
    /// Whether every entry is `-inf`.
    pub(crate) nothing: bool,
}

#[cube]
fn choice_of(index: u32, nan: u32, place: &Place) -> Choice {
    let none = place.rows.classes as u32;
    let unknown = nan != none;
    let nothing = !unknown && index == none;
    let index = select(unknown, nan, select(nothing, 0u32, index));
    Choice {
        index: index as usize,
        unknown,
        nothing,
    }
}

/// One phase of the choice: in the first of two, what the chunk knows is handed on and the result has no meaning.
#[cube]
pub(crate) fn choose<F: Float, A: Float, N: Size>(
    logits: &Row<'_, F, N>,
    partials: &mut Tensor<A>,
    place: &Place,
) -> Choice {
    let phase = comptime!(place.rows.phase);
    let none = place.rows.classes as u32;
    if comptime!(phase == Phase::Finish) {
        let max = merged_max::<A>(&*partials, place, CHOICE_PARTS);
        let (_chunk, index) = merged_first::<A, N>(&*partials, place, max, 1usize, CHOICE_PARTS);
        let first = partial_at(place, 0usize, CHOICE_PARTS);
        let mut nan = none;
        for chunk in 0..place.rows.chunks {
            let at = first + chunk * CHOICE_PARTS;
            let found = nan == none && partials[at + 2] > zero::<A>();
            let class = u32::cast_from(select(found, partials[at + 3], zero::<A>()));
            let base = (chunk * place.rows.span * N::value()) as u32;
            nan = select(found, class + base, nan);
        }
        choice_of(index, nan, place)
    } else {
        let mut max = A::min_value();
        let mut index = none;
        let mut nan = none;
        logits.entries().each::<A>(place, |class, x, _| {
            let class = class.number::<N>() as u32;
            let number = !is_nan::<A>(x);
            // The second case is an entry that is exactly the smallest finite number.
            let better = number && (x > max || (index == none && x == max));
            max = select(better, x, max);
            index = select(better, class, index);
            nan = select(!number && nan == none, class, nan);
        });
        let (max, index) = row_first_max::<A>(max, index, place);
        let flag = select(nan == none, zero::<A>(), one::<A>());
        let (flag, nan) = row_first_max::<A>(flag, nan, place);
        if comptime!(phase == Phase::Partial) {
            if place.speaks_for_chunk() {
                let at = partial_at(place, place.chunk, CHOICE_PARTS);
                partials[at] = finite_max::<A>(max);
                partials[at + 1] = handed_on_index::<A, N>(index, place);
                partials[at + 2] = flag;
                partials[at + 3] = handed_on_index::<A, N>(nan, place);
            }
        }
        choice_of(index, nan, place)
    }
}
