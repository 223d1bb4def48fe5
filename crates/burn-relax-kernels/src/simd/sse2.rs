//! 128-bit registers, part of every x86-64 processor: the portable path there.
//!
//! That they are is the invariant behind every `unsafe` block here.

use super::{Backend, Pack, Portable, Vector};
use crate::math::{exp_lanes, ln_lanes};
use core::arch::x86_64::*;
use core::ops::{Add, Div, Mul, Sub};

impl Backend for Portable {
    type F32 = Pack<F32x4, 4>;
    type F64 = Pack<F64x2, 4>;
}

macro_rules! register {
    ($name:ident, $register:ty, $scalar:ty, $int:ty, $lanes:literal, $mantissa:literal;
     $splat:ident $load:ident $store:ident $add:ident $sub:ident $mul:ident $div:ident $max:ident $min:ident $lt:ident $not_lt:ident $eq:ident $ne:ident $unordered:ident $select:ident $or:ident $movemask:ident $to_int:ident $to_float:ident $isplat:ident $iadd:ident $iand:ident $ior:ident $shl:ident $shr:ident $sqrt:ident $mul_add:ident $exp:ident $ln:ident; $wide:ty) => {
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
            const CALLS: bool = true;
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(x: $scalar) -> Self {
                // SAFETY: the module's invariant.
                unsafe { Self($splat(x)) }
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
            fn mul_add(self, b: Self, c: Self) -> Self {
                $mul_add(self, b, c)
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
            fn exp(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                $ln(self)
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
#[target_feature(enable = "sse2")]
fn select_ps(m: __m128, a: __m128, b: __m128) -> __m128 {
    _mm_or_ps(_mm_and_ps(m, a), _mm_andnot_ps(m, b))
}
#[inline]
#[target_feature(enable = "sse2")]
fn select_pd(m: __m128d, a: __m128d, b: __m128d) -> __m128d {
    _mm_or_pd(_mm_and_pd(m, a), _mm_andnot_pd(m, b))
}

register!(F32x4, __m128, f32, i32, 4, 23;
    _mm_set1_ps _mm_loadu_ps _mm_storeu_ps _mm_add_ps _mm_sub_ps _mm_mul_ps _mm_div_ps _mm_max_ps _mm_min_ps
    _mm_cmplt_ps _mm_cmpnlt_ps _mm_cmpeq_ps _mm_cmpneq_ps _mm_cmpunord_ps select_ps _mm_or_ps _mm_movemask_ps
    _mm_castps_si128 _mm_castsi128_ps _mm_set1_epi32 _mm_add_epi32 _mm_and_si128 _mm_or_si128 _mm_slli_epi32
    _mm_srli_epi32 _mm_sqrt_ps mul_add_f32 exp_f32 ln_f32; Pack<F64x2, 2>);
register!(F64x2, __m128d, f64, i64, 2, 52;
    _mm_set1_pd _mm_loadu_pd _mm_storeu_pd _mm_add_pd _mm_sub_pd _mm_mul_pd _mm_div_pd _mm_max_pd _mm_min_pd
    _mm_cmplt_pd _mm_cmpnlt_pd _mm_cmpeq_pd _mm_cmpneq_pd _mm_cmpunord_pd select_pd _mm_or_pd _mm_movemask_pd
    _mm_castpd_si128 _mm_castsi128_pd _mm_set1_epi64x _mm_add_epi64 _mm_and_si128 _mm_or_si128 _mm_slli_epi64
    _mm_srli_epi64 _mm_sqrt_pd mul_add_f64 exp_f64 ln_f64; Self);

// Calls, as each lane of a fused multiply-add is one anyway.

#[inline(never)]
fn mul_add_f32(a: F32x4, b: F32x4, c: F32x4) -> F32x4 {
    let mut lanes = [[0.0; 4]; 3];
    // SAFETY: each array holds one register.
    unsafe {
        for (lanes, v) in lanes.iter_mut().zip([a, b, c]) {
            v.store(lanes.as_mut_ptr());
        }
        let [a, b, c] = lanes;
        F32x4::load(core::array::from_fn::<_, 4, _>(|j| f32::mul_add(a[j], b[j], c[j])).as_ptr())
    }
}

#[inline(never)]
fn mul_add_f64(a: F64x2, b: F64x2, c: F64x2) -> F64x2 {
    let mut lanes = [[0.0; 2]; 3];
    // SAFETY: each array holds one register.
    unsafe {
        for (lanes, v) in lanes.iter_mut().zip([a, b, c]) {
            v.store(lanes.as_mut_ptr());
        }
        let [a, b, c] = lanes;
        F64x2::load(core::array::from_fn::<_, 2, _>(|j| f64::mul_add(a[j], b[j], c[j])).as_ptr())
    }
}

#[inline(never)]
fn exp_f32(x: F32x4) -> F32x4 {
    exp_lanes(x)
}

#[inline(never)]
fn ln_f32(x: F32x4) -> F32x4 {
    ln_lanes(x)
}

#[inline(never)]
fn exp_f64(x: F64x2) -> F64x2 {
    exp_lanes(x)
}

#[inline(never)]
fn ln_f64(x: F64x2) -> F64x2 {
    ln_lanes(x)
}
