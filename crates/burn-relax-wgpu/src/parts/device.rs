//! Limits of the device, and of one that is no card.

use std::sync::LazyLock;

use burn_cubecl::cubecl::{client::Client, ir::features::Plane};

/// Units of a cube: what WebGPU guarantees, and a multiple of every plane size.
const MAX_UNITS: usize = 256;

/// Cubes that keep every thread of a software adapter busy to the end; beyond, larger cubes save the cost of starting one.
const SOFTWARE_CUBES: usize = 64;

/// Loop iterations that one unit may take on a software adapter: Mesa's stops any invocation after 65 535 of them, over all its loops.
pub(crate) const SOFTWARE_ITERATIONS: usize = 60_000;

/// Set to run on a software adapter what a card would run. For tests: it is slow there.
const AS_A_CARD: &str = "BURN_RELAX_AS_A_CARD";

/// Whether to treat the device as a card whatever it is.
fn as_a_card() -> bool {
    static SET: LazyLock<bool> = LazyLock::new(|| std::env::var_os(AS_A_CARD).is_some());
    *SET
}

/// Whether the device is no card: a processor that runs shaders.
pub(crate) fn is_software(client: &Client) -> bool {
    client.properties().identity.physical.is_none() && !as_a_card()
}

/// Units that can combine values without shared memory, 1 if none can: a device may lack the operations, or choose a kernel's
/// plane size itself.
pub(crate) fn plane_size(client: &Client) -> usize {
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
pub(crate) fn max_units(client: &Client) -> usize {
    let hardware = &client.properties().hardware;
    MAX_UNITS
        .min(hardware.max_units_per_cube as usize)
        .min(hardware.max_cube_dim.0 as usize)
}

/// Units of a cube on a software adapter for `items` pieces of work: at least one plane, that is one vector register.
pub(crate) fn software_units(client: &Client, items: usize) -> usize {
    let most = max_units(client);
    let plane = client.properties().hardware.plane_size_min as usize;
    let units = (items / SOFTWARE_CUBES).clamp(plane.clamp(1, most), most);
    1 << units.ilog2()
}
