//! How the units of a cube share its rows.
//!
//! A cube holds `rows` rows of `lanes` units each. The lanes of a row walk through its classes side by side, then combine their
//! partial results by plane operations and shared memory (see `lanes`). A row that one unit handles alone needs neither shared memory nor
//! barriers; that is the choice for short rows, for rows side by side in memory, and on software adapters.

use burn_cubecl::cubecl::{client::Client, prelude::CubeDim};

use super::device::{SOFTWARE_ITERATIONS, is_software, max_units, plane_size, software_units};

/// Rows up to this length are one unit's work: a barrier costs more than so few reads.
const SERIAL_CLASSES: usize = 16;

/// Classes a lane should have before a row gets more lanes: fewer do not pay for the shared-memory step.
const CLASSES_PER_LANE: usize = 8;

/// With so many rows side by side in memory, one unit per row fills any device and reads coalesced, whatever the row length.
const SERIAL_ROWS: usize = 1 << 16;

/// Rows from which a software adapter keeps busy with one unit per row. Such an adapter runs a cube's planes in turn on one
/// thread and a barrier makes coroutines of them, which was measured to cost 3 to 6 times the work between the barriers.
const SOFTWARE_SERIAL_ROWS: usize = 16;

/// Lanes that combine in one level: so few reads cost less than another barrier.
const DIRECT_LANES: usize = 8;

/// Shape of a cube.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Layout {
    /// Units per row, a power of two.
    pub(crate) lanes: usize,
    /// Rows per cube, a power of two.
    pub(crate) rows: usize,
    /// Neighbouring units are neighbouring rows, not neighbouring lanes.
    pub(crate) rows_fast: bool,
    /// Neighbouring lanes of a row that combine by plane operations, a power of two; 1 where the device has none.
    pub(crate) plane: usize,
}

/// Memory and walks that a kernel needs for each unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    /// Numbers in shared memory, of the statistics' type.
    pub(crate) numbers: usize,
    /// Indices in shared memory.
    pub(crate) indices: usize,
    /// Walks through the row, or loop iterations for each group of classes.
    pub(crate) walks: usize,
}

impl Need {
    /// So many walks and no memory.
    pub(crate) const fn walks(walks: usize) -> Self {
        Need {
            numbers: 0,
            indices: 0,
            walks,
        }
    }

    /// The same with so many numbers.
    pub(crate) const fn numbers(self, numbers: usize) -> Self {
        Need { numbers, ..self }
    }

    /// The same with so many indices.
    pub(crate) const fn indices(self, indices: usize) -> Self {
        Need { indices, ..self }
    }
}

impl Layout {
    /// The layout for `rows` rows of `classes`, where a unit takes so many bytes of shared memory and so many walks.
    pub(crate) fn choose(
        client: &Client,
        rows: usize,
        classes: usize,
        classes_contiguous: bool,
        shared_bytes: usize,
        walks: usize,
    ) -> Self {
        let rows_fast = !classes_contiguous;
        if is_software(client)
            && rows >= SOFTWARE_SERIAL_ROWS
            && classes * walks <= SOFTWARE_ITERATIONS
        {
            return Self::serial(software_units(client, rows), rows_fast);
        }
        let hardware = &client.properties().hardware;
        let units = max_units(client).min(hardware.max_shared_memory_size / shared_bytes);
        let units = 1 << units.max(1).ilog2();
        if classes <= SERIAL_CLASSES || (rows_fast && rows >= SERIAL_ROWS) {
            return Self::serial(units, rows_fast);
        }
        let lanes = classes
            .div_ceil(CLASSES_PER_LANE)
            .next_power_of_two()
            .min(units);
        Layout {
            lanes,
            rows: units / lanes,
            rows_fast,
            plane: if rows_fast {
                1
            } else {
                plane_size(client).min(lanes)
            },
        }
    }

    /// One unit per row.
    pub(crate) fn serial(units: usize, rows_fast: bool) -> Self {
        Layout {
            lanes: 1,
            rows: units,
            rows_fast,
            plane: 1,
        }
    }

    /// One row for as many units as it has results.
    pub(crate) fn combine(client: &Client, results: usize) -> Self {
        let most = max_units(client);
        let lanes = if is_software(client) {
            1
        } else {
            results.next_power_of_two().min(most)
        };
        Layout {
            lanes,
            rows: most / lanes,
            rows_fast: false,
            plane: 1,
        }
    }

    /// Units per cube.
    pub(crate) fn cube_dim(&self) -> CubeDim {
        CubeDim::new_1d((self.lanes * self.rows) as u32)
    }

    /// Distance of neighbouring lanes in shared memory.
    pub(crate) fn step(&self) -> usize {
        if self.rows_fast { self.rows } else { 1 }
    }

    /// Partial results after the first level.
    pub(crate) fn groups(&self) -> usize {
        if self.lanes <= DIRECT_LANES {
            self.lanes
        } else {
            1 << (self.lanes.ilog2() / 2)
        }
    }
}
