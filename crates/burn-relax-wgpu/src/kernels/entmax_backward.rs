//! Gradients of entmax, from its saved weights.
//!
//! With the slopes `s = p^(2 - alpha)` and `m = <s, g> / Σ s`: `s (g - m)` for the logits. For alpha, with `e = alpha - 1` and
//! `L = ln p`, `Σ c (g - m)`, `c = ((p - s) / e - p L) / e`, by a series where `e L` is small. A part of a split row takes that sum
//! about its own `m` and hands on what moves it.

use burn_backend::Shape;
use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    entmax::Alpha,
    lanes::{row_sums, sum_slots},
    math::{by_precision, exp_nonpositive, is_nan, ln_positive},
    power::is_zero,
    reduce::{divisor, merged_sum, partial_at, speaks_for_chunk},
    row::{Layout, Need, Phase, Rows, output_start, place, row_start, speaks_for_row},
    threshold::{Curve, limited},
    view::{
        Sizes, Steps, View, address_type, check_same, cube_count, elements, output, partials, plan,
        resized, vector_size,
    },
};

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
    let one = A::new(1.0_f32);
    let limit = by_precision::<A>(SLOPE_LIMIT_F32, SLOPE_LIMIT_F64);
    // Near the softmax most of the slope is the weight itself, which needs no logarithm.
    let near = excess < A::new(0.5_f32);
    let exponent = select(near, -excess, one - excess) * ln_positive::<A>(p);
    let power = exp_nonpositive::<A>(select(exponent > limit, limit, exponent));
    select(near, p, one) * power
}

/// The slope `s` of a weight; NaN at NaN.
#[cube]
fn slope<A: Float>(p: A, excess: A, #[comptime] curve: Curve) -> A {
    let zero = A::new(0.0_f32);
    let nothing = is_zero::<A>(p);
    let s = match comptime!(curve) {
        Curve::Line => A::new(1.0_f32),
        Curve::Square => p.sqrt(),
        Curve::Power => raised::<A>(select(nothing, A::new(1.0_f32), p), excess),
    };
    select(is_nan::<A>(p), p, select(nothing, zero, s))
}

/// `c`, what a weight gains with alpha while the threshold stays.
#[cube]
#[allow(clippy::needless_range_loop)] // a kernel cannot iterate over a constant array
fn change<A: Float>(p: A, s: A, excess: A) -> A {
    let nothing = is_zero::<A>(p);
    let log = ln_positive::<A>(select(nothing, A::new(1.0_f32), p));
    let w = excess * log;
    let mut series = A::new(0.0_f32);
    #[unroll]
    for k in 0..8 {
        series = series * w + A::new(comptime!(SERIES[k]));
    }
    let near = p * (log * log) * series;
    let divisor = divisor::<A>(excess);
    let far = ((p - s) / divisor - p * log) / divisor;
    let reach = A::new(SERIES_REACH);
    let c = select(w * w < reach * reach, near, far);
    select(is_nan::<A>(p), p, select(nothing, A::new(0.0_f32), c))
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn entmax_backward_kernel<F: Float, A: Float, N: Size>(
    probs: &Tensor<Vector<F, N>>,           // [outer, classes, inner]
    alpha: &Tensor<F>,                      // [outer, 1, inner], or anything if alpha is fixed
    stats: &Tensor<A>,                      // [outer, 2, inner]
    grad: &Tensor<Vector<F, N>>,            // [outer, classes, inner]
    grad_logits: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    grad_alpha: &mut Tensor<F>,             // [outer, 1, inner], or one number if alpha is fixed
    partials: &mut Tensor<A>,               // [rows, chunks, 4]
    rows: &Rows,
    steps: &Steps,
    alpha_steps: &Steps,
    stats_steps: &Steps,
    grad_steps: &Steps,
    excess: InputScalar,
    #[comptime] per_row: bool,
    #[comptime] curve: Curve,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let zero = A::new(0.0_f32);
    let start = row_start(&place, steps);
    let grad_start = row_start(&place, grad_steps);
    let excess = if comptime!(per_row) {
        A::cast_from(alpha[row_start(&place, alpha_steps)]) - A::new(1.0_f32)
    } else {
        excess.get::<A>()
    };
    let excess = limited::<A>(excess);
    let decided = stats[row_start(&place, stats_steps)] >= A::max_value();

    let mut sums = Array::<A>::new(2usize);
    sums[0] = zero;
    sums[1] = zero;
    if comptime!(phase == Phase::Finish) {
        sums[0] = merged_sum::<A>(&*partials, &place, rows, 0usize, PARTS);
        sums[1] = merged_sum::<A>(&*partials, &place, rows, 1usize, PARTS);
    } else {
        let mut from = place.first;
        while from < place.end {
            let end = min(from + rows.block, place.end);
            let mut weighted = zero;
            let mut slopes = zero;
            let mut g = from;
            while g < end {
                let p = Vector::<A, N>::cast_from(probs[start + g * steps.class]);
                let upstream = Vector::<A, N>::cast_from(grad[grad_start + g * grad_steps.class]);
                #[unroll]
                for k in 0..N::value() {
                    let s = slope::<A>(p.extract(k), excess, curve);
                    weighted += select(s == zero, zero, s * upstream.extract(k));
                    slopes += s;
                }
                g += layout.lanes;
            }
            sums[0] += weighted;
            sums[1] += slopes;
            from += rows.block;
        }
        let mut shared = sum_slots::<A>(2usize, layout);
        row_sums::<A>(&mut sums, &mut shared, place.lane, 2usize, layout);
    }
    let mean = sums[0] / divisor::<A>(sums[1]);

    // `Σ c (g - mean)` and `Σ c`.
    let mut moments = Array::<A>::new(2usize);
    moments[0] = zero;
    moments[1] = zero;
    let to = output_start(&place, rows);
    if comptime!(per_row || phase != Phase::Partial) {
        let mut from = place.first;
        while from < place.end {
            let end = min(from + rows.block, place.end);
            let mut first = zero;
            let mut changes = zero;
            let mut g = from;
            while g < end {
                let p = Vector::<A, N>::cast_from(probs[start + g * steps.class]);
                let upstream = Vector::<A, N>::cast_from(grad[grad_start + g * grad_steps.class]);
                let mut slopes = Vector::<F, N>::empty();
                #[unroll]
                for k in 0..N::value() {
                    let p = p.extract(k);
                    let s = slope::<A>(p, excess, curve);
                    let difference = upstream.extract(k) - mean;
                    let fixed = decided || s == zero;
                    slopes.insert(k, F::cast_from(select(fixed, zero, s * difference)));
                    if comptime!(per_row && phase != Phase::Finish) {
                        let c = change::<A>(p, s, excess);
                        first += select(c == zero, zero, c * difference);
                        changes += c;
                    }
                }
                if comptime!(phase != Phase::Partial) {
                    if place.live {
                        grad_logits[to + g * rows.inner] = slopes;
                    }
                }
                g += layout.lanes;
            }
            moments[0] += first;
            moments[1] += changes;
            from += rows.block;
        }
    }
    if comptime!(per_row && phase != Phase::Finish) {
        let mut shared = sum_slots::<A>(2usize, layout);
        row_sums::<A>(&mut moments, &mut shared, place.lane, 2usize, layout);
    }
    if comptime!(phase == Phase::Partial) {
        if speaks_for_chunk(&place) {
            let at = partial_at(&place, rows, place.chunk, PARTS);
            partials[at] = sums[0];
            partials[at + 1] = sums[1];
            partials[at + 2] = moments[0];
            partials[at + 3] = moments[1];
        }
    } else if comptime!(per_row) {
        if speaks_for_row(&place) {
            let mut sum = moments[0];
            if comptime!(phase == Phase::Finish) {
                let first = partial_at(&place, rows, 0usize, PARTS);
                for chunk in 0..rows.chunks {
                    let at = first + chunk * PARTS;
                    let own = partials[at] / divisor::<A>(partials[at + 1]);
                    let changes = partials[at + 3];
                    let moved = select(changes == zero, zero, (own - mean) * changes);
                    sum += partials[at + 2] + moved;
                }
            }
            grad_alpha[place.row] = F::cast_from(select(decided, zero, sum));
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
    let alpha = Alpha::Fixed(alpha);
    backward("entmax_backward", probs, alpha, stats, grad, dim).0
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
    let alpha = Alpha::Rows(alpha);
    backward("entmax_rows_backward", probs, alpha, stats, grad, dim)
}

/// Launches the kernel. The second gradient is without meaning if alpha is fixed.
fn backward(
    op: &str,
    probs: CubeTensor,
    alpha: Alpha,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
) -> (CubeTensor, CubeTensor) {
    let rank = probs.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &probs.client, probs.dtype);
    check_same(op, "grad", &grad, &probs);
    let sizes = Sizes::of(&probs, dim, rank);
    let per_row = alpha.is_tensor();
    let grad_logits = output(&probs, probs.meta.shape().clone(), probs.dtype);
    let of_alpha = if per_row {
        resized(&probs, dim, 1)
    } else {
        Shape::from([1])
    };
    let grad_alpha = output(&probs, of_alpha, probs.dtype);
    if sizes.rows() == 0 {
        return (grad_logits, grad_alpha);
    }
    sizes.check_classes(op);
    let [probs, stats, grad] = [probs, stats, grad].map(|tensor| View::new(tensor, dim, rank));
    let (alpha, excess, curve) = alpha.into_view(op, &probs, dim);
    let vector = vector_size(&sizes, &[&probs, &grad]);
    let groups = sizes.classes / vector;
    // Two sums, twice; two walks with blocks.
    let need = Need {
        shared_bytes: 4 * stats_dtype.size(),
        walks: 3,
    };
    let plan = plan(&probs, &sizes, groups, need);
    let partials = partials(&grad_logits, stats_dtype, &plan, sizes.rows(), PARTS);
    let addresses = address_type(&[&probs.tensor, &alpha.tensor, &grad.tensor, &grad_logits]);
    for &phase in plan.phases() {
        // SAFETY: the views' strides stay inside their tensors, the outputs are contiguous and of the sizes given, units beyond the
        // last row read row 0 and write nothing, and partial results are written before they are read.
        unsafe {
            entmax_backward_kernel::launch_unchecked(
                &grad_logits.client,
                cube_count(op, &grad_logits.client, plan.cubes(sizes.rows())),
                plan.layout.cube_dim(),
                addresses,
                vector,
                probs.tensor.clone().into_tensor_arg(),
                alpha.tensor.clone().into_tensor_arg(),
                stats.tensor.clone().into_tensor_arg(),
                grad.tensor.clone().into_tensor_arg(),
                grad_logits.clone().into_tensor_arg(),
                grad_alpha.clone().into_tensor_arg(),
                partials.clone().into_tensor_arg(),
                sizes.launch(&plan, groups),
                probs.launch_vector_steps(vector),
                alpha.launch_steps(),
                stats.launch_steps(),
                grad.launch_vector_steps(vector),
                InputScalar::new(excess, elements[1]),
                per_row,
                curve,
                phase,
                plan.layout,
                elements,
            );
        }
    }
    (grad_logits, grad_alpha)
}
