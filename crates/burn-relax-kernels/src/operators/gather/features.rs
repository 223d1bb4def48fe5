//! Trailing features: `soft[f] = sum_i w_i V[i, f]`.
//!
//! The weights of a row go to a scratch row, then the value matrix is read once, in strips of whole vectors of features whose
//! sums stay in registers: four f32 sums side by side for a block of classes, then one in `f64`. Values at a weight of 0 do not
//! count. Feature axes below one vector use part of the lanes only and are bound by instructions; those of 2, 4 and 8 have
//! a way of their own (`few`), and so have many features (`many`). Backward: `<V_i, g>` class by class, in `f64`
//! because their differences may be small; then one pass over the row for the logits.

use super::calls::{Backward, Forward};
use super::chosen::put_gradient;
use super::few::{self, shift_of};
use super::sums::{STRIP, class, product, put_wide, strip};
use crate::lanes::pack::Pack;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{filled, get, lanes, poke, put};
use crate::row::choice::{choice_of, put_value};
use crate::row::head::{Head, reciprocal};
use crate::row::special::{fill, put_stats, row_max};
use crate::row::sums::{Sum, inverse, residual, unless_zero};

/// The kernels of several features.
pub(super) struct Features<T>(pub(super) T);

/// The unnormalised weights of a row, in `scratch`, and their sum.
#[inline(always)]
fn weights<B: Backend, A: Real>(head: &Head<A>, x: &[A], scratch: &mut [A]) -> f64 {
    let mut sum = Sum::<A::Lanes<B>>::new();
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let e = head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
        sum.add(e);
        poke(scratch, i, k, e);
    } flush { sum.flush() });
    sum.wide_total()
}

impl<A: Real> Region for Features<Forward<'_, A>> {
    #[inline(always)]
    fn run<B: Backend>(self) {
        let Features(mut call) = self;
        let inverse_temperature = reciprocal(call.temperature);
        let (n, features) = (call.logits.width, call.soft.width);
        let width = A::Lanes::<B>::LANES;
        let mut scratch = vec![A::ZERO; n];
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
            if let Some(shift) = shift_of(features) {
                few::sum::<B, A>(&scratch, v, shift, factor, soft);
            } else {
                let mut f = 0;
                while f < features {
                    if !A::Lanes::<B>::CALLS && features - f >= STRIP * width {
                        let k = STRIP * width;
                        let sums = strip::<B, A, STRIP>(&scratch, v, f..f + k, features);
                        put_wide(sums, factor, &mut soft[f..f + k]);
                        f += k;
                    } else {
                        let k = width.min(features - f);
                        let sums = strip::<B, A, 1>(&scratch, v, f..f + k, features);
                        put_wide(sums, factor, &mut soft[f..f + k]);
                        f += k;
                    }
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

impl<A: Real> Region for Features<Backward<'_, A>> {
    #[inline(always)]
    fn run<B: Backend>(self) {
        let Features(mut call) = self;
        let inverse_temperature = reciprocal(call.temperature);
        let (n, features) = (call.logits.width, call.soft.width);
        let width = A::Lanes::<B>::LANES;
        let mut scratch = vec![A::ZERO; n];
        let mut wide_grad = vec![0.0; features];
        for r in call.shape.rows() {
            let (x, v, stats) = (
                call.logits.row(r, n),
                call.values.row(r, n * features),
                call.stats.row(r, 2),
            );
            let (g, soft) = (call.grad.row(r, features), call.soft.row(r, features));
            let (grad_x, grad_v) = (
                call.grad_logits.row(r, n),
                call.grad_values.row(r, n * features),
            );
            let head = Head::from_stats(stats[0], inverse_temperature);
            let factor = inverse(stats[1]);
            weights::<B, A>(&head, x, &mut scratch);
            for (wide, g) in wide_grad.iter_mut().zip(g) {
                *wide = g.to_f64();
            }
            let expected = product(soft, &wide_grad);
            // In the row itself: a second scratch row might lie a multiple of 4 KiB from the first, and each would wait for the other.
            let differences = filled!(B, A, grad_x, |i, k, U| { Pack::splat(A::ZERO) });
            // All of them, if they fit one vector: the loop over classes need not read them again.
            let all = get::<B, A, 1>(g, 0, features.min(width), A::ZERO);
            let mut done = 0;
            if shift_of(features).is_some() {
                done = n - n % width;
                if done > 0 {
                    let weights = &scratch[..done];
                    few::gradients::<B, A>(weights, v, factor, soft, g, grad_v, differences);
                }
            }
            for (i, &e) in scratch.iter().enumerate().skip(done) {
                let out = &mut grad_v[i * features..][..features];
                if e == A::ZERO {
                    fill(out, A::ZERO);
                    continue;
                }
                let w = e * factor;
                if features <= width {
                    put::<B, A, 1>(out, 0, features, all * Pack::splat(w));
                } else {
                    lanes!(A::Lanes<B>, features, |f, k, U| {
                        let g = get::<B, A, U>(g, f, k, A::ZERO);
                        put::<B, A, U>(out, f, k, g * Pack::splat(w));
                    });
                }
                differences[i] = A::from_f64(product(class(v, i, features), &wide_grad) - expected);
            }
            if call.hard {
                put_gradient::<B, A>(grad_v, x, g);
            }
            if head.is_constant() {
                differences.fill(A::ZERO);
                continue;
            }
            let rest = residual::<B, A>(&scratch, differences, A::ZERO);
            let scale = factor * inverse_temperature;
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let e = get::<B, A, U>(&scratch, i, k, A::ZERO);
                let d = get::<B, A, U>(differences, i, k, A::ZERO);
                let d = e * (d - Pack::splat(rest)) * Pack::splat(scale);
                poke(differences, i, k, unless_zero(e, d));
            });
        }
    }
}
