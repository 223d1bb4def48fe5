//! Gradual argmax, `1 - (1 - v)^p` at every maximum of a row and `v^p` elsewhere, and its gradients.
//!
//! The gradient of the power is a sum over the losers and one over the winners; a part of a split row hands on both for its own
//! maximum, which either is the row's or makes winners of none.

use burn_backend::DType;
use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    lanes::{row_max, row_sums, sum_slots},
    math::{exp_m1_nonpositive, exp_nonpositive, is_nan, ln_one_minus},
    power::{is_zero, powers, zero_power},
    reduce::{merged_max, partial_at, speaks_for_chunk},
    row::{Layout, Need, Phase, Place, Rows, output_start, place, row_start, speaks_for_row},
    view::{
        Sizes, Steps, View, address_type, check_same, coefficient_view, cube_count, elements,
        output, partials, plan, resized, vector_size,
    },
};

/// Numbers that a chunk hands on backward: its maximum, the sum over the entries below it, and the upstream gradient at it.
const BACKWARD_PARTS: usize = 3;

/// What a row with NaN has for its maximum: far outside [0, 1].
#[cube]
fn unknown<A: Float>() -> A {
    A::max_value()
}

/// The largest value of this unit's part of a row.
#[cube]
fn find_top<F: Float, A: Float, N: Size>(
    values: &Tensor<Vector<F, N>>,
    start: usize,
    steps: &Steps,
    place: &Place,
    #[comptime] layout: Layout,
) -> A {
    let mut max = A::min_value();
    let mut g = place.first;
    while g < place.end {
        let v = Vector::<A, N>::cast_from(values[start + g * steps.class]);
        #[unroll]
        for k in 0..N::value() {
            let v = v.extract(k);
            let v = select(is_nan::<A>(v), unknown::<A>(), v);
            max = select(v > max, v, max);
        }
        g += layout.lanes;
    }
    row_max::<A>(max, place.lane, layout)
}

/// The result at a maximum.
#[cube]
fn won<A: Float>(v: A, p: A) -> A {
    let one = A::new(1.0_f32);
    let value = -exp_m1_nonpositive::<A>(p * ln_one_minus::<A>(v));
    let value = select(v >= one, one, value);
    select(p == one, v, value)
}

/// The slope at a maximum, and the slope in the power.
#[cube]
fn won_slopes<A: Float>(v: A, p: A) -> (A, A) {
    let zero = A::new(0.0_f32);
    let one = A::new(1.0_f32);
    let log = ln_one_minus::<A>(v);
    let slope = p * exp_nonpositive::<A>((p - one) * log);
    let slope = select(p == one, one, slope);
    let slope = select(v >= one, zero_power::<A>(p), slope);
    let power_slope = -(exp_nonpositive::<A>(p * log) * log);
    (slope, select(v >= one, zero, power_slope))
}

/// The slope elsewhere, and the slope in the power.
#[cube]
fn lost_slopes<A: Float>(v: A, p: A) -> (A, A) {
    let (lower, upper, log) = powers::<A>(v, p);
    let zero = is_zero::<A>(v);
    let slope = select(zero, p * zero_power::<A>(p), p * lower);
    (slope, select(zero, A::new(0.0_f32), upper * log))
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn gradual_kernel<F: Float, A: Float, N: Size>(
    values: &Tensor<Vector<F, N>>,  // [outer, classes, inner]
    power: &Tensor<F>,              // [outer, 1, inner]
    out: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    partials: &mut Tensor<A>,       // [rows, chunks, 1]
    rows: &Rows,
    steps: &Steps,
    power_steps: &Steps,
    // NaN comes from the host: WGSL has no literal for it.
    nan: InputScalar,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let start = row_start(&place, steps);
    let top = if comptime!(phase == Phase::Finish) {
        merged_max::<A>(&*partials, &place, rows, 1usize)
    } else {
        find_top::<F, A, N>(values, start, steps, &place, layout)
    };
    if comptime!(phase == Phase::Partial) {
        if speaks_for_chunk(&place) {
            partials[partial_at(&place, rows, place.chunk, 1usize)] = top;
        }
    } else if place.live {
        let p = A::cast_from(power[row_start(&place, power_steps)]);
        let won = won::<A>(top, p);
        let to = output_start(&place, rows);
        let mut g = place.first;
        while g < place.end {
            let v = Vector::<A, N>::cast_from(values[start + g * steps.class]);
            let mut y = Vector::<F, N>::empty();
            #[unroll]
            for k in 0..N::value() {
                let v = v.extract(k);
                let (_lower, lost, _log) = powers::<A>(v, p);
                let lost = select(is_zero::<A>(v), A::new(0.0_f32), lost);
                let value = select(v == top, won, lost);
                let value = select(top == unknown::<A>(), nan.get::<A>(), value);
                y.insert(k, F::cast_from(value));
            }
            out[to + g * rows.inner] = y;
            g += layout.lanes;
        }
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn gradual_backward_kernel<F: Float, A: Float, N: Size>(
    values: &Tensor<Vector<F, N>>,          // [outer, classes, inner]
    power: &Tensor<F>,                      // [outer, 1, inner]
    grad: &Tensor<Vector<F, N>>,            // [outer, classes, inner]
    grad_values: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    grad_power: &mut Tensor<F>,             // [outer, 1, inner]
    partials: &mut Tensor<A>,               // [rows, chunks, 3]
    rows: &Rows,
    steps: &Steps,
    power_steps: &Steps,
    grad_steps: &Steps,
    nan: InputScalar,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let zero = A::new(0.0_f32);
    let start = row_start(&place, steps);
    let grad_start = row_start(&place, grad_steps);
    let p = A::cast_from(power[row_start(&place, power_steps)]);
    let to = output_start(&place, rows);
    let top = if comptime!(phase == Phase::Finish) {
        merged_max::<A>(&*partials, &place, rows, BACKWARD_PARTS)
    } else {
        find_top::<F, A, N>(values, start, steps, &place, layout)
    };
    let unknown = top == unknown::<A>();
    let (won_slope, won_power_slope) = won_slopes::<A>(top, p);
    // Upstream gradient times slope in the power below the maximum, and the upstream gradient at it.
    let mut sums = Array::<A>::new(2usize);
    sums[0] = zero;
    sums[1] = zero;
    let mut from = place.first;
    while from < place.end {
        let end = min(from + rows.block, place.end);
        let mut below = zero;
        let mut at_top = zero;
        let mut g = from;
        while g < end {
            let v = Vector::<A, N>::cast_from(values[start + g * steps.class]);
            let upstream = Vector::<A, N>::cast_from(grad[grad_start + g * grad_steps.class]);
            let mut slopes = Vector::<F, N>::empty();
            #[unroll]
            for k in 0..N::value() {
                let (v, upstream) = (v.extract(k), upstream.extract(k));
                let (lost_slope, power_slope) = lost_slopes::<A>(v, p);
                let winner = v == top;
                below += select(winner, zero, upstream * power_slope);
                at_top += select(winner, upstream, zero);
                let slope = upstream * select(winner, won_slope, lost_slope);
                let slope = select(unknown, nan.get::<A>(), slope);
                slopes.insert(k, F::cast_from(slope));
            }
            if comptime!(phase != Phase::Partial) {
                if place.live {
                    grad_values[to + g * rows.inner] = slopes;
                }
            }
            g += layout.lanes;
        }
        sums[0] += below;
        sums[1] += at_top;
        from += rows.block;
    }
    if comptime!(phase == Phase::Finish) {
        if speaks_for_row(&place) {
            let first = partial_at(&place, rows, 0usize, BACKWARD_PARTS);
            let mut sum = zero;
            for chunk in 0..rows.chunks {
                let at = first + chunk * BACKWARD_PARTS;
                let (_slope, lost) = lost_slopes::<A>(partials[at], p);
                let power_slope = select(partials[at] == top, won_power_slope, lost);
                sum += partials[at + 1] + power_slope * partials[at + 2];
            }
            grad_power[place.row] = F::cast_from(select(unknown, nan.get::<A>(), sum));
        }
    } else {
        let mut shared = sum_slots::<A>(2usize, layout);
        row_sums::<A>(&mut sums, &mut shared, place.lane, 2usize, layout);
        if comptime!(phase == Phase::Partial) {
            if speaks_for_chunk(&place) {
                let at = partial_at(&place, rows, place.chunk, BACKWARD_PARTS);
                partials[at] = top;
                partials[at + 1] = sums[0];
                partials[at + 2] = sums[1];
            }
        } else if speaks_for_row(&place) {
            let sum = sums[0] + won_power_slope * sums[1];
            grad_power[place.row] = F::cast_from(select(unknown, nan.get::<A>(), sum));
        }
    }
}

/// So many numbers in shared memory, and at most two walks with blocks.
fn need(numbers: usize, stats_dtype: DType) -> Need {
    Need {
        shared_bytes: numbers * stats_dtype.size(),
        walks: 3,
    }
}

/// Gradual argmax along `dim`: `1 - (1 - v)^p` at every maximum of a row, `v^p` elsewhere.
///
/// The domain is `0 <= v <= 1`, `p > 0`; outside it the result has no meaning. Zero stays zero, and so do numbers below the
/// smallest normal one; `p = 1` changes nothing; a row that holds NaN becomes NaN.
///
/// # Shapes
/// - `values` and result: `[.., n, ..]`, n at `dim`
/// - `power`: one value, or the shape of `values` with size 1 at `dim`
///
/// # Panics
/// If shapes do not match, or the device cannot compute with the dtype.
pub fn gradual_argmax(values: CubeTensor, power: CubeTensor, dim: usize) -> CubeTensor {
    let op = "gradual_argmax";
    let rank = values.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &values.client, values.dtype);
    let sizes = Sizes::of(&values, dim, rank);
    let out = output(&values, values.meta.shape().clone(), values.dtype);
    if sizes.rows() == 0 {
        return out;
    }
    sizes.check_classes(op);
    let power = coefficient_view(op, "power", power, &values, dim);
    let values = View::new(values, dim, rank);
    let vector = vector_size(&sizes, &[&values]);
    let groups = sizes.classes / vector;
    let plan = plan(&values, &sizes, groups, need(1, stats_dtype));
    let partials = partials(&out, stats_dtype, &plan, sizes.rows(), 1);
    let addresses = address_type(&[&values.tensor, &power.tensor, &out, &partials]);
    for &phase in plan.phases() {
        // SAFETY: the views' strides stay inside their tensors, the output is contiguous and of the size given, units beyond the
        // last row read row 0 and write nothing, and partial results are written before they are read.
        unsafe {
            gradual_kernel::launch_unchecked(
                &out.client,
                cube_count(op, &out.client, plan.cubes(sizes.rows())),
                plan.layout.cube_dim(),
                addresses,
                vector,
                values.tensor.clone().into_tensor_arg(),
                power.tensor.clone().into_tensor_arg(),
                out.clone().into_tensor_arg(),
                partials.clone().into_tensor_arg(),
                sizes.launch(&plan, groups),
                values.launch_vector_steps(vector),
                power.launch_steps(),
                InputScalar::new(f64::NAN, elements[1]),
                phase,
                plan.layout,
                elements,
            );
        }
    }
    out
}

/// Gradients of [`gradual_argmax`] with respect to values and power, the latter one per row: `g p (1 - v)^(p - 1)` at every
/// maximum, `g p v^(p - 1)` elsewhere, and the sum over the row of `-g (1 - v)^p ln(1 - v)` and `g v^p ln v`.
///
/// # Panics
/// As [`gradual_argmax`].
pub fn gradual_argmax_backward(
    values: CubeTensor,
    power: CubeTensor,
    grad: CubeTensor,
    dim: usize,
) -> (CubeTensor, CubeTensor) {
    let op = "gradual_argmax_backward";
    let rank = values.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &values.client, values.dtype);
    check_same(op, "grad", &grad, &values);
    let sizes = Sizes::of(&values, dim, rank);
    let grad_values = output(&values, values.meta.shape().clone(), values.dtype);
    let grad_power = output(&values, resized(&values, dim, 1), values.dtype);
    if sizes.rows() == 0 {
        return (grad_values, grad_power);
    }
    sizes.check_classes(op);
    let power = coefficient_view(op, "power", power, &values, dim);
    let [values, grad] = [values, grad].map(|tensor| View::new(tensor, dim, rank));
    let vector = vector_size(&sizes, &[&values, &grad]);
    let groups = sizes.classes / vector;
    let plan = plan(&values, &sizes, groups, need(3, stats_dtype));
    let partials = partials(
        &grad_values,
        stats_dtype,
        &plan,
        sizes.rows(),
        BACKWARD_PARTS,
    );
    let addresses = address_type(&[&values.tensor, &power.tensor, &grad.tensor, &grad_values]);
    for &phase in plan.phases() {
        // SAFETY: as in `gradual_argmax`.
        unsafe {
            gradual_backward_kernel::launch_unchecked(
                &grad_values.client,
                cube_count(op, &grad_values.client, plan.cubes(sizes.rows())),
                plan.layout.cube_dim(),
                addresses,
                vector,
                values.tensor.clone().into_tensor_arg(),
                power.tensor.clone().into_tensor_arg(),
                grad.tensor.clone().into_tensor_arg(),
                grad_values.clone().into_tensor_arg(),
                grad_power.clone().into_tensor_arg(),
                partials.clone().into_tensor_arg(),
                sizes.launch(&plan, groups),
                values.launch_vector_steps(vector),
                power.launch_steps(),
                grad.launch_vector_steps(vector),
                InputScalar::new(f64::NAN, elements[1]),
                phase,
                plan.layout,
                elements,
            );
        }
    }
    (grad_values, grad_power)
}
