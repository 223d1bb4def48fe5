//! Searches for a threshold: when a cube's rows stop, and steps inside a bracket.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::row::Place;

/// Passes after which a search ends whatever it found: more than any row needs, so that no input can hang it.
pub(crate) const MOST_PASSES: usize = 200;

/// Passes that a row takes hardly ever: so many must fit into what a software adapter lets one unit do.
pub(crate) const USUAL_PASSES: usize = 40;

/// Steps without halving the bracket before it is halved.
pub(crate) const PATIENCE: u32 = 3;

/// Shared memory for [`goes_on`].
#[cube]
pub(crate) fn flag() -> Shared<[u32]> {
    Shared::<[u32]>::new_slice(1usize)
}

/// Whether a row of the cube, or the row of a unit that works alone, is `pending`. It has a barrier where units work together, and
/// its result decides on loops that have some: WGSL must know that all units agree.
#[cube]
pub(crate) fn goes_on(pending: bool, place: &Place, flag: &mut Shared<[u32]>) -> bool {
    let layout = comptime!(place.rows.layout);
    if comptime!(layout.lanes == 1) {
        pending
    } else {
        if UNIT_POS == 0 {
            flag[0] = u32::cast_from(pending);
        }
        if comptime!(layout.rows > 1) {
            sync_cube();
            if pending && place.lane == 0 {
                flag[0] = 1u32;
            }
        }
        workgroup_uniform_load(&flag[0]) != 0u32
    }
}
