//! The gradual argmax over its sum, and its gradients.
//!
//! Rows are not split: what arrives at an entry needs the sums of the whole row.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use crate::parts::{
    lanes::row_sum,
    math::is_nan,
    powers::{find_top, lost_slopes, sharpened, unit, unknown, won, won_slopes},
    prelude::*,
    special::divisor,
    stats::{known, write_stats},
};

/// The maximum and a sum; three walks.
const NEED: Need = Need::walks(3).numbers(2);

#[cube(launch_unchecked, address_type = "dynamic")]
fn normalised_gradual_kernel<F: Float, A: Float, N: Size>(
    values: &Grid<'_, F, N>,        // [outer, classes, inner]
    power: &Grid<'_, F, Const<1>>,  // [outer, 1, inner]
    out: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    stats: &mut Tensor<A>,          // [outer, 2, inner]
    rows: Rows,
    nan: InputScalar,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows);
    let values = values.row(&place);
    let entries = values.entries();
    let p = power.row(&place).first::<A>();
    let top = find_top::<F, A, N>(&values, &place);
    let unknown = top == unknown::<A>();
    let won = won::<A>(top, p);
    let sum = entries.sum::<A>(&place, |v, _| sharpened::<A>(v, p, top, won));
    let sum = select(unknown, nan.get::<A>(), sum);
    write_stats::<A>(stats, &place, top, sum);
    let divisor = divisor::<A>(sum);
    entries.write::<A>(out, &place, |v, _| {
        let value = sharpened::<A>(v, p, top, won) / divisor;
        select(unknown, nan.get::<A>(), value)
    });
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn normalised_gradual_backward_kernel<F: Float, A: Float, N: Size>(
    values: &Grid<'_, F, N>,                // [outer, classes, inner]
    grad: &Grid<'_, F, N>,                  // [outer, classes, inner]
    power: &Grid<'_, F, Const<1>>,          // [outer, 1, inner]
    stats: &Grid<'_, A, Const<1>>,          // [outer, 2, inner]
    grad_values: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    grad_power: &mut Tensor<F>,             // [outer, 1, inner]
    rows: Rows,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows);
    let zero = zero::<A>();
    let both = values.row(&place).beside(&grad.row(&place));
    let p = power.row(&place).first::<A>();
    let row = known::<A>(stats, &place);
    let (top, sum) = (row.max, row.normaliser);
    let (unknown, empty) = (is_nan::<A>(sum), sum == zero);
    let won = won::<A>(top, p);
    let (won_slope, won_power_slope) = won_slopes::<A>(top, p);

    // Upstream gradient by the weights of the row.
    let mean = both.sum::<A>(&place, |v, upstream| {
        sharpened::<A>(v, p, top, won) / row.divisor * upstream
    });

    let mut slopes = Vector::<F, N>::empty();
    let sums = both.sums::<A>(&place, 1usize, |sums, class, v, upstream| {
        let arriving = (upstream - mean) / row.divisor;
        let arriving = select(empty, zero, arriving);
        let v = unit::<A>(v);
        let (slope, power_slope) = lost_slopes::<A>(v, p);
        let winner = v == top;
        sums[0] += arriving * select(winner, won_power_slope, power_slope);
        let slope = arriving * select(winner, won_slope, slope);
        let slope = select(unknown, sum, slope);
        class.put::<F, A, N>(slope, &mut slopes, grad_values, &place);
    });
    let grad = row_sum::<A>(sums[0], &place);
    if place.speaks_for_row() {
        grad_power[place.row] = F::cast_from(select(unknown, sum, grad));
    }
}

/// [`gradual_argmax`](crate::gradual_argmax) along `dim` over its sum, and row statistics: the maximum of `v`, and that sum.
///
/// The domain is `0 <= v <= 1`, `p > 0`; values outside count as its ends. A row of zeros gives zeros; a row that holds NaN
/// becomes NaN.
///
/// # Shapes
/// - `values` and first result: `[.., n, ..]`, n at `dim`
/// - `power`: one value, or the shape of `values` with size 1 at `dim`
/// - second result: the shape of `values` with size 2 at `dim`
///
/// # Panics
/// If shapes do not match, or the device cannot compute with the dtype.
pub fn normalised_gradual_argmax(
    values: CubeTensor,
    power: CubeTensor,
    dim: usize,
) -> (CubeTensor, CubeTensor) {
    let mut call = Call::new("normalised_gradual_argmax", &values, dim);
    let (out, stats) = (call.per_class(), call.stats(2));
    let power = call.coefficient("power", power);
    let values = call.view(values);
    launch!(
        normalised_gradual_kernel, call.walk(&[&values]).whole(NEED), |at|
        vectors [values] singles [power] results [out, stats];
        call.scalar(f64::NAN), call.elements
    );
    (out, stats)
}

/// Gradients of [`normalised_gradual_argmax`] from its statistics: what
/// [`gradual_argmax_backward`](crate::gradual_argmax_backward) makes of `(g - <y, g>) / sum`; 0 for rows of zeros. Both come from one
/// launch, whether that of the power is wanted or not.
/// The output is not read: to compute the weights again reads less.
///
/// # Panics
/// As [`normalised_gradual_argmax`].
pub fn normalised_gradual_argmax_backward(
    values: CubeTensor,
    power: CubeTensor,
    _output: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    _of_power: bool,
) -> (CubeTensor, CubeTensor) {
    let mut call = Call::backward("normalised_gradual_argmax_backward", &values, &grad, dim);
    let (grad_values, grad_power) = (call.per_class(), call.one_per_row());
    let power = call.coefficient("power", power);
    let [values, stats, grad] = call.views([values, stats, grad]);
    launch!(
        normalised_gradual_backward_kernel, call.walk(&[&values, &grad]).whole(NEED), |at|
        vectors [values, grad] singles [power, stats] results [grad_values, grad_power];
        call.elements
    );
    (grad_values, grad_power)
}
