//! Gradients of entmax, from its saved weights.
//!
//! With the slopes `s = p^(2 - alpha)` and `m = <s, g> / Σ s`: `s (g - m)` for the logits. For alpha, with `e = alpha - 1` and
//! `L = ln p`, `Σ c (g - m)`, `c = ((p - s) / e - p L) / e`, by a series where `e L` is small. A part of a split row takes that sum
//! about its own `m` and hands on what moves it.

use burn_backend::Shape;
use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::alpha::{Alpha, Excess};
use crate::parts::{
    call::resized,
    lanes::add_up,
    math::{exp_nonpositive, is_nan, ln_positive},
    number::{by_precision, number},
    partials::{hand_on, partial_at},
    powers::is_zero,
    prelude::*,
    special::divisor,
    stats::known,
    threshold::Curve,
};

/// Two sums, twice; two walks with blocks.
const NEED: Need = Need::walks(3).numbers(4);

/// Numbers that a chunk hands on: `<s, g>`, `Σ s`, `Σ c (g - m)`, and `Σ c`.
const PARTS: usize = 4;

/// Logarithm of the largest slope, the square root of the largest number: beyond `alpha = 2` slopes grow without bound.
const SLOPE_LIMIT_F32: f32 = 44.361_42;
const SLOPE_LIMIT_F64: f64 = 354.891_356_446_692;

/// Below this `c` is summed from its series: the formula loses no more than two bits beyond.
const SERIES_REACH: f32 = 0.5;

/// Its series `-p L² Σ (-w)^k / (k + 2)!`, `w = e L`: the factors after `p L²`, highest power first; the next term is 2e-9 of the first.
const SERIES: [f32; 8] = [
    1.0 / 362_880.0,
    -1.0 / 40_320.0,
    1.0 / 5_040.0,
    -1.0 / 720.0,
    1.0 / 120.0,
    -1.0 / 24.0,
    1.0 / 6.0,
    -0.5,
];

/// `p^(1 - e)` of a positive weight, bounded.
#[cube]
fn raised<A: Float>(p: A, excess: A) -> A {
    let one = one::<A>();
    let limit = by_precision::<A>(SLOPE_LIMIT_F32, SLOPE_LIMIT_F64);
    // Near the softmax most of the slope is the weight itself, which needs no logarithm.
    let near = excess < number::<A>(0.5_f32);
    let exponent = select(near, -excess, one - excess) * ln_positive::<A>(p);
    let power = exp_nonpositive::<A>(select(exponent > limit, limit, exponent));
    select(near, p, one) * power
}

/// The slope `s` of a weight; NaN at NaN.
#[cube]
fn slope<A: Float>(p: A, excess: A, #[comptime] curve: Curve) -> A {
    let zero = zero::<A>();
    let nothing = is_zero::<A>(p);
    let s = match comptime!(curve) {
        Curve::Line => one::<A>(),
        Curve::Square => p.sqrt(),
        Curve::Power => raised::<A>(select(nothing, one::<A>(), p), excess),
    };
    select(is_nan::<A>(p), p, select(nothing, zero, s))
}

/// `c`, what a weight gains with alpha while the threshold stays.
#[cube]
#[allow(clippy::needless_range_loop)] // a kernel cannot iterate over a constant array
fn change<A: Float>(p: A, s: A, excess: A) -> A {
    let nothing = is_zero::<A>(p);
    let log = ln_positive::<A>(select(nothing, one::<A>(), p));
    let w = excess * log;
    let mut series = zero::<A>();
    #[unroll]
    for k in 0..8 {
        series = series * w + number::<A>(comptime!(SERIES[k]));
    }
    let near = p * (log * log) * series;
    let divisor = divisor::<A>(excess);
    let far = ((p - s) / divisor - p * log) / divisor;
    let reach = number::<A>(SERIES_REACH);
    let c = select(w * w < reach * reach, near, far);
    select(is_nan::<A>(p), p, select(nothing, zero::<A>(), c))
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn entmax_backward_kernel<F: Float, A: Float, N: Size>(
    probs: &Grid<'_, F, N>,                 // [outer, classes, inner]
    grad: &Grid<'_, F, N>,                  // [outer, classes, inner]
    stats: &Grid<'_, A, Const<1>>,          // [outer, 2, inner]
    alpha: &Excess<'_, F>,                  // [outer, 1, inner]
    grad_logits: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    grad_alpha: &mut Tensor<F>,             // [outer, 1, inner], or one number if alpha is fixed
    partials: &mut Tensor<A>,               // [rows, chunks, 4]
    rows: Rows,
    #[comptime] per_row: bool,
    #[comptime] curve: Curve,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let zero = zero::<A>();
    let both = probs.row(&place).beside(&grad.row(&place));
    let excess = alpha.of::<A>(&place);
    let row = known::<A>(stats, &place);

    let sums = both.split_sums::<A>(partials, PARTS, &place, 2usize, |sums, _, p, upstream| {
        let s = slope::<A>(p, excess, curve);
        sums[0] += select(s == zero, zero, s * upstream);
        sums[1] += s;
    });
    let mean = sums[0] / divisor::<A>(sums[1]);

    if comptime!(per_row || phase != Phase::Partial) {
        // `Σ c (g - mean)` and `Σ c`.
        let mut slopes = Vector::<F, N>::empty();
        let mut moments = both.sums::<A>(&place, 2usize, |sums, class, p, upstream| {
            let s = slope::<A>(p, excess, curve);
            let difference = upstream - mean;
            if comptime!(phase != Phase::Partial) {
                let slope = select(row.decided || s == zero, zero, s * difference);
                class.put::<F, A, N>(slope, &mut slopes, grad_logits, &place);
            }
            if comptime!(per_row && phase != Phase::Finish) {
                let c = change::<A>(p, s, excess);
                sums[0] += select(c == zero, zero, c * difference);
                sums[1] += c;
            }
        });
        if comptime!(per_row && phase != Phase::Finish) {
            add_up::<A>(&mut moments, &place, 2usize);
            hand_on::<A>(partials, &place, &moments, 2usize, 2usize, PARTS);
        }
        if comptime!(per_row && phase != Phase::Partial) {
            if place.speaks_for_row() {
                let mut sum = moments[0];
                if comptime!(phase == Phase::Finish) {
                    let first = partial_at(&place, 0usize, PARTS);
                    for chunk in 0..place.rows.chunks {
                        let at = first + chunk * PARTS;
                        let own = partials[at] / divisor::<A>(partials[at + 1]);
                        let changes = partials[at + 3];
                        let moved = select(changes == zero, zero, (own - mean) * changes);
                        sum += partials[at + 2] + moved;
                    }
                }
                grad_alpha[place.row] = F::cast_from(select(row.decided, zero, sum));
            }
        }
    }
}

/// Gradient of [`entmax`](crate::entmax) with respect to the logits, from its results.
///
/// Entries without weight get 0 and contribute nothing, whatever their upstream gradient; rows that hold `+inf` get 0. Beyond
/// `alpha = 2` the slope of a vanishing weight is bounded by the square root of the largest number.
///
/// # Panics
/// If `grad` has another shape or dtype than `probs`, or the device cannot compute with the dtype.
pub fn entmax_backward(
    probs: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    alpha: f64,
) -> CubeTensor {
    let op = "entmax_backward";
    backward(op, [probs, stats, grad], Alpha::Fixed(alpha), dim).0
}

/// Gradients of [`entmax_rows`](crate::entmax_rows) with respect to the logits and, one for each row, to alpha.
///
/// # Panics
/// As [`entmax_backward`], and if alpha does not fit.
pub fn entmax_rows_backward(
    probs: CubeTensor,
    alpha: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
) -> (CubeTensor, CubeTensor) {
    let op = "entmax_rows_backward";
    backward(op, [probs, stats, grad], Alpha::Rows(alpha), dim)
}

/// Launches the kernel. The second gradient is without meaning if alpha is fixed.
fn backward(
    op: &'static str,
    [probs, stats, grad]: [CubeTensor; 3],
    alpha: Alpha,
    dim: usize,
) -> (CubeTensor, CubeTensor) {
    let mut call = Call::backward(op, &probs, &grad, dim);
    let grad_logits = call.per_class();
    let grad_alpha = call.result(match alpha {
        Alpha::Fixed(_) => Shape::from([1]),
        Alpha::Rows(_) => resized(probs.meta.shape(), dim, 1),
    });
    let [probs, stats, grad] = call.views([probs, stats, grad]);
    let alpha = alpha.source(&mut call, &probs);
    launch!(
        entmax_backward_kernel, call.walk(&[&probs, &grad]).split(PARTS, NEED), |at|
        vectors [probs, grad] singles [stats] given [alpha.arg(&call)]
        results [grad_logits, grad_alpha] partials;
        alpha.per_row, alpha.curve, call.elements
    );
    (grad_logits, grad_alpha)
}
