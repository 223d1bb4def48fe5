//! Gradients of [`entmax`](crate::entmax()), from the saved output.
//!
//! With `s_i = p_i^(2 - alpha)` on the support: `s_i (g_i - m)`, `m = <s, g> / sum s`. For alpha, with `e = alpha - 1`, `L = ln p`
//! and `r_i = -(exp(-e L_i) - 1 + e L_i) / e^2`: `sum p_i r_i (g_i - m)`; `r` is `-L^2 / 2` at `e = 0`, by a series near it.

use crate::distribute::run;
use crate::element::Element;
use crate::entmax::{check_alpha, excess_of};
use crate::math::{exp, ln};
use crate::real::{Real, polynomial};
use crate::rows::{Output, check_len, count_rows, get, lanes, put, row, unless_zero, written};
use crate::simd::{Backend, Pack, Region, Vector};
use crate::sums::{Mean, Sum};
use core::mem::MaybeUninit;
use core::ops::Range;

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
            Slope::Power(power) => raised(ln(p), power),
        };
        // NaN stays.
        unless_zero(p, V::select(p.is_nan(), p, slope))
    }
}

/// `exp(power * log)`, bounded by [`Real::EXCESS_LIMIT`].
#[inline(always)]
fn raised<V: Vector>(log: V, power: V::Scalar) -> V {
    let highest = V::splat(V::Scalar::LOG_LIMIT);
    exp((V::splat(power) * log).min(highest))
}

struct Backward<'a, A: Real> {
    probs: &'a [A],
    alpha: &'a [A],
    stats: &'a [A],
    grad: &'a [A],
    excess: A,
    n: usize,
    grad_logits: Output<'a, A>,
    grad_alpha: Output<'a, A>,
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        let zero = A::ZERO;
        let learned = !self.alpha.is_empty();
        for r in rows {
            let (p, g) = (row(self.probs, r, n), row(self.grad, r, n));
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (out, grad_alpha) = unsafe {
                (
                    self.grad_logits.row(r, n),
                    self.grad_alpha.row(r, usize::from(learned)),
                )
            };
            if self.stats[2 * r] == A::MAX {
                out.fill(MaybeUninit::new(zero));
                grad_alpha.fill(MaybeUninit::new(zero));
                continue;
            }
            let excess = excess_of(self.alpha, self.excess, r);
            let slope = Slope::new(excess);
            let mut mean = Mean::<A::Lanes<B>>::new();
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let p = get::<B, A, U>(p, i, k, zero);
                let s = if Pack::<A::Lanes<B>, U>::bits(p.ne(Pack::splat(zero))) == 0 {
                    Pack::splat(zero)
                } else {
                    let s = slope.of(p);
                    let g = get::<B, A, U>(g, i, k, zero);
                    mean.add(s, g);
                    s
                };
                put::<B, A, U>(out, i, k, s);
            } flush { mean.flush() });
            let mean = mean.value();
            lanes!(A::Lanes<B>, n, |i, k, U| {
                // SAFETY: the loop above wrote every value of the row.
                let s = get::<B, A, U>(unsafe { written(out) }, i, k, zero);
                if Pack::<A::Lanes<B>, U>::bits(s.ne(Pack::splat(zero))) != 0 {
                    let g = get::<B, A, U>(g, i, k, zero);
                    put::<B, A, U>(out, i, k, unless_zero(s, s * (g - Pack::splat(mean))));
                }
            });
            if learned {
                grad_alpha[0].write(along_alpha::<B, A>(p, g, mean, excess));
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
        }
    } flush { sum.flush() });
    sum.total()
}

/// `p r`: what `p` gains with alpha at a fixed threshold.
#[inline(always)]
fn change<V: Vector>(p: V, excess: V::Scalar) -> V {
    let log = ln(p);
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

/// Gradient of [`entmax`](crate::entmax()) with respect to the logits.
///
/// Entries without weight get 0 and contribute nothing, whatever their upstream gradient. Rows with `+inf` get 0. Beyond
/// `alpha = 2` the slope of a vanishing weight is bounded by the square root of the largest number.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn entmax_backward<F: Element>(
    probs: &[F],
    stats: &[F::Acc],
    grad: &[F],
    alpha: f64,
    n: usize,
    grad_logits: &mut [MaybeUninit<F>],
) {
    let name = "entmax_backward";
    backward(
        name,
        probs,
        &[],
        stats,
        grad,
        alpha - 1.0,
        n,
        grad_logits,
        &mut [],
    );
}

/// Gradients of [`entmax_rows`](crate::entmax_rows()) with respect to the logits and, one for each row, to alpha.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn entmax_rows_backward<F: Element>(
    probs: &[F],
    alpha: &[F],
    stats: &[F::Acc],
    grad: &[F],
    n: usize,
    grad_logits: &mut [MaybeUninit<F>],
    grad_alpha: &mut [MaybeUninit<F>],
) {
    let name = "entmax_rows_backward";
    let rows = count_rows(name, probs.len(), n);
    check_alpha(name, alpha.len(), rows);
    check_len(name, "grad_alpha", grad_alpha.len(), rows);
    backward(
        name,
        probs,
        alpha,
        stats,
        grad,
        0.0,
        n,
        grad_logits,
        grad_alpha,
    );
}

#[track_caller]
#[allow(clippy::too_many_arguments)]
fn backward<F: Element>(
    kernel: &str,
    probs: &[F],
    alpha: &[F],
    stats: &[F::Acc],
    grad: &[F],
    excess: f64,
    n: usize,
    grad_logits: &mut [MaybeUninit<F>],
    grad_alpha: &mut [MaybeUninit<F>],
) {
    let rows = count_rows(kernel, probs.len(), n);
    check_len(kernel, "stats", stats.len(), 2 * rows);
    check_len(kernel, "grad", grad.len(), probs.len());
    check_len(kernel, "grad_logits", grad_logits.len(), probs.len());
    let per_row = usize::from(alpha.len() > 1);
    let one = usize::from(!alpha.is_empty());
    run!(
        Backward, rows, 2 * n, |_first|
        { probs: n, alpha: per_row, grad: n } { stats: 2 } { grad_logits: n, grad_alpha: one } {}
        { excess: F::Acc::from_f64(excess), n: n }
    );
}
