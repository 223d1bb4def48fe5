//! Short floats: computed in f32, rounded once at the end.

use burn_core::tensor::{DType, FloatDType, Tensor};

/// In at least f32, the shortest dtype that anything is computed in.
pub(crate) fn load<const D: usize>(logits: Tensor<D>) -> Tensor<D> {
    let logits = logits.dequantize();
    match logits.dtype() {
        DType::F16 | DType::BF16 => logits.cast(FloatDType::F32),
        _ => logits,
    }
}

/// Rounded once to the dtype that was asked for.
pub(crate) fn store<const D: usize>(result: Tensor<D>, dtype: DType) -> Tensor<D> {
    if result.dtype() == dtype {
        result
    } else {
        result.cast(FloatDType::from(dtype))
    }
}
