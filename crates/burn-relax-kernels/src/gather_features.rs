//! Soft-argmax gather with trailing features: `out[f] = sum_i w_i V[i, f]`.
//!
//! The weights of a row go to a scratch row, then the value matrix is read once, in strips of whole vectors of features whose
//! sums stay in registers. Classes of weight 0 are skipped: their values are not even read. Narrow feature axes (below
//! one vector) use part of the lanes only; there the kernel is bound by instructions, not by memory.

use crate::element::Element;
use crate::gather::chosen;
use crate::real::Real;
use crate::rows::{Head, Output, Sum, get, inverse, lanes, poke, put, put_stats, row, row_max};
use crate::simd::{Backend, Pack, Region, Vector, sum_lanes};
use core::mem::MaybeUninit;
use core::ops::Range;

/// Vectors of features summed together.
const STRIP: usize = 4;
/// Classes whose contributions are summed before they move to the outer accumulator.
const CLASS_BLOCK: usize = 64;

pub(crate) struct Forward<'a, F: Element> {
    pub(crate) logits: &'a [F],
    pub(crate) values: &'a [F],
    pub(crate) n: usize,
    pub(crate) features: usize,
    pub(crate) inverse_temperature: F::Acc,
    pub(crate) soft: Output<'a, F>,
    pub(crate) hard: Option<Output<'a, F>>,
    pub(crate) stats: Output<'a, F::Acc>,
}

/// The unnormalised weights of a row, in `scratch`, and their sum.
#[inline(always)]
fn weights<B: Backend, F: Element>(head: &Head<F::Acc>, x: &[F], scratch: &mut [F::Acc]) -> F::Acc {
    let mut sum = Sum::<F::Lanes<B>>::new();
    lanes!(F::Lanes<B>, x.len(), |i, k, U| {
        let e = head.weight(get::<B, F, U>(x, i, k, F::Acc::NEG_INFINITY));
        sum.add(e);
        poke(scratch, i, k, e);
    } flush { sum.flush() });
    sum.total()
}

impl<F: Element> Region for Forward<'_, F> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let (n, features) = (self.n, self.features);
        let width = F::Lanes::<B>::LANES;
        let mut scratch = vec![F::Acc::ZERO; n];
        for r in rows {
            let (x, v) = (row(self.logits, r, n), row(self.values, r, n * features));
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (soft, stats) = unsafe { (self.soft.row(r, features), self.stats.row(r, 2)) };
            let largest = row_max::<B, F>(x);
            let head = Head::new(largest, self.inverse_temperature);
            let normaliser = weights::<B, F>(&head, x, &mut scratch);
            let factor = inverse(normaliser);
            let mut f = 0;
            while f < features {
                if features - f >= STRIP * width {
                    let k = STRIP * width;
                    strip::<B, F, STRIP>(&scratch, v, f..f + k, features, factor, soft);
                    f += k;
                } else {
                    let k = width.min(features - f);
                    strip::<B, F, 1>(&scratch, v, f..f + k, features, factor, soft);
                    f += k;
                }
            }
            put_stats(stats, head.max, normaliser);
            if let Some(hard) = &self.hard {
                // SAFETY: as above.
                let hard = unsafe { hard.row(r, features) };
                for (f, hard) in hard.iter_mut().enumerate() {
                    hard.write(chosen::<B, F>(x, largest, normaliser, |k| {
                        v[k * features + f]
                    }));
                }
            }
        }
    }
}

/// The weighted sums of the `k` features from `f` on, in `S` vectors.
#[inline(always)]
fn strip<B: Backend, F: Element, const S: usize>(
    weights: &[F::Acc],
    values: &[F],
    features: Range<usize>,
    stride: usize,
    factor: F::Acc,
    out: &mut [MaybeUninit<F>],
) {
    let (f, k) = (features.start, features.len());
    let mut outer = Pack::<F::Lanes<B>, S>::splat(F::Acc::ZERO);
    for (block, weights) in weights.chunks(CLASS_BLOCK).enumerate() {
        let mut inner = Pack::splat(F::Acc::ZERO);
        for (j, &w) in weights.iter().enumerate() {
            if w != F::Acc::ZERO {
                let class = row(values, block * CLASS_BLOCK + j, stride);
                inner = inner + Pack::splat(w) * get::<B, F, S>(class, f, k, F::Acc::ZERO);
            }
        }
        outer = outer + inner;
    }
    put::<B, F, S>(out, f, k, outer * Pack::splat(factor));
}

pub(crate) struct Backward<'a, F: Element> {
    pub(crate) logits: &'a [F],
    pub(crate) values: &'a [F],
    pub(crate) stats: &'a [F::Acc],
    pub(crate) soft: &'a [F],
    pub(crate) grad: &'a [F],
    pub(crate) n: usize,
    pub(crate) features: usize,
    pub(crate) inverse_temperature: F::Acc,
    pub(crate) grad_logits: Output<'a, F>,
    pub(crate) grad_values: Output<'a, F>,
}

impl<F: Element> Region for Backward<'_, F> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let (n, features) = (self.n, self.features);
        let mut scratch = vec![F::Acc::ZERO; n];
        for r in rows {
            let (x, v) = (row(self.logits, r, n), row(self.values, r, n * features));
            let (g, soft) = (row(self.grad, r, features), row(self.soft, r, features));
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (grad_x, grad_v) = unsafe {
                (
                    self.grad_logits.row(r, n),
                    self.grad_values.row(r, n * features),
                )
            };
            let head = Head::from_stats(self.stats[2 * r], self.inverse_temperature);
            let factor = inverse(self.stats[2 * r + 1]);
            weights::<B, F>(&head, x, &mut scratch);
            for (i, &e) in scratch.iter().enumerate() {
                let (class, out) = (row(v, i, features), &mut grad_v[i * features..][..features]);
                if e == F::Acc::ZERO {
                    out.fill(MaybeUninit::new(F::from_acc(F::Acc::ZERO)));
                    grad_x[i].write(F::from_acc(F::Acc::ZERO));
                    continue;
                }
                let w = e * factor;
                let d = class_gradient::<B, F>(class, soft, g, w, out);
                let d = if head.is_constant() {
                    F::Acc::ZERO
                } else {
                    w * d * self.inverse_temperature
                };
                grad_x[i].write(F::from_acc(d));
            }
        }
    }
}

/// Writes `w g` and returns `<V_i - soft, g>`.
#[inline(always)]
fn class_gradient<B: Backend, F: Element>(
    class: &[F],
    soft: &[F],
    g: &[F],
    w: F::Acc,
    out: &mut [MaybeUninit<F>],
) -> F::Acc {
    let zero = F::Acc::ZERO;
    let mut d = F::Lanes::<B>::splat(zero);
    lanes!(F::Lanes<B>, class.len(), |f, k, U| {
        let g = get::<B, F, U>(g, f, k, zero);
        let difference = get::<B, F, U>(class, f, k, zero) - get::<B, F, U>(soft, f, k, zero);
        d = d + (difference * g).fold(|a, b| a + b);
        put::<B, F, U>(out, f, k, g * Pack::splat(w));
    });
    sum_lanes(d)
}
