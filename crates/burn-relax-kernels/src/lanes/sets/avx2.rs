//! 256-bit registers. The invariant behind every `unsafe` block is that of the [folder](super::register).

use super::register::{fused, register, wrapped};
use crate::lanes::pack::Pack;
use crate::lanes::path::Path;
use crate::lanes::vector::Backend;
use core::arch::x86_64::*;
use core::array::from_fn;

/// AVX2 with FMA and F16C.
pub struct Avx2;

impl Backend for Avx2 {
    type F32 = Pack<F32x8, 2>;
    type F64 = Pack<F64x4, 2>;
    const PATH: Path = Path::Avx2;
}

wrapped! { "avx2";
    lt_ps(a: __m256, b: __m256) -> __m256 { _mm256_cmp_ps::<_CMP_LT_OQ>(a, b) }
    not_lt_ps(a: __m256, b: __m256) -> __m256 { _mm256_cmp_ps::<_CMP_NLT_UQ>(a, b) }
    eq_ps(a: __m256, b: __m256) -> __m256 { _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b) }
    ne_ps(a: __m256, b: __m256) -> __m256 { _mm256_cmp_ps::<_CMP_NEQ_UQ>(a, b) }
    unordered_ps(a: __m256, b: __m256) -> __m256 { _mm256_cmp_ps::<_CMP_UNORD_Q>(a, b) }
    select_ps(m: __m256, a: __m256, b: __m256) -> __m256 { _mm256_blendv_ps(b, a, m) }
    lt_pd(a: __m256d, b: __m256d) -> __m256d { _mm256_cmp_pd::<_CMP_LT_OQ>(a, b) }
    not_lt_pd(a: __m256d, b: __m256d) -> __m256d { _mm256_cmp_pd::<_CMP_NLT_UQ>(a, b) }
    eq_pd(a: __m256d, b: __m256d) -> __m256d { _mm256_cmp_pd::<_CMP_EQ_OQ>(a, b) }
    ne_pd(a: __m256d, b: __m256d) -> __m256d { _mm256_cmp_pd::<_CMP_NEQ_UQ>(a, b) }
    unordered_pd(a: __m256d, b: __m256d) -> __m256d { _mm256_cmp_pd::<_CMP_UNORD_Q>(a, b) }
    select_pd(m: __m256d, a: __m256d, b: __m256d) -> __m256d { _mm256_blendv_pd(b, a, m) }
}

register! { F32x8(__m256) = 8 of f32, mask __m256, wide Pack<F64x4, 2>;
    _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps
    [Add add _mm256_add_ps, Sub sub _mm256_sub_ps, Mul mul _mm256_mul_ps, Div div _mm256_div_ps]
    [max _mm256_max_ps, min _mm256_min_ps]
    [lt lt_ps, not_lt not_lt_ps, eq eq_ps, ne ne_ps]
    is_nan unordered_ps or _mm256_or_ps bits _mm256_movemask_ps select select_ps sqrt _mm256_sqrt_ps
    i32 [_mm256_castps_si256 _mm256_castsi256_ps _mm256_set1_epi32]
    [iadd _mm256_add_epi32, iand _mm256_and_si256, ior _mm256_or_si256]
    [shl_mantissa 23 _mm256_slli_epi32, shr_mantissa 23 _mm256_srli_epi32]
    {
        fused! { _mm256_fmadd_ps }
        #[inline(always)]
        fn widen(self) -> Pack<F64x4, 2> {
            // SAFETY: the folder's invariant.
            unsafe {
                Pack([
                    F64x4(_mm256_cvtps_pd(_mm256_castps256_ps128(self.0))),
                    F64x4(_mm256_cvtps_pd(_mm256_extractf128_ps::<1>(self.0))),
                ])
            }
        }
        #[inline(always)]
        fn load_repeated(from: &[f32], shift: u32) -> Self {
            let some = (8 >> shift).max(1);
            let mask: [i32; 8] = from_fn(|l| if l < some { -1 } else { 0 });
            let lanes: [i32; 8] = from_fn(|l| l as i32 >> shift);
            assert!(from.len() >= some);
            // SAFETY: the folder's invariant; the lanes of the mask, which alone are read, are `some`; the arrays hold a register each.
            unsafe {
                let mask = _mm256_loadu_si256(mask.as_ptr().cast());
                let values = _mm256_maskload_ps(from.as_ptr(), mask);
                Self(_mm256_permutevar8x32_ps(values, _mm256_loadu_si256(lanes.as_ptr().cast())))
            }
        }
        #[inline(always)]
        fn add_pairs(self, o: Self) -> Self {
            // SAFETY: the folder's invariant.
            unsafe {
                // The halves of both take turns.
                let sums = _mm256_castps_pd(_mm256_hadd_ps(self.0, o.0));
                Self(_mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(sums)))
            }
        }
    }
}

register! { F64x4(__m256d) = 4 of f64, mask __m256d, wide Self;
    _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd
    [Add add _mm256_add_pd, Sub sub _mm256_sub_pd, Mul mul _mm256_mul_pd, Div div _mm256_div_pd]
    [max _mm256_max_pd, min _mm256_min_pd]
    [lt lt_pd, not_lt not_lt_pd, eq eq_pd, ne ne_pd]
    is_nan unordered_pd or _mm256_or_pd bits _mm256_movemask_pd select select_pd sqrt _mm256_sqrt_pd
    i64 [_mm256_castpd_si256 _mm256_castsi256_pd _mm256_set1_epi64x]
    [iadd _mm256_add_epi64, iand _mm256_and_si256, ior _mm256_or_si256]
    [shl_mantissa 52 _mm256_slli_epi64, shr_mantissa 52 _mm256_srli_epi64]
    {
        fused! { _mm256_fmadd_pd }
        #[inline(always)]
        fn widen(self) -> Self {
            self
        }
    }
}
