//! How the rows of a launch are cut.
//!
//! A row is one cube's work, or its parts are, where rows are long and few; then a second launch combines what the parts know.
//! Kernels whose units do not wait for each other cut every row.

use burn_cubecl::cubecl::client::Client;

use super::{
    device::{SOFTWARE_ITERATIONS, is_software, software_units},
    layout::Layout,
};

/// Groups of classes up to which a row is one cube's work, in one launch.
const CUBE_GROUPS: usize = 1 << 15;

/// Rows from which a card is busy with one cube for each: longer rows are not split then.
const SPLIT_ROWS: usize = 128;

/// Groups in the smallest part of a split row: far more work than combining the parts, which every unit does again.
const CHUNK_GROUPS: usize = 4096;

/// Parts of a split row at most. Each unit of the second launch reads what all of them know.
const MAX_CHUNKS: usize = 64;

/// The same on a software adapter, where each part is one unit's work and the units of a cube run side by side.
const SOFTWARE_MAX_CHUNKS: usize = 256;

/// Classes a lane handles where no unit waits for another: enough to pay for finding its place, few enough to split long rows
/// over the device.
const INDEPENDENT_CLASSES: usize = 8;

/// The same on a software adapter, where finding the place (two integer divisions) is slow and threads are few.
const SOFTWARE_INDEPENDENT_CLASSES: usize = 64;

/// The part of the work that a launch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// All of it: rows are not split.
    Whole,
    /// The first of two: what a chunk knows of its row goes to a small tensor.
    Partial,
    /// The second: every chunk combines what all chunks know, and writes its part of the results.
    Finish,
}

/// The meaning of a launch's chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Chunks {
    /// Parts of the row.
    Parts,
    /// One for each row, which combines what the parts of the launch before know.
    Combined,
    /// Repetitions, each of which walks through all of the row.
    Repetitions,
}

/// How an operator is launched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) layout: Layout,
    /// Parts of a row, 1 where rows are not split.
    pub(crate) chunks: usize,
    /// Groups of classes in a part.
    pub(crate) span: usize,
}

impl Plan {
    /// The plan for `rows` rows of `groups` groups of classes, with the memory and the walks of [`Layout::choose`].
    pub(crate) fn split(
        client: &Client,
        rows: usize,
        groups: usize,
        classes_contiguous: bool,
        shared_bytes: usize,
        walks: usize,
    ) -> Self {
        let (enough, most) = if is_software(client) {
            (usize::MAX, SOFTWARE_MAX_CHUNKS)
        } else {
            (SPLIT_ROWS, MAX_CHUNKS)
        };
        let (chunks, span) = if groups <= CUBE_GROUPS || rows >= enough {
            (1, groups)
        } else {
            let span = groups.div_ceil(most).max(CHUNK_GROUPS);
            (groups.div_ceil(span), span)
        };
        let items = rows * chunks;
        let layout = Layout::choose(client, items, span, classes_contiguous, shared_bytes, walks);
        Plan {
            layout,
            chunks,
            span,
        }
    }

    /// The plan for a kernel whose units do not wait for each other, so that all rows are split; it takes `walks` loop iterations
    /// for each group of classes.
    pub(crate) fn independent(
        client: &Client,
        rows: usize,
        groups: usize,
        classes_contiguous: bool,
        walks: usize,
    ) -> Self {
        let (layout, span) = if is_software(client) {
            let span = SOFTWARE_INDEPENDENT_CLASSES.min(SOFTWARE_ITERATIONS.div_ceil(walks));
            let items = rows * groups.div_ceil(span);
            let layout = Layout::serial(software_units(client, items), !classes_contiguous);
            (layout, span)
        } else {
            let layout = Layout::choose(client, rows, groups, classes_contiguous, 1, walks);
            (layout, layout.lanes * INDEPENDENT_CLASSES)
        };
        Plan {
            layout,
            chunks: groups.div_ceil(span),
            span,
        }
    }

    /// Passes through a row, of at most `most`, that a kernel may make which walks through it `walks` times besides.
    pub(crate) fn passes(&self, client: &Client, most: usize, walks: usize) -> usize {
        if !is_software(client) {
            return most;
        }
        let iterations = self.span.div_ceil(self.layout.lanes) + 1;
        most.min((SOFTWARE_ITERATIONS / iterations).saturating_sub(walks))
            .max(1)
    }
}
