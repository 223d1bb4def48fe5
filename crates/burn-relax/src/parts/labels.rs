//! Indices of classes, as the caller keeps them.

use burn_core::tensor::{Bool, DType, Device, Int, IntDType, Tensor};

/// The dtype of a device's integers, or one of 32 bits where they are too short to number classes.
pub(crate) fn index_dtype(device: &Device) -> IntDType {
    match device.settings().int_dtype {
        IntDType::I8 | IntDType::I16 | IntDType::U8 | IntDType::U16 => IntDType::I32,
        dtype => dtype,
    }
}

/// Indices in a dtype that holds the number of every class: one of 8 or 16 bits would wrap.
pub(crate) fn wide<const D: usize>(indices: Tensor<D, Int>) -> Tensor<D, Int> {
    match indices.dtype() {
        DType::I8 | DType::I16 | DType::U8 | DType::U16 => {
            let dtype = index_dtype(&indices.device());
            indices.cast(dtype)
        }
        _ => indices,
    }
}

/// Where wide labels are one of these; a label that the labels' dtype cannot hold is nowhere.
pub(crate) fn any_of<const D: usize>(
    labels: &Tensor<D, Int>,
    these: impl Iterator<Item = i64>,
) -> Option<Tensor<D, Bool>> {
    let (least, largest) = match labels.dtype() {
        DType::I32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        DType::U32 => (0, i64::from(u32::MAX)),
        DType::U64 => (0, i64::MAX),
        _ => (i64::MIN, i64::MAX),
    };
    these
        .filter(|label| (least..=largest).contains(label))
        .map(|label| labels.clone().equal_scalar(label))
        .reduce(Tensor::bool_or)
}
