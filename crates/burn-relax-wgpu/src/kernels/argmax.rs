//! The index of the largest logit, and the value there.
//!
//! No distribution is built, and of the values only those chosen are read. The backward pass finds the index again, which reads the
//! logits once and keeps nothing.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use burn_backend::{DType, cubecl::dtype_to_storage_type};

use super::{
    lanes::row_first_max,
    math::is_nan,
    reduce::{handed_on_index, merged_first, merged_max, partial_at, speaks_for_chunk},
    row::{
        Layout, Need, Phase, Place, Rows, class_start, phase_place, place, row_start,
        speaks_for_row,
    },
    soft_argmax_gather::check_shapes,
    view::{
        Sizes, Steps, View, WIDEST_VECTOR, address_type, cube_count, elements, output, partials,
        plan, resized, vector_size,
    },
};

/// Numbers that a chunk hands on: maximum, its class, whether there is a NaN, its class.
const PARTS: usize = 4;

/// What a row chooses.
#[derive(CubeType)]
struct Choice {
    /// The class of the first NaN if there is one, else that of the maximum, else 0.
    index: usize,
    /// Whether there is a NaN.
    unknown: bool,
    /// Whether every entry is `-inf`.
    nothing: bool,
}

#[cube]
fn choice_of(index: u32, nan: u32, rows: &Rows) -> Choice {
    let none = rows.classes as u32;
    let unknown = nan != none;
    let nothing = !unknown && index == none;
    let index = select(unknown, nan, select(nothing, 0u32, index));
    Choice {
        index: index as usize,
        unknown,
        nothing,
    }
}

/// One phase of the choice: in the first of two, what the chunk knows is handed on and the result has no meaning.
#[cube]
fn choose<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,
    partials: &mut Tensor<A>,
    start: usize,
    steps: &Steps,
    place: &Place,
    rows: &Rows,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
) -> Choice {
    let zero = A::new(0.0_f32);
    let one = A::new(1.0_f32);
    let none = rows.classes as u32;
    if comptime!(phase == Phase::Finish) {
        let max = merged_max::<A>(&*partials, place, rows, PARTS);
        let (_chunk, index) = merged_first::<A, N>(&*partials, place, rows, max, 1usize, PARTS);
        let first = partial_at(place, rows, 0usize, PARTS);
        let mut nan = none;
        for chunk in 0..rows.chunks {
            let at = first + chunk * PARTS;
            let found = nan == none && partials[at + 2] > zero;
            let class = u32::cast_from(select(found, partials[at + 3], zero));
            let base = (chunk * rows.span * N::value()) as u32;
            nan = select(found, class + base, nan);
        }
        choice_of(index, nan, rows)
    } else {
        let mut max = A::min_value();
        let mut index = none;
        let mut nan = none;
        let mut g = place.first;
        while g < place.end {
            let x = Vector::<A, N>::cast_from(logits[start + g * steps.class]);
            #[unroll]
            for k in 0..N::value() {
                let x = x.extract(k);
                let class = (g * N::value() + k) as u32;
                let number = !is_nan::<A>(x);
                // The second case is an entry that is exactly the smallest finite number.
                let better = number && (x > max || (index == none && x == max));
                max = select(better, x, max);
                index = select(better, class, index);
                nan = select(!number && nan == none, class, nan);
            }
            g += layout.lanes;
        }
        let (max, index) = row_first_max::<A>(max, index, place.lane, layout);
        let flag = select(nan == none, zero, one);
        let (flag, nan) = row_first_max::<A>(flag, nan, place.lane, layout);
        if comptime!(phase == Phase::Partial) {
            if speaks_for_chunk(place) {
                let at = partial_at(place, rows, place.chunk, PARTS);
                partials[at] = select(max > A::max_value(), A::max_value(), max);
                partials[at + 1] = handed_on_index::<A, N>(index, place, rows);
                partials[at + 2] = flag;
                partials[at + 3] = handed_on_index::<A, N>(nan, place, rows);
            }
        }
        choice_of(index, nan, rows)
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn argmax_kernel<F: Float, A: Float, I: Int, N: Size>(
    logits: &Tensor<Vector<F, N>>, // [outer, classes, inner]
    index: &mut Tensor<I>,         // [outer, 1, inner]
    partials: &mut Tensor<A>,      // [rows, chunks, 4]
    rows: &Rows,
    steps: &Steps,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
    #[define(F, A, I)] _elements: [ElemType; 3],
) {
    let place = phase_place(rows, phase, layout);
    let start = row_start(&place, steps);
    let choice = choose::<F, A, N>(logits, partials, start, steps, &place, rows, phase, layout);
    if comptime!(phase != Phase::Partial) {
        if speaks_for_row(&place) {
            index[place.row] = I::cast_from(choice.index as u32);
        }
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn argmax_gather_kernel<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>, // [outer, classes, inner]
    values: &Tensor<F>,            // [outer, classes, inner, features]
    out: &mut Tensor<F>,           // [outer, 1, inner, features]
    partials: &mut Tensor<A>,      // [rows, chunks, 4]
    rows: &Rows,
    logits_steps: &Steps,
    values_steps: &Steps,
    // NaN comes from the host: WGSL has no literal for it.
    nan: InputScalar,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = phase_place(rows, phase, layout);
    let start = row_start(&place, logits_steps);
    let choice = choose::<F, A, N>(
        logits,
        partials,
        start,
        logits_steps,
        &place,
        rows,
        phase,
        layout,
    );
    if comptime!(phase != Phase::Partial) {
        if place.live {
            let from = row_start(&place, values_steps) + choice.index * values_steps.class;
            let to = place.row * rows.features;
            let mut feature = place.lane;
            while feature < rows.features {
                let value = values[from + feature * values_steps.feature];
                let value = select(choice.nothing, F::new(0.0_f32), value);
                out[to + feature] = select(choice.unknown, F::cast_from(nan.get::<A>()), value);
                feature += layout.lanes;
            }
        }
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn argmax_gather_backward_kernel<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>, // [outer, classes, inner]
    grad: &Tensor<F>,              // [outer, 1, inner, features]
    grad_values: &mut Tensor<F>,   // [outer, classes, inner, features]
    partials: &mut Tensor<A>,      // [rows, chunks, 4]
    rows: &Rows,
    logits_steps: &Steps,
    grad_steps: &Steps,
    nan: InputScalar,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let start = row_start(&place, logits_steps);
    let choice = choose::<F, A, N>(
        logits,
        partials,
        start,
        logits_steps,
        &place,
        rows,
        phase,
        layout,
    );
    if comptime!(phase != Phase::Partial) {
        if place.live {
            let from = row_start(&place, grad_steps);
            let mut g = place.first;
            while g < place.end {
                #[unroll]
                for k in 0..N::value() {
                    let class = g * N::value() + k;
                    let to = class_start(&place, rows) + class * rows.inner;
                    let chosen = class == choice.index && !choice.nothing;
                    for feature in 0..rows.features {
                        let upstream = grad[from + feature * grad_steps.feature];
                        let slope = select(chosen, upstream, F::new(0.0_f32));
                        let slope = select(choice.unknown, F::cast_from(nan.get::<A>()), slope);
                        grad_values[to * rows.features + feature] = slope;
                    }
                }
                g += layout.lanes;
            }
        }
    }
}

/// The index of the largest entry along `dim`, in `dtype`: the lowest one on ties, 0 in a row of `-inf`. NaN counts as the largest.
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn argmax(logits: CubeTensor, dim: usize, dtype: DType) -> CubeTensor {
    let op = "argmax";
    let rank = logits.meta.num_dims();
    let ([storage, compute], stats_dtype) = elements(op, &logits.client, logits.dtype);
    let sizes = Sizes::of(&logits, dim, rank);
    let index = output(&logits, resized(&logits, dim, 1), dtype);
    if sizes.rows() == 0 {
        return index;
    }
    sizes.check_classes(op);
    let logits = View::new(logits, dim, rank);
    let vector = vector_size(&sizes, &[&logits]);
    let groups = sizes.classes / vector;
    let plan = plan(&logits, &sizes, groups, need(stats_dtype, sizes.features));
    let partials = partials(&index, stats_dtype, &plan, sizes.rows(), PARTS);
    let addresses = address_type(&[&logits.tensor, &index, &partials]);
    for &phase in plan.phases() {
        let (layout, cubes) = plan.launch(phase, &index.client, sizes.rows(), 1);
        // SAFETY: the view's strides stay inside its tensor, the output is contiguous and of the size given, units beyond the
        // last row read row 0 and write nothing, and partial results are written before they are read.
        unsafe {
            argmax_kernel::launch_unchecked(
                &index.client,
                cube_count(op, &index.client, cubes),
                layout.cube_dim(),
                addresses,
                vector,
                logits.tensor.clone().into_tensor_arg(),
                index.clone().into_tensor_arg(),
                partials.clone().into_tensor_arg(),
                sizes.launch(&plan, groups),
                logits.launch_vector_steps(vector),
                phase,
                layout,
                [storage, compute, dtype_to_storage_type(dtype)],
            );
        }
    }
    index
}

/// Maximum and flag with an index each; a walk through the row and one through what is written.
fn need(stats_dtype: DType, features: usize) -> Need {
    Need {
        shared_bytes: 2 * (stats_dtype.size() + size_of::<u32>()),
        walks: 2 + WIDEST_VECTOR * features,
    }
}

/// The value at the argmax along `dim`, exactly; the lowest index on ties. A row of `-inf` gives 0, a row that holds NaN gives NaN.
///
/// # Shapes
/// - `logits`: `[.., n, ..]`, n at `dim`
/// - `values`: the shape of `logits`, then any feature dimensions
/// - result: the shape of `values` with size 1 at `dim`
///
/// # Panics
/// If shapes or dtypes do not match, or the device cannot compute with the dtype.
pub fn argmax_gather(logits: CubeTensor, values: CubeTensor, dim: usize) -> CubeTensor {
    let op = "argmax_gather";
    check_shapes(op, &logits, &values, dim);
    let rank = logits.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &logits.client, logits.dtype);
    let sizes = Sizes::of(&values, dim, rank);
    let out = output(&values, resized(&values, dim, 1), values.dtype);
    if sizes.rows() == 0 || sizes.features == 0 {
        return out;
    }
    let [logits, values] = [logits, values].map(|tensor| View::new(tensor, dim, rank));
    let vector = vector_size(&sizes, &[&logits]);
    let groups = sizes.classes / vector;
    let plan = plan(&logits, &sizes, groups, need(stats_dtype, sizes.features));
    let partials = partials(&out, stats_dtype, &plan, sizes.rows(), PARTS);
    let addresses = address_type(&[&logits.tensor, &values.tensor, &out, &partials]);
    for &phase in plan.phases() {
        let (layout, cubes) = plan.launch(phase, &out.client, sizes.rows(), sizes.features);
        // SAFETY: as in `argmax`, and the index is that of a class.
        unsafe {
            argmax_gather_kernel::launch_unchecked(
                &out.client,
                cube_count(op, &out.client, cubes),
                layout.cube_dim(),
                addresses,
                vector,
                logits.tensor.clone().into_tensor_arg(),
                values.tensor.clone().into_tensor_arg(),
                out.clone().into_tensor_arg(),
                partials.clone().into_tensor_arg(),
                sizes.launch(&plan, groups),
                logits.launch_vector_steps(vector),
                values.launch_steps(),
                InputScalar::new(f64::NAN, elements[1]),
                phase,
                layout,
                elements,
            );
        }
    }
    out
}

/// Gradient of [`argmax_gather`] with respect to the values, whose shape is `shape`: the upstream gradient at the argmax, 0
/// elsewhere.
///
/// # Panics
/// As [`argmax_gather`].
pub fn argmax_gather_backward(logits: CubeTensor, grad: CubeTensor, dim: usize) -> CubeTensor {
    let op = "argmax_gather_backward";
    let rank = logits.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &logits.client, logits.dtype);
    let classes = logits.meta.shape()[dim];
    let grad_values = output(&grad, resized(&grad, dim, classes), grad.dtype);
    check_shapes(op, &logits, &grad_values, dim);
    let sizes = Sizes::of(&grad_values, dim, rank);
    if sizes.rows() == 0 || sizes.features == 0 {
        return grad_values;
    }
    let [logits, grad] = [logits, grad].map(|tensor| View::new(tensor, dim, rank));
    let vector = vector_size(&sizes, &[&logits]);
    let groups = sizes.classes / vector;
    let plan = plan(&logits, &sizes, groups, need(stats_dtype, sizes.features));
    let partials = partials(&grad_values, stats_dtype, &plan, sizes.rows(), PARTS);
    let addresses = address_type(&[&logits.tensor, &grad.tensor, &grad_values, &partials]);
    for &phase in plan.phases() {
        // SAFETY: as in `argmax`.
        unsafe {
            argmax_gather_backward_kernel::launch_unchecked(
                &grad_values.client,
                cube_count(op, &grad_values.client, plan.cubes(sizes.rows())),
                plan.layout.cube_dim(),
                addresses,
                vector,
                logits.tensor.clone().into_tensor_arg(),
                grad.tensor.clone().into_tensor_arg(),
                grad_values.clone().into_tensor_arg(),
                partials.clone().into_tensor_arg(),
                sizes.launch(&plan, groups),
                logits.launch_vector_steps(vector),
                grad.launch_steps(),
                InputScalar::new(f64::NAN, elements[1]),
                phase,
                plan.layout,
                elements,
            );
        }
    }
    grad_values
}
