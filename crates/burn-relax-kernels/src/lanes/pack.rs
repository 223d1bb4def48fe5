//! Several vectors that go through a kernel together.
//!
//! An exponential is a chain of some twenty dependent instructions. Interleaving the chains of several vectors keeps the
//! arithmetic units busy where one chain after the other would fill the processor's queues with waiting instructions.

use super::math::elementary;
use super::vector::{Real, Vector};
use core::array::from_fn;
use core::mem::MaybeUninit;
use core::ops::{Add, Div, Mul, Sub};

/// Vectors in one step of the loops over a row.
pub(crate) const UNROLL: usize = 4;

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
    fn load(from: &[V::Scalar]) -> Self {
        Pack(from_fn(|u| V::load(&from[u * V::LANES..])))
    }
    #[inline(always)]
    fn store(self, to: &mut [MaybeUninit<V::Scalar>]) {
        for (u, v) in self.0.into_iter().enumerate() {
            v.store(&mut to[u * V::LANES..]);
        }
    }
    #[inline(always)]
    fn load_repeated(from: &[V::Scalar], shift: u32) -> Self {
        Pack(from_fn(|u| {
            V::load_repeated(&from[(u * V::LANES) >> shift..], shift)
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
    fn compress(self, m: Self::Mask, to: &mut [V::Scalar]) -> usize {
        let mut count = 0;
        for (v, m) in self.0.into_iter().zip(m) {
            count += v.compress(m, &mut to[count..]);
        }
        count
    }
    #[inline(always)]
    fn expand(m: Self::Mask, from: &[V::Scalar]) -> Self {
        let mut out = Pack([V::splat(Real::ZERO); U]);
        let mut count = 0;
        for (v, m) in out.0.iter_mut().zip(m) {
            *v = V::expand(m, &from[count..]);
            count += V::bits(m).count_ones() as usize;
        }
        out
    }
    #[inline(always)]
    fn exp(self) -> Self {
        if V::CALLS {
            exp_call(self)
        } else {
            elementary::exp(self)
        }
    }
    #[inline(always)]
    fn ln(self) -> Self {
        if V::CALLS {
            ln_call(self)
        } else {
            elementary::ln(self)
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
