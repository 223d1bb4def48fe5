//! One 512-bit register per vector. The invariant behind every `unsafe` block is that of the [folder](super::register).

use super::register::{fused, register, wrapped};
use crate::lanes::pack::Pack;
use crate::lanes::path::Path;
use crate::lanes::vector::Backend;
use core::arch::x86_64::*;
use core::array::from_fn;
use core::mem::MaybeUninit;

/// AVX-512 F, BW, DQ, VL.
pub struct Avx512;

impl Backend for Avx512 {
    type F32 = F32x16;
    type F64 = F64x8;
    const PATH: Path = Path::Avx512;
}

wrapped! { "avx512f,avx512bw,avx512dq";
    lt_ps(a: __m512, b: __m512) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b) }
    not_lt_ps(a: __m512, b: __m512) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(a, b) }
    eq_ps(a: __m512, b: __m512) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b) }
    ne_ps(a: __m512, b: __m512) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(a, b) }
    unordered_ps(a: __m512, b: __m512) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, b) }
    select_ps(m: __mmask16, a: __m512, b: __m512) -> __m512 { _mm512_mask_blend_ps(m, b, a) }
    or_ps(a: __mmask16, b: __mmask16) -> __mmask16 { a | b }
    bits_ps(m: __mmask16) -> __mmask16 { m }
    lt_pd(a: __m512d, b: __m512d) -> __mmask8 { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a, b) }
    not_lt_pd(a: __m512d, b: __m512d) -> __mmask8 { _mm512_cmp_pd_mask::<_CMP_NLT_UQ>(a, b) }
    eq_pd(a: __m512d, b: __m512d) -> __mmask8 { _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(a, b) }
    ne_pd(a: __m512d, b: __m512d) -> __mmask8 { _mm512_cmp_pd_mask::<_CMP_NEQ_UQ>(a, b) }
    unordered_pd(a: __m512d, b: __m512d) -> __mmask8 { _mm512_cmp_pd_mask::<_CMP_UNORD_Q>(a, b) }
    select_pd(m: __mmask8, a: __m512d, b: __m512d) -> __m512d { _mm512_mask_blend_pd(m, b, a) }
    or_pd(a: __mmask8, b: __mmask8) -> __mmask8 { a | b }
    bits_pd(m: __mmask8) -> __mmask8 { m }
    half_sums(v: __m512d) -> __m256d {
        _mm256_add_pd(_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd::<1>(v))
    }
    quarter_sums(v: __m256d) -> __m128d {
        _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v))
    }
    sum_of_two(v: __m128d) -> f64 { _mm_cvtsd_f64(_mm_add_sd(v, _mm_unpackhi_pd(v, v))) }
    sum(v: __m512d) -> f64 { sum_of_two(quarter_sums(half_sums(v))) }
    low(v: __m512) -> __m512d { _mm512_cvtps_pd(_mm512_castps512_ps256(v)) }
    high(v: __m512) -> __m512d { _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(v)) }
}

/// The methods that masks and permutations make.
macro_rules! masked {
    ($scalar:ty, $mask:ty, $int:ty, $lanes:literal; $splat:ident $load:ident $store:ident $mask_load:ident $mask_store:ident
     $compress:ident $expand:ident $permute:ident $permute_two:ident $add:ident $fma:ident) => {
        #[inline(always)]
        fn load_partial(from: &[$scalar], fill: $scalar) -> Self {
            assert!(from.len() <= $lanes);
            let mask = ((1u32 << from.len()) - 1) as $mask;
            // SAFETY: the folder's invariant; only the lanes of the mask touch memory, which are those of the slice.
            Self(unsafe { $mask_load($splat(fill), mask, from.as_ptr()) })
        }
        #[inline(always)]
        fn store_partial(self, to: &mut [MaybeUninit<$scalar>]) {
            assert!(to.len() <= $lanes);
            let mask = ((1u32 << to.len()) - 1) as $mask;
            // SAFETY: the folder's invariant; only the lanes of the mask touch memory, which are those of the slice.
            unsafe { $mask_store(to.as_mut_ptr().cast(), mask, self.0) }
        }
        #[inline(always)]
        fn compress(self, m: $mask, to: &mut [$scalar]) -> usize {
            assert!(to.len() >= $lanes);
            // SAFETY: the folder's invariant; the slice has a place for every lane.
            unsafe { $store(to.as_mut_ptr(), $compress(m, self.0)) };
            m.count_ones() as usize
        }
        #[inline(always)]
        fn expand(m: $mask, from: &[$scalar]) -> Self {
            assert!(from.len() >= $lanes);
            // SAFETY: the folder's invariant; the slice has a value for every lane.
            Self(unsafe { $expand(m, $load(from.as_ptr())) })
        }
        #[inline(always)]
        fn load_repeated(from: &[$scalar], shift: u32) -> Self {
            let some = ($lanes >> shift).max(1);
            let lanes: [$int; $lanes] = from_fn(|l| l as $int >> shift);
            let from = Self::load_partial(&from[..some], 0.0);
            // SAFETY: the folder's invariant; the array holds a register.
            Self(unsafe { $permute(_mm512_loadu_si512(lanes.as_ptr().cast()), from.0) })
        }
        #[inline(always)]
        fn add_pairs(self, o: Self) -> Self {
            let even: [$int; $lanes] = from_fn(|l| 2 * l as $int);
            let odd: [$int; $lanes] = from_fn(|l| 2 * l as $int + 1);
            // SAFETY: the folder's invariant; the arrays hold a register each.
            unsafe {
                let even = $permute_two(self.0, _mm512_loadu_si512(even.as_ptr().cast()), o.0);
                let odd = $permute_two(self.0, _mm512_loadu_si512(odd.as_ptr().cast()), o.0);
                Self($add(even, odd))
            }
        }
        fused! { $fma }
    };
}

register! { F32x16(__m512) = 16 of f32, mask __mmask16, wide Pack<F64x8, 2>;
    _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps
    [Add add _mm512_add_ps, Sub sub _mm512_sub_ps, Mul mul _mm512_mul_ps, Div div _mm512_div_ps]
    [max _mm512_max_ps, min _mm512_min_ps]
    [lt lt_ps, not_lt not_lt_ps, eq eq_ps, ne ne_ps]
    is_nan unordered_ps or or_ps bits bits_ps select select_ps sqrt _mm512_sqrt_ps
    i32 [_mm512_castps_si512 _mm512_castsi512_ps _mm512_set1_epi32]
    [iadd _mm512_add_epi32, iand _mm512_and_si512, ior _mm512_or_si512]
    [shl_mantissa 23 _mm512_slli_epi32, shr_mantissa 23 _mm512_srli_epi32]
    {
        masked! { f32, __mmask16, i32, 16;
            _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_mask_loadu_ps _mm512_mask_storeu_ps
            _mm512_maskz_compress_ps _mm512_maskz_expand_ps _mm512_permutexvar_ps _mm512_permutex2var_ps
            _mm512_add_ps _mm512_fmadd_ps }
        #[inline(always)]
        fn widen(self) -> Pack<F64x8, 2> {
            // SAFETY: the folder's invariant.
            unsafe { Pack([F64x8(low(self.0)), F64x8(high(self.0))]) }
        }
        #[inline(always)]
        fn wide_sum(self) -> f64 {
            // SAFETY: the folder's invariant.
            unsafe { sum(_mm512_add_pd(low(self.0), high(self.0))) }
        }
    }
}

register! { F64x8(__m512d) = 8 of f64, mask __mmask8, wide Self;
    _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd
    [Add add _mm512_add_pd, Sub sub _mm512_sub_pd, Mul mul _mm512_mul_pd, Div div _mm512_div_pd]
    [max _mm512_max_pd, min _mm512_min_pd]
    [lt lt_pd, not_lt not_lt_pd, eq eq_pd, ne ne_pd]
    is_nan unordered_pd or or_pd bits bits_pd select select_pd sqrt _mm512_sqrt_pd
    i64 [_mm512_castpd_si512 _mm512_castsi512_pd _mm512_set1_epi64]
    [iadd _mm512_add_epi64, iand _mm512_and_si512, ior _mm512_or_si512]
    [shl_mantissa 52 _mm512_slli_epi64, shr_mantissa 52 _mm512_srli_epi64]
    {
        masked! { f64, __mmask8, i64, 8;
            _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_mask_loadu_pd _mm512_mask_storeu_pd
            _mm512_maskz_compress_pd _mm512_maskz_expand_pd _mm512_permutexvar_pd _mm512_permutex2var_pd
            _mm512_add_pd _mm512_fmadd_pd }
        #[inline(always)]
        fn widen(self) -> Self {
            self
        }
        #[inline(always)]
        fn wide_sum(self) -> f64 {
            // SAFETY: the folder's invariant.
            unsafe { sum(self.0) }
        }
    }
}
