//! Log-probability of given classes, and its gradient.

use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    reduce::{
        divisor, find_max, find_normaliser, is_excluded, merged_max, merged_normaliser, partial_at,
        raw_weight, speaks_for_chunk, write_stats,
    },
    row::{Layout, Need, Phase, Rows, output_start, phase_place, place, row_start},
    sample::log_prob,
    view::{
        Sizes, Steps, View, address_type, cube_count, elements, independent_plan, output, partials,
        plan, reciprocal, resized, vector_size,
    },
};

/// Samples in one loop iteration of the gradient, where there are several: the loop is short beside its counting.
const UNROLL: usize = 8;

/// Numbers that a chunk hands on: maximum and normaliser.
const PARTS: usize = 2;

/// The class that an index tensor names: inside the row whatever it holds, since nobody can look at it before the launch.
#[cube]
fn named_class<I: Int>(index: &Tensor<I>, at: usize, rows: &Rows) -> usize {
    min(u32::cast_from(index[at]) as usize, rows.classes - 1)
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn log_prob_kernel<F: Float, A: Float, I: Int, N: Size>(
    logits: &Tensor<Vector<F, N>>, // [outer, classes, inner], for a walk
    entries: &Tensor<F>,           // the same, for a look at one class
    index: &Tensor<I>,             // [outer, samples, inner]
    log_probs: &mut Tensor<F>,     // [outer, samples, inner]
    stats: &mut Tensor<A>,         // [outer, 2, inner]
    partials: &mut Tensor<A>,      // [rows, chunks, 2]
    rows: &Rows,
    steps: &Steps,
    entry_steps: &Steps,
    index_steps: &Steps,
    never: InputScalar,
    #[comptime] phase: Phase,
    #[comptime] layout: Layout,
    #[define(F, A, I)] _elements: [ElemType; 3],
) {
    let place = phase_place(rows, phase, layout);
    let one = A::new(1.0_f32);
    let (max, sum) = if comptime!(phase == Phase::Finish) {
        let max = merged_max::<A>(&*partials, &place, rows, PARTS);
        let sum = merged_normaliser::<A>(&*partials, &place, rows, max, one, PARTS);
        (max, sum)
    } else {
        let start = row_start(&place, steps);
        let max = find_max::<F, A, N>(logits, start, steps, &place, layout);
        let sum = find_normaliser::<F, A, N>(logits, start, steps, &place, rows, max, one, layout);
        (max, sum)
    };
    if comptime!(phase == Phase::Partial) {
        if speaks_for_chunk(&place) {
            let at = partial_at(&place, rows, place.chunk, PARTS);
            partials[at] = max;
            partials[at + 1] = sum;
        }
    } else {
        write_stats::<A>(stats, &place, rows, max, sum);
        if place.live {
            let never = never.get::<A>();
            let start = row_start(&place, entry_steps);
            let index_start = row_start(&place, index_steps);
            let mut sample = place.lane;
            while sample < rows.features {
                let class = named_class::<I>(index, index_start + sample * index_steps.class, rows);
                let x = A::cast_from(entries[start + class * entry_steps.class]);
                let at = (place.outer * rows.features + sample) * rows.inner + place.inner;
                log_probs[at] = F::cast_from(log_prob::<A>(x, max, sum, one, never));
                sample += layout.lanes;
            }
        }
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn log_prob_backward_kernel<F: Float, A: Float, I: Int>(
    logits: &Tensor<F>,          // [outer, classes, inner]
    index: &Tensor<I>,           // [outer, samples, inner]
    stats: &Tensor<A>,           // [outer, 2, inner]
    grad: &Tensor<F>,            // [outer, samples, inner]
    grad_logits: &mut Tensor<F>, // [outer, classes, inner]
    rows: &Rows,
    logits_steps: &Steps,
    index_steps: &Steps,
    stats_steps: &Steps,
    grad_steps: &Steps,
    reciprocal: InputScalar,
    #[comptime] single: bool, // one sample for each row
    #[comptime] layout: Layout,
    #[define(F, A, I)] _elements: [ElemType; 3],
) {
    let place = place(rows, layout);
    if !place.live {
        terminate!();
    }
    let zero = A::new(0.0_f32);
    let reciprocal = reciprocal.get::<A>();
    let start = row_start(&place, logits_steps);
    let index_start = row_start(&place, index_steps);
    let grad_start = row_start(&place, grad_steps);
    let stats_start = row_start(&place, stats_steps);
    let max = stats[stats_start];
    let normaliser = divisor::<A>(stats[stats_start + stats_steps.class]);
    let decided = max >= A::max_value();
    let unroll = comptime!(if single { 1 } else { UNROLL });
    let mut total = zero;
    let mut sample = 0usize;
    while sample < rows.features {
        #[unroll]
        for j in 0..unroll {
            // Beyond the last sample the last one is read again, and does not count.
            let s = min(sample + j, rows.features - 1);
            let class = named_class::<I>(index, index_start + s * index_steps.class, rows);
            let x = A::cast_from(logits[start + class * logits_steps.class]);
            let upstream = A::cast_from(grad[grad_start + s * grad_steps.class]);
            let counts = sample + j < rows.features && x >= A::min_value();
            total += select(counts, upstream, zero);
        }
        sample += unroll;
    }
    let to = output_start(&place, rows);
    let first_class = named_class::<I>(index, index_start, rows);
    let first_upstream = A::cast_from(grad[grad_start]);
    let mut i = place.first;
    while i < place.end {
        let x = A::cast_from(logits[start + i * logits_steps.class]);
        let p = raw_weight::<A>(x, max, reciprocal) / normaliser;
        let mut own = select(first_class == i, first_upstream, zero);
        if comptime!(!single) {
            let mut sample = 1usize;
            while sample < rows.features {
                #[unroll]
                for j in 0..UNROLL {
                    let s = min(sample + j, rows.features - 1);
                    let class = named_class::<I>(index, index_start + s * index_steps.class, rows);
                    let upstream = A::cast_from(grad[grad_start + s * grad_steps.class]);
                    own += select(class == i && sample + j < rows.features, upstream, zero);
                }
                sample += UNROLL;
            }
        }
        let fixed = decided || is_excluded::<A>(x, max);
        let slope = (own - p * total) * reciprocal;
        grad_logits[to + i * rows.inner] = F::cast_from(select(fixed, zero, slope));
        i += layout.lanes;
    }
}

/// `ln softmax(logits)` at the classes that `index` names, and the row statistics.
///
/// A forbidden class gives `-inf`, a row that holds NaN gives NaN. An index beyond the last class counts as the last class.
///
/// # Shapes
/// - `logits`: `[.., n, ..]`, n at `dim`
/// - `index` and first result: any number of samples at `dim`
/// - second result: the statistics, see the crate's documentation
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn categorical_log_prob(
    logits: CubeTensor,
    index: CubeTensor,
    dim: usize,
) -> (CubeTensor, CubeTensor) {
    let op = "categorical_log_prob";
    let rank = logits.meta.num_dims();
    let ([storage, compute], stats_dtype) = elements(op, &logits.client, logits.dtype);
    let samples = index.meta.shape()[dim];
    let sizes = Sizes {
        features: samples,
        ..Sizes::of(&logits, dim, rank)
    };
    let log_probs = output(&logits, resized(&logits, dim, samples), logits.dtype);
    let stats = output(&logits, resized(&logits, dim, 2), stats_dtype);
    if sizes.rows() == 0 {
        return (log_probs, stats);
    }
    sizes.check_classes(op);
    assert!(
        sizes.features > 0,
        "{op}: index must have at least one sample along dim, got 0"
    );
    let index_dtype = dtype_to_storage_type(index.dtype);
    let [logits, index] = [logits, index].map(|tensor| View::new(tensor, dim, rank));
    let single = Sizes {
        features: 1,
        ..sizes
    };
    let vector = vector_size(&single, &[&logits]);
    let groups = sizes.classes / vector;
    let need = Need {
        shared_bytes: 2 * stats_dtype.size(),
        walks: 3,
    };
    let plan = plan(&logits, &sizes, groups, need);
    let partials = partials(&stats, stats_dtype, &plan, sizes.rows(), PARTS);
    let addresses = address_type(&[&logits.tensor, &index.tensor, &log_probs, &stats]);
    for &phase in plan.phases() {
        let (layout, cubes) = plan.launch(phase, &stats.client, sizes.rows(), samples);
        // SAFETY: the views' strides stay inside their tensors, the outputs are contiguous and of the sizes given, units beyond
        // the last row read row 0 and write nothing, classes are inside the row, and partial results are written before they
        // are read.
        unsafe {
            log_prob_kernel::launch_unchecked(
                &stats.client,
                cube_count(op, &stats.client, cubes),
                layout.cube_dim(),
                addresses,
                vector,
                logits.tensor.clone().into_tensor_arg(),
                logits.tensor.clone().into_tensor_arg(),
                index.tensor.clone().into_tensor_arg(),
                log_probs.clone().into_tensor_arg(),
                stats.clone().into_tensor_arg(),
                partials.clone().into_tensor_arg(),
                sizes.launch(&plan, groups),
                logits.launch_vector_steps(vector),
                logits.launch_steps(),
                index.launch_steps(),
                InputScalar::new(f64::NEG_INFINITY, compute),
                phase,
                layout,
                [storage, compute, index_dtype],
            );
        }
    }
    (log_probs, stats)
}

/// Gradient of the log-probabilities of `softmax(logits / temperature)` at given classes, from that softmax's statistics: for every
/// class the upstream gradients of the samples that are it, minus `p` times the sum of all of them, over the temperature.
/// Forbidden classes get 0 and their samples do not count; rows that hold `+inf` get 0.
///
/// # Panics
/// As [`categorical_log_prob`].
pub fn categorical_log_prob_backward(
    logits: CubeTensor,
    index: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    temperature: f64,
) -> CubeTensor {
    let op = "categorical_log_prob_backward";
    let rank = logits.meta.num_dims();
    let ([storage, compute], _) = elements(op, &logits.client, logits.dtype);
    let sizes = Sizes {
        features: index.meta.shape()[dim],
        ..Sizes::of(&logits, dim, rank)
    };
    let out = output(&logits, logits.meta.shape().clone(), logits.dtype);
    if sizes.rows() == 0 {
        return out;
    }
    sizes.check_classes(op);
    assert!(
        sizes.features > 0,
        "{op}: index must have at least one sample along dim, got 0"
    );
    let index_dtype = dtype_to_storage_type(index.dtype);
    let [logits, index, stats, grad] =
        [logits, index, stats, grad].map(|tensor| View::new(tensor, dim, rank));
    let plan = independent_plan(&logits, &sizes, sizes.classes, 1 + sizes.features / UNROLL);
    let addresses = address_type(&[&logits.tensor, &index.tensor, &grad.tensor, &out]);
    // SAFETY: as in `categorical_log_prob`; units beyond the last chunk of the last row end at once.
    unsafe {
        log_prob_backward_kernel::launch_unchecked(
            &out.client,
            cube_count(op, &out.client, plan.cubes(sizes.rows())),
            plan.layout.cube_dim(),
            addresses,
            logits.tensor.clone().into_tensor_arg(),
            index.tensor.clone().into_tensor_arg(),
            stats.tensor.clone().into_tensor_arg(),
            grad.tensor.clone().into_tensor_arg(),
            out.clone().into_tensor_arg(),
            sizes.launch(&plan, sizes.classes),
            logits.launch_steps(),
            index.launch_steps(),
            stats.launch_steps(),
            grad.launch_steps(),
            reciprocal(temperature, compute),
            sizes.features == 1,
            plan.layout,
            [storage, compute, index_dtype],
        );
    }
    out
}
