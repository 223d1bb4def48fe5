//! One value per class.
//!
//! Forward: block by block, one pass for the maximum so far, one for the weights, their sum and the weighted sum. Memory is read once
//! whatever the length of the row. Nothing of the size of the input is stored: the backward pass computes the weights again from the
//! row's maximum and normaliser, which moves fewer bytes than reading them. It is a single pass, since `<w, d>` is the saved output
//! times the upstream gradient; rows that a class dominates take one more, for what rounding took from that output.

use super::calls::{Backward, Forward};
use super::chosen::put_gradient;
use crate::lanes::pack::Pack;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::access::{get, lanes, put};
use crate::row::choice::{choice_of, put_value};
use crate::row::head::{Head, reciprocal};
use crate::row::special::{fill, put_stats};
use crate::row::sums::{dominated, inverse, unless_zero};
use crate::row::weighted::{Weighted, residual};

/// The kernels of one feature.
pub(super) struct One<T>(pub(super) T);

impl<A: Real> Region for One<Forward<'_, A>> {
    #[inline(always)]
    fn run<B: Backend>(self) {
        let One(mut call) = self;
        let n = call.logits.width;
        let inverse_temperature = reciprocal(call.temperature);
        for r in call.shape.rows() {
            let (x, v) = (call.logits.row(r, n), call.values.row(r, n));
            let total = Weighted::new::<B>(x, v, inverse_temperature);
            call.soft.set(r, total.mean());
            put_stats(call.stats.row(r, 2), total.max, total.normaliser);
            if call.hard.width > 0 {
                let choice = choice_of::<B, A>(x, total.largest, total.normaliser);
                put_value(call.hard.row(r, 1), &choice, v);
            }
        }
    }
}

impl<A: Real> Region for One<Backward<'_, A>> {
    #[inline(always)]
    fn run<B: Backend>(self) {
        let One(mut call) = self;
        let n = call.logits.width;
        let scale = reciprocal::<A>(call.temperature);
        for r in call.shape.rows() {
            let (x, v, stats) = (
                call.logits.row(r, n),
                call.values.row(r, n),
                call.stats.row(r, 2),
            );
            let (grad_x, grad_v) = (call.grad_logits.row(r, n), call.grad_values.row(r, n));
            let head = Head::from_stats(stats[0], scale);
            let factor = inverse(stats[1]);
            let g = call.grad.one(r);
            let soft = call.soft.one(r);
            if head.is_constant() {
                fill(grad_x, A::ZERO);
                lanes!(A::Lanes<B>, n, |i, k, U| {
                    let w =
                        head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY)) * Pack::splat(factor);
                    put::<B, A, U>(grad_v, i, k, unless_zero(w, w * Pack::splat(g)));
                });
            } else {
                let rest = if dominated(stats[1]) {
                    residual::<B, A>(&head, x, v, soft)
                } else {
                    A::ZERO
                };
                lanes!(A::Lanes<B>, n, |i, k, U| {
                    let w =
                        head.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY)) * Pack::splat(factor);
                    let v = get::<B, A, U>(v, i, k, A::ZERO);
                    let to_value = w * Pack::splat(g);
                    put::<B, A, U>(grad_v, i, k, unless_zero(w, to_value));
                    let difference = (v - Pack::splat(soft)) - Pack::splat(rest);
                    let d = to_value * difference * Pack::splat(scale);
                    put::<B, A, U>(grad_x, i, k, unless_zero(w, d));
                });
            }
            if call.hard {
                put_gradient::<B, A>(grad_v, x, &[g]);
            }
        }
    }
}
