//! Power softmax, `v^p / Σ v^p`, and its gradients.
//!
//! Powers are taken of `v / max`, so that nothing overflows and the largest entry is exact. The gradients need the row's
//! `<y, g>` before the sum for the power; a part of a split row takes that sum about its own mean and hands on what moves it.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use crate::parts::{
    lanes::{add_up, row_sum},
    math::{exp_nonpositive, is_nan, ln_positive},
    partials::{merged_max, merged_sum, partial_at},
    powers::{is_zero, powers, zero_power},
    prelude::*,
    reduce::find_max,
    special::{divisor, finite_max, is_decided},
    stats::{known, write_stats},
};

/// Numbers that a chunk hands on: maximum and `Σ (v / max)^p`.
const FORWARD_PARTS: usize = 2;

/// The same backward: `Σ y g`, its mean `m`, `Σ y (g - m) ln u` and `Σ y ln u`, `u = v / max`.
const BACKWARD_PARTS: usize = 4;

/// Three walks with blocks.
const NEED: Need = Need::walks(4);

/// `v / max`, exactly 1 at the maximum even if that is infinite, 0 in a row of zeros.
#[cube]
fn relative<A: Float>(v: A, max: A) -> A {
    let (zero, one) = (zero::<A>(), one::<A>());
    let decided = is_decided::<A>(max);
    let ratio = select(decided, zero, v / select(max == zero, one, max));
    let top = v == max || (decided && v >= max);
    let ratio = select(top, one, ratio);
    let ratio = select(max == zero, zero, ratio);
    select(is_nan::<A>(v), v, ratio)
}

/// `u^p`, 0 at 0, NaN at NaN.
#[cube]
fn raised<A: Float>(u: A, p: A) -> A {
    let power = exp_nonpositive::<A>(p * ln_positive::<A>(u));
    let power = select(is_zero::<A>(u), zero::<A>(), power);
    select(is_nan::<A>(u), u, power)
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn power_kernel<F: Float, A: Float, N: Size>(
    values: &Grid<'_, F, N>,        // [outer, classes, inner]
    power: &Grid<'_, F, Const<1>>,  // [outer, 1, inner]
    out: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    stats: &mut Tensor<A>,          // [outer, 2, inner]
    partials: &mut Tensor<A>,       // [rows, chunks, 2]
    rows: Rows,
    #[comptime] kept: bool, // the powers lie in the result's memory until they are divided
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let values = values.row(&place);
    let p = power.row(&place).first::<A>();
    let zero = zero::<A>();
    let (max, sum) = if comptime!(phase == Phase::Finish) {
        let max = merged_max::<A>(&*partials, &place, FORWARD_PARTS);
        let first = partial_at(&place, 0usize, FORWARD_PARTS);
        let mut sum = zero;
        for chunk in 0..place.rows.chunks {
            let at = first + chunk * FORWARD_PARTS;
            sum += raised::<A>(relative::<A>(partials[at], max), p) * partials[at + 1];
        }
        (max, sum)
    } else {
        let max = find_max::<F, A, N>(&values, &place);
        // What rounding has carried below 0 is 0.
        let max = select(max < zero, zero, max);
        let mut weights = Vector::<F, N>::empty();
        let sums = values
            .entries()
            .sums::<A>(&place, 1usize, |sums, class, v, _| {
                let weight = raised::<A>(relative::<A>(v, max), p);
                sums[0] += weight;
                if comptime!(kept) {
                    class.put::<F, A, N>(weight, &mut weights, out, &place);
                }
            });
        (max, row_sum::<A>(sums[0], &place))
    };
    if comptime!(phase == Phase::Partial) {
        if place.speaks_for_chunk() {
            let at = partial_at(&place, place.chunk, FORWARD_PARTS);
            partials[at] = max;
            partials[at + 1] = sum;
        }
    } else {
        write_stats::<A>(stats, &place, max, sum);
        let divisor = divisor::<A>(sum);
        if comptime!(!kept) {
            values.entries().write::<A>(out, &place, |v, _| {
                raised::<A>(relative::<A>(v, max), p) / divisor
            });
        } else if place.live {
            place.each(|g| {
                let weights = Vector::<A, N>::cast_from(out[place.at(g)]);
                let mut y = Vector::<F, N>::empty();
                #[unroll]
                for k in 0..N::value() {
                    y.insert(k, F::cast_from(weights.extract(k) / divisor));
                }
                out[place.at(g)] = y;
            });
        }
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn power_backward_kernel<F: Float, A: Float, N: Size>(
    values: &Grid<'_, F, N>,                // [outer, classes, inner]
    grad: &Grid<'_, F, N>,                  // [outer, classes, inner]
    power: &Grid<'_, F, Const<1>>,          // [outer, 1, inner]
    stats: &Grid<'_, A, Const<1>>,          // [outer, 2, inner]
    grad_values: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    grad_power: &mut Tensor<F>,             // [outer, 1, inner]
    partials: &mut Tensor<A>,               // [rows, chunks, 4]
    rows: Rows,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let zero = zero::<A>();
    let both = values.row(&place).beside(&grad.row(&place));
    let p = power.row(&place).first::<A>();
    let row = known::<A>(stats, &place);
    let (max, normaliser) = (row.max, row.normaliser);
    let fixed = row.decided || normaliser == zero;

    // `Σ y g`, and its mean in this unit's part of the row.
    let (sum, mean) = if comptime!(phase == Phase::Finish) {
        let sum = merged_sum::<A>(&*partials, &place, 0usize, BACKWARD_PARTS);
        (sum, sum)
    } else {
        let mut sums = both.sums::<A>(&place, 2usize, |sums, _, v, upstream| {
            let y = raised::<A>(relative::<A>(v, max), p) / row.divisor;
            sums[0] += select(y == zero, zero, y * upstream);
            sums[1] += y;
        });
        add_up::<A>(&mut sums, &place, 2usize);
        if comptime!(phase == Phase::Partial) {
            (sums[0], sums[0] / divisor::<A>(sums[1]))
        } else {
            (sums[0], sums[0])
        }
    };

    let scale = p / divisor::<A>(normaliser * max);
    let scale = finite_max::<A>(scale);
    // `Σ y (g - mean) ln u` and `Σ y ln u`.
    let mut slopes = Vector::<F, N>::empty();
    let mut moments = both.sums::<A>(&place, 2usize, |sums, class, v, upstream| {
        let u = relative::<A>(v, max);
        let (lower, upper, log) = powers::<A>(u, p);
        let lower = select(is_zero::<A>(u), zero_power::<A>(p), lower);
        let y = select(is_zero::<A>(u), zero, upper / row.divisor);
        let y = select(is_nan::<A>(u), u, y);
        let difference = upstream - mean;
        sums[0] += select(y == zero, zero, y * difference * log);
        sums[1] += select(y == zero, zero, y * log);
        if comptime!(phase != Phase::Partial) {
            let slope = lower * difference * scale;
            let slope = select(fixed || lower == zero, zero, slope);
            class.put::<F, A, N>(slope, &mut slopes, grad_values, &place);
        }
    });
    if comptime!(phase == Phase::Finish) {
        if place.speaks_for_row() {
            let first = partial_at(&place, 0usize, BACKWARD_PARTS);
            let mut sum = zero;
            for chunk in 0..place.rows.chunks {
                let at = first + chunk * BACKWARD_PARTS;
                sum += partials[at + 2] + (partials[at + 1] - mean) * partials[at + 3];
            }
            grad_power[place.row] = F::cast_from(select(fixed, zero, sum));
        }
    } else {
        add_up::<A>(&mut moments, &place, 2usize);
        if comptime!(phase == Phase::Partial) {
            if place.speaks_for_chunk() {
                let at = partial_at(&place, place.chunk, BACKWARD_PARTS);
                partials[at] = sum;
                partials[at + 1] = mean;
                partials[at + 2] = moments[0];
                partials[at + 3] = moments[1];
            }
        } else if place.speaks_for_row() {
            grad_power[place.row] = F::cast_from(select(fixed, zero, moments[0]));
        }
    }
}

/// `v^p / Σ v^p` along `dim`, and row statistics: the maximum of `v` and `Σ (v / max)^p`.
///
/// The domain is `v >= 0`, `p > 0`; below it `v` counts as 0. A row of zeros gives zeros and has statistics 0 and 0; a row that holds `+inf` shares the
/// weight among those entries. Numbers below the smallest normal fraction of the maximum count as 0.
///
/// # Shapes
/// - `values` and first result: `[.., n, ..]`, n at `dim`
/// - `power`: one value, or the shape of `values` with size 1 at `dim`
/// - second result: the shape of `values` with size 2 at `dim`
///
/// # Panics
/// If shapes do not match, or the device cannot compute with the dtype.
pub fn power_softmax(
    values: CubeTensor,
    power: CubeTensor,
    dim: usize,
) -> (CubeTensor, CubeTensor) {
    let mut call = Call::new("power_softmax", &values, dim);
    let (out, stats) = (call.per_class(), call.stats(2));
    let power = call.coefficient("power", power);
    let values = call.view(values);
    launch!(
        power_kernel, call.walk(&[&values]).split(FORWARD_PARTS, NEED.numbers(2)), |at|
        vectors [values] singles [power] results [out, stats] partials;
        at.phase == Phase::Whole && call.keeps_precision(), call.elements
    );
    (out, stats)
}

/// Gradients of [`power_softmax`] from its statistics: `(p / v) y (g - <y, g>)` for the values, and for the power, one per row,
/// `Σ y (g - <y, g>) ln v`. Rows of zeros and rows that hold `+inf` get 0.
/// The output is not read: to compute the weights again reads less.
///
/// # Panics
/// As [`power_softmax`].
pub fn power_softmax_backward(
    values: CubeTensor,
    power: CubeTensor,
    _output: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
) -> (CubeTensor, CubeTensor) {
    let mut call = Call::backward("power_softmax_backward", &values, &grad, dim);
    let (grad_values, grad_power) = (call.per_class(), call.one_per_row());
    let power = call.coefficient("power", power);
    let [values, stats, grad] = call.views([values, stats, grad]);
    launch!(
        power_backward_kernel, call.walk(&[&values, &grad]).split(BACKWARD_PARTS, NEED.numbers(4)), |at|
        vectors [values, grad] singles [power, stats] results [grad_values, grad_power] partials;
        call.elements
    );
    (grad_values, grad_power)
}
