//! Categorical samples with their log-probabilities, by the Gumbel-max trick: the argmax of `(x - max) / T + G` for every sample.
//!
//! One launch: maximum and normaliser of a row, then one walk for each sample, which makes its noise. Nothing of the size of the
//! noise is stored. Many samples of a row are shared between units that each find its maximum and normaliser.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use burn_relax_kernels::Seed;
use cubecl::prelude::*;

use crate::parts::{
    call::INDEX,
    lanes::row_first_max,
    math::is_nan,
    noise::{BLOCK, noise_row},
    perturbed::{Noise, Noisy, Perturbed, find_block_max, find_block_normaliser, perturbed_row},
    prelude::*,
    special::log_prob,
    stats::write_stats,
};

/// Samples that the same lanes draw from a row: enough to pay for its maximum and normaliser, few enough that many samples of few
/// rows are spread over the device.
const SAMPLES: usize = 8;

#[cube(launch_unchecked, address_type = "dynamic")]
fn sample_kernel<F: Float, A: Float, I: Int, N: Size>(
    entries: &Grid<'_, F, Const<1>>, // [outer, classes, inner], for a look at one class
    perturbed: &Perturbed<'_, F, N>, // the same, for a walk
    indices: &mut Tensor<I>,         // [outer, samples, inner]
    log_probs: &mut Tensor<F>,       // [outer, samples, inner]
    stats: &mut Tensor<A>,           // [outer, 2, inner]
    rows: Rows,
    reciprocal: InputScalar,
    #[define(F, A, I)] _elements: [ElemType; 3],
) {
    let layout = comptime!(rows.layout);
    // A chunk is a number of samples.
    let place = place(rows);
    let never = perturbed.never::<A>();
    let reciprocal = reciprocal.get::<A>();
    let logits = perturbed.logits(&place);
    let none = place.rows.classes as u32;
    let max = find_block_max::<F, A, N>(&logits, &place, 0usize, never);
    let (normaliser, nan) =
        find_block_normaliser::<F, A, N>(&logits, &place, max, reciprocal, never);
    write_stats::<A>(stats, &place, max, normaliser);
    let flag = select(nan == none, zero::<A>(), one::<A>());
    let (_flag, nan) = row_first_max::<A>(flag, nan, &place);

    let entries = entries.row(&place);
    let samples = place.rows.features;
    for s in 0..place.rows.span {
        let sample = place.chunk * place.rows.span + s;
        let draw = (perturbed.seeds.row as usize + place.row) * samples + sample;
        let from = noise_row(draw, place.rows.classes);
        let row = perturbed_row::<F, A, N>(perturbed, &place, from, max, reciprocal, false);
        let mut best = A::min_value();
        let mut drawn = none;
        place.each(|g| {
            let z = row.block(&place, g);
            #[unroll]
            for j in 0..BLOCK {
                let better = z[j] > best;
                best = select(better, z[j], best);
                drawn = select(better, (g * BLOCK + j - row.skip) as u32, drawn);
            }
        });
        let (_best, drawn) = row_first_max::<A>(best, drawn, &place);
        if place.speaks_for_chunk() && sample < samples {
            let drawn = select(drawn == none, 0u32, drawn);
            let drawn = select(is_nan::<A>(normaliser) && nan != none, nan, drawn);
            let x = entries.value::<A>(drawn as usize, 0usize);
            let at = place.number_at(sample, samples);
            indices[at] = I::cast_from(drawn);
            log_probs[at] = F::cast_from(log_prob::<A>(x, max, normaliser, reciprocal, never));
        }
        if comptime!(layout.lanes > 1) {
            // The next sample takes the same shared memory.
            sync_cube();
        }
    }
}

/// Draws `samples` indices along `dim` from `softmax(logits / temperature)`, in [`INDEX`], with their log-probabilities, and the row
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
    seed: Seed,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let op = "sample_categorical";
    assert!(samples > 0, "{op}: samples must be at least 1, got 0");
    let mut call = Call::new(op, &logits, dim).with_samples(samples);
    let indices = call.per_row(samples, INDEX);
    let log_probs = call.per_row(samples, logits.dtype);
    let stats = call.stats(2);
    let noisy = Noisy::new(&mut call, logits, Noise::Drawn(seed));
    let span = samples.min(SAMPLES);
    // Maximum, normaliser, the first NaN and the best, the last two with an index.
    let need = Need::walks(3 + span).numbers(4).indices(2);
    let repetitions = samples.div_ceil(span);
    launch!(
        sample_kernel, noisy.walk(&call, &[]).repeated(repetitions, span, need), |at|
        vectors [] singles [noisy.logits] given [noisy.arg(&call, at)] results [indices, log_probs, stats];
        call.reciprocal(temperature), call.elements_and(INDEX)
    );
    (indices, log_probs, stats)
}
