//! Many trailing features, in `f64`.
//!
//! As many sums over a row feel what its weights are off by, and there is one exponential to all of them: weights, sums and
//! differences are taken in `f64`, which costs little beside reading the values. For rows of `f64` the kernels with few features do
//! that already.

use super::calls::{Backward, Forward};
use super::chosen::put_gradient;
use super::sums::{STRIP, class, product, put_wide};
use crate::lanes::pack::Pack;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{get, lanes, poke, put};
use crate::row::choice::{choice_of, put_value};
use crate::row::head::{Head, reciprocal};
use crate::row::special::{fill, put_stats, row_max};
use crate::row::sums::{Sum, inverse, residual};
use core::mem::MaybeUninit;
use core::ops::Range;

/// Features from which on these kernels are used.
pub(super) const MANY: usize = 32;

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

/// The kernels of many features.
pub(super) struct Many<T>(pub(super) T);

impl<A: Real> Region for Many<Forward<'_, A>> {
    #[inline(always)]
    fn run<B: Backend>(self) {
        let Many(mut call) = self;
        let inverse_temperature = reciprocal(call.temperature);
        let (n, features) = (call.logits.width, call.soft.width);
        let width = A::Lanes::<B>::LANES;
        let mut scratch = vec![0.0; n];
        for r in call.shape.rows() {
            let (x, v, soft) = (
                call.logits.row(r, n),
                call.values.row(r, n * features),
                call.soft.row(r, features),
            );
            let largest = row_max::<B, A>(x);
            let head = Head::new(largest, inverse_temperature);
            let normaliser = weights::<B, A>(&head, x, &mut scratch);
            let factor = inverse(normaliser);
            let mut f = 0;
            while f < features {
                if !A::Lanes::<B>::CALLS && features - f >= STRIP * width {
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
            put_stats(call.stats.row(r, 2), head.max, normaliser);
            if call.hard.width > 0 {
                let choice = choice_of::<B, A>(x, largest, normaliser);
                put_value(call.hard.row(r, features), &choice, v);
            }
        }
    }
}

/// The weighted sums of the `k` features from `f` on, in `S` vectors.
#[inline(always)]
fn strip<B: Backend, A: Real, const S: usize>(
    weights: &[f64],
    values: &[A],
    place: Range<usize>,
    stride: usize,
    factor: f64,
    out: &mut [MaybeUninit<A>],
) {
    let (f, k) = (place.start, place.len());
    let mut sums = Pack::<A::Lanes<B>, S>::splat(A::ZERO).widen();
    for (i, &w) in weights.iter().enumerate() {
        if w != 0.0 {
            let features = get::<B, A, S>(class(values, i, stride), f, k, A::ZERO).widen();
            sums = features.mul_add(Pack::splat(w), sums);
        }
    }
    put_wide(sums, factor, &mut out[place]);
}

impl<A: Real> Region for Many<Backward<'_, A>> {
    #[inline(always)]
    fn run<B: Backend>(self) {
        let Many(mut call) = self;
        let inverse_temperature = reciprocal::<A>(call.temperature);
        let (n, features) = (call.logits.width, call.soft.width);
        let (mut scratch, mut differences) = (vec![0.0; n], vec![0.0; n]);
        let mut wide_grad = vec![0.0; features];
        for r in call.shape.rows() {
            let (x, v) = (call.logits.row(r, n), call.values.row(r, n * features));
            let (g, soft) = (call.grad.row(r, features), call.soft.row(r, features));
            let (grad_x, grad_v) = (
                call.grad_logits.row(r, n),
                call.grad_values.row(r, n * features),
            );
            let head = Head::from_stats(call.stats.row(r, 2)[0], inverse_temperature);
            let factor = inverse(weights::<B, A>(&head, x, &mut scratch));
            for (wide, g) in wide_grad.iter_mut().zip(g) {
                *wide = g.to_f64();
            }
            let expected = product(soft, &wide_grad);
            for (i, &e) in scratch.iter().enumerate() {
                let out = &mut grad_v[i * features..][..features];
                if e == 0.0 {
                    fill(out, A::ZERO);
                    differences[i] = 0.0;
                    continue;
                }
                let w = A::from_f64(e * factor);
                lanes!(A::Lanes<B>, features, |f, k, U| {
                    put::<B, A, U>(out, f, k, get::<B, A, U>(g, f, k, A::ZERO) * Pack::splat(w));
                });
                differences[i] = product(class(v, i, features), &wide_grad) - expected;
            }
            if call.hard {
                put_gradient::<B, A>(grad_v, x, g);
            }
            if head.is_constant() {
                fill(grad_x, A::ZERO);
                continue;
            }
            let rest = residual::<B, f64>(&scratch, &differences, 0.0);
            let scale = factor * inverse_temperature.to_f64();
            for ((out, e), d) in grad_x.iter_mut().zip(&scratch).zip(&differences) {
                let gradient = e * (d - rest) * scale;
                out.write(A::from_f64(if *e == 0.0 { 0.0 } else { gradient }));
            }
        }
    }
}
