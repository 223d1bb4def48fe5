//! Power softmax, `v^p / Σ v^p`, and its gradients.
//!
//! Powers are taken of `v / max`, so that nothing overflows and the largest entry is exact. The gradients need the row's
//! `<y, g>` before the sum for the power; a part of a split row takes that sum about its own mean and hands on what moves it.

use burn_backend::DType;
use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    lanes::{row_sum, row_sums, sum_slots},
    math::{exp_nonpositive, is_nan, ln_positive},
    power::{is_zero, powers, zero_power},
    reduce::{
        divisor, find_max, merged_max, merged_sum, partial_at, speaks_for_chunk, write_stats,
    },
    row::{Layout, Need, Phase, Rows, output_start, place, row_start, speaks_for_row},
    view::{
        Sizes, Steps, View, address_type, check_same, coefficient_view, cube_count, elements,
        output, partials, plan, resized, vector_size,
    },
};

/// Numbers that a chunk hands on: maximum and `Σ (v / max)^p`.
const FORWARD_PARTS: usize = 2;

/// The same backward: `Σ y g`, its mean `m`, `Σ y (g - m) ln u` and `Σ y ln u`, `u = v / max`.
const BACKWARD_PARTS: usize = 4;

/// `v / max`, exactly 1 at the maximum even if that is infinite, 0 in a row of zeros.
#[cube]
fn relative<A: Float>(v: A, max: A) -> A {
    let zero = A::new(0.0_f32);
    let one = A::new(1.0_f32);
    let decided = max >= A::max_value();
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
    let power = select(is_zero::<A>(u), A::new(0.0_f32), power);
    select(is_nan::<A>(u), u, power)
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn power_kernel<F: Float, A: Float, N: Size>(
    values: &Tensor<Vector<F, N>>,  // [outer, classes, inner]
    power: &Tensor<F>,              // [outer, 1, inner]
    out: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    stats: &mut Tensor<A>,          // [outer, 2, inner]
    partials: &mut Tensor<A>,       // [rows, chunks, 2]
    rows: &Rows,
    steps: &Steps,
    power_steps: &Steps,
    #[comptime] phase: Phase,
    #[comptime] kept: bool, // the powers lie in the result's memory until they are divided
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let start = row_start(&place, steps);
    let to = output_start(&place, rows);
    let p = A::cast_from(power[row_start(&place, power_steps)]);
    let (max, sum) = if comptime!(phase == Phase::Finish) {
        let max = merged_max::<A>(&*partials, &place, rows, FORWARD_PARTS);
        let first = partial_at(&place, rows, 0usize, FORWARD_PARTS);
        let mut sum = A::new(0.0_f32);
        for chunk in 0..rows.chunks {
            let at = first + chunk * FORWARD_PARTS;
            sum += raised::<A>(relative::<A>(partials[at], max), p) * partials[at + 1];
        }
        (max, sum)
    } else {
        let max = find_max::<F, A, N>(values, start, steps, &place, layout);
        let mut sum = A::new(0.0_f32);
        let mut from = place.first;
        while from < place.end {
            let end = min(from + rows.block, place.end);
            let mut part = A::new(0.0_f32);
            let mut g = from;
            while g < end {
                let v = Vector::<A, N>::cast_from(values[start + g * steps.class]);
                let mut weights = Vector::<F, N>::empty();
                #[unroll]
                for k in 0..N::value() {
                    let weight = raised::<A>(relative::<A>(v.extract(k), max), p);
                    part += weight;
                    weights.insert(k, F::cast_from(weight));
                }
                if comptime!(kept) {
                    if place.live {
                        out[to + g * rows.inner] = weights;
                    }
                }
                g += layout.lanes;
            }
            sum += part;
            from += rows.block;
        }
        (max, row_sum::<A>(sum, place.lane, layout))
    };
    if comptime!(phase == Phase::Partial) {
        if speaks_for_chunk(&place) {
            let at = partial_at(&place, rows, place.chunk, FORWARD_PARTS);
            partials[at] = max;
            partials[at + 1] = sum;
        }
    } else {
        write_stats::<A>(stats, &place, rows, max, sum);
        if place.live {
            let divisor = divisor::<A>(sum);
            let mut g = place.first;
            while g < place.end {
                let mut y = Vector::<F, N>::empty();
                if comptime!(kept) {
                    let weights = Vector::<A, N>::cast_from(out[to + g * rows.inner]);
                    #[unroll]
                    for k in 0..N::value() {
                        y.insert(k, F::cast_from(weights.extract(k) / divisor));
                    }
                } else {
                    let v = Vector::<A, N>::cast_from(values[start + g * steps.class]);
                    #[unroll]
                    for k in 0..N::value() {
                        let weight = raised::<A>(relative::<A>(v.extract(k), max), p);
                        y.insert(k, F::cast_from(weight / divisor));
                    }
                }
                out[to + g * rows.inner] = y;
                g += layout.lanes;
            }
        }
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn power_backward_kernel<F: Float, A: Float, N: Size>(
    values: &Tensor<Vector<F, N>>,          // [outer, classes, inner]
    power: &Tensor<F>,                      // [outer, 1, inner]
    stats: &Tensor<A>,                      // [outer, 2, inner]
    grad: &Tensor<Vector<F, N>>,            // [outer, classes, inner]
    grad_values: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    grad_power: &mut Tensor<F>,             // [outer, 1, inner]
    partials: &mut Tensor<A>,               // [rows, chunks, 4]
    rows: &Rows,
    steps: &Steps,
    power_steps: &Steps,
    stats_steps: &Steps,
    grad_steps: &Steps,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let zero = A::new(0.0_f32);
    let start = row_start(&place, steps);
    let grad_start = row_start(&place, grad_steps);
    let stats_start = row_start(&place, stats_steps);
    let p = A::cast_from(power[row_start(&place, power_steps)]);
    let max = stats[stats_start];
    let normaliser = stats[stats_start + stats_steps.class];
    let fixed = max >= A::max_value() || normaliser == zero;
    let to = output_start(&place, rows);

    // `Σ y g` and `Σ y`, then the mean.
    let mut sums = Array::<A>::new(2usize);
    sums[0] = zero;
    sums[1] = zero;
    let mean = if comptime!(phase == Phase::Finish) {
        merged_sum::<A>(&*partials, &place, rows, 0usize, BACKWARD_PARTS)
    } else {
        let mut from = place.first;
        while from < place.end {
            let end = min(from + rows.block, place.end);
            let mut weighted = zero;
            let mut weights = zero;
            let mut g = from;
            while g < end {
                let v = Vector::<A, N>::cast_from(values[start + g * steps.class]);
                let upstream = Vector::<A, N>::cast_from(grad[grad_start + g * grad_steps.class]);
                #[unroll]
                for k in 0..N::value() {
                    let u = relative::<A>(v.extract(k), max);
                    let y = raised::<A>(u, p) / divisor::<A>(normaliser);
                    weighted += select(y == zero, zero, y * upstream.extract(k));
                    weights += y;
                }
                g += layout.lanes;
            }
            sums[0] += weighted;
            sums[1] += weights;
            from += rows.block;
        }
        let mut shared = sum_slots::<A>(2usize, layout);
        row_sums::<A>(&mut sums, &mut shared, place.lane, 2usize, layout);
        if comptime!(phase == Phase::Partial) {
            sums[0] / divisor::<A>(sums[1])
        } else {
            sums[0]
        }
    };

    let scale = p / divisor::<A>(normaliser * max);
    let scale = select(scale > A::max_value(), A::max_value(), scale);
    // `Σ y (g - mean) ln u` and `Σ y ln u`.
    let mut moments = Array::<A>::new(2usize);
    moments[0] = zero;
    moments[1] = zero;
    let mut from = place.first;
    while from < place.end {
        let end = min(from + rows.block, place.end);
        let mut first = zero;
        let mut logs = zero;
        let mut g = from;
        while g < end {
            let v = Vector::<A, N>::cast_from(values[start + g * steps.class]);
            let upstream = Vector::<A, N>::cast_from(grad[grad_start + g * grad_steps.class]);
            let mut slopes = Vector::<F, N>::empty();
            #[unroll]
            for k in 0..N::value() {
                let u = relative::<A>(v.extract(k), max);
                let (lower, upper, log) = powers::<A>(u, p);
                let lower = select(is_zero::<A>(u), zero_power::<A>(p), lower);
                let y = select(is_zero::<A>(u), zero, upper / divisor::<A>(normaliser));
                let y = select(is_nan::<A>(u), u, y);
                let difference = upstream.extract(k) - mean;
                first += select(y == zero, zero, y * difference * log);
                logs += select(y == zero, zero, y * log);
                let slope = lower * difference * scale;
                let slope = select(fixed || lower == zero, zero, slope);
                slopes.insert(k, F::cast_from(slope));
            }
            if comptime!(phase != Phase::Partial) {
                if place.live {
                    grad_values[to + g * rows.inner] = slopes;
                }
            }
            g += layout.lanes;
        }
        moments[0] += first;
        moments[1] += logs;
        from += rows.block;
    }
    if comptime!(phase == Phase::Finish) {
        if speaks_for_row(&place) {
            let first = partial_at(&place, rows, 0usize, BACKWARD_PARTS);
            let mut sum = zero;
            for chunk in 0..rows.chunks {
                let at = first + chunk * BACKWARD_PARTS;
                sum += partials[at + 2] + (partials[at + 1] - mean) * partials[at + 3];
            }
            grad_power[place.row] = F::cast_from(select(fixed, zero, sum));
        }
    } else {
        let mut shared = sum_slots::<A>(2usize, layout);
        row_sums::<A>(&mut moments, &mut shared, place.lane, 2usize, layout);
        if comptime!(phase == Phase::Partial) {
            if speaks_for_chunk(&place) {
                let at = partial_at(&place, rows, place.chunk, BACKWARD_PARTS);
                partials[at] = sums[0];
                partials[at + 1] = mean;
                partials[at + 2] = moments[0];
                partials[at + 3] = moments[1];
            }
        } else if speaks_for_row(&place) {
            grad_power[place.row] = F::cast_from(select(fixed, zero, moments[0]));
        }
    }
}

/// So many numbers in shared memory, and three walks with blocks.
fn need(numbers: usize, stats_dtype: DType) -> Need {
    Need {
        shared_bytes: numbers * stats_dtype.size(),
        walks: 4,
    }
}

/// `v^p / Σ v^p` along `dim`, and row statistics: the maximum of `v` and `Σ (v / max)^p`.
///
/// The domain is `v >= 0`, `p > 0`. A row of zeros gives zeros and has statistics 0 and 0; a row that holds `+inf` shares the
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
    let op = "power_softmax";
    let rank = values.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &values.client, values.dtype);
    let sizes = Sizes::of(&values, dim, rank);
    let out = output(&values, values.meta.shape().clone(), values.dtype);
    let stats = output(&values, resized(&values, dim, 2), stats_dtype);
    if sizes.rows() == 0 {
        return (out, stats);
    }
    sizes.check_classes(op);
    let power = coefficient_view(op, "power", power, &values, dim);
    let values = View::new(values, dim, rank);
    let vector = vector_size(&sizes, &[&values]);
    let groups = sizes.classes / vector;
    let plan = plan(&values, &sizes, groups, need(2, stats_dtype));
    let partials = partials(&out, stats_dtype, &plan, sizes.rows(), FORWARD_PARTS);
    let addresses = address_type(&[&values.tensor, &power.tensor, &out, &stats, &partials]);
    for &phase in plan.phases() {
        let kept = phase == Phase::Whole && elements[0] == elements[1];
        // SAFETY: the views' strides stay inside their tensors, the outputs are contiguous and of the sizes given, units beyond
        // the last row read row 0 and write nothing, and partial results are written before they are read.
        unsafe {
            power_kernel::launch_unchecked(
                &out.client,
                cube_count(op, &out.client, plan.cubes(sizes.rows())),
                plan.layout.cube_dim(),
                addresses,
                vector,
                values.tensor.clone().into_tensor_arg(),
                power.tensor.clone().into_tensor_arg(),
                out.clone().into_tensor_arg(),
                stats.clone().into_tensor_arg(),
                partials.clone().into_tensor_arg(),
                sizes.launch(&plan, groups),
                values.launch_vector_steps(vector),
                power.launch_steps(),
                phase,
                kept,
                plan.layout,
                elements,
            );
        }
    }
    (out, stats)
}

/// Gradients of [`power_softmax`] from its statistics: `(p / v) y (g - <y, g>)` for the values, and for the power, one per row,
/// `Σ y (g - <y, g>) ln v`. Rows of zeros and rows that hold `+inf` get 0.
///
/// # Panics
/// As [`power_softmax`].
pub fn power_softmax_backward(
    values: CubeTensor,
    power: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
) -> (CubeTensor, CubeTensor) {
    let op = "power_softmax_backward";
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
    let [values, stats, grad] = [values, stats, grad].map(|tensor| View::new(tensor, dim, rank));
    let vector = vector_size(&sizes, &[&values, &grad]);
    let groups = sizes.classes / vector;
    let plan = plan(&values, &sizes, groups, need(4, stats_dtype));
    let partials = partials(
        &grad_values,
        stats_dtype,
        &plan,
        sizes.rows(),
        BACKWARD_PARTS,
    );
    let addresses = address_type(&[&values.tensor, &power.tensor, &grad.tensor, &grad_values]);
    for &phase in plan.phases() {
        // SAFETY: as in `power_softmax`.
        unsafe {
            power_backward_kernel::launch_unchecked(
                &grad_values.client,
                cube_count(op, &grad_values.client, plan.cubes(sizes.rows())),
                plan.layout.cube_dim(),
                addresses,
                vector,
                values.tensor.clone().into_tensor_arg(),
                power.tensor.clone().into_tensor_arg(),
                stats.tensor.clone().into_tensor_arg(),
                grad.tensor.clone().into_tensor_arg(),
                grad_values.clone().into_tensor_arg(),
                grad_power.clone().into_tensor_arg(),
                partials.clone().into_tensor_arg(),
                sizes.launch(&plan, groups),
                values.launch_vector_steps(vector),
                power.launch_steps(),
                stats.launch_steps(),
                grad.launch_vector_steps(vector),
                phase,
                plan.layout,
                elements,
            );
        }
    }
    (grad_values, grad_power)
}
