//! Rows of a tensor in blocks of four classes, as the noise comes: one vector where rows are whole blocks in memory, else class by
//! class. The first block of a row may begin in the row before: `skip` of its entries belong there.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{
    noise::BLOCK,
    row::{Place, Rows, class_start, output_start},
    view::{Sizes, View, vector_size},
};

/// Classes in one load: a block where the rows of all `views` are whole blocks in memory, as those of whole blocks of classes are;
/// else one. A row of whole blocks begins with a whole block of noise.
pub(crate) fn block_vector(sizes: &Sizes, views: &[&View]) -> usize {
    let single = Sizes {
        features: 1,
        ..*sizes
    };
    match vector_size(&single, views) {
        BLOCK => BLOCK,
        _ => 1,
    }
}

/// Class of entry `j` of a block, and whether it is one of the row; if not, the class is 0.
#[cube]
pub(crate) fn class_of<N: Size>(
    group: usize,
    #[comptime] j: usize,
    skip: usize,
    rows: &Rows,
) -> (usize, bool) {
    let vector = N::value().comptime();
    let at = group * BLOCK + j;
    if comptime!(vector == BLOCK) {
        (at, true.runtime())
    } else {
        let inside = at >= skip && at < skip + rows.classes;
        (select(inside, at - skip, 0usize), inside)
    }
}

/// A block of the row that begins at `start`, `outside` where it is not of the row. Classes, or vectors of them, are `step` apart.
#[cube]
pub(crate) fn block<F: Float, A: Float, N: Size>(
    values: &Tensor<Vector<F, N>>,
    start: usize,
    step: usize,
    rows: &Rows,
    skip: usize,
    group: usize,
    outside: A,
) -> Array<A> {
    let vector = N::value().comptime();
    let mut x = Array::<A>::new(4usize);
    if comptime!(vector == BLOCK) {
        let value = Vector::<A, N>::cast_from(values[start + group * step]);
        #[unroll]
        for j in 0..BLOCK {
            x[j] = value.extract(j);
        }
    } else {
        #[unroll]
        for j in 0..BLOCK {
            let (class, inside) = class_of::<N>(group, j, skip, rows);
            let value = Vector::<A, N>::cast_from(values[start + class * step]);
            x[j] = select(inside, value.extract(0usize), outside);
        }
    }
    x
}

/// Where a row of a contiguous result begins, in vectors.
#[cube]
fn block_start<N: Size>(place: &Place, rows: &Rows) -> usize {
    let vector = N::value().comptime();
    if comptime!(vector == BLOCK) {
        output_start(place, rows)
    } else {
        class_start(place, rows)
    }
}

/// What lies in the result's memory for a block, `outside` where it is not of the row.
#[cube]
pub(crate) fn kept<F: Float, A: Float, N: Size>(
    out: &Tensor<Vector<F, N>>,
    place: &Place,
    rows: &Rows,
    skip: usize,
    group: usize,
    outside: A,
) -> Array<A> {
    let start = block_start::<N>(place, rows);
    block::<F, A, N>(out, start, rows.inner, rows, skip, group, outside)
}

/// Puts a block into the result.
#[cube]
pub(crate) fn put<F: Float, A: Float, N: Size>(
    out: &mut Tensor<Vector<F, N>>,
    values: &Array<A>,
    place: &Place,
    rows: &Rows,
    skip: usize,
    group: usize,
) {
    let vector = N::value().comptime();
    let to = block_start::<N>(place, rows);
    if comptime!(vector == BLOCK) {
        let mut value = Vector::<F, N>::empty();
        #[unroll]
        for j in 0..BLOCK {
            value.insert(j, F::cast_from(values[j]));
        }
        if place.live {
            out[to + group * rows.inner] = value;
        }
    } else {
        #[unroll]
        for j in 0..BLOCK {
            let (class, inside) = class_of::<N>(group, j, skip, rows);
            if inside && place.live {
                let mut value = Vector::<F, N>::empty();
                value.insert(0usize, F::cast_from(values[j]));
                out[to + class * rows.inner] = value;
            }
        }
    }
}
