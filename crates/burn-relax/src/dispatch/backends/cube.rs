//! The CubeCL backends: every operation has a kernel of its own name.

use burn_cubecl::CubeBackend;

use crate::dispatch::{
    execution::is_composed,
    kinds::{Float, FloatTensor, Int, Seed},
    ops::RelaxOps,
    table::operations,
};

macro_rules! launch {
    ($kernels:ident $name:ident [$($kind:ident $input:ident),*] [$($number:ident),*] $outputs:tt) => {
        $kernels::$name($($input,)* $($number),*)
    };
}
// Fusion has decided when it queued the operation, and described what comes out.
operations!(implement [
    [impl RelaxOps for CubeBackend] [cfg!(not(feature = "fusion")) && is_composed()] launch burn_relax_wgpu
]);
