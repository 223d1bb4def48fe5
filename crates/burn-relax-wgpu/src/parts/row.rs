//! Where a unit is: its row, its part of that row, and its place in the results.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{
    layout::Layout,
    plan::{Chunks, Phase},
};

/// Sizes of the rows of a launch. Classes are walked through in groups: vectors of neighbours, blocks of noise, or single ones.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Rows {
    /// Number of rows.
    pub(crate) count: usize,
    /// Their length.
    pub(crate) classes: usize,
    /// The same in groups.
    pub(crate) groups: usize,
    /// Rows next to each other in memory: the product of the dimensions after `dim`.
    pub(crate) inner: usize,
    /// Values for each class; where a class has one, results for each row.
    pub(crate) features: usize,
    /// Parts of a row.
    pub(crate) chunks: usize,
    /// Groups in a part.
    pub(crate) span: usize,
    /// Groups of which a lane adds its own before they join its running sum: with about as many blocks as terms per block, the
    /// error of a sum grows with the fourth root of the row's length.
    pub(crate) block: usize,
    /// The meaning of this launch's chunks.
    #[cube(comptime)]
    pub(crate) kind: Chunks,
    /// The part of the work that this launch does.
    #[cube(comptime)]
    pub(crate) phase: Phase,
    /// How a cube's units share its rows.
    #[cube(comptime)]
    pub(crate) layout: Layout,
}

/// The place that a unit works on.
#[derive(CubeType)]
pub(crate) struct Place {
    /// The unit's number among those of its row.
    pub(crate) lane: usize,
    /// The row's number.
    pub(crate) row: usize,
    /// The row's place before the classes.
    pub(crate) outer: usize,
    /// The row's place after the classes.
    pub(crate) inner: usize,
    /// The part of the row, where rows are split.
    pub(crate) chunk: usize,
    /// The unit's first group of that part.
    pub(crate) first: usize,
    /// The end of that part.
    pub(crate) end: usize,
    /// False for units beyond the last row: they compute along (barriers need every unit) and write nothing.
    pub(crate) live: bool,
    /// Offset of the row's first group in a contiguous result of the rows' shape, where groups are vectors.
    pub(crate) to: usize,
    /// Sizes of the rows.
    pub(crate) rows: Rows,
}

/// The place of this unit.
#[cube]
pub(crate) fn place(rows: Rows) -> Place {
    let layout = comptime!(rows.layout);
    let kind = comptime!(rows.kind);
    let unit = UNIT_POS as usize;
    let (lane, local) = if comptime!(layout.rows_fast) {
        (unit / layout.rows, unit % layout.rows)
    } else {
        (unit % layout.lanes, unit / layout.lanes)
    };
    let chunks = if comptime!(kind == Chunks::Combined) {
        1usize.runtime()
    } else {
        rows.chunks
    };
    let wanted = CUBE_POS * layout.rows + local;
    let live = wanted < rows.count * chunks;
    let item = select(live, wanted, 0);
    let row = item % rows.count;
    let chunk = item / rows.count;
    let (first, end) = if comptime!(kind == Chunks::Repetitions) {
        (lane, rows.groups)
    } else {
        let first = chunk * rows.span + lane;
        (first, min((chunk + 1) * rows.span, rows.groups))
    };
    let outer = row / rows.inner;
    let inner = row % rows.inner;
    Place {
        lane,
        row,
        outer,
        inner,
        chunk,
        first,
        end,
        live,
        to: outer * rows.groups * rows.inner + inner,
        rows,
    }
}

#[cube]
impl Place {
    /// Whether this unit writes what there is once per row.
    pub(crate) fn speaks_for_row(&self) -> bool {
        self.live && self.lane == 0 && self.chunk == 0
    }

    /// Whether this unit writes what its chunk knows.
    pub(crate) fn speaks_for_chunk(&self) -> bool {
        self.live && self.lane == 0
    }

    /// The unit's group after group `g`.
    pub(crate) fn next(&self, g: usize) -> usize {
        let lanes = comptime!(self.rows.layout.lanes);
        g + lanes
    }

    /// Where group `g` lies in a contiguous result of the rows' shape.
    pub(crate) fn at(&self, g: usize) -> usize {
        self.to + g * self.rows.inner
    }

    /// Where number `i` of the row's `count` lies in a contiguous result that has so many along `dim`.
    pub(crate) fn number_at(&self, i: usize, count: usize) -> usize {
        (self.outer * count + i) * self.rows.inner + self.inner
    }
}
