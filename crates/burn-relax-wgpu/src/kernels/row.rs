//! How rows are spread over units.
//!
//! A cube holds `rows` rows of `lanes` units each. The lanes of a row walk through its classes side by side, then combine their
//! partial results through shared memory (see `reduce`). A row that one unit handles alone needs neither shared memory nor
//! barriers; that is the choice for short rows, for rows side by side in memory, and on software adapters.

use burn_cubecl::cubecl;
use cubecl::{client::Client, prelude::*};

use super::view::Steps;

/// Units of a cube: what WebGPU guarantees, and a multiple of every plane size.
const MAX_UNITS: usize = 256;

/// Rows up to this length are one unit's work: a barrier costs more than so few reads.
const SERIAL_CLASSES: usize = 16;

/// Classes a lane should have before a row gets more lanes: fewer do not pay for the shared-memory step.
const CLASSES_PER_LANE: usize = 8;

/// With so many rows side by side in memory, one unit per row fills any device and reads coalesced, whatever the row length.
const SERIAL_ROWS: usize = 1 << 16;

/// Rows from which a software adapter keeps busy with one unit per row. Such an adapter runs a cube's planes in turn on one
/// thread and a barrier makes coroutines of them, which was measured to cost 3 to 6 times the work between the barriers.
const SOFTWARE_SERIAL_ROWS: usize = 16;

/// Cubes that keep every thread of a software adapter busy to the end; beyond, larger cubes save the cost of starting one.
const SOFTWARE_CUBES: usize = 64;

/// Classes a lane handles where no unit waits for another: enough to pay for finding its place, few enough to split long rows
/// over the device.
const INDEPENDENT_CLASSES: usize = 8;

/// The same on a software adapter, where finding the place (two integer divisions) is slow and threads are few.
const SOFTWARE_INDEPENDENT_CLASSES: usize = 64;

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
}

impl Layout {
    /// The layout for `rows` rows of `classes`, where a unit needs `shared_bytes` of shared memory.
    pub(crate) fn choose(
        client: &Client,
        rows: usize,
        classes: usize,
        classes_contiguous: bool,
        shared_bytes: usize,
    ) -> Self {
        let rows_fast = !classes_contiguous;
        if is_software(client) && rows >= SOFTWARE_SERIAL_ROWS {
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
        }
    }

    /// The layout for a kernel whose units do not wait for each other, and the classes per chunk of a row.
    pub(crate) fn independent(
        client: &Client,
        rows: usize,
        classes: usize,
        classes_contiguous: bool,
    ) -> (Self, usize) {
        if is_software(client) {
            let items = rows * classes.div_ceil(SOFTWARE_INDEPENDENT_CLASSES);
            let layout = Self::serial(software_units(client, items), !classes_contiguous);
            return (layout, SOFTWARE_INDEPENDENT_CLASSES);
        }
        let layout = Self::choose(client, rows, classes, classes_contiguous, 1);
        (layout, layout.lanes * INDEPENDENT_CLASSES)
    }

    /// One unit per row.
    fn serial(units: usize, rows_fast: bool) -> Self {
        Layout {
            lanes: 1,
            rows: units,
            rows_fast,
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

/// Whether the device is no card: a processor that runs shaders.
fn is_software(client: &Client) -> bool {
    client.properties().identity.physical.is_none()
}

/// Units of a cube on any device.
fn max_units(client: &Client) -> usize {
    let hardware = &client.properties().hardware;
    MAX_UNITS
        .min(hardware.max_units_per_cube as usize)
        .min(hardware.max_cube_dim.0 as usize)
}

/// Units of a cube on a software adapter for `items` pieces of work: at least one plane, that is one vector register.
fn software_units(client: &Client, items: usize) -> usize {
    let most = max_units(client);
    let plane = client.properties().hardware.plane_size_min as usize;
    let units = (items / SOFTWARE_CUBES).clamp(plane.clamp(1, most), most);
    1 << units.ilog2()
}

/// Sizes of the rows of a launch.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Rows {
    /// Number of rows.
    pub(crate) count: usize,
    /// Their length.
    pub(crate) classes: usize,
    /// Rows next to each other in memory: the product of the dimensions after `dim`.
    pub(crate) inner: usize,
    /// Values per class.
    pub(crate) features: usize,
    /// Classes of which a lane adds its own before they join its running sum: with about as many blocks as terms per block, the
    /// error of a sum grows with the fourth root of the row's length.
    pub(crate) block: usize,
}

/// What a unit works on.
#[derive(CubeType)]
pub(crate) struct Place {
    /// The unit's number among those of its row.
    pub(crate) lane: usize,
    /// The row's place before the classes.
    pub(crate) outer: usize,
    /// The row's place after the classes.
    pub(crate) inner: usize,
    /// The part of the row, where rows are split.
    pub(crate) chunk: usize,
    /// False for units beyond the last row: they compute along (barriers need every unit) and write nothing.
    pub(crate) live: bool,
}

/// The place of this unit, rows being split into `chunks`.
#[cube]
pub(crate) fn place(rows: &Rows, chunks: usize, #[comptime] layout: Layout) -> Place {
    let unit = UNIT_POS as usize;
    let (lane, local) = if comptime!(layout.rows_fast) {
        (unit / layout.rows, unit % layout.rows)
    } else {
        (unit % layout.lanes, unit / layout.lanes)
    };
    let wanted = CUBE_POS * layout.rows + local;
    let live = wanted < rows.count * chunks;
    let item = select(live, wanted, 0);
    let row = item % rows.count;
    Place {
        lane,
        outer: row / rows.inner,
        inner: row % rows.inner,
        chunk: item / rows.count,
        live,
    }
}

/// Offset of a row's first element.
#[cube]
pub(crate) fn row_start(place: &Place, steps: &Steps) -> usize {
    place.outer * steps.outer + place.inner * steps.inner
}
