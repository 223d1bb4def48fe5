//! Rows of a tensor in blocks of four classes, as the noise comes: one vector where rows are whole blocks in memory, else class by
//! class. The first block of a row may begin in the row before: `skip` of its entries belong there.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{noise::BLOCK, row::Place, view::Row};

/// Class of entry `j` of a block, and whether it is one of the row; if not, the class is 0.
#[cube]
pub(crate) fn class_of<N: Size>(
    group: usize,
    #[comptime] j: usize,
    skip: usize,
    place: &Place,
) -> (usize, bool) {
    let vector = N::value().comptime();
    let at = group * BLOCK + j;
    if comptime!(vector == BLOCK) {
        (at, true.runtime())
    } else {
        let inside = at >= skip && at < skip + place.rows.classes;
        (select(inside, at - skip, 0usize), inside)
    }
}

/// A block of the row, `outside` where it is not of it.
#[cube]
pub(crate) fn block<F: Float, A: Float, N: Size>(
    row: &Row<'_, F, N>,
    place: &Place,
    skip: usize,
    group: usize,
    outside: A,
) -> Array<A> {
    let vector = N::value().comptime();
    let mut x = Array::<A>::new(4usize);
    if comptime!(vector == BLOCK) {
        let value = row.group::<A>(group);
        #[unroll]
        for j in 0..BLOCK {
            x[j] = value.extract(j);
        }
    } else {
        #[unroll]
        for j in 0..BLOCK {
            let (class, inside) = class_of::<N>(group, j, skip, place);
            let value = row.group::<A>(class);
            x[j] = select(inside, value.extract(0usize), outside);
        }
    }
    x
}

/// The row of a contiguous result, whose memory holds blocks that were [`put`] there.
#[cube]
pub(crate) fn kept_row<'a, F: Float, N: Size>(
    out: &'a Tensor<Vector<F, N>>,
    place: &Place,
) -> Row<'a, F, N> {
    let vector = N::value().comptime();
    Row::<'a, F, N> {
        data: out,
        start: if comptime!(vector == BLOCK) {
            place.to
        } else {
            place.number_at(0usize, place.rows.classes)
        },
        step: place.rows.inner,
        feature: 0usize.runtime(),
    }
}

/// Puts a block into the result.
#[cube]
pub(crate) fn put<F: Float, A: Float, N: Size>(
    out: &mut Tensor<Vector<F, N>>,
    values: &Array<A>,
    place: &Place,
    skip: usize,
    group: usize,
) {
    let vector = N::value().comptime();
    if comptime!(vector == BLOCK) {
        let mut value = Vector::<F, N>::empty();
        #[unroll]
        for j in 0..BLOCK {
            value.insert(j, F::cast_from(values[j]));
        }
        if place.live {
            out[place.at(group)] = value;
        }
    } else {
        #[unroll]
        for j in 0..BLOCK {
            let (class, inside) = class_of::<N>(group, j, skip, place);
            if inside && place.live {
                let mut value = Vector::<F, N>::empty();
                value.insert(0usize, F::cast_from(values[j]));
                out[place.number_at(class, place.rows.classes)] = value;
            }
        }
    }
}
