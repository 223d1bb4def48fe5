//! Gradients of [`entmax`](crate::entmax()), from the saved output.
//!
//! With `s_i = p_i^(2 - alpha)` on the support: `s_i (g_i - m)`, `m = <s, g> / sum s`. For alpha, with `e = alpha - 1`, `L = ln p`
//! and `r_i = -(exp(-e L_i) - 1 + e L_i) / e^2`: `sum p_i r_i (g_i - m)`; `r` is `-L^2 / 2` at `e = 0`, by a series near it.

use super::calls::{Backward, excess_of};
use crate::lanes::math::elementary::polynomial;
use crate::lanes::pack::Pack;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{filled, get, lanes, poke};
use crate::row::special::{fill, is_constant};
use crate::row::sums::{Mean, Sum, unless_zero};

/// How the slope `p^(2 - alpha)` is computed; `limit` bounds it where `alpha > 2` makes it infinite as `p` goes to 0.
#[derive(Clone, Copy)]
enum Slope<A> {
    /// Sparsemax: 1.
    One,
    /// 1.5-entmax.
    Root,
    /// Softmax.
    Weight,
    /// Any other.
    Power(A),
}

impl<A: Real> Slope<A> {
    #[inline(always)]
    fn new(excess: A) -> Self {
        if excess == A::ONE {
            Slope::One
        } else if excess == A::from_f64(0.5) {
            Slope::Root
        } else if excess == A::ZERO {
            Slope::Weight
        } else {
            Slope::Power(A::ONE - excess)
        }
    }

    /// The slopes of weights that are not all 0.
    #[inline(always)]
    fn of<V: Vector<Scalar = A>>(self, p: V) -> V {
        let slope = match self {
            Slope::One => V::splat(A::ONE),
            Slope::Root => p.sqrt(),
            Slope::Weight => p,
            Slope::Power(power) => raised(p.ln(), power),
        };
        // NaN stays.
        unless_zero(p, V::select(p.is_nan(), p, slope))
    }
}

/// `exp(power * log)`, bounded by [`Real::EXCESS_LIMIT`].
#[inline(always)]
fn raised<V: Vector>(log: V, power: V::Scalar) -> V {
    let highest = V::splat(V::Scalar::LOG_LIMIT);
    (V::splat(power) * log).min(highest).exp()
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let (n, learned) = (self.probs.width, self.grad_alpha.width > 0);
        let (zero, fixed) = (A::ZERO, A::from_f64(self.excess));
        for r in self.shape.rows() {
            let (p, g) = (self.probs.row(r, n), self.grad.row(r, n));
            let out = self.grad_logits.row(r, n);
            if is_constant(self.stats.row(r, 2)[0]) {
                fill(out, zero);
                if learned {
                    self.grad_alpha.set(r, zero);
                }
                continue;
            }
            let excess = excess_of(&self.alpha, r, fixed);
            let slope = Slope::new(excess);
            let mut mean = Mean::<A::Lanes<B>>::new();
            let out = filled!(B, A, out, |i, k, U| {
                let p = get::<B, A, U>(p, i, k, zero);
                if Pack::<A::Lanes<B>, U>::bits(p.ne(Pack::splat(zero))) == 0 {
                    mean.skip();
                    Pack::splat(zero)
                } else {
                    let s = slope.of(p);
                    let g = get::<B, A, U>(g, i, k, zero);
                    mean.add(s, g);
                    s
                }
            } flush { mean.flush() });
            let mean = mean.value();
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let s = get::<B, A, U>(out, i, k, zero);
                if Pack::<A::Lanes<B>, U>::bits(s.ne(Pack::splat(zero))) != 0 {
                    let g = get::<B, A, U>(g, i, k, zero);
                    poke(out, i, k, unless_zero(s, s * (g - Pack::splat(mean))));
                }
            });
            if learned {
                let grad_alpha = along_alpha::<B, A>(p, g, mean, excess);
                self.grad_alpha.set(r, grad_alpha);
            }
        }
    }
}

/// `sum p r (g - mean)`
#[inline(always)]
fn along_alpha<B: Backend, A: Real>(p: &[A], g: &[A], mean: A, excess: A) -> A {
    let zero = A::ZERO;
    let mut sum = Sum::<A::Lanes<B>>::new();
    lanes!(A::Lanes<B>, p.len(), |i, k, U| {
        let p = get::<B, A, U>(p, i, k, zero);
        if Pack::<A::Lanes<B>, U>::bits(p.ne(Pack::splat(zero))) != 0 {
            let g = get::<B, A, U>(g, i, k, zero);
            let change = Pack::select(p.is_nan(), p, change(p, excess));
            sum.add(unless_zero(p, change * (g - Pack::splat(mean))));
        } else {
            sum.skip();
        }
    } flush { sum.flush() });
    sum.total()
}

/// `p r`: what `p` gains with alpha at a fixed threshold.
#[inline(always)]
fn change<V: Vector>(p: V, excess: V::Scalar) -> V {
    let log = p.ln();
    let w = V::splat(excess) * log;
    let near = p * (log * log) * polynomial(w, V::Scalar::CHANGE_POLYNOMIAL);
    // p exp(-e L) is the slope, which has its bound.
    let inverse = V::Scalar::ONE / excess;
    let slope = raised(log, V::Scalar::ONE - excess);
    let far = ((p - slope) * V::splat(inverse) - p * log) * V::splat(inverse);
    V::select(
        (w * w).lt(V::splat(V::Scalar::CHANGE_NEAR * V::Scalar::CHANGE_NEAR)),
        near,
        far,
    )
}
