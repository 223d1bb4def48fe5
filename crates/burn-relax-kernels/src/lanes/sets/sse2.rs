//! 128-bit registers, part of every x86-64 processor: the portable path there. That they are is the invariant behind every
//! `unsafe` block.

use super::register::{register, wrapped};
use crate::lanes::math::elementary;
use crate::lanes::pack::Pack;
use crate::lanes::path::Path;
use crate::lanes::vector::{Backend, Portable};
use core::arch::x86_64::*;
use core::array::from_fn;

impl Backend for Portable {
    type F32 = Pack<F32x4, 4>;
    type F64 = Pack<F64x2, 4>;
    const PATH: Path = Path::Portable;
}

wrapped! { "sse2";
    select_ps(m: __m128, a: __m128, b: __m128) -> __m128 { _mm_or_ps(_mm_and_ps(m, a), _mm_andnot_ps(m, b)) }
    select_pd(m: __m128d, a: __m128d, b: __m128d) -> __m128d { _mm_or_pd(_mm_and_pd(m, a), _mm_andnot_pd(m, b)) }
}

/// The methods that are calls, as each lane of a fused multiply-add is one anyway.
macro_rules! calls {
    ($name:ident: $scalar:ident, $lanes:literal) => {
        const CALLS: bool = true;
        #[inline(always)]
        fn mul_add(self, b: Self, c: Self) -> Self {
            #[inline(never)]
            fn call(a: $name, b: $name, c: $name) -> $name {
                let mut lanes = [[0.0; $lanes]; 3];
                for (lanes, v) in lanes.iter_mut().zip([a, b, c]) {
                    v.overwrite(lanes);
                }
                let [a, b, c] = lanes;
                $name::load(&from_fn::<_, $lanes, _>(|j| {
                    $scalar::mul_add(a[j], b[j], c[j])
                }))
            }
            call(self, b, c)
        }
        #[inline(always)]
        fn exp(self) -> Self {
            #[inline(never)]
            fn call(x: $name) -> $name {
                elementary::exp(x)
            }
            call(self)
        }
        #[inline(always)]
        fn ln(self) -> Self {
            #[inline(never)]
            fn call(x: $name) -> $name {
                elementary::ln(x)
            }
            call(self)
        }
    };
}

register! { F32x4(__m128) = 4 of f32, mask __m128, wide Pack<F64x2, 2>;
    _mm_set1_ps _mm_loadu_ps _mm_storeu_ps
    [Add add _mm_add_ps, Sub sub _mm_sub_ps, Mul mul _mm_mul_ps, Div div _mm_div_ps]
    [max _mm_max_ps, min _mm_min_ps]
    [lt _mm_cmplt_ps, not_lt _mm_cmpnlt_ps, eq _mm_cmpeq_ps, ne _mm_cmpneq_ps]
    is_nan _mm_cmpunord_ps or _mm_or_ps bits _mm_movemask_ps select select_ps sqrt _mm_sqrt_ps
    i32 [_mm_castps_si128 _mm_castsi128_ps _mm_set1_epi32]
    [iadd _mm_add_epi32, iand _mm_and_si128, ior _mm_or_si128]
    [shl_mantissa 23 _mm_slli_epi32, shr_mantissa 23 _mm_srli_epi32]
    {
        calls! { F32x4: f32, 4 }
    }
}

register! { F64x2(__m128d) = 2 of f64, mask __m128d, wide Self;
    _mm_set1_pd _mm_loadu_pd _mm_storeu_pd
    [Add add _mm_add_pd, Sub sub _mm_sub_pd, Mul mul _mm_mul_pd, Div div _mm_div_pd]
    [max _mm_max_pd, min _mm_min_pd]
    [lt _mm_cmplt_pd, not_lt _mm_cmpnlt_pd, eq _mm_cmpeq_pd, ne _mm_cmpneq_pd]
    is_nan _mm_cmpunord_pd or _mm_or_pd bits _mm_movemask_pd select select_pd sqrt _mm_sqrt_pd
    i64 [_mm_castpd_si128 _mm_castsi128_pd _mm_set1_epi64x]
    [iadd _mm_add_epi64, iand _mm_and_si128, ior _mm_or_si128]
    [shl_mantissa 52 _mm_slli_epi64, shr_mantissa 52 _mm_srli_epi64]
    {
        calls! { F64x2: f64, 2 }
    }
}
