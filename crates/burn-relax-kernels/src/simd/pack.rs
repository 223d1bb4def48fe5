//! Several vectors that go through a kernel together.
//!
//! An exponential is a chain of some twenty dependent instructions. Interleaving the chains of several vectors keeps the
//! arithmetic units busy where one chain after the other would fill the processor's queues with waiting instructions.

use super::Vector;
use crate::math::{exp_lanes, ln_lanes};
use crate::real::Real;
use core::array::from_fn;
use core::ops::{Add, Div, Mul, Sub};

/// `U` vectors, in the order of memory.
#[derive(Clone, Copy)]
pub struct Pack<V, const U: usize>(pub(crate) [V; U]);

macro_rules! operator {
    ($trait:ident, $method:ident, $op:tt) => {
        impl<V: Vector, const U: usize> $trait for Pack<V, U> {
            type Output = Self;
            #[inline(always)]
            fn $method(mut self, o: Self) -> Self {
                for u in 0..U {
                    self.0[u] = self.0[u] $op o.0[u];
                }
                self
            }
        }
    };
}

operator!(Add, add, +);
operator!(Sub, sub, -);
operator!(Mul, mul, *);
operator!(Div, div, /);

impl<V: Vector, const U: usize> Vector for Pack<V, U> {
    type Scalar = V::Scalar;
    type Mask = [V::Mask; U];
    type Wide = Pack<V::Wide, U>;
    const CALLS: bool = V::CALLS;
    const LANES: usize = V::LANES * U;

    #[inline(always)]
    fn splat(x: V::Scalar) -> Self {
        Pack([V::splat(x); U])
    }
    #[inline(always)]
    unsafe fn load(p: *const V::Scalar) -> Self {
        // SAFETY: the caller promises `U` vectors.
        Pack(from_fn(|u| unsafe { V::load(p.add(u * V::LANES)) }))
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut V::Scalar) {
        for (u, v) in self.0.into_iter().enumerate() {
            // SAFETY: the caller promises `U` vectors.
            unsafe { v.store(p.add(u * V::LANES)) }
        }
    }
    #[inline(always)]
    unsafe fn load_repeated(p: *const V::Scalar, shift: u32) -> Self {
        // SAFETY: the caller promises the values of all lanes.
        Pack(from_fn(|u| unsafe {
            V::load_repeated(p.add((u * V::LANES) >> shift), shift)
        }))
    }
    #[inline(always)]
    fn add_pairs(self, o: Self) -> Self {
        let both = |u: usize| if u < U { self.0[u] } else { o.0[u - U] };
        Pack(from_fn(|u| both(2 * u).add_pairs(both(2 * u + 1))))
    }
    #[inline(always)]
    fn widen(self) -> Self::Wide {
        Pack(from_fn(|u| self.0[u].widen()))
    }
    #[inline(always)]
    fn mul_add(mut self, b: Self, c: Self) -> Self {
        if V::CALLS {
            return mul_add_call(self, b, c);
        }
        for u in 0..U {
            self.0[u] = self.0[u].mul_add(b.0[u], c.0[u]);
        }
        self
    }
    #[inline(always)]
    fn max(mut self, o: Self) -> Self {
        for u in 0..U {
            self.0[u] = self.0[u].max(o.0[u]);
        }
        self
    }
    #[inline(always)]
    fn min(mut self, o: Self) -> Self {
        for u in 0..U {
            self.0[u] = self.0[u].min(o.0[u]);
        }
        self
    }
    #[inline(always)]
    fn lt(self, o: Self) -> Self::Mask {
        from_fn(|u| self.0[u].lt(o.0[u]))
    }
    #[inline(always)]
    fn not_lt(self, o: Self) -> Self::Mask {
        from_fn(|u| self.0[u].not_lt(o.0[u]))
    }
    #[inline(always)]
    fn eq(self, o: Self) -> Self::Mask {
        from_fn(|u| self.0[u].eq(o.0[u]))
    }
    #[inline(always)]
    fn ne(self, o: Self) -> Self::Mask {
        from_fn(|u| self.0[u].ne(o.0[u]))
    }
    #[inline(always)]
    fn is_nan(self) -> Self::Mask {
        from_fn(|u| self.0[u].is_nan())
    }
    #[inline(always)]
    fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask {
        from_fn(|u| V::or(a[u], b[u]))
    }
    #[inline(always)]
    fn bits(m: Self::Mask) -> u64 {
        let mut bits = 0;
        for (u, m) in m.into_iter().enumerate() {
            bits |= V::bits(m) << (u * V::LANES);
        }
        bits
    }
    #[inline(always)]
    fn select(m: Self::Mask, mut a: Self, b: Self) -> Self {
        for (u, m) in m.into_iter().enumerate() {
            a.0[u] = V::select(m, a.0[u], b.0[u]);
        }
        a
    }
    #[inline(always)]
    fn sqrt(mut self) -> Self {
        for v in &mut self.0 {
            *v = v.sqrt();
        }
        self
    }
    #[inline(always)]
    unsafe fn compress(self, m: Self::Mask, p: *mut V::Scalar) -> usize {
        let mut count = 0;
        for (v, m) in self.0.into_iter().zip(m) {
            // SAFETY: the caller promises `U` vectors; `count` is at most the number of lanes before this one.
            count += unsafe { v.compress(m, p.add(count)) };
        }
        count
    }
    #[inline(always)]
    unsafe fn expand(m: Self::Mask, p: *const V::Scalar) -> Self {
        let mut out = Pack([V::splat(Real::ZERO); U]);
        let mut count = 0;
        for (v, m) in out.0.iter_mut().zip(m) {
            // SAFETY: the caller promises `U` vectors; `count` is at most the number of lanes before this one.
            *v = unsafe { V::expand(m, p.add(count)) };
            count += V::bits(m).count_ones() as usize;
        }
        out
    }
    #[inline(always)]
    fn exp(self) -> Self {
        if V::CALLS {
            exp_call(self)
        } else {
            exp_lanes(self)
        }
    }
    #[inline(always)]
    fn ln(self) -> Self {
        if V::CALLS {
            ln_call(self)
        } else {
            ln_lanes(self)
        }
    }
    #[inline(always)]
    fn iadd(mut self, c: u64) -> Self {
        for v in &mut self.0 {
            *v = v.iadd(c);
        }
        self
    }
    #[inline(always)]
    fn iand(mut self, c: u64) -> Self {
        for v in &mut self.0 {
            *v = v.iand(c);
        }
        self
    }
    #[inline(always)]
    fn ior(mut self, c: u64) -> Self {
        for v in &mut self.0 {
            *v = v.ior(c);
        }
        self
    }
    #[inline(always)]
    fn shl_mantissa(mut self) -> Self {
        for v in &mut self.0 {
            *v = v.shl_mantissa();
        }
        self
    }
    #[inline(always)]
    fn shr_mantissa(mut self) -> Self {
        for v in &mut self.0 {
            *v = v.shr_mantissa();
        }
        self
    }
}

// One call for all the vectors of a pack where each of them is a call.

#[inline(never)]
fn mul_add_call<V: Vector, const U: usize>(
    mut a: Pack<V, U>,
    b: Pack<V, U>,
    c: Pack<V, U>,
) -> Pack<V, U> {
    for ((a, b), c) in a.0.iter_mut().zip(b.0).zip(c.0) {
        *a = a.mul_add(b, c);
    }
    a
}

#[inline(never)]
fn exp_call<V: Vector, const U: usize>(mut x: Pack<V, U>) -> Pack<V, U> {
    for v in &mut x.0 {
        *v = v.exp();
    }
    x
}

#[inline(never)]
fn ln_call<V: Vector, const U: usize>(mut x: Pack<V, U>) -> Pack<V, U> {
    for v in &mut x.0 {
        *v = v.ln();
    }
    x
}

impl<V: Vector, const U: usize> Pack<V, U> {
    /// Combines the vectors by halves into one; `U` is a power of two.
    #[inline(always)]
    pub(crate) fn fold(mut self, combine: impl Fn(V, V) -> V) -> V {
        let mut half = U / 2;
        while half > 0 {
            for u in 0..half {
                self.0[u] = combine(self.0[u], self.0[u + half]);
            }
            half /= 2;
        }
        self.0[0]
    }
}
