//! 256-bit registers.
//!
//! Values of these types exist only below [`enter`](super::enter), inside a function compiled with AVX2
//! and reached after it was detected: this is the invariant behind every `unsafe` block here.

use super::{Backend, Pack, Vector};
use core::arch::x86_64::*;
use core::array::from_fn;
use core::ops::{Add, Div, Mul, Sub};

/// AVX2 with FMA and F16C.
pub struct Avx2;

impl Backend for Avx2 {
    type F32 = Pack<F32x8, 2>;
    type F64 = Pack<F64x4, 2>;
}

macro_rules! register {
    ($name:ident, $register:ty, $scalar:ty, $int:ty, $lanes:literal, $mantissa:literal;
     $splat:ident $load:ident $store:ident $add:ident $sub:ident $mul:ident $div:ident $max:ident $min:ident $lt:ident $not_lt:ident $eq:ident $ne:ident $unordered:ident $select:ident $or:ident $movemask:ident $to_int:ident $to_float:ident $isplat:ident $iadd:ident $iand:ident $ior:ident $shl:ident $shr:ident $fma:ident $sqrt:ident; $wide:ty, |$v:ident| $widen:expr; $($more:tt)*) => {
        /// One register.
        #[derive(Clone, Copy)]
        pub struct $name($register);

        register!(@op $name, Add, add, $add);
        register!(@op $name, Sub, sub, $sub);
        register!(@op $name, Mul, mul, $mul);
        register!(@op $name, Div, div, $div);

        impl Vector for $name {
            type Scalar = $scalar;
            type Mask = $register;
            type Wide = $wide;
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(x: $scalar) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self($splat(x)) }
            }
            $($more)*
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
            #[allow(unused_unsafe)] // a vector of `f64` stays what it is
            fn widen(self) -> $wide {
                let $v = self;
                // SAFETY: the module's invariant.
                unsafe {
                    $widen
                }
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self($fma(self.0, b.0, c.0)) }
            }
            #[inline(always)]
            fn max(self, o: Self) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self($max(self.0, o.0)) }
            }
            #[inline(always)]
            fn min(self, o: Self) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self($min(self.0, o.0)) }
            }
            #[inline(always)]
            fn lt(self, o: Self) -> $register {
                // SAFETY: the module's invariant.
                unsafe { $lt(self.0, o.0) }
            }
            #[inline(always)]
            fn not_lt(self, o: Self) -> $register {
                // SAFETY: the module's invariant.
                unsafe { $not_lt(self.0, o.0) }
            }
            #[inline(always)]
            fn eq(self, o: Self) -> $register {
                // SAFETY: the module's invariant.
                unsafe { $eq(self.0, o.0) }
            }
            #[inline(always)]
            fn ne(self, o: Self) -> $register {
                // SAFETY: the module's invariant.
                unsafe { $ne(self.0, o.0) }
            }
            #[inline(always)]
            fn is_nan(self) -> $register {
                // SAFETY: the module's invariant.
                unsafe { $unordered(self.0, self.0) }
            }
            #[inline(always)]
            fn or(a: $register, b: $register) -> $register {
                // SAFETY: the module's invariant.
                unsafe { $or(a, b) }
            }
            #[inline(always)]
            fn bits(m: $register) -> u64 {
                // SAFETY: the module's invariant.
                unsafe { $movemask(m) as u64 }
            }
            #[inline(always)]
            fn select(m: $register, a: Self, b: Self) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self($select(m, a.0, b.0)) }
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self($sqrt(self.0)) }
            }
            #[inline(always)]
            fn iadd(self, c: u64) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self($to_float($iadd($to_int(self.0), $isplat(c as $int)))) }
            }
            #[inline(always)]
            fn iand(self, c: u64) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self($to_float($iand($to_int(self.0), $isplat(c as $int)))) }
            }
            #[inline(always)]
            fn ior(self, c: u64) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self($to_float($ior($to_int(self.0), $isplat(c as $int)))) }
            }
            #[inline(always)]
            fn shl_mantissa(self) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self($to_float($shl::<$mantissa>($to_int(self.0)))) }
            }
            #[inline(always)]
            fn shr_mantissa(self) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self($to_float($shr::<$mantissa>($to_int(self.0)))) }
            }
        }
    };
    (@op $name:ident, $trait:ident, $method:ident, $op:ident) => {
        impl $trait for $name {
            type Output = Self;
            #[inline(always)]
            fn $method(self, o: Self) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self($op(self.0, o.0)) }
            }
        }
    };
}

#[inline]
#[target_feature(enable = "avx2")]
fn lt_ps(a: __m256, b: __m256) -> __m256 {
    _mm256_cmp_ps::<_CMP_LT_OQ>(a, b)
}
#[inline]
#[target_feature(enable = "avx2")]
fn not_lt_ps(a: __m256, b: __m256) -> __m256 {
    _mm256_cmp_ps::<_CMP_NLT_UQ>(a, b)
}
#[inline]
#[target_feature(enable = "avx2")]
fn eq_ps(a: __m256, b: __m256) -> __m256 {
    _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b)
}
#[inline]
#[target_feature(enable = "avx2")]
fn ne_ps(a: __m256, b: __m256) -> __m256 {
    _mm256_cmp_ps::<_CMP_NEQ_UQ>(a, b)
}
#[inline]
#[target_feature(enable = "avx2")]
fn unordered_ps(a: __m256, b: __m256) -> __m256 {
    _mm256_cmp_ps::<_CMP_UNORD_Q>(a, b)
}
#[inline]
#[target_feature(enable = "avx2")]
fn select_ps(m: __m256, a: __m256, b: __m256) -> __m256 {
    _mm256_blendv_ps(b, a, m)
}
#[inline]
#[target_feature(enable = "avx2")]
fn lt_pd(a: __m256d, b: __m256d) -> __m256d {
    _mm256_cmp_pd::<_CMP_LT_OQ>(a, b)
}
#[inline]
#[target_feature(enable = "avx2")]
fn not_lt_pd(a: __m256d, b: __m256d) -> __m256d {
    _mm256_cmp_pd::<_CMP_NLT_UQ>(a, b)
}
#[inline]
#[target_feature(enable = "avx2")]
fn eq_pd(a: __m256d, b: __m256d) -> __m256d {
    _mm256_cmp_pd::<_CMP_EQ_OQ>(a, b)
}
#[inline]
#[target_feature(enable = "avx2")]
fn ne_pd(a: __m256d, b: __m256d) -> __m256d {
    _mm256_cmp_pd::<_CMP_NEQ_UQ>(a, b)
}
#[inline]
#[target_feature(enable = "avx2")]
fn unordered_pd(a: __m256d, b: __m256d) -> __m256d {
    _mm256_cmp_pd::<_CMP_UNORD_Q>(a, b)
}
#[inline]
#[target_feature(enable = "avx2")]
fn select_pd(m: __m256d, a: __m256d, b: __m256d) -> __m256d {
    _mm256_blendv_pd(b, a, m)
}

register!(F32x8, __m256, f32, i32, 8, 23;
_mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps
_mm256_max_ps _mm256_min_ps lt_ps not_lt_ps eq_ps ne_ps unordered_ps select_ps _mm256_or_ps
_mm256_movemask_ps _mm256_castps_si256 _mm256_castsi256_ps _mm256_set1_epi32 _mm256_add_epi32
_mm256_and_si256 _mm256_or_si256 _mm256_slli_epi32 _mm256_srli_epi32 _mm256_fmadd_ps _mm256_sqrt_ps;
Pack<F64x4, 2>, |v| Pack([
    F64x4(_mm256_cvtps_pd(_mm256_castps256_ps128(v.0))),
    F64x4(_mm256_cvtps_pd(_mm256_extractf128_ps::<1>(v.0))),
]);
    #[inline(always)]
    unsafe fn load_repeated(p: *const f32, shift: u32) -> Self {
        let some = (8 >> shift).max(1);
        let mask: [i32; 8] = from_fn(|l| if (l as i32) < some { -1 } else { 0 });
        let lanes: [i32; 8] = from_fn(|l| l as i32 >> shift);
        // SAFETY: the module's invariant; the caller promises these values; the arrays hold a register each.
        unsafe {
            let values = _mm256_maskload_ps(p, _mm256_loadu_si256(mask.as_ptr().cast()));
            Self(_mm256_permutevar8x32_ps(values, _mm256_loadu_si256(lanes.as_ptr().cast())))
        }
    }
    #[inline(always)]
    fn add_pairs(self, o: Self) -> Self {
        // SAFETY: the module's invariant.
        unsafe {
            // The halves of both take turns.
            let sums = _mm256_castps_pd(_mm256_hadd_ps(self.0, o.0));
            Self(_mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(sums)))
        }
    }
);
register!(F64x4, __m256d, f64, i64, 4, 52;
    _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd
    _mm256_max_pd _mm256_min_pd lt_pd not_lt_pd eq_pd ne_pd unordered_pd select_pd _mm256_or_pd
    _mm256_movemask_pd _mm256_castpd_si256 _mm256_castsi256_pd _mm256_set1_epi64x _mm256_add_epi64
    _mm256_and_si256 _mm256_or_si256 _mm256_slli_epi64 _mm256_srli_epi64 _mm256_fmadd_pd _mm256_sqrt_pd; Self, |v| v;);
