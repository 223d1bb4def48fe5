//! A row's maximum, first argmax and normaliser.
//!
//! The functions must be called by every unit of the cube.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{
    lanes::{row_first_max, row_max},
    partials::{merged_max, merged_normaliser, partial_at},
    plan::Phase,
    row::Place,
    special::{finite_max, raw_weight},
    view::Row,
};

/// Numbers that a chunk hands on in [`find_softmax`]: maximum and normaliser.
pub(crate) const SOFTMAX_PARTS: usize = 2;

/// The largest logit of this unit's part of the row, as statistics hold it: finite even if the row is not, and never NaN.
#[cube]
pub(crate) fn find_max<F: Float, A: Float, N: Size>(logits: &Row<'_, F, N>, place: &Place) -> A {
    let mut max = A::min_value();
    logits.entries().each::<A>(place, |_, x, _| {
        max = select(x > max, x, max);
    });
    finite_max::<A>(row_max::<A>(max, place))
}

/// [`find_max`] and the lowest class that has it: the number of classes if none does.
#[cube]
pub(crate) fn find_first_max<F: Float, A: Float, N: Size>(
    logits: &Row<'_, F, N>,
    place: &Place,
) -> (A, u32) {
    let none = place.rows.classes as u32;
    let mut max = A::min_value();
    let mut index = none;
    logits.entries().each::<A>(place, |class, x, _| {
        // The second case is an entry that is exactly the smallest finite number.
        let better = x > max || (index == none && x == max);
        max = select(better, x, max);
        index = select(better, class.number::<N>() as u32, index);
    });
    let (max, index) = row_first_max::<A>(max, index, place);
    (finite_max::<A>(max), index)
}

/// The normaliser of this unit's part of the row, relative to `max`.
#[cube]
pub(crate) fn find_normaliser<F: Float, A: Float, N: Size>(
    logits: &Row<'_, F, N>,
    place: &Place,
    max: A,
    reciprocal: A,
) -> A {
    let entries = logits.entries();
    entries.sum::<A>(place, |x, _| raw_weight::<A>(x, max, reciprocal))
}

/// Maximum and normaliser of a row in any phase; a chunk hands on its own.
#[cube]
pub(crate) fn find_softmax<F: Float, A: Float, N: Size>(
    logits: &Row<'_, F, N>,
    partials: &mut Tensor<A>,
    place: &Place,
    reciprocal: A,
) -> (A, A) {
    let phase = comptime!(place.rows.phase);
    if comptime!(phase == Phase::Finish) {
        let max = merged_max::<A>(&*partials, place, SOFTMAX_PARTS);
        let sum = merged_normaliser::<A>(&*partials, place, max, reciprocal, SOFTMAX_PARTS);
        (max, sum)
    } else {
        let max = find_max::<F, A, N>(logits, place);
        let sum = find_normaliser::<F, A, N>(logits, place, max, reciprocal);
        if comptime!(phase == Phase::Partial) {
            if place.speaks_for_chunk() {
                let at = partial_at(place, place.chunk, SOFTMAX_PARTS);
                partials[at] = max;
                partials[at + 1] = sum;
            }
        }
        (max, sum)
    }
}
