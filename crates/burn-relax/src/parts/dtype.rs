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

/// Whether a number has no more digits than a short float, and lies in its normal range; the others compute in no less than f32.
pub(crate) fn is_exact(value: f64, dtype: DType) -> bool {
    let normal = match dtype {
        DType::F16 => 6.103_515_625e-5..=65_504.0,
        DType::BF16 => f64::from(f32::MIN_POSITIVE)..=3.389_531_389_251_535_5e38,
        _ => return true,
    };
    let beyond = (1_u64 << (f64::MANTISSA_DIGITS - digits(dtype))) - 1;
    value.to_bits() & beyond == 0 && normal.contains(&value.abs())
}

/// How far a number near 1 may be from what it stands for: a few units in its last place.
#[cfg(feature = "debug-validation")]
pub(crate) fn rounding(dtype: DType) -> f64 {
    4.0 * 0.5_f64.powi(digits(dtype) as i32)
}

/// Binary digits of a number.
fn digits(dtype: DType) -> u32 {
    match dtype {
        DType::F16 => 11,
        DType::BF16 => 8,
        DType::F64 => f64::MANTISSA_DIGITS,
        _ => f32::MANTISSA_DIGITS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_short_float_are_exact_in_it() {
        assert!(is_exact(2.5, DType::BF16) && is_exact(3001.0, DType::F32));
        assert!(is_exact(2047.0, DType::F16) && !is_exact(2049.0, DType::F16));
        assert!(!is_exact(3001.0, DType::BF16) && !is_exact(0.1, DType::F16));
        assert!(!is_exact(65_536.0, DType::F16) && !is_exact(2f64.powi(-20), DType::F16));
    }
}
