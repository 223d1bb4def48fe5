//! Soft-argmax gather with many trailing features, in `f64`.
//!
//! As many sums over a row feel what its weights are off by, and there is one exponential to all of them: weights, sums and
//! differences are taken in `f64`, which costs little beside reading the values. For rows of `f64` the kernels with few features do
//! that already.

use crate::gather_features::{Backward, Forward, STRIP, product, put_wide};
use crate::real::Real;
use crate::rows::{Head, get, inverse, lanes, poke, put, put_stats, row, row_max};
use crate::simd::{Backend, Pack, Region, Vector};
use crate::sums::{Sum, residual};
use core::mem::MaybeUninit;
use core::ops::Range;

/// Features from which on these kernels are used.
pub(crate) const MANY: usize = 32;

/// The unnormalised weights of a row, and their sum.
#[inline(always)]
fn weights<B: Backend, A: Real>(head: &Head<A>, x: &[A], weights: &mut [f64]) -> f64 {
    let head = Head {
        max: head.max.to_f64(),
        scale: head.scale.to_f64(),
    };
    for (weight, x) in weights.iter_mut().zip(x) {
        *weight = x.to_f64();
    }
    let mut sum = Sum::<B::F64>::new();
    lanes!(B::F64, x.len(), |i, k, U| {
        let e = head.weight(get::<B, f64, U>(weights, i, k, f64::NEG_INFINITY));
        sum.add(e);
        poke(weights, i, k, e);
    } flush { sum.flush() });
    sum.wide_total()
}

/// A kernel for rows of many features: a region of its own, since the code of two in one function runs slower.
pub(crate) struct Many<'a, T>(pub(crate) &'a T);

impl<A: Real> Region for Many<'_, Forward<'_, A>> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let Many(kernel) = self;
        let (n, features) = (kernel.n, kernel.features);
        let width = A::Lanes::<B>::LANES;
        let mut scratch = vec![0.0; n];
        for r in rows {
            let (x, v) = (
                row(kernel.logits, r, n),
                row(kernel.values, r, n * features),
            );
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (soft, stats) = unsafe { (kernel.soft.row(r, features), kernel.stats.row(r, 2)) };
            let largest = row_max::<B, A>(x);
            let head = Head::new(largest, kernel.inverse_temperature);
            let normaliser = weights::<B, A>(&head, x, &mut scratch);
            let factor = inverse(normaliser);
            let mut f = 0;
            while f < features {
                if features - f >= STRIP * width {
                    let k = STRIP * width;
                    strip::<B, A, STRIP>(&scratch, v, f..f + k, features, factor, soft);
                    f += k;
                } else {
                    let k = width.min(features - f);
                    strip::<B, A, 1>(&scratch, v, f..f + k, features, factor, soft);
                    f += k;
                }
            }
            let normaliser = A::from_f64(normaliser);
            put_stats(stats, head.max, normaliser);
            kernel.put_hard::<B>(r, largest, normaliser);
        }
    }
}

/// The weighted sums of the `k` features from `f` on, in `S` vectors.
#[inline(always)]
fn strip<B: Backend, A: Real, const S: usize>(
    weights: &[f64],
    values: &[A],
    features: Range<usize>,
    stride: usize,
    factor: f64,
    out: &mut [MaybeUninit<A>],
) {
    let (f, k) = (features.start, features.len());
    let mut sums = Pack::<A::Lanes<B>, S>::splat(A::ZERO).widen();
    for (i, &w) in weights.iter().enumerate() {
        if w != 0.0 {
            let class = get::<B, A, S>(row(values, i, stride), f, k, A::ZERO).widen();
            sums = class.mul_add(Pack::splat(w), sums);
        }
    }
    put_wide(sums, factor, &mut out[features]);
}

impl<A: Real> Region for Many<'_, Backward<'_, A>> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let Many(kernel) = self;
        let (n, features) = (kernel.n, kernel.features);
        let (mut scratch, mut differences) = (vec![0.0; n], vec![0.0; n]);
        let mut wide_grad = vec![0.0; features];
        for r in rows {
            let (x, v) = (
                row(kernel.logits, r, n),
                row(kernel.values, r, n * features),
            );
            let (g, soft) = (row(kernel.grad, r, features), row(kernel.soft, r, features));
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (grad_x, grad_v) = unsafe {
                (
                    kernel.grad_logits.row(r, n),
                    kernel.grad_values.row(r, n * features),
                )
            };
            let head = Head::from_stats(kernel.stats[2 * r], kernel.inverse_temperature);
            let factor = inverse(weights::<B, A>(&head, x, &mut scratch));
            for (wide, g) in wide_grad.iter_mut().zip(g) {
                *wide = g.to_f64();
            }
            let expected = product(soft, &wide_grad);
            for (i, &e) in scratch.iter().enumerate() {
                let (class, out) = (row(v, i, features), &mut grad_v[i * features..][..features]);
                if e == 0.0 {
                    out.fill(MaybeUninit::new(A::ZERO));
                    differences[i] = 0.0;
                    continue;
                }
                let w = A::from_f64(e * factor);
                lanes!(A::Lanes<B>, features, |f, k, U| {
                    put::<B, A, U>(out, f, k, get::<B, A, U>(g, f, k, A::ZERO) * Pack::splat(w));
                });
                differences[i] = product(class, &wide_grad) - expected;
            }
            if head.is_constant() {
                grad_x.fill(MaybeUninit::new(A::ZERO));
                continue;
            }
            let rest = residual::<B, f64>(&scratch, &differences, 0.0);
            let scale = factor * kernel.inverse_temperature.to_f64();
            for ((out, e), d) in grad_x.iter_mut().zip(&scratch).zip(&differences) {
                let gradient = e * (d - rest) * scale;
                out.write(A::from_f64(if *e == 0.0 { 0.0 } else { gradient }));
            }
        }
    }
}
