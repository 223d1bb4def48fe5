//! 2, 4 or 8 trailing features: a vector holds whole classes.
//!
//! Class by class most lanes would idle, and almost every load would cross two cache lines. Here the value matrix is read as it lies
//! in memory; the weights are repeated to match. As many classes as a vector has lanes go together; the rest of a row, and
//! rows with fewer classes, go class by class (`features`).

use super::sums::{class, put_wide, strip};
use crate::lanes::pack::Pack;
use crate::lanes::vector::{Backend, MAX_LANES, Real, Vector};
use crate::row::access::{get, put};
use crate::row::sums::unless_zero;
use core::array::from_fn;
use core::mem::MaybeUninit;

/// Most features of these kernels.
const FEW: usize = 8;
/// Steps whose sums are added up before they move to the outer sums.
const STEPS: usize = 16;

/// Binary logarithm of the number of features, if there are as many as these kernels take.
#[inline(always)]
pub(super) fn shift_of(features: usize) -> Option<u32> {
    (features.is_power_of_two() && features <= FEW).then(|| features.trailing_zeros())
}

/// Writes the weighted sums of every feature, times a factor.
#[inline(always)]
pub(super) fn sum<B: Backend, A: Real>(
    weights: &[A],
    values: &[A],
    shift: u32,
    factor: f64,
    out: &mut [MaybeUninit<A>],
) {
    let features = 1 << shift;
    let whole = weights.len() - weights.len() % A::Lanes::<B>::LANES;
    let (weights, rest) = weights.split_at(whole);
    let (values, rest_values) = values.split_at(whole * features);
    let mut sums = strip::<B, A, 1>(rest, rest_values, 0..features, features);
    if whole > 0 {
        let lanes = whole_sums::<B, A>(weights, values, shift);
        sums = sums + Pack::load(&lanes);
    }
    put_wide(sums, factor, out);
}

/// The sums over as many classes as whole vectors have lanes.
#[inline(always)]
fn whole_sums<B: Backend, A: Real>(weights: &[A], values: &[A], shift: u32) -> [f64; MAX_LANES] {
    let (width, features) = (A::Lanes::<B>::LANES, 1 << shift);
    let mut outer = A::Lanes::<B>::splat(A::ZERO).widen();
    for (weights, values) in weights
        .chunks(STEPS * width)
        .zip(values.chunks(STEPS * width * features))
    {
        let mut inner = [A::Lanes::<B>::splat(A::ZERO); FEW];
        for first in (0..weights.len()).step_by(width) {
            let (weights, values) = (
                &weights[first..][..width],
                class(values, first / width, width * features),
            );
            for (c, sum) in inner.iter_mut().enumerate().take(features) {
                let w = repeated::<B, A>(weights, c, shift);
                let [v] = get::<B, A, 1>(values, c * width, width, A::ZERO).0;
                *sum = unless_zero(w, v).mul_add(w, *sum);
            }
        }
        for sum in &inner[..features] {
            outer = outer + sum.widen();
        }
    }
    let mut lanes = outer.lanes();
    let mut half = width / 2;
    while half >= features {
        for j in 0..half {
            lanes[j] += lanes[j + half];
        }
        half /= 2;
    }
    lanes
}

/// The weights of the classes in vector `c` of the values.
#[inline(always)]
fn repeated<B: Backend, A: Real>(weights: &[A], c: usize, shift: u32) -> A::Lanes<B> {
    let width = A::Lanes::<B>::LANES;
    A::Lanes::<B>::load_repeated(&weights[(c * width) >> shift..], shift)
}

/// A feature's number in every lane that is for this feature.
#[inline(always)]
fn tiled<B: Backend, A: Real>(row: &[A]) -> A::Lanes<B> {
    let lanes: [A; MAX_LANES] = from_fn(|l| row[l % row.len()]);
    A::Lanes::<B>::load(&lanes)
}

/// `w_i g`, with `factor` to normalise the weights, and `<V_i - soft, g>` for the classes of `weights`, a multiple of the vector's lanes. The terms of a product may be large
/// beside it: they are added in `f64`. A difference at a weight of 0 is of no use, and may be NaN.
#[inline(always)]
pub(super) fn gradients<B: Backend, A: Real>(
    weights: &[A],
    values: &[A],
    factor: A,
    soft: &[A],
    grad: &[A],
    grad_values: &mut [MaybeUninit<A>],
    differences: &mut [A],
) {
    let (width, features) = (A::Lanes::<B>::LANES, soft.len());
    let shift = features.trailing_zeros();
    let (soft, grad) = (tiled::<B, A>(soft), tiled::<B, A>(grad));
    let (wide_soft, wide_grad) = (soft.widen(), grad.widen());
    let factor = A::Lanes::<B>::splat(factor);
    for first in (0..weights.len()).step_by(width) {
        let (weights, start) = (&weights[first..][..width], first * features);
        let mut sums = [A::Lanes::<B>::splat(A::ZERO).widen(); FEW];
        for (c, sum) in sums.iter_mut().enumerate().take(features) {
            let w = repeated::<B, A>(weights, c, shift);
            let [v] = get::<B, A, 1>(values, start + c * width, width, A::ZERO).0;
            let to_value = unless_zero(w, w * factor * grad);
            put::<B, A, 1>(grad_values, start + c * width, width, Pack([to_value]));
            *sum = (v.widen() - wide_soft) * wide_grad;
        }
        let mut count = features;
        while count > 1 {
            count /= 2;
            for j in 0..count {
                sums[j] = sums[2 * j].add_pairs(sums[2 * j + 1]);
            }
        }
        for (difference, sum) in differences[first..][..width]
            .iter_mut()
            .zip(&sums[0].lanes())
        {
            *difference = A::from_f64(*sum);
        }
    }
}
