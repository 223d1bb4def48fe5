//! Both forms of the Gumbel-softmax.
//!
//! The perturbed logits lie in the result's memory until the result replaces them, where its element type is that of the
//! computation; else their noise is made again.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use burn_relax_kernels::Seed;
use cubecl::prelude::*;

use crate::parts::{
    blocks::{block, class_of, kept_row, put},
    lanes::{row_first_max, row_sum},
    math::exp_nonpositive,
    noise::BLOCK,
    perturbed::{Noise, Noisy, Perturbed, find_block_max, perturbed_row},
    prelude::*,
    special::{divisor, is_decided, one_hot, raw_weight, rescale},
    stats::write_stats,
};

/// Two maxima, one with its index, and the normaliser; four walks.
const NEED: Need = Need::walks(5).numbers(3).indices(1);

/// The form of a kernel, fixed when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Form {
    hard: bool,
    /// What a walk through the row computes lies in the result's memory for the next one.
    kept: bool,
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn gumbel_kernel<F: Float, A: Float, N: Size>(
    perturbed: &Perturbed<'_, F, N>, // [outer, classes, inner]
    out: &mut Tensor<Vector<F, N>>,  // [outer, classes, inner]
    stats: &mut Tensor<A>,           // [outer, 2, inner]
    rows: Rows,
    reciprocal: InputScalar,
    #[comptime] form: Form,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows);
    let reciprocal = reciprocal.get::<A>();
    let never = perturbed.never::<A>();
    // The temperature divides the sum of logit and noise: the logit alone keeps its scale.
    let one = one::<A>();
    let from = perturbed.noise_of(&place);
    let logits = perturbed.logits(&place);
    let max = find_block_max::<F, A, N>(&logits, &place, from.skip, never);
    let silent = comptime!(!form.hard);
    let row = perturbed_row::<F, A, N>(perturbed, &place, from, max, one, silent);
    let skip = row.skip;

    // The hard form adds up its weights on the way, relative to the best so far.
    let mut best = A::min_value();
    let mut index = place.rows.classes as u32;
    let mut sum = zero::<A>();
    let mut part = zero::<A>();
    let mut fence = place.first + place.rows.block;
    place.each(|g| {
        let z = row.block(&place, g);
        let before = best;
        #[unroll]
        for j in 0..BLOCK {
            let better = z[j] > best;
            best = select(better, z[j], best);
            index = select(better, (g * BLOCK + j - skip) as u32, index);
        }
        if comptime!(form.hard) {
            if g >= fence {
                sum += part;
                part = zero::<A>();
                fence += place.rows.block;
            }
            let factor = exp_nonpositive::<A>((before - best) * reciprocal);
            let factor = select(before == best, one, factor);
            sum *= factor;
            part *= factor;
            #[unroll]
            for j in 0..BLOCK {
                part += raw_weight::<A>(z[j], best, reciprocal);
            }
        } else if comptime!(form.kept) {
            put::<F, A, N>(out, &z, &place, skip, g);
        }
    });
    let own = best;
    let (best, index) = row_first_max::<A>(best, index, &place);
    if comptime!(form.hard) {
        sum = (sum + part) * rescale::<A>(own, best, reciprocal);
    } else {
        let sums = place.sums::<A>(place.end, 1usize, |sums, g| {
            let z = if comptime!(form.kept) {
                block::<F, A, N>(&kept_row::<F, N>(&*out, &place), &place, skip, g, never)
            } else {
                row.block(&place, g)
            };
            let mut weights = Array::<A>::new(4usize);
            #[unroll]
            for j in 0..BLOCK {
                weights[j] = raw_weight::<A>(z[j], best, reciprocal);
                sums[0] += weights[j];
            }
            if comptime!(form.kept) {
                put::<F, A, N>(out, &weights, &place, skip, g);
            }
        });
        sum = sums[0];
    }
    let sum = row_sum::<A>(sum, &place);
    let top = select(is_decided::<A>(max), max, best);
    write_stats::<A>(stats, &place, top, sum);

    let divisor = divisor::<A>(sum);
    place.each(|g| {
        let mut y = Array::<A>::new(4usize);
        if comptime!(form.hard) {
            #[unroll]
            for j in 0..BLOCK {
                let (class, _inside) = class_of::<N>(g, j, skip, &place);
                y[j] = one_hot::<A>(class, index, sum);
            }
        } else {
            let weights = if comptime!(form.kept) {
                let kept = kept_row::<F, N>(&*out, &place);
                block::<F, A, N>(&kept, &place, skip, g, zero::<A>())
            } else {
                let mut z = row.block(&place, g);
                #[unroll]
                for j in 0..BLOCK {
                    z[j] = raw_weight::<A>(z[j], best, reciprocal);
                }
                z
            };
            #[unroll]
            for j in 0..BLOCK {
                y[j] = weights[j] / divisor;
            }
        }
        put::<F, A, N>(out, &y, &place, skip, g);
    });
}

/// The weights `softmax((logits + G) / temperature)` along `dim`, and the statistics of the perturbed rows, for
/// [`softmax_backward`](crate::softmax_backward). Element `i` of row `r`, the rows in row-major order, sees number `(row + r) n + i` of
/// the seed's Gumbel noise.
///
/// The statistics are maximum and normaliser of `(x - max x) + G`. A row that holds `+inf` shares the weight among those entries,
/// without noise.
///
/// # Shapes
/// - `logits`: `[.., n, ..]`, n at `dim`
/// - first result: that of `logits`
/// - second result: the statistics, see the crate's documentation
///
/// # Panics
/// If the device cannot compute with the dtype.
pub fn gumbel_softmax(
    logits: CubeTensor,
    dim: usize,
    temperature: f64,
    seed: Seed,
) -> (CubeTensor, CubeTensor) {
    let op = "gumbel_softmax";
    forward(op, logits, Noise::Drawn(seed), dim, temperature, false)
}

/// [`gumbel_softmax`] with the noise of a tensor of the logits' shape and dtype.
///
/// # Panics
/// If the noise has another shape or dtype, or the device cannot compute with the dtype.
pub fn gumbel_softmax_with_noise(
    logits: CubeTensor,
    noise: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    let op = "gumbel_softmax_with_noise";
    forward(op, logits, Noise::Given(noise), dim, temperature, false)
}

/// The one-hot of the argmax of `logits + G` along `dim`, an exact sample of `softmax(logits)`, and the statistics of the perturbed
/// rows at `temperature`.
///
/// Among entries of `+inf` one is drawn. A row that is all `-inf` gives zeros, a row that holds NaN is NaN. Noise and shapes are as for
/// [`gumbel_softmax`].
///
/// # Panics
/// As [`gumbel_softmax`].
pub fn gumbel_argmax(
    logits: CubeTensor,
    dim: usize,
    temperature: f64,
    seed: Seed,
) -> (CubeTensor, CubeTensor) {
    let op = "gumbel_argmax";
    forward(op, logits, Noise::Drawn(seed), dim, temperature, true)
}

/// [`gumbel_argmax`] with the noise of a tensor of the logits' shape and dtype.
///
/// # Panics
/// As [`gumbel_softmax_with_noise`].
pub fn gumbel_argmax_with_noise(
    logits: CubeTensor,
    noise: CubeTensor,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    let op = "gumbel_argmax_with_noise";
    forward(op, logits, Noise::Given(noise), dim, temperature, true)
}

/// Launches the kernel.
fn forward(
    op: &'static str,
    logits: CubeTensor,
    noise: Noise,
    dim: usize,
    temperature: f64,
    hard: bool,
) -> (CubeTensor, CubeTensor) {
    let mut call = Call::new(op, &logits, dim);
    let (out, stats) = (call.per_class(), call.stats(2));
    let noisy = Noisy::new(&mut call, logits, noise);
    let form = Form {
        hard,
        kept: call.keeps_precision(),
    };
    launch!(
        gumbel_kernel, noisy.walk(&call, &[]).whole(NEED), |at|
        vectors [] given [noisy.arg(&call, at)] results [out, stats];
        call.reciprocal(temperature), form, call.elements
    );
    (out, stats)
}
