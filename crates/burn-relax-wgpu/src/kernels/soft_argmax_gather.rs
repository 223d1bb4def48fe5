//! Expected value of a choice: `y = Σ w_i V_i` with `w = softmax(x / T)`, and its hard form `V_argmax`.
//!
//! The lanes of a row find its maximum, then sum normaliser and weighted values in a second walk, the features in tiles that fit
//! registers. Soft-argmax is the same with coordinates that all rows share.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    math::is_nan,
    reduce::{find_first_max, handed_on_index, partial_at, speaks_for_chunk, write_stats},
    row::{Layout, Need, Phase, Place, Rows, phase_place, row_start},
    view::{
        Sizes, Steps, View, address_type, cube_count, elements, output, partials, plan, reciprocal,
        resized, vector_size,
    },
    weighted::{
        FEATURE_PARTS, FEATURE_TILE, ROW_PARTS, combined_values, expected_values, value_of,
    },
};

/// One phase of the soft read-out; returns where the unit was, the class of the maximum, and the normaliser.
#[cube]
#[allow(clippy::too_many_arguments)]
fn gather<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,
    values: &Tensor<Vector<F, N>>,
    out: &mut Tensor<F>,
    stats: &mut Tensor<A>,
    partials: &mut Tensor<A>,
    place: &Place,
    rows: &Rows,
    logits_steps: &Steps,
    values_steps: &Steps,
    reciprocal: A,
    #[comptime] tile: usize,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
) -> (u32, A) {
    let (max, index, normaliser) = if comptime!(phase == Phase::Finish) {
        combined_values::<F, A, N>(out, &*partials, place, rows, reciprocal, layout)
    } else {
        let start = row_start(place, logits_steps);
        let (max, index) =
            find_first_max::<F, A, N>(logits, start, logits_steps, place, rows, layout);
        let normaliser = expected_values::<F, A, N>(
            logits,
            values,
            out,
            partials,
            place,
            logits_steps,
            values_steps,
            max,
            index,
            reciprocal,
            rows,
            tile,
            phase,
            layout,
        );
        (max, index, normaliser)
    };
    if comptime!(phase == Phase::Partial) {
        if speaks_for_chunk(place) {
            let width = ROW_PARTS + FEATURE_PARTS * rows.features;
            let at = partial_at(place, rows, place.chunk, width);
            partials[at] = max;
            partials[at + 1] = normaliser;
            partials[at + 2] = handed_on_index::<A, N>(index, place, rows);
        }
    } else {
        write_stats::<A>(stats, place, rows, max, normaliser);
    }
    (index, normaliser)
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn soft_argmax_gather_kernel<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>, // [outer, classes, inner]
    values: &Tensor<Vector<F, N>>, // [outer, classes, inner, features]
    out: &mut Tensor<F>,           // [outer, 1, inner, features]
    stats: &mut Tensor<A>,         // [outer, 2, inner]
    partials: &mut Tensor<A>,      // [rows, chunks, 3 + 3 features]
    rows: &Rows,
    logits_steps: &Steps,
    values_steps: &Steps,
    reciprocal: InputScalar,
    #[comptime] tile: usize,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = phase_place(rows, phase, layout);
    gather::<F, A, N>(
        logits,
        values,
        out,
        stats,
        partials,
        &place,
        rows,
        logits_steps,
        values_steps,
        reciprocal.get::<A>(),
        tile,
        phase,
        layout,
    );
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn hard_argmax_gather_kernel<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>, // [outer, classes, inner]
    values: &Tensor<Vector<F, N>>, // [outer, classes, inner, features]
    hard: &mut Tensor<F>,          // [outer, 1, inner, features]
    soft: &mut Tensor<F>,          // [outer, 1, inner, features]
    stats: &mut Tensor<A>,         // [outer, 2, inner]
    partials: &mut Tensor<A>,      // [rows, chunks, 3 + 3 features]
    rows: &Rows,
    logits_steps: &Steps,
    values_steps: &Steps,
    reciprocal: InputScalar,
    #[comptime] tile: usize,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = phase_place(rows, phase, layout);
    let (index, normaliser) = gather::<F, A, N>(
        logits,
        values,
        soft,
        stats,
        partials,
        &place,
        rows,
        logits_steps,
        values_steps,
        reciprocal.get::<A>(),
        tile,
        phase,
        layout,
    );
    if comptime!(phase != Phase::Partial) {
        if place.live {
            // A row of nothing but NaN has no index either.
            let chosen = select(index == rows.classes as u32, 0, index as usize);
            let from = row_start(&place, values_steps);
            let to = (place.outer * rows.inner + place.inner) * rows.features;
            let mut feature = place.lane;
            while feature < rows.features {
                let offset = feature * values_steps.feature;
                let value = value_of::<F, N>(values, from + offset, chosen, values_steps);
                let value = select(normaliser == A::new(0.0_f32), F::new(0.0_f32), value);
                hard[to + feature] =
                    select(is_nan::<A>(normaliser), F::cast_from(normaliser), value);
                feature += layout.lanes;
            }
        }
    }
}

/// What both forward forms have in common on the host.
struct Forward {
    op: &'static str,
    sizes: Sizes,
    logits: View,
    values: View,
    out: CubeTensor,
    stats: CubeTensor,
    temperature: f64,
    elements: [ElemType; 2],
}

impl Forward {
    fn new(
        op: &'static str,
        logits: CubeTensor,
        values: CubeTensor,
        dim: usize,
        temperature: f64,
    ) -> Self {
        let rank = logits.meta.num_dims();
        check_shapes(op, &logits, &values, dim);
        let sizes = Sizes::of(&values, dim, rank);
        let out = output(&values, resized(&values, dim, 1), values.dtype);
        let values = View::new(values, dim, rank);
        Self::of(op, sizes, logits, values, out, dim, temperature)
    }

    /// With values that are already a view.
    fn of(
        op: &'static str,
        sizes: Sizes,
        logits: CubeTensor,
        values: View,
        out: CubeTensor,
        dim: usize,
        temperature: f64,
    ) -> Self {
        let rank = logits.meta.num_dims();
        let (elements, stats_dtype) = elements(op, &logits.client, logits.dtype);
        let stats = output(&logits, resized(&logits, dim, 2), stats_dtype);
        let logits = View::new(logits, dim, rank);
        Forward {
            op,
            sizes,
            logits,
            values,
            out,
            stats,
            temperature,
            elements,
        }
    }

    /// Launches the kernel, the hard one if there is a tensor for its result.
    fn launch(&self, hard: Option<&CubeTensor>) {
        let (client, rows) = (&self.out.client, self.sizes.rows());
        let tile = if self.sizes.features > 1 {
            FEATURE_TILE
        } else {
            1
        };
        let vector = vector_size(&self.sizes, &[&self.logits, &self.values]);
        let groups = self.sizes.classes / vector;
        // The maximum, its index, the sums and the normaliser.
        let need = Need {
            shared_bytes: self.stats.dtype.size() * (2 * tile + 2) + size_of::<u32>(),
            walks: 2 + self.sizes.features.div_ceil(tile),
        };
        let plan = plan(&self.logits, &self.sizes, groups, need);
        let width = ROW_PARTS + FEATURE_PARTS * self.sizes.features;
        let partials = partials(&self.stats, self.stats.dtype, &plan, rows, width);
        let (logits, values) = (&self.logits.tensor, &self.values.tensor);
        let addresses = address_type(&[logits, values, &self.out, &self.stats, &partials]);
        for &phase in plan.phases() {
            let (layout, cubes) = plan.launch(phase, client, rows, self.sizes.features);
            let cubes = cube_count(self.op, client, cubes);
            // SAFETY: the views' strides stay inside their tensors, the outputs are contiguous and of the sizes given, units
            // beyond the last row read row 0 and write nothing, the index chosen is that of a class, and partial results are
            // written before they are read.
            unsafe {
                match hard {
                    None => soft_argmax_gather_kernel::launch_unchecked(
                        client,
                        cubes,
                        layout.cube_dim(),
                        addresses,
                        vector,
                        logits.clone().into_tensor_arg(),
                        values.clone().into_tensor_arg(),
                        self.out.clone().into_tensor_arg(),
                        self.stats.clone().into_tensor_arg(),
                        partials.clone().into_tensor_arg(),
                        self.sizes.launch(&plan, groups),
                        self.logits.launch_vector_steps(vector),
                        self.values.launch_vector_steps(vector),
                        reciprocal(self.temperature, self.elements[1]),
                        tile,
                        phase,
                        layout,
                        self.elements,
                    ),
                    Some(hard) => hard_argmax_gather_kernel::launch_unchecked(
                        client,
                        cubes,
                        layout.cube_dim(),
                        addresses,
                        vector,
                        logits.clone().into_tensor_arg(),
                        values.clone().into_tensor_arg(),
                        hard.clone().into_tensor_arg(),
                        self.out.clone().into_tensor_arg(),
                        self.stats.clone().into_tensor_arg(),
                        partials.clone().into_tensor_arg(),
                        self.sizes.launch(&plan, groups),
                        self.logits.launch_vector_steps(vector),
                        self.values.launch_vector_steps(vector),
                        reciprocal(self.temperature, self.elements[1]),
                        tile,
                        phase,
                        layout,
                        self.elements,
                    ),
                }
            }
        }
    }
}

/// Panics unless `values` has the shape and dtype of `logits`, up to trailing features, and a row has an entry.
pub(super) fn check_shapes(op: &str, logits: &CubeTensor, values: &CubeTensor, dim: usize) {
    let (shape, rank) = (logits.meta.shape(), logits.meta.num_dims());
    assert!(
        dim < rank,
        "{op}: dim must be less than the rank {rank}, got {dim}"
    );
    assert!(
        shape[dim] > 0,
        "{op}: logits must have at least one class along dim {dim}, got shape {shape:?}"
    );
    let values_shape = values.meta.shape();
    assert!(
        values_shape.len() >= rank && values_shape[..rank] == shape[..],
        "{op}: values must have the shape of logits {shape:?}, up to trailing features, got {values_shape:?}"
    );
    assert!(
        logits.dtype == values.dtype,
        "{op}: values must have the dtype of logits {:?}, got {:?}",
        logits.dtype,
        values.dtype
    );
}

/// The expected value of the choice that `logits` describe: `y = Σ w_i V_i`, `w = softmax(logits / temperature)` along `dim`.
///
/// # Shapes
/// - `logits`: `[.., n, ..]`, n at `dim`
/// - `values`: the shape of `logits`, then any feature dimensions
/// - first result: the shape of `values` with size 1 at `dim`
/// - second result: the statistics, see the crate's documentation
///
/// # Panics
/// If shapes or dtypes do not match, or the device cannot compute with the dtype.
pub fn soft_argmax_gather(
    logits: CubeTensor,
    values: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    let f = Forward::new("soft_argmax_gather", logits, values, dim, temperature);
    if f.sizes.rows() == 0 {
        return (f.out, f.stats);
    }
    if f.sizes.features == 0 {
        let logits = f.logits.tensor;
        let (_, stats) = soft_argmax_gather(logits.clone(), logits, dim, temperature);
        return (f.out, stats);
    }
    f.launch(None);
    (f.out, f.stats)
}

/// The expected coordinate of the choice that `logits` describe: `Σ w_i c_i`, `w = softmax(logits / temperature)` along `dim`.
///
/// # Shapes
/// - `logits`: `[.., n, ..]`, n at `dim`
/// - `coordinates`: `[n]`
/// - first result: the shape of `logits` with size 1 at `dim`
/// - second result: the statistics, see the crate's documentation
///
/// # Panics
/// If shapes or dtypes do not match, or the device cannot compute with the dtype.
pub fn soft_argmax(
    logits: CubeTensor,
    coordinates: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    let op = "soft_argmax";
    let coordinates = coordinates_view(op, &logits, coordinates, dim);
    let sizes = Sizes::of(&logits, dim, logits.meta.num_dims());
    let out = output(&logits, resized(&logits, dim, 1), logits.dtype);
    let f = Forward::of(op, sizes, logits, coordinates, out, dim, temperature);
    if f.sizes.rows() > 0 {
        f.launch(None);
    }
    (f.out, f.stats)
}

/// Coordinates as values that all rows share.
pub(super) fn coordinates_view(
    op: &str,
    logits: &CubeTensor,
    coordinates: CubeTensor,
    dim: usize,
) -> View {
    let classes = logits.meta.shape()[dim];
    assert!(
        classes > 0,
        "{op}: logits must have at least one class along dim {dim}, got 0"
    );
    assert!(
        coordinates.meta.shape()[..] == [classes] && coordinates.dtype == logits.dtype,
        "{op}: coordinates must have shape [{classes}] and dtype {:?}, got {:?} and {:?}",
        logits.dtype,
        coordinates.meta.shape(),
        coordinates.dtype
    );
    let view = View::new(coordinates, 0, 1);
    let steps = [0, view.steps[1], 0, 0];
    View { steps, ..view }
}

/// The value of the likeliest choice, exactly `V_argmax` (the lowest index on ties), beside [`soft_argmax_gather`]'s results.
///
/// The three results are: the chosen value, the soft value (which the backward pass needs), the statistics.
///
/// # Panics
/// As [`soft_argmax_gather`].
pub fn hard_argmax_gather(
    logits: CubeTensor,
    values: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let f = Forward::new("hard_argmax_gather", logits, values, dim, temperature);
    let hard = output(&f.out, f.out.meta.shape().clone(), f.out.dtype);
    if f.sizes.rows() == 0 {
        return (hard, f.out, f.stats);
    }
    if f.sizes.features == 0 {
        let logits = f.logits.tensor;
        let (_, stats) = soft_argmax_gather(logits.clone(), logits, dim, temperature);
        return (hard, f.out, stats);
    }
    f.launch(Some(&hard));
    (hard, f.out, f.stats)
}
