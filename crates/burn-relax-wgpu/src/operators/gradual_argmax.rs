//! Gradual argmax, `1 - (1 - v)^p` at every maximum of a row and `v^p` elsewhere, and its gradients.
//!
//! The gradient of the power is a sum over the losers and one over the winners; a part of a split row hands on both for its own
//! maximum, which either is the row's or makes winners of none.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use crate::parts::{
    lanes::add_up,
    partials::{merged_max, partial_at},
    powers::{find_top, lost_slopes, sharpened, unit, unknown, won, won_slopes},
    prelude::*,
};

/// Numbers that a chunk hands on backward: its maximum, the sum over the entries below it, and the upstream gradient at it.
const BACKWARD_PARTS: usize = 3;

/// At most two walks with blocks.
const NEED: Need = Need::walks(3);

#[cube(launch_unchecked, address_type = "dynamic")]
fn gradual_kernel<F: Float, A: Float, N: Size>(
    values: &Grid<'_, F, N>,        // [outer, classes, inner]
    power: &Grid<'_, F, Const<1>>,  // [outer, 1, inner]
    out: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    partials: &mut Tensor<A>,       // [rows, chunks, 1]
    rows: Rows,
    nan: InputScalar,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let values = values.row(&place);
    let p = power.row(&place).first::<A>();
    let top = if comptime!(phase == Phase::Finish) {
        merged_max::<A>(&*partials, &place, 1usize)
    } else {
        find_top::<F, A, N>(&values, &place)
    };
    if comptime!(phase == Phase::Partial) {
        if place.speaks_for_chunk() {
            partials[partial_at(&place, place.chunk, 1usize)] = top;
        }
    } else {
        let won = won::<A>(top, p);
        let unknown = top == unknown::<A>();
        values.entries().write::<A>(out, &place, |v, _| {
            select(unknown, nan.get::<A>(), sharpened::<A>(v, p, top, won))
        });
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn gradual_backward_kernel<F: Float, A: Float, N: Size>(
    values: &Grid<'_, F, N>,                // [outer, classes, inner]
    grad: &Grid<'_, F, N>,                  // [outer, classes, inner]
    power: &Grid<'_, F, Const<1>>,          // [outer, 1, inner]
    grad_values: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    grad_power: &mut Tensor<F>,             // [outer, 1, inner]
    partials: &mut Tensor<A>,               // [rows, chunks, 3]
    rows: Rows,
    nan: InputScalar,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let values = values.row(&place);
    let p = power.row(&place).first::<A>();
    let zero = zero::<A>();
    let top = if comptime!(phase == Phase::Finish) {
        merged_max::<A>(&*partials, &place, BACKWARD_PARTS)
    } else {
        find_top::<F, A, N>(&values, &place)
    };
    let unknown = top == unknown::<A>();
    let (won_slope, won_power_slope) = won_slopes::<A>(top, p);
    // Upstream gradient times slope in the power below the maximum, and the upstream gradient at it.
    let mut slopes = Vector::<F, N>::empty();
    let both = values.beside(&grad.row(&place));
    let mut sums = both.sums::<A>(&place, 2usize, |sums, class, v, upstream| {
        let v = unit::<A>(v);
        let (lost_slope, power_slope) = lost_slopes::<A>(v, p);
        let winner = v == top;
        sums[0] += select(winner, zero, upstream * power_slope);
        sums[1] += select(winner, upstream, zero);
        if comptime!(phase != Phase::Partial) {
            let slope = upstream * select(winner, won_slope, lost_slope);
            let slope = select(unknown, nan.get::<A>(), slope);
            class.put::<F, A, N>(slope, &mut slopes, grad_values, &place);
        }
    });
    if comptime!(phase == Phase::Finish) {
        if place.speaks_for_row() {
            let first = partial_at(&place, 0usize, BACKWARD_PARTS);
            let mut sum = zero;
            for chunk in 0..place.rows.chunks {
                let at = first + chunk * BACKWARD_PARTS;
                let (_slope, lost) = lost_slopes::<A>(partials[at], p);
                let power_slope = select(partials[at] == top, won_power_slope, lost);
                sum += partials[at + 1] + power_slope * partials[at + 2];
            }
            grad_power[place.row] = F::cast_from(select(unknown, nan.get::<A>(), sum));
        }
    } else {
        add_up::<A>(&mut sums, &place, 2usize);
        if comptime!(phase == Phase::Partial) {
            if place.speaks_for_chunk() {
                let at = partial_at(&place, place.chunk, BACKWARD_PARTS);
                partials[at] = top;
                partials[at + 1] = sums[0];
                partials[at + 2] = sums[1];
            }
        } else if place.speaks_for_row() {
            let sum = sums[0] + won_power_slope * sums[1];
            grad_power[place.row] = F::cast_from(select(unknown, nan.get::<A>(), sum));
        }
    }
}

/// Gradual argmax along `dim`: `1 - (1 - v)^p` at every maximum of a row, `v^p` elsewhere.
///
/// The domain is `0 <= v <= 1`, `p > 0`; values outside count as its ends. Zero stays zero, and so do numbers below
/// the smallest normal one; `p = 1` changes nothing; a row that holds NaN becomes NaN.
///
/// # Shapes
/// - `values` and result: `[.., n, ..]`, n at `dim`
/// - `power`: one value, or the shape of `values` with size 1 at `dim`
///
/// # Panics
/// If shapes do not match, or the device cannot compute with the dtype.
pub fn gradual_argmax(values: CubeTensor, power: CubeTensor, dim: usize) -> CubeTensor {
    let mut call = Call::new("gradual_argmax", &values, dim);
    let out = call.per_class();
    let power = call.coefficient("power", power);
    let values = call.view(values);
    launch!(
        gradual_kernel, call.walk(&[&values]).split(1, NEED.numbers(1)), |at|
        vectors [values] singles [power] results [out] partials;
        call.scalar(f64::NAN), call.elements
    );
    out
}

/// Gradients of [`gradual_argmax`] with respect to values and power, the latter one per row: `g p (1 - v)^(p - 1)` at every
/// maximum, `g p v^(p - 1)` elsewhere, and the sum over the row of `-g (1 - v)^p ln(1 - v)` and `g v^p ln v`. Both come
/// from one launch, whether that of the power is wanted or not.
///
/// # Panics
/// As [`gradual_argmax`].
pub fn gradual_argmax_backward(
    values: CubeTensor,
    power: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    _of_power: bool,
) -> (CubeTensor, CubeTensor) {
    let mut call = Call::backward("gradual_argmax_backward", &values, &grad, dim);
    let (grad_values, grad_power) = (call.per_class(), call.one_per_row());
    let power = call.coefficient("power", power);
    let [values, grad] = call.views([values, grad]);
    launch!(
        gradual_backward_kernel, call.walk(&[&values, &grad]).split(BACKWARD_PARTS, NEED.numbers(3)), |at|
        vectors [values, grad] singles [power] results [grad_values, grad_power] partials;
        call.scalar(f64::NAN), call.elements
    );
    (grad_values, grad_power)
}
