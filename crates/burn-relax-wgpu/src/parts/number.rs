//! Constants inside kernels. CubeCL makes them here and nowhere else.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// A constant.
#[cube]
pub(crate) fn number<A: Float>(#[comptime] value: f32) -> A {
    A::new(value)
}

/// 0
#[cube]
pub(crate) fn zero<A: Float>() -> A {
    number::<A>(0.0_f32)
}

/// 1
#[cube]
pub(crate) fn one<A: Float>() -> A {
    number::<A>(1.0_f32)
}

/// A constant that depends on the precision of the computation.
#[cube]
pub(crate) fn by_precision<A: Float>(#[comptime] single: f32, #[comptime] double: f64) -> A {
    let size = A::size().comptime();
    if comptime!(size == 4) {
        number::<A>(single)
    } else {
        A::cast_from(double)
    }
}
