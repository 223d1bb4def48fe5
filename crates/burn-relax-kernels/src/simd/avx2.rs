//! Two 256-bit registers per vector, so that the lanes match the other paths.
//!
//! Values of these types exist only below [`enter`](super::enter), inside a function compiled with AVX2
//! and reached after it was detected: this is the invariant behind every `unsafe` block here.

use super::{Backend, HalfIo, Vector};
use core::arch::x86_64::*;
use core::ops::{Add, Div, Mul, Sub};

/// AVX2 with FMA and F16C.
pub struct Avx2;

impl Backend for Avx2 {
    type F32 = F32x16;
    type F64 = F64x8;
}

macro_rules! avx2 {
    ($name:ident, $register:ty, $scalar:ty, $int:ty, $lanes:literal, $mantissa:literal;
     $splat:ident $load:ident $store:ident $add:ident $sub:ident $mul:ident $div:ident $max:ident $min:ident
     $cmp:ident $blend:ident $or:ident $movemask:ident $to_int:ident $to_float:ident $isplat:ident $iadd:ident
     $shl:ident $shr:ident) => {
        /// Two registers, low lanes first.
        #[derive(Clone, Copy)]
        pub struct $name([$register; 2]);

        avx2!(@op $name, Add, add, $add);
        avx2!(@op $name, Sub, sub, $sub);
        avx2!(@op $name, Mul, mul, $mul);
        avx2!(@op $name, Div, div, $div);

        impl Vector for $name {
            type Scalar = $scalar;
            type Mask = [$register; 2];
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(x: $scalar) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self([$splat(x); 2]) }
            }
            #[inline(always)]
            unsafe fn load(p: *const $scalar) -> Self {
                // SAFETY: the module's invariant; the caller promises `LANES` readable values.
                unsafe { Self([$load(p), $load(p.add($lanes / 2))]) }
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $scalar) {
                // SAFETY: the module's invariant; the caller promises `LANES` writable values.
                unsafe {
                    $store(p, self.0[0]);
                    $store(p.add($lanes / 2), self.0[1]);
                }
            }
            #[inline(always)]
            fn max(self, o: Self) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self([$max(self.0[0], o.0[0]), $max(self.0[1], o.0[1])]) }
            }
            #[inline(always)]
            fn min(self, o: Self) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self([$min(self.0[0], o.0[0]), $min(self.0[1], o.0[1])]) }
            }
            #[inline(always)]
            fn lt(self, o: Self) -> Self::Mask {
                // SAFETY: the module's invariant.
                unsafe { [$cmp::<_CMP_LT_OQ>(self.0[0], o.0[0]), $cmp::<_CMP_LT_OQ>(self.0[1], o.0[1])] }
            }
            #[inline(always)]
            fn not_lt(self, o: Self) -> Self::Mask {
                // SAFETY: the module's invariant.
                unsafe { [$cmp::<_CMP_NLT_UQ>(self.0[0], o.0[0]), $cmp::<_CMP_NLT_UQ>(self.0[1], o.0[1])] }
            }
            #[inline(always)]
            fn eq(self, o: Self) -> Self::Mask {
                // SAFETY: the module's invariant.
                unsafe { [$cmp::<_CMP_EQ_OQ>(self.0[0], o.0[0]), $cmp::<_CMP_EQ_OQ>(self.0[1], o.0[1])] }
            }
            #[inline(always)]
            fn ne(self, o: Self) -> Self::Mask {
                // SAFETY: the module's invariant.
                unsafe { [$cmp::<_CMP_NEQ_UQ>(self.0[0], o.0[0]), $cmp::<_CMP_NEQ_UQ>(self.0[1], o.0[1])] }
            }
            #[inline(always)]
            fn is_nan(self) -> Self::Mask {
                let [a, b] = self.0;
                // SAFETY: the module's invariant.
                unsafe { [$cmp::<_CMP_UNORD_Q>(a, a), $cmp::<_CMP_UNORD_Q>(b, b)] }
            }
            #[inline(always)]
            fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask {
                // SAFETY: the module's invariant.
                unsafe { [$or(a[0], b[0]), $or(a[1], b[1])] }
            }
            #[inline(always)]
            fn bits(m: Self::Mask) -> u64 {
                // SAFETY: the module's invariant.
                let (low, high) = unsafe { ($movemask(m[0]) as u32, $movemask(m[1]) as u32) };
                (low | high << ($lanes / 2)) as u64
            }
            #[inline(always)]
            fn select(m: Self::Mask, a: Self, b: Self) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self([$blend(b.0[0], a.0[0], m[0]), $blend(b.0[1], a.0[1], m[1])]) }
            }
            #[inline(always)]
            fn iadd(self, c: u64) -> Self {
                let [a, b] = self.0;
                // SAFETY: the module's invariant.
                unsafe {
                    let c = $isplat(c as $int);
                    Self([$to_float($iadd($to_int(a), c)), $to_float($iadd($to_int(b), c))])
                }
            }
            #[inline(always)]
            fn iand(self, c: u64) -> Self {
                let [a, b] = self.0;
                // SAFETY: the module's invariant.
                unsafe {
                    let c = $isplat(c as $int);
                    Self([$to_float(_mm256_and_si256($to_int(a), c)), $to_float(_mm256_and_si256($to_int(b), c))])
                }
            }
            #[inline(always)]
            fn ior(self, c: u64) -> Self {
                let [a, b] = self.0;
                // SAFETY: the module's invariant.
                unsafe {
                    let c = $isplat(c as $int);
                    Self([$to_float(_mm256_or_si256($to_int(a), c)), $to_float(_mm256_or_si256($to_int(b), c))])
                }
            }
            #[inline(always)]
            fn shl_mantissa(self) -> Self {
                let [a, b] = self.0;
                // SAFETY: the module's invariant.
                unsafe { Self([$to_float($shl::<$mantissa>($to_int(a))), $to_float($shl::<$mantissa>($to_int(b)))]) }
            }
            #[inline(always)]
            fn shr_mantissa(self) -> Self {
                let [a, b] = self.0;
                // SAFETY: the module's invariant.
                unsafe { Self([$to_float($shr::<$mantissa>($to_int(a))), $to_float($shr::<$mantissa>($to_int(b)))]) }
            }
        }
    };
    (@op $name:ident, $trait:ident, $method:ident, $op:ident) => {
        impl $trait for $name {
            type Output = Self;
            #[inline(always)]
            fn $method(self, o: Self) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self([$op(self.0[0], o.0[0]), $op(self.0[1], o.0[1])]) }
            }
        }
    };
}

avx2!(F32x16, __m256, f32, i32, 16, 23;
    _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps
    _mm256_max_ps _mm256_min_ps _mm256_cmp_ps _mm256_blendv_ps _mm256_or_ps _mm256_movemask_ps _mm256_castps_si256
    _mm256_castsi256_ps _mm256_set1_epi32 _mm256_add_epi32 _mm256_slli_epi32 _mm256_srli_epi32);
avx2!(F64x8, __m256d, f64, i64, 8, 52;
    _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd
    _mm256_max_pd _mm256_min_pd _mm256_cmp_pd _mm256_blendv_pd _mm256_or_pd _mm256_movemask_pd _mm256_castpd_si256
    _mm256_castsi256_pd _mm256_set1_epi64x _mm256_add_epi64 _mm256_slli_epi64 _mm256_srli_epi64);

impl HalfIo for F32x16 {
    #[inline(always)]
    unsafe fn load_f16(p: *const half::f16) -> Self {
        // SAFETY: the module's invariant; the caller promises sixteen readable values.
        unsafe {
            let low = _mm_loadu_si128(p.cast());
            let high = _mm_loadu_si128(p.add(8).cast());
            Self([_mm256_cvtph_ps(low), _mm256_cvtph_ps(high)])
        }
    }
    #[inline(always)]
    unsafe fn store_f16(self, p: *mut half::f16) {
        // SAFETY: the module's invariant; the caller promises sixteen writable values.
        unsafe {
            let low = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(self.0[0]);
            let high = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(self.0[1]);
            _mm_storeu_si128(p.cast(), low);
            _mm_storeu_si128(p.add(8).cast(), high);
        }
    }
}
