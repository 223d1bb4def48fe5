//! The statistics of a row: its maximum and its normaliser.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{
    math::is_nan,
    row::Place,
    special::{divisor, is_decided, raw_weight},
    view::Grid,
};

/// A row's statistics, as a backward pass reads them.
#[derive(CubeType)]
pub(crate) struct Known<A: Float> {
    pub(crate) max: A,
    /// The second statistic as it is stored.
    pub(crate) normaliser: A,
    /// The same as a divisor.
    pub(crate) divisor: A,
    /// Whether the row holds `+inf`.
    pub(crate) decided: bool,
}

/// Reads a row's statistics.
#[cube]
pub(crate) fn known<A: Float>(stats: &Grid<'_, A, Const<1>>, place: &Place) -> Known<A> {
    let stats = stats.row(place);
    let max = stats.first::<A>();
    let normaliser = stats.value::<A>(1usize, 0usize);
    Known::<A> {
        max,
        normaliser,
        divisor: divisor::<A>(normaliser),
        decided: is_decided::<A>(max),
    }
}

#[cube]
impl<A: Float> Known<A> {
    /// The weight of an entry.
    pub(crate) fn weight(&self, x: A, reciprocal: A) -> A {
        raw_weight::<A>(x, self.max, reciprocal) / self.divisor
    }
}

/// Writes a row's statistics; both are NaN if the normaliser is.
#[cube]
pub(crate) fn write_stats<A: Float>(stats: &mut Tensor<A>, place: &Place, max: A, normaliser: A) {
    if place.speaks_for_row() {
        let first = select(is_nan::<A>(normaliser), normaliser, max);
        stats[place.number_at(0usize, 2usize)] = first;
        stats[place.number_at(1usize, 2usize)] = normaliser;
    }
}
