//! Categorical samples with their log-probabilities, by the Gumbel-max trick: the argmax of `(x - max) / T + G` for every sample.
//!
//! One launch: maximum and normaliser of a row, then one walk for each sample, which makes its noise. Nothing of the size of the
//! noise is stored. Many samples of a row are shared between units that each find its maximum and normaliser.

use burn_backend::{DType, cubecl::dtype_to_storage_type};
use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    blocks::block_vector,
    lanes::row_first_max,
    math::{is_nan, ln_positive},
    noise::{BLOCK, Seeds, noise_row, seeds},
    perturb::{Source, find_block_max, find_block_normaliser, perturbed_block},
    reduce::{divisor, is_excluded, speaks_for_chunk, write_stats},
    row::{Layout, Need, Plan, Rows, repeated_place, row_start},
    view::{Sizes, Steps, View, address_type, cube_count, elements, output, reciprocal, resized},
};

/// Samples that the same lanes draw from a row: enough to pay for its maximum and normaliser, few enough that many samples of few
/// rows are spread over the device.
const SAMPLES: usize = 8;

/// The log-probability of an entry, `-inf` where nothing can be chosen, NaN in a row that holds NaN.
#[cube]
pub(crate) fn log_prob<A: Float>(x: A, max: A, normaliser: A, reciprocal: A, never: A) -> A {
    let log = ln_positive::<A>(divisor::<A>(normaliser));
    let gap = select(
        max >= A::max_value(),
        A::new(0.0_f32),
        (x - max) * reciprocal,
    );
    let value = select(is_excluded::<A>(x, max), never, gap - log);
    select(is_nan::<A>(normaliser), normaliser, value)
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn sample_kernel<F: Float, A: Float, I: Int, N: Size>(
    logits: &Tensor<Vector<F, N>>, // [outer, classes, inner], for a walk
    entries: &Tensor<F>,           // the same, for a look at one class
    index: &mut Tensor<I>,         // [outer, samples, inner]
    log_probs: &mut Tensor<F>,     // [outer, samples, inner]
    stats: &mut Tensor<A>,         // [outer, 2, inner]
    rows: &Rows,
    steps: &Steps,
    entry_steps: &Steps,
    seeds: &Seeds,
    reciprocal: InputScalar,
    // `-inf` comes from the host: WGSL has no literal for it.
    never: InputScalar,
    #[comptime] layout: Layout,
    #[define(F, A, I)] _elements: [ElemType; 3],
) {
    // A chunk is a number of samples.
    let place = repeated_place(rows, layout);
    let never = never.get::<A>();
    let reciprocal = reciprocal.get::<A>();
    let start = row_start(&place, steps);
    let none = rows.classes as u32;
    let max = find_block_max::<F, A, N>(logits, start, steps, &place, rows, 0usize, never, layout);
    let (normaliser, nan) = find_block_normaliser::<F, A, N>(
        logits, start, steps, &place, rows, max, reciprocal, never, layout,
    );
    write_stats::<A>(stats, &place, rows, max, normaliser);
    let flag = select(nan == none, A::new(0.0_f32), A::new(1.0_f32));
    let (_flag, nan) = row_first_max::<A>(flag, nan, place.lane, layout);

    let samples = rows.features;
    for s in 0..rows.span {
        let sample = place.chunk * rows.span + s;
        let from = noise_row(
            (seeds.row as usize + place.row) * samples + sample,
            rows.classes,
        );
        let skip = from.skip;
        let mut best = A::min_value();
        let mut drawn = none;
        let mut g = place.first;
        while g < place.end {
            let z = perturbed_block::<F, A, N>(
                logits,
                logits,
                start,
                start,
                steps,
                steps,
                rows,
                &from,
                seeds,
                g,
                max,
                reciprocal,
                never,
                Source::Drawn,
                false,
            );
            #[unroll]
            for j in 0..BLOCK {
                let better = z[j] > best;
                best = select(better, z[j], best);
                drawn = select(better, (g * BLOCK + j - skip) as u32, drawn);
            }
            g += layout.lanes;
        }
        let (_best, drawn) = row_first_max::<A>(best, drawn, place.lane, layout);
        if speaks_for_chunk(&place) && sample < samples {
            let drawn = select(drawn == none, 0u32, drawn);
            let drawn = select(is_nan::<A>(normaliser) && nan != none, nan, drawn);
            let entry = row_start(&place, entry_steps) + drawn as usize * entry_steps.class;
            let x = A::cast_from(entries[entry]);
            let at = (place.outer * samples + sample) * rows.inner + place.inner;
            index[at] = I::cast_from(drawn);
            log_probs[at] = F::cast_from(log_prob::<A>(x, max, normaliser, reciprocal, never));
        }
        if comptime!(layout.lanes > 1) {
            // The next sample takes the same shared memory.
            sync_cube();
        }
    }
}

/// Draws `samples` indices along `dim` from `softmax(logits / temperature)`, in `dtype`, with their log-probabilities, and the row
/// statistics.
///
/// Class `i` of sample `s` of row `r`, the rows in row-major order, sees number `((row + r) samples + s) n + i` of the generator's Gumbel
/// noise. Forbidden entries are never drawn. A row that is all `-inf` gives index 0 and `-inf`; in a row that holds `+inf`
/// those entries are equally likely; a row that holds NaN gives its index and NaN.
///
/// # Shapes
/// - `logits`: `[.., n, ..]`, n at `dim`
/// - indices and log-probabilities: the shape of `logits` with size `samples` at `dim`
/// - last result: the statistics, see the crate's documentation
///
/// # Panics
/// If `samples` is 0, or the device cannot compute with the dtype.
pub fn sample_categorical(
    logits: CubeTensor,
    dim: usize,
    samples: usize,
    temperature: f64,
    seed: [u64; 3],
    dtype: DType,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let op = "sample_categorical";
    assert!(samples > 0, "{op}: samples must be at least 1, got 0");
    let rank = logits.meta.num_dims();
    let ([storage, compute], stats_dtype) = elements(op, &logits.client, logits.dtype);
    let sizes = Sizes {
        features: samples,
        ..Sizes::of(&logits, dim, rank)
    };
    let index = output(&logits, resized(&logits, dim, samples), dtype);
    let log_probs = output(&logits, resized(&logits, dim, samples), logits.dtype);
    let stats = output(&logits, resized(&logits, dim, 2), stats_dtype);
    if sizes.rows() == 0 {
        return (index, log_probs, stats);
    }
    sizes.check_classes(op);
    let logits = View::new(logits, dim, rank);
    let vector = block_vector(&sizes, &[&logits]);
    let groups = Source::Drawn.groups(sizes.classes);
    let span = samples.min(SAMPLES);
    let chunks = samples.div_ceil(span);
    // Maximum, normaliser, the first NaN and the best, the last two with an index.
    let need = Need {
        shared_bytes: 4 * stats_dtype.size() + 2 * size_of::<u32>(),
        walks: 3 + span,
    };
    let layout = Layout::choose(
        &index.client,
        sizes.rows() * chunks,
        groups,
        logits.classes_contiguous(),
        need,
    );
    let plan = Plan {
        layout,
        chunks,
        span,
    };
    // SAFETY: the view's strides stay inside its tensor, the outputs are contiguous and of the sizes given, entries of a block
    // outside the row read class 0, the index drawn is that of a class, and units beyond the last row write nothing.
    unsafe {
        sample_kernel::launch_unchecked(
            &index.client,
            cube_count(op, &index.client, plan.cubes(sizes.rows())),
            plan.layout.cube_dim(),
            address_type(&[&logits.tensor, &index, &log_probs]),
            vector,
            logits.tensor.clone().into_tensor_arg(),
            logits.tensor.clone().into_tensor_arg(),
            index.clone().into_tensor_arg(),
            log_probs.clone().into_tensor_arg(),
            stats.clone().into_tensor_arg(),
            sizes.launch(&plan, groups),
            logits.launch_vector_steps(vector),
            logits.launch_steps(),
            seeds(seed),
            reciprocal(temperature, compute),
            InputScalar::new(f64::NEG_INFINITY, compute),
            plan.layout,
            [storage, compute, dtype_to_storage_type(dtype)],
        );
    }
    (index, log_probs, stats)
}
