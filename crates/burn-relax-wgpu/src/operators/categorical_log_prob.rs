//! Log-probability of given classes, and its gradient.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use crate::parts::{
    prelude::*,
    reduce::{SOFTMAX_PARTS, find_softmax},
    special::{is_excluded, log_prob},
    stats::{known, write_stats},
    view::Row,
};

/// Samples in one loop iteration of the gradient, where there are several: the loop is short beside its counting.
const UNROLL: usize = 8;

/// The maximum and a sum; two walks and one through the samples.
const NEED: Need = Need::walks(3).numbers(2);

/// The class that a row of indices names for a sample: inside the row whatever it holds, since nobody can look at it before the launch.
#[cube]
fn named_class<I: Int>(indices: &Row<'_, I, Const<1>>, sample: usize, classes: usize) -> usize {
    let class = indices.stored(sample).extract(0usize);
    min(u32::cast_from(class) as usize, classes - 1)
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn log_prob_kernel<F: Float, A: Float, I: Int, N: Size>(
    logits: &Grid<'_, F, N>,         // [outer, classes, inner], for a walk
    entries: &Grid<'_, F, Const<1>>, // the same, for a look at one class
    indices: &Grid<'_, I, Const<1>>, // [outer, samples, inner]
    log_probs: &mut Tensor<F>,       // [outer, samples, inner]
    stats: &mut Tensor<A>,           // [outer, 2, inner]
    partials: &mut Tensor<A>,        // [rows, chunks, 2]
    rows: Rows,
    never: InputScalar,
    #[define(F, A, I)] _elements: [ElemType; 3],
) {
    let phase = comptime!(rows.phase);
    let place = place(rows);
    let one = one::<A>();
    let (max, sum) = find_softmax::<F, A, N>(&logits.row(&place), partials, &place, one);
    if comptime!(phase != Phase::Partial) {
        write_stats::<A>(stats, &place, max, sum);
        if place.live {
            let never = never.get::<A>();
            let entries = entries.row(&place);
            let indices = indices.row(&place);
            let samples = place.rows.features;
            let mut sample = place.lane;
            while sample < samples {
                let class = named_class::<I>(&indices, sample, place.rows.classes);
                let x = entries.value::<A>(class, 0usize);
                let log = log_prob::<A>(x, max, sum, one, never);
                log_probs[place.number_at(sample, samples)] = F::cast_from(log);
                sample = place.next(sample);
            }
        }
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn log_prob_backward_kernel<F: Float, A: Float, I: Int>(
    logits: &Grid<'_, F, Const<1>>,  // [outer, classes, inner]
    indices: &Grid<'_, I, Const<1>>, // [outer, samples, inner]
    stats: &Grid<'_, A, Const<1>>,   // [outer, 2, inner]
    grad: &Grid<'_, F, Const<1>>,    // [outer, samples, inner]
    grad_logits: &mut Tensor<F>,     // [outer, classes, inner]
    rows: Rows,
    reciprocal: InputScalar,
    #[comptime] single: bool, // one sample for each row
    #[define(F, A, I)] _elements: [ElemType; 3],
) {
    let place = place(rows);
    if !place.live {
        terminate!();
    }
    let zero = zero::<A>();
    let reciprocal = reciprocal.get::<A>();
    let logits = logits.row(&place);
    let indices = indices.row(&place);
    let grad = grad.row(&place);
    let row = known::<A>(stats, &place);
    let classes = place.rows.classes;
    let samples = place.rows.features;
    let unroll = comptime!(if single { 1 } else { UNROLL });
    let mut total = zero;
    let mut sample = 0usize;
    while sample < samples {
        #[unroll]
        for j in 0..unroll {
            // Beyond the last sample the last one is read again, and does not count.
            let s = min(sample + j, samples - 1);
            let x = logits.value::<A>(named_class::<I>(&indices, s, classes), 0usize);
            let counts = sample + j < samples && x >= A::min_value();
            total += select(counts, grad.value::<A>(s, 0usize), zero);
        }
        sample += unroll;
    }
    let first_class = named_class::<I>(&indices, 0usize, classes);
    let first_upstream = grad.first::<A>();
    place.each(|i| {
        let x = logits.value::<A>(i, 0usize);
        let p = row.weight(x, reciprocal);
        let mut own = select(first_class == i, first_upstream, zero);
        if comptime!(!single) {
            let mut sample = 1usize;
            while sample < samples {
                #[unroll]
                for j in 0..UNROLL {
                    let s = min(sample + j, samples - 1);
                    let chosen = named_class::<I>(&indices, s, classes) == i;
                    let counts = chosen && sample + j < samples;
                    own += select(counts, grad.value::<A>(s, 0usize), zero);
                }
                sample += UNROLL;
            }
        }
        let fixed = row.decided || is_excluded::<A>(x, row.max);
        let slope = (own - p * total) * reciprocal;
        grad_logits[place.at(i)] = F::cast_from(select(fixed, zero, slope));
    });
}

/// `ln softmax(logits)` at the classes that `indices` names, and the row statistics.
///
/// A forbidden class gives `-inf`, a row that holds NaN gives NaN. An index beyond the last class counts as the last class.
///
/// # Shapes
/// - `logits`: `[.., n, ..]`, n at `dim`
/// - `indices` and first result: any number of samples at `dim`
/// - second result: the statistics, see the crate's documentation
///
/// # Panics
/// If there are no samples, or the device cannot compute with the dtype.
pub fn categorical_log_prob(
    logits: CubeTensor,
    indices: CubeTensor,
    dim: usize,
) -> (CubeTensor, CubeTensor) {
    let samples = indices.meta.shape()[dim];
    let mut call = Call::new("categorical_log_prob", &logits, dim).with_samples(samples);
    let (log_probs, stats) = (call.per_row(samples, logits.dtype), call.stats(2));
    let elements = call.elements_and(indices.dtype);
    let [logits, indices] = call.views([logits, indices]);
    launch!(
        log_prob_kernel, call.walk(&[&logits]).split_once(SOFTMAX_PARTS, NEED), |at|
        vectors [logits] singles [logits, indices] results [log_probs, stats] partials;
        call.scalar(f64::NEG_INFINITY), elements
    );
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
    indices: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    temperature: f64,
) -> CubeTensor {
    let samples = indices.meta.shape()[dim];
    let mut call = Call::new("categorical_log_prob_backward", &logits, dim).with_samples(samples);
    let out = call.per_class();
    let elements = call.elements_and(indices.dtype);
    let [logits, indices, stats, grad] = call.views([logits, indices, stats, grad]);
    let walk = call.walk_singly(&logits);
    launch!(
        log_prob_backward_kernel, walk.independent(1 + samples / UNROLL), |at|
        singles [logits, indices, stats, grad] results [out];
        call.reciprocal(temperature), samples == 1, elements
    );
    out
}
