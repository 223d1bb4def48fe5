//! The gradient of the hard Gumbel-softmax, that of the soft form.
//!
//! The noise is made a second time: nothing of the logits' size is kept.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use burn_relax_kernels::Seed;
use cubecl::prelude::*;

use crate::parts::{
    blocks::{block, kept_row, put},
    lanes::row_sum,
    noise::BLOCK,
    perturbed::{Noise, Noisy, Perturbed, find_block_max, perturbed_row},
    prelude::*,
    stats::known,
};

/// The maximum and a sum; three walks with blocks.
const NEED: Need = Need::walks(4).numbers(2);

#[cube(launch_unchecked, address_type = "dynamic")]
fn gumbel_backward_kernel<F: Float, A: Float, N: Size>(
    grad: &Grid<'_, F, N>,                  // [outer, classes, inner]
    stats: &Grid<'_, A, Const<1>>,          // [outer, 2, inner]
    perturbed: &Perturbed<'_, F, N>,        // [outer, classes, inner]
    grad_logits: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    rows: Rows,
    reciprocal: InputScalar,
    #[comptime] kept: bool, // the weights lie in the result's memory for the second walk
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows);
    let zero = zero::<A>();
    let reciprocal = reciprocal.get::<A>();
    let never = perturbed.never::<A>();
    let grad = grad.row(&place);
    let known = known::<A>(stats, &place);
    let from = perturbed.noise_of(&place);
    let logits = perturbed.logits(&place);
    let max = find_block_max::<F, A, N>(&logits, &place, from.skip, never);
    // The temperature divides the sum of logit and noise: the logit alone keeps its scale.
    let row = perturbed_row::<F, A, N>(perturbed, &place, from, max, one::<A>(), false);
    let skip = row.skip;

    let sums = place.sums::<A>(place.end, 1usize, |sums, g| {
        let mut p = row.block(&place, g);
        let upstream = block::<F, A, N>(&grad, &place, skip, g, zero);
        #[unroll]
        for j in 0..BLOCK {
            p[j] = known.weight(p[j], reciprocal);
            sums[0] += select(p[j] == zero, zero, p[j] * upstream[j]);
        }
        if comptime!(kept) {
            put::<F, A, N>(grad_logits, &p, &place, skip, g);
        }
    });
    let mean = row_sum::<A>(sums[0], &place);

    place.each(|g| {
        let p = if comptime!(kept) {
            let kept = kept_row::<F, N>(&*grad_logits, &place);
            block::<F, A, N>(&kept, &place, skip, g, zero)
        } else {
            let mut p = row.block(&place, g);
            #[unroll]
            for j in 0..BLOCK {
                p[j] = known.weight(p[j], reciprocal);
            }
            p
        };
        let upstream = block::<F, A, N>(&grad, &place, skip, g, zero);
        let mut slopes = Array::<A>::new(4usize);
        #[unroll]
        for j in 0..BLOCK {
            let slope = p[j] * (upstream[j] - mean) * reciprocal;
            slopes[j] = select(known.decided || p[j] == zero, zero, slope);
        }
        put::<F, A, N>(grad_logits, &slopes, &place, skip, g);
    });
}

/// Gradient of [`gumbel_argmax`](crate::gumbel_argmax), that of the soft form: `p (g - <p, g>) / T` with the perturbed weights `p`, made
/// again from the same noise.
///
/// # Panics
/// If `grad` has another shape or dtype than the logits, or the device cannot compute with the dtype.
pub fn gumbel_argmax_backward(
    logits: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    temperature: f64,
    seed: Seed,
) -> CubeTensor {
    let (op, noise) = ("gumbel_argmax_backward", Noise::Drawn(seed));
    backward(op, [logits, stats, grad], noise, dim, temperature)
}

/// Gradient of [`gumbel_argmax_with_noise`](crate::gumbel_argmax_with_noise), as [`gumbel_argmax_backward`].
///
/// # Panics
/// As [`gumbel_argmax_backward`], and if the noise has another shape or dtype than the logits.
pub fn gumbel_argmax_with_noise_backward(
    logits: CubeTensor,
    noise: CubeTensor,
    stats: CubeTensor,
    grad: CubeTensor,
    dim: usize,
    temperature: f64,
) -> CubeTensor {
    let (op, noise) = ("gumbel_argmax_with_noise_backward", Noise::Given(noise));
    backward(op, [logits, stats, grad], noise, dim, temperature)
}

/// Launches the kernel for logits, statistics and the upstream gradient.
fn backward(
    op: &'static str,
    [logits, stats, grad]: [CubeTensor; 3],
    noise: Noise,
    dim: usize,
    temperature: f64,
) -> CubeTensor {
    let mut call = Call::backward(op, &logits, &grad, dim);
    let out = call.per_class();
    let [stats, grad] = call.views([stats, grad]);
    let noisy = Noisy::new(&mut call, logits, noise);
    launch!(
        gumbel_backward_kernel, noisy.walk(&call, &[&grad]).whole(NEED), |at|
        vectors [grad] singles [stats] given [noisy.arg(&call, at)] results [out];
        call.reciprocal(temperature), call.keeps_precision(), call.elements
    );
    out
}
