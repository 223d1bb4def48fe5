//! How rows are spread over units.
//!
//! A cube holds `rows` rows of `lanes` units each. The lanes of a row walk through its classes side by side, then combine their
//! partial results by plane operations and shared memory (see `reduce`). A row that one unit handles alone needs neither shared memory nor
//! barriers; that is the choice for short rows, for rows side by side in memory, and on software adapters.

use std::sync::LazyLock;

use burn_cubecl::cubecl;
use cubecl::{client::Client, ir::features::Plane, prelude::*};

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

/// Loop iterations that one unit may take on a software adapter: Mesa's stops any invocation after 65 535 of them, over all its loops.
const SOFTWARE_ITERATIONS: usize = 60_000;

/// Cubes that keep every thread of a software adapter busy to the end; beyond, larger cubes save the cost of starting one.
const SOFTWARE_CUBES: usize = 64;

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

/// What a kernel needs of a unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    /// Bytes of shared memory.
    pub(crate) shared_bytes: usize,
    /// Walks through the row, or loop iterations for each group of classes.
    pub(crate) walks: usize,
}

impl Layout {
    /// The layout for `rows` rows of `classes`.
    pub(crate) fn choose(
        client: &Client,
        rows: usize,
        classes: usize,
        classes_contiguous: bool,
        need: Need,
    ) -> Self {
        let rows_fast = !classes_contiguous;
        if is_software(client)
            && rows >= SOFTWARE_SERIAL_ROWS
            && classes * need.walks <= SOFTWARE_ITERATIONS
        {
            return Self::serial(software_units(client, rows), rows_fast);
        }
        let hardware = &client.properties().hardware;
        let units = max_units(client).min(hardware.max_shared_memory_size / need.shared_bytes);
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
    fn serial(units: usize, rows_fast: bool) -> Self {
        Layout {
            lanes: 1,
            rows: units,
            rows_fast,
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

/// Set to run on a software adapter what a card would run. For tests: it is slow there.
const AS_A_CARD: &str = "BURN_RELAX_AS_A_CARD";

/// Whether to treat the device as a card whatever it is.
fn as_a_card() -> bool {
    static SET: LazyLock<bool> = LazyLock::new(|| std::env::var_os(AS_A_CARD).is_some());
    *SET
}

/// Whether the device is no card: a processor that runs shaders.
fn is_software(client: &Client) -> bool {
    client.properties().identity.physical.is_none() && !as_a_card()
}

/// Units that can combine values without shared memory, 1 if none can: a device may lack the operations, or choose a kernel's
/// plane size itself.
fn plane_size(client: &Client) -> usize {
    let properties = client.properties();
    let hardware = &properties.hardware;
    // CubeCL does not offer the operations on software adapters, which have them.
    let has = properties.features.plane.contains(Plane::Ops) || as_a_card();
    if has && hardware.plane_size_min == hardware.plane_size_max {
        hardware.plane_size_min.max(1) as usize
    } else {
        1
    }
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

/// What a launch does with its part of every row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// All of it: rows are not split.
    Whole,
    /// The first of two: what a chunk knows of its row goes to a small tensor.
    Partial,
    /// The second: every chunk combines what all chunks know, and writes its part of the results.
    Finish,
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
    /// The plan for `rows` rows of `groups` groups of classes.
    pub(crate) fn choose(
        client: &Client,
        rows: usize,
        groups: usize,
        classes_contiguous: bool,
        need: Need,
    ) -> Self {
        let (enough, most) = if is_software(client) {
            (usize::MAX, SOFTWARE_MAX_CHUNKS)
        } else {
            (SPLIT_ROWS, MAX_CHUNKS)
        };
        if groups <= CUBE_GROUPS || rows >= enough {
            return Self::unsplit(client, rows, groups, classes_contiguous, need);
        }
        let span = groups.div_ceil(most).max(CHUNK_GROUPS);
        let chunks = groups.div_ceil(span);
        Plan {
            layout: Layout::choose(client, rows * chunks, span, classes_contiguous, need),
            chunks,
            span,
        }
    }

    /// The plan for a kernel that cannot split rows.
    pub(crate) fn unsplit(
        client: &Client,
        rows: usize,
        groups: usize,
        classes_contiguous: bool,
        need: Need,
    ) -> Self {
        Plan {
            layout: Layout::choose(client, rows, groups, classes_contiguous, need),
            chunks: 1,
            span: groups,
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
            let need = Need {
                shared_bytes: 1,
                walks,
            };
            let layout = Layout::choose(client, rows, groups, classes_contiguous, need);
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

    /// The launches, in order.
    pub(crate) fn phases(&self) -> &'static [Phase] {
        if self.chunks == 1 {
            &[Phase::Whole]
        } else {
            &[Phase::Partial, Phase::Finish]
        }
    }

    /// Elements of the tensor between the phases, `width` for each chunk; one that nobody reads where there is no split.
    pub(crate) fn partials(&self, rows: usize, width: usize) -> usize {
        if self.chunks == 1 {
            1
        } else {
            rows * self.chunks * width
        }
    }

    /// Layout and cubes of a phase for a kernel that has few results for each of its `rows` rows, `items` of them: rows are split in
    /// the first of two launches only.
    pub(crate) fn launch(
        &self,
        phase: Phase,
        client: &Client,
        rows: usize,
        items: usize,
    ) -> (Layout, usize) {
        if phase == Phase::Finish {
            let layout = Self::combine(client, items);
            (layout, rows.div_ceil(layout.rows))
        } else {
            (self.layout, self.cubes(rows))
        }
    }

    /// One row for as many units as it has results.
    fn combine(client: &Client, items: usize) -> Layout {
        let most = max_units(client);
        let lanes = if is_software(client) {
            1
        } else {
            items.next_power_of_two().min(most)
        };
        Layout {
            lanes,
            rows: most / lanes,
            rows_fast: false,
            plane: 1,
        }
    }

    /// Cubes that cover all chunks of `rows` rows.
    pub(crate) fn cubes(&self, rows: usize) -> usize {
        (rows * self.chunks).div_ceil(self.layout.rows)
    }
}

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
    /// Values per class.
    pub(crate) features: usize,
    /// Parts of a row.
    pub(crate) chunks: usize,
    /// Groups in a part.
    pub(crate) span: usize,
    /// Groups of which a lane adds its own before they join its running sum: with about as many blocks as terms per block, the
    /// error of a sum grows with the fourth root of the row's length.
    pub(crate) block: usize,
}

/// What a unit works on.
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
}

/// The place of this unit.
#[cube]
pub(crate) fn place(rows: &Rows, #[comptime] layout: Layout) -> Place {
    place_in(rows, rows.chunks, false, layout)
}

/// The same for a kernel that has few results for each row: rows are split in the first of two launches only.
#[cube]
pub(crate) fn phase_place(
    rows: &Rows,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
) -> Place {
    if comptime!(phase == Phase::Finish) {
        place_in(rows, 1usize.runtime(), false, layout)
    } else {
        place_in(rows, rows.chunks, false, layout)
    }
}

/// The same for a kernel whose chunks are not parts of the row: each walks through all of it.
#[cube]
pub(crate) fn repeated_place(rows: &Rows, #[comptime] layout: Layout) -> Place {
    place_in(rows, rows.chunks, true, layout)
}

/// The place of this unit among `chunks` parts of each row.
#[cube]
fn place_in(
    rows: &Rows,
    chunks: usize,
    #[comptime] repeated: bool,
    #[comptime] layout: Layout,
) -> Place {
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
    let chunk = item / rows.count;
    let (first, end) = if comptime!(repeated) {
        (lane, rows.groups)
    } else {
        let first = chunk * rows.span + lane;
        (first, min((chunk + 1) * rows.span, rows.groups))
    };
    Place {
        lane,
        row,
        outer: row / rows.inner,
        inner: row % rows.inner,
        chunk,
        first,
        end,
        live,
    }
}

/// Offset of a row's first element.
#[cube]
pub(crate) fn row_start(place: &Place, steps: &Steps) -> usize {
    place.outer * steps.outer + place.inner * steps.inner
}

/// Whether this unit writes what there is once per row.
#[cube]
pub(crate) fn speaks_for_row(place: &Place) -> bool {
    place.live && place.lane == 0 && place.chunk == 0
}

/// Offset of a row's first group in a contiguous output of the logits' shape, where groups are vectors; they are `rows.inner` apart.
#[cube]
pub(crate) fn output_start(place: &Place, rows: &Rows) -> usize {
    place.outer * rows.groups * rows.inner + place.inner
}

/// Offset of a row's first class in the same, whatever the groups; classes are `rows.inner` apart.
#[cube]
pub(crate) fn class_start(place: &Place, rows: &Rows) -> usize {
    place.outer * rows.classes * rows.inner + place.inner
}
