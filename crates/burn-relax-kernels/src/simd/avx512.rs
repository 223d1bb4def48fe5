//! One 512-bit register per vector.
//!
//! Values of these types exist only below [`enter`](super::enter), inside a function compiled with the
//! AVX-512 features and reached after they were detected: this is the invariant behind every `unsafe` block here.

use super::{Backend, Pack, Vector};
use core::arch::x86_64::*;
use core::array::from_fn;
use core::ops::{Add, Div, Mul, Sub};

/// AVX-512 F, BW, DQ, VL.
pub struct Avx512;

impl Backend for Avx512 {
    type F32 = F32x16;
    type F64 = F64x8;
}

/// Sum of the two halves.
///
/// # Safety
/// The module's invariant.
#[inline(always)]
unsafe fn add_halves(v: __m512d) -> __m256d {
    // SAFETY: the caller's promise.
    unsafe { _mm256_add_pd(_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd::<1>(v)) }
}

macro_rules! avx512 {
    ($name:ident, $register:ty, $scalar:ty, $mask:ty, $int:ty, $lanes:literal, $mantissa:literal;
     $splat:ident $load:ident $store:ident $mask_load:ident $mask_store:ident $add:ident $sub:ident $mul:ident
     $div:ident $max:ident $min:ident $cmp:ident $blend:ident $to_int:ident $to_float:ident $isplat:ident $iadd:ident
     $iand:ident $ior:ident $shl:ident $shr:ident $fma:ident $sqrt:ident $compress:ident $expand:ident
     $permute:ident $permute_two:ident; |$v:ident| $halves:expr; $wide:ty, $widen:expr) => {
        /// One register.
        #[derive(Clone, Copy)]
        pub struct $name($register);

        avx512!(@op $name, Add, add, $add);
        avx512!(@op $name, Sub, sub, $sub);
        avx512!(@op $name, Mul, mul, $mul);
        avx512!(@op $name, Div, div, $div);

        impl Vector for $name {
            type Scalar = $scalar;
            type Mask = $mask;
            type Wide = $wide;
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(x: $scalar) -> Self {
                // SAFETY: the module's invariant.
                Self(unsafe { $splat(x) })
            }
            #[inline(always)]
            unsafe fn load(p: *const $scalar) -> Self {
                // SAFETY: the module's invariant; the caller promises `LANES` readable values.
                Self(unsafe { $load(p) })
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $scalar) {
                // SAFETY: the module's invariant; the caller promises `LANES` writable values.
                unsafe { $store(p, self.0) }
            }
            #[inline(always)]
            unsafe fn load_partial(p: *const $scalar, len: usize, fill: $scalar) -> Self {
                let mask = ((1u32 << len) - 1) as $mask;
                // SAFETY: the module's invariant; only the `len` lanes of the mask touch memory.
                Self(unsafe { $mask_load($splat(fill), mask, p) })
            }
            #[inline(always)]
            unsafe fn store_partial(self, p: *mut $scalar, len: usize) {
                let mask = ((1u32 << len) - 1) as $mask;
                // SAFETY: the module's invariant; only the `len` lanes of the mask touch memory.
                unsafe { $mask_store(p, mask, self.0) }
            }
            #[inline(always)]
            #[allow(unused_unsafe)] // a vector of `f64` stays what it is
            fn widen(self) -> $wide {
                let $v = self.0;
                // SAFETY: the module's invariant.
                unsafe {
                    $widen
                }
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                // SAFETY: the module's invariant.
                Self(unsafe { $fma(self.0, b.0, c.0) })
            }
            #[inline(always)]
            fn max(self, o: Self) -> Self {
                // SAFETY: the module's invariant.
                Self(unsafe { $max(self.0, o.0) })
            }
            #[inline(always)]
            fn min(self, o: Self) -> Self {
                // SAFETY: the module's invariant.
                Self(unsafe { $min(self.0, o.0) })
            }
            #[inline(always)]
            fn lt(self, o: Self) -> $mask {
                // SAFETY: the module's invariant.
                unsafe { $cmp::<_CMP_LT_OQ>(self.0, o.0) }
            }
            #[inline(always)]
            fn not_lt(self, o: Self) -> $mask {
                // SAFETY: the module's invariant.
                unsafe { $cmp::<_CMP_NLT_UQ>(self.0, o.0) }
            }
            #[inline(always)]
            fn eq(self, o: Self) -> $mask {
                // SAFETY: the module's invariant.
                unsafe { $cmp::<_CMP_EQ_OQ>(self.0, o.0) }
            }
            #[inline(always)]
            fn ne(self, o: Self) -> $mask {
                // SAFETY: the module's invariant.
                unsafe { $cmp::<_CMP_NEQ_UQ>(self.0, o.0) }
            }
            #[inline(always)]
            fn is_nan(self) -> $mask {
                // SAFETY: the module's invariant.
                unsafe { $cmp::<_CMP_UNORD_Q>(self.0, self.0) }
            }
            #[inline(always)]
            fn or(a: $mask, b: $mask) -> $mask {
                a | b
            }
            #[inline(always)]
            fn bits(m: $mask) -> u64 {
                m as u64
            }
            #[inline(always)]
            fn select(m: $mask, a: Self, b: Self) -> Self {
                // SAFETY: the module's invariant.
                Self(unsafe { $blend(m, b.0, a.0) })
            }
            #[inline(always)]
            fn wide_sum(self) -> f64 {
                let $v = self.0;
                // SAFETY: the module's invariant.
                unsafe {
                    let four: __m256d = $halves;
                    let two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd::<1>(four));
                    _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)))
                }
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                // SAFETY: the module's invariant.
                Self(unsafe { $sqrt(self.0) })
            }
            #[inline(always)]
            unsafe fn compress(self, m: $mask, p: *mut $scalar) -> usize {
                // SAFETY: the module's invariant; the caller promises `LANES` writable values.
                unsafe { $store(p, $compress(m, self.0)) };
                m.count_ones() as usize
            }
            #[inline(always)]
            unsafe fn expand(m: $mask, p: *const $scalar) -> Self {
                // SAFETY: the module's invariant; the caller promises `LANES` readable values.
                Self(unsafe { $expand(m, $load(p)) })
            }
            #[inline(always)]
            unsafe fn load_repeated(p: *const $scalar, shift: u32) -> Self {
                let some = (1u64 << (Self::LANES >> shift).max(1)) - 1;
                let lanes: [$int; $lanes] = from_fn(|l| l as $int >> shift);
                // SAFETY: the module's invariant; the caller promises these values; the array holds a register.
                unsafe {
                    let values = $mask_load($splat(0.0), some as $mask, p);
                    Self($permute(_mm512_loadu_si512(lanes.as_ptr().cast()), values))
                }
            }
            #[inline(always)]
            fn add_pairs(self, o: Self) -> Self {
                let even: [$int; $lanes] = from_fn(|l| 2 * l as $int);
                // SAFETY: the module's invariant; the array holds a register.
                unsafe {
                    let even = _mm512_loadu_si512(even.as_ptr().cast());
                    let odd = $iadd(even, $isplat(1));
                    Self($add(
                        $permute_two(self.0, even, o.0),
                        $permute_two(self.0, odd, o.0),
                    ))
                }
            }
            #[inline(always)]
            fn iadd(self, c: u64) -> Self {
                // SAFETY: the module's invariant.
                Self(unsafe { $to_float($iadd($to_int(self.0), $isplat(c as $int))) })
            }
            #[inline(always)]
            fn iand(self, c: u64) -> Self {
                // SAFETY: the module's invariant.
                Self(unsafe { $to_float($iand($to_int(self.0), $isplat(c as $int))) })
            }
            #[inline(always)]
            fn ior(self, c: u64) -> Self {
                // SAFETY: the module's invariant.
                Self(unsafe { $to_float($ior($to_int(self.0), $isplat(c as $int))) })
            }
            #[inline(always)]
            fn shl_mantissa(self) -> Self {
                // SAFETY: the module's invariant.
                Self(unsafe { $to_float($shl::<$mantissa>($to_int(self.0))) })
            }
            #[inline(always)]
            fn shr_mantissa(self) -> Self {
                // SAFETY: the module's invariant.
                Self(unsafe { $to_float($shr::<$mantissa>($to_int(self.0))) })
            }
        }
    };
    (@op $name:ident, $trait:ident, $method:ident, $op:ident) => {
        impl $trait for $name {
            type Output = Self;
            #[inline(always)]
            fn $method(self, o: Self) -> Self {
                // SAFETY: the module's invariant.
                Self(unsafe { $op(self.0, o.0) })
            }
        }
    };
}

avx512!(F32x16, __m512, f32, __mmask16, i32, 16, 23;
_mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_mask_loadu_ps _mm512_mask_storeu_ps _mm512_add_ps
_mm512_sub_ps _mm512_mul_ps _mm512_div_ps _mm512_max_ps _mm512_min_ps _mm512_cmp_ps_mask _mm512_mask_blend_ps
_mm512_castps_si512 _mm512_castsi512_ps _mm512_set1_epi32 _mm512_add_epi32 _mm512_and_si512 _mm512_or_si512
_mm512_slli_epi32 _mm512_srli_epi32 _mm512_fmadd_ps _mm512_sqrt_ps _mm512_maskz_compress_ps _mm512_maskz_expand_ps
_mm512_permutexvar_ps _mm512_permutex2var_ps;
|v| {
    let low = _mm512_cvtps_pd(_mm512_castps512_ps256(v));
    add_halves(_mm512_add_pd(low, _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(v))))
};
Pack<F64x8, 2>, Pack([
    F64x8(_mm512_cvtps_pd(_mm512_castps512_ps256(v))),
    F64x8(_mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(v))),
]));
avx512!(F64x8, __m512d, f64, __mmask8, i64, 8, 52;
    _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_mask_loadu_pd _mm512_mask_storeu_pd _mm512_add_pd
    _mm512_sub_pd _mm512_mul_pd _mm512_div_pd _mm512_max_pd _mm512_min_pd _mm512_cmp_pd_mask _mm512_mask_blend_pd
    _mm512_castpd_si512 _mm512_castsi512_pd _mm512_set1_epi64 _mm512_add_epi64 _mm512_and_si512 _mm512_or_si512
    _mm512_slli_epi64 _mm512_srli_epi64 _mm512_fmadd_pd _mm512_sqrt_pd _mm512_maskz_compress_pd _mm512_maskz_expand_pd
    _mm512_permutexvar_pd _mm512_permutex2var_pd;
    |v| add_halves(v); Self, Self(v));
