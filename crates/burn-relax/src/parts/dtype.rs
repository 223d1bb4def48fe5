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

/// The dtype that tensors of a dtype are computed in.
pub(crate) fn computed_in(dtype: DType) -> DType {
    match dtype {
        DType::F64 => DType::F64,
        _ => DType::F32,
    }
}

/// The number greater than 0 nearest to `value` that tensors of a dtype are computed with at full precision: a temperature below
/// the smallest normal number would be 0, one above the largest infinite.
pub(crate) fn held(value: f64, dtype: DType) -> f64 {
    match computed_in(dtype) {
        DType::F64 => value.clamp(f64::MIN_POSITIVE, f64::MAX),
        _ => value.clamp(f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX)),
    }
}

/// The distance from 1 to the next number of a dtype that is computed in.
pub(crate) fn epsilon(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::EPSILON,
        _ => f64::from(f32::EPSILON),
    }
}

/// Whether a dtype holds a number without rounding it.
pub(crate) fn is_exact(value: f64, dtype: DType) -> bool {
    let single = value as f32;
    // The digits of f32 that the shorter dtype drops, and its normal numbers.
    let (dropped, least, largest) = match dtype {
        DType::F16 => (0x1fff, 1.0 / 16384.0, 65504.0),
        DType::BF16 => (0xffff, f32::MIN_POSITIVE, f32::MAX),
        _ => return true,
    };
    let normal = single == 0.0 || (least..=largest).contains(&single.abs());
    f64::from(single) == value && single.to_bits() & dropped == 0 && normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_floats_hold_what_has_few_digits() {
        for (value, f16, bf16) in [
            (2.0, true, true),
            (257.0, true, false),
            (3001.0, false, false),
            (70_000.0, false, false),
            (65_536.0, false, true),
            (0.1, false, false),
            (1e-40, false, false),
        ] {
            assert_eq!(is_exact(value, DType::F16), f16, "{value}");
            assert_eq!(is_exact(value, DType::BF16), bf16, "{value}");
            assert!(is_exact(value, DType::F32));
        }
    }

    #[test]
    fn numbers_beyond_a_dtype_are_its_nearest() {
        assert_eq!(held(1e-40, DType::BF16), f64::from(f32::MIN_POSITIVE));
        assert_eq!(held(1e300, DType::F32), f64::from(f32::MAX));
        assert_eq!(held(1e-40, DType::F64), 1e-40);
        assert_eq!(held(0.1, DType::F16), 0.1);
    }
}
