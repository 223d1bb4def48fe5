//! The CPU backends: every operation goes to the row kernels, through the tensor type of the backend's own crate.

#[cfg(feature = "flex")]
use burn_core::backend::Flex;
#[cfg(feature = "ndarray")]
use burn_core::backend::NdArray;
use burn_core::backend::{Backend, TensorMetadata, tensor::IntTensor};
use burn_core::tensor::{DType, IntDType};

use crate::dispatch::{
    execution::is_composed,
    kinds::{Float, FloatTensor, Int, Seed, index_dtype},
    ops::RelaxOps,
    table::operations,
};

/// Indices in the 64 bits that the kernels read.
fn long<B: Backend>(index: IntTensor<B>) -> IntTensor<B> {
    if index.dtype() == DType::I64 {
        index
    } else {
        B::int_cast(index, IntDType::I64)
    }
}

/// 64-bit indices from a kernel as the device keeps its integers.
fn of_device<B: Backend>(index: IntTensor<B>) -> IntTensor<B> {
    let dtype = index_dtype::<B>(&index.device());
    if index.dtype() == DType::from(dtype) {
        index
    } else {
        B::int_cast(index, dtype)
    }
}

macro_rules! enter {
    ($kernels:ident Int $tensor:ident) => {
        $kernels::Rows::from(long::<Self>($tensor))
    };
    ($kernels:ident $kind:ident $tensor:ident) => {
        $kernels::Rows::from($tensor)
    };
}

macro_rules! leave {
    (Int $tensor:ident) => {
        of_device::<Self>($tensor.into())
    };
    ($kind:ident $tensor:ident) => {
        $tensor.into()
    };
}

macro_rules! run {
    ($kernels:ident
        $name:ident [$($kind:ident $input:ident),*] [$($number:ident),*] [$($result:ident $output:ident),+]
    ) => {{
        let ($($output),+) = $kernels::operators::$name($(enter!($kernels $kind $input),)* $($number),*);
        ($(leave!($result $output)),+)
    }};
}

#[cfg(feature = "flex")]
operations!(implement [[impl RelaxOps for Flex] [is_composed()] run burn_relax_flex]);
#[cfg(feature = "ndarray")]
operations!(implement [[impl RelaxOps for NdArray] [is_composed()] run burn_relax_ndarray]);
