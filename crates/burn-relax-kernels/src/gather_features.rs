//! Soft-argmax gather with trailing features: `out[f] = sum_i w_i V[i, f]`.
//!
//! The weights of a row go to a scratch row, then the value matrix is read once, in strips of whole vectors of features whose
//! sums stay in registers: four f32 sums side by side for a block of classes, then one in `f64`. Values at a weight of 0 do not
//! count. Feature axes below one vector use part of the lanes only and are bound by instructions; those of 2, 4 and 8 have
//! a way of their own (`gather_few`), and so have many features (`gather_many`). Backward: `<V_i, g>` class by class, in `f64`
//! because their differences may be small; then one pass over the row for the logits.

use crate::gather::chosen;
use crate::gather_few::{self, shift_of};
use crate::gather_many::{MANY, Many};
use crate::real::Real;
use crate::rows::{
    Head, Output, get, inverse, lanes, poke, put, put_stats, row, row_max, unless_zero, written,
};
use crate::simd::{Backend, MAX_LANES, Pack, Region, Vector, current_path, enter};
use crate::sums::{Sum, residual};
use core::mem::MaybeUninit;
use core::ops::Range;

/// Vectors of features summed together.
pub(crate) const STRIP: usize = 4;
/// Classes whose contributions are summed before they move to the outer sums.
const CLASS_BLOCK: usize = 32;

pub(crate) struct Forward<'a, A: Real> {
    pub(crate) logits: &'a [A],
    pub(crate) values: &'a [A],
    pub(crate) n: usize,
    pub(crate) features: usize,
    pub(crate) inverse_temperature: A,
    pub(crate) soft: Output<'a, A>,
    pub(crate) hard: Output<'a, A>,
    pub(crate) with_hard: bool,
    pub(crate) stats: Output<'a, A>,
}

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

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        if !A::DOUBLE && self.features >= MANY {
            return enter(current_path(), &Many(self), rows);
        }
        let (n, features) = (self.n, self.features);
        let width = A::Lanes::<B>::LANES;
        let mut scratch = vec![A::ZERO; n];
        for r in rows {
            let (x, v) = (row(self.logits, r, n), row(self.values, r, n * features));
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (soft, stats) = unsafe { (self.soft.row(r, features), self.stats.row(r, 2)) };
            let largest = row_max::<B, A>(x);
            let head = Head::new(largest, self.inverse_temperature);
            let normaliser = weights::<B, A>(&head, x, &mut scratch);
            let factor = inverse(normaliser);
            if let Some(shift) = shift_of(features) {
                gather_few::sum::<B, A>(&scratch, v, shift, factor, soft);
            } else {
                let mut f = 0;
                while f < features {
                    if features - f >= STRIP * width {
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
            put_stats(stats, head.max, normaliser);
            self.put_hard::<B>(r, largest, normaliser);
        }
    }
}

impl<A: Real> Forward<'_, A> {
    /// Writes the values at the argmax, if they are asked for.
    #[inline(always)]
    pub(crate) fn put_hard<B: Backend>(&self, r: usize, largest: A, normaliser: A) {
        if self.with_hard {
            let (n, features) = (self.n, self.features);
            let (x, v) = (row(self.logits, r, n), row(self.values, r, n * features));
            // SAFETY: regions call this for rows of their range, once each.
            let hard = unsafe { self.hard.row(r, features) };
            for (f, hard) in hard.iter_mut().enumerate() {
                hard.write(chosen::<B, A>(x, largest, normaliser, |k| {
                    v[k * features + f]
                }));
            }
        }
    }
}

/// Writes sums in `f64`, times a factor.
#[inline(always)]
pub(crate) fn put_wide<A: Real, V: Vector<Scalar = f64>, const S: usize>(
    sums: Pack<V, S>,
    factor: f64,
    out: &mut [MaybeUninit<A>],
) {
    let mut wide = [const { MaybeUninit::<f64>::uninit() }; STRIP * MAX_LANES];
    // SAFETY: there are at most `STRIP` vectors of `MAX_LANES`, which are written here.
    let wide = unsafe {
        sums.store(wide.as_mut_ptr().cast());
        written(&wide[..Pack::<V, S>::LANES])
    };
    for (out, sum) in out.iter_mut().zip(wide) {
        out.write(A::from_f64(sum * factor));
    }
}

/// The weighted sums of some features, in `S` vectors.
#[inline(always)]
pub(crate) fn strip<B: Backend, A: Real, const S: usize>(
    weights: &[A],
    values: &[A],
    features: Range<usize>,
    stride: usize,
) -> Pack<<A::Lanes<B> as Vector>::Wide, S> {
    let (f, k) = (features.start, features.len());
    let mut outer = Pack::<A::Lanes<B>, S>::splat(A::ZERO).widen();
    for (weights, values) in weights
        .chunks(CLASS_BLOCK)
        .zip(values.chunks(CLASS_BLOCK * stride))
    {
        let zero = Pack::splat(A::ZERO);
        let (mut a, mut b, mut c, mut d) = (zero, zero, zero, zero);
        let (fours, rows) = (weights.chunks_exact(4), values.chunks(4 * stride));
        let rest = fours.remainder();
        for (w, v) in fours.zip(rows) {
            a = weighted(get::<B, A, S>(row(v, 0, stride), f, k, A::ZERO), w[0], a);
            b = weighted(get::<B, A, S>(row(v, 1, stride), f, k, A::ZERO), w[1], b);
            c = weighted(get::<B, A, S>(row(v, 2, stride), f, k, A::ZERO), w[2], c);
            d = weighted(get::<B, A, S>(row(v, 3, stride), f, k, A::ZERO), w[3], d);
        }
        let last = &values[(weights.len() - rest.len()) * stride..];
        for (i, w) in rest.iter().enumerate() {
            let class = get::<B, A, S>(row(last, i, stride), f, k, A::ZERO);
            a = weighted(class, *w, a);
        }
        outer = outer + ((a + b) + (c + d)).widen();
    }
    outer
}

/// `sum + w class`; a class of weight 0 does not count.
#[inline(always)]
fn weighted<V: Vector>(class: V, w: V::Scalar, sum: V) -> V {
    let w = V::splat(w);
    unless_zero(w, class).mul_add(w, sum)
}

pub(crate) struct Backward<'a, A: Real> {
    pub(crate) logits: &'a [A],
    pub(crate) values: &'a [A],
    pub(crate) stats: &'a [A],
    pub(crate) soft: &'a [A],
    pub(crate) grad: &'a [A],
    pub(crate) n: usize,
    pub(crate) features: usize,
    pub(crate) inverse_temperature: A,
    pub(crate) grad_logits: Output<'a, A>,
    pub(crate) grad_values: Output<'a, A>,
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        if !A::DOUBLE && self.features >= MANY {
            return enter(current_path(), &Many(self), rows);
        }
        let (n, features) = (self.n, self.features);
        let width = A::Lanes::<B>::LANES;
        let mut scratch = vec![A::ZERO; n];
        let mut wide_grad = vec![0.0; features];
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
            weights::<B, A>(&head, x, &mut scratch);
            for (wide, g) in wide_grad.iter_mut().zip(g) {
                *wide = g.to_f64();
            }
            let expected = product(soft, &wide_grad);
            // All of them, if they fit one vector: the loop over classes need not read them again.
            let all = get::<B, A, 1>(g, 0, features.min(width), A::ZERO);
            let mut done = 0;
            if shift_of(features).is_some() {
                done = n - n % width;
                if done > 0 {
                    let (weights, normaliser) = (&scratch[..done], self.stats[2 * r + 1]);
                    gather_few::gradients::<B, A>(weights, v, normaliser, soft, g, grad_v, grad_x);
                }
            }
            for (i, &e) in scratch.iter().enumerate().skip(done) {
                let (class, out) = (row(v, i, features), &mut grad_v[i * features..][..features]);
                if e == A::ZERO {
                    out.fill(MaybeUninit::new(A::ZERO));
                    grad_x[i].write(A::ZERO);
                    continue;
                }
                let w = e * factor;
                if features <= width {
                    put::<B, A, 1>(out, 0, features, all * Pack::splat(w));
                } else {
                    lanes!(A::Lanes<B>, features, |f, k, U| {
                        put::<B, A, U>(
                            out,
                            f,
                            k,
                            get::<B, A, U>(g, f, k, A::ZERO) * Pack::splat(w),
                        );
                    });
                }
                grad_x[i].write(A::from_f64(product(class, &wide_grad) - expected));
            }
            if head.is_constant() {
                grad_x.fill(MaybeUninit::new(A::ZERO));
                continue;
            }
            // SAFETY: the loop above wrote every value of the row.
            let rest = residual::<B, A>(&scratch, unsafe { written(grad_x) }, A::ZERO);
            let scale = factor * self.inverse_temperature;
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let e = get::<B, A, U>(&scratch, i, k, A::ZERO);
                // SAFETY: as above.
                let d = get::<B, A, U>(unsafe { written(grad_x) }, i, k, A::ZERO);
                put::<B, A, U>(
                    grad_x,
                    i,
                    k,
                    unless_zero(e, e * (d - Pack::splat(rest)) * Pack::splat(scale)),
                );
            });
        }
    }
}

/// Products summed side by side.
const PRODUCTS: usize = 8;

/// `<a, b>` in `f64`, where products of `f32` are exact.
#[inline(always)]
pub(crate) fn product<A: Real>(a: &[A], b: &[f64]) -> f64 {
    let whole = b.len() - b.len() % PRODUCTS;
    let mut rest = 0.0;
    for (a, b) in a[whole..].iter().zip(&b[whole..]) {
        rest += a.to_f64() * b;
    }
    if whole == 0 {
        return rest;
    }
    let mut sums = [0.0; PRODUCTS];
    for (a, b) in a.chunks_exact(PRODUCTS).zip(b.chunks_exact(PRODUCTS)) {
        for j in 0..PRODUCTS {
            sums[j] += a[j].to_f64() * b[j];
        }
    }
    let mut half = PRODUCTS / 2;
    while half > 0 {
        for j in 0..half {
            sums[j] += sums[j + half];
        }
        half /= 2;
    }
    sums[0] + rest
}
