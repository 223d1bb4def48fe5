//! Gumbel-softmax: `softmax((x - max + G) / T)` and its hard form, the one-hot of the argmax of `x + G`, with noise made in the
//! kernel or given.
//!
//! The perturbed logits lie in the result's memory until the result replaces them, where its element type is that of the
//! computation; else their noise is made again. The gradient of the soft form is that of the softmax, and
//! [`gumbel_backward`](super::gumbel_backward) has that of the hard one.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    blocks::{block_vector, class_of, kept, put},
    lanes::{row_first_max, row_sum},
    math::exp_nonpositive,
    noise::{BLOCK, NoiseRow, Seeds, noise_row, nothing_drawn, seeds},
    perturb::{Noise, Source, find_block_max, perturbed_block},
    reduce::{divisor, raw_weight, rescale, write_stats},
    row::{Layout, Need, Place, Rows, place, row_start},
    straight_through::one_hot,
    view::{
        Sizes, Steps, View, address_type, check_same, cube_count, elements, output, reciprocal,
        resized, unsplit_plan,
    },
};

/// What is fixed at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Form {
    pub(super) hard: bool,
    pub(super) source: Source,
    /// What a walk through the row computes lies in the result's memory for the next one.
    pub(super) kept: bool,
}

/// The row's noise, if it is drawn.
#[cube]
pub(super) fn noise_of(
    place: &Place,
    rows: &Rows,
    seeds: &Seeds,
    #[comptime] source: Source,
) -> NoiseRow {
    if comptime!(source == Source::Drawn) {
        noise_row(seeds.row as usize + place.row, rows.classes)
    } else {
        nothing_drawn()
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn gumbel_kernel<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,  // [outer, classes, inner]
    noise: &Tensor<Vector<F, N>>,   // [outer, classes, inner], or anything if it is drawn
    out: &mut Tensor<Vector<F, N>>, // [outer, classes, inner]
    stats: &mut Tensor<A>,          // [outer, 2, inner]
    rows: &Rows,
    steps: &Steps,
    noise_steps: &Steps,
    seeds: &Seeds,
    reciprocal: InputScalar,
    // `-inf` comes from the host: WGSL has no literal for it.
    never: InputScalar,
    #[comptime] form: Form,
    #[comptime] layout: Layout,
    #[define(F, A)] _elements: [ElemType; 2],
) {
    let place = place(rows, layout);
    let reciprocal = reciprocal.get::<A>();
    let never = never.get::<A>();
    // The temperature divides the sum of logit and noise: the logit alone keeps its scale.
    let one = A::new(1.0_f32);
    let from = noise_of(&place, rows, seeds, form.source);
    let skip = from.skip;
    let start = row_start(&place, steps);
    let noise_start = row_start(&place, noise_steps);
    let silent = comptime!(!form.hard);
    let max = find_block_max::<F, A, N>(logits, start, steps, &place, rows, skip, never, layout);

    // The hard form adds up its weights on the way, relative to the best so far.
    let mut best = A::min_value();
    let mut index = rows.classes as u32;
    let mut sum = A::new(0.0_f32);
    let mut part = A::new(0.0_f32);
    let mut fence = place.first + rows.block;
    let mut g = place.first;
    while g < place.end {
        let z = perturbed_block::<F, A, N>(
            logits,
            noise,
            start,
            noise_start,
            steps,
            noise_steps,
            rows,
            &from,
            seeds,
            g,
            max,
            one,
            never,
            form.source,
            silent,
        );
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
                part = A::new(0.0_f32);
                fence += rows.block;
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
            put::<F, A, N>(out, &z, &place, rows, skip, g);
        }
        g += layout.lanes;
    }
    let own = best;
    let (best, index) = row_first_max::<A>(best, index, place.lane, layout);
    if comptime!(form.hard) {
        sum = (sum + part) * rescale::<A>(own, best, reciprocal);
    } else {
        let mut begin = place.first;
        while begin < place.end {
            let end = min(begin + rows.block, place.end);
            let mut part = A::new(0.0_f32);
            let mut g = begin;
            while g < end {
                let z = if comptime!(form.kept) {
                    kept::<F, A, N>(&*out, &place, rows, skip, g, never)
                } else {
                    perturbed_block::<F, A, N>(
                        logits,
                        noise,
                        start,
                        noise_start,
                        steps,
                        noise_steps,
                        rows,
                        &from,
                        seeds,
                        g,
                        max,
                        one,
                        never,
                        form.source,
                        silent,
                    )
                };
                let mut weights = Array::<A>::new(4usize);
                #[unroll]
                for j in 0..BLOCK {
                    weights[j] = raw_weight::<A>(z[j], best, reciprocal);
                    part += weights[j];
                }
                if comptime!(form.kept) {
                    put::<F, A, N>(out, &weights, &place, rows, skip, g);
                }
                g += layout.lanes;
            }
            sum += part;
            begin += rows.block;
        }
    }
    let sum = row_sum::<A>(sum, place.lane, layout);
    let decided = max >= A::max_value();
    write_stats::<A>(stats, &place, rows, select(decided, max, best), sum);

    let divisor = divisor::<A>(sum);
    let mut g = place.first;
    while g < place.end {
        let mut y = Array::<A>::new(4usize);
        if comptime!(form.hard) {
            #[unroll]
            for j in 0..BLOCK {
                let (class, _inside) = class_of::<N>(g, j, skip, rows);
                y[j] = one_hot::<A>(class, index, sum);
            }
        } else if comptime!(form.kept) {
            let weights = kept::<F, A, N>(&*out, &place, rows, skip, g, A::new(0.0_f32));
            #[unroll]
            for j in 0..BLOCK {
                y[j] = weights[j] / divisor;
            }
        } else {
            let z = perturbed_block::<F, A, N>(
                logits,
                noise,
                start,
                noise_start,
                steps,
                noise_steps,
                rows,
                &from,
                seeds,
                g,
                max,
                one,
                never,
                form.source,
                silent,
            );
            #[unroll]
            for j in 0..BLOCK {
                y[j] = raw_weight::<A>(z[j], best, reciprocal) / divisor;
            }
        }
        put::<F, A, N>(out, &y, &place, rows, skip, g);
        g += layout.lanes;
    }
}

/// The weights `softmax((logits + G) / temperature)` along `dim`, and the statistics of the perturbed rows, for
/// [`softmax_backward`](crate::softmax_backward).
///
/// The statistics are maximum and normaliser of `(x - max x) + G`. A row that holds `+inf` shares the weight among those entries,
/// without noise.
///
/// # Shapes
/// - `logits`, and the noise if it is given: `[.., n, ..]`, n at `dim`
/// - first result: that of `logits`
/// - second result: the statistics, see the crate's documentation
///
/// # Panics
/// If given noise has another shape or dtype, or the device cannot compute with the dtype.
pub fn gumbel_softmax(
    logits: CubeTensor,
    noise: Noise,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    forward("gumbel_softmax", logits, noise, dim, temperature, false)
}

/// The one-hot of the argmax of `logits + G` along `dim`, an exact sample of `softmax(logits)`, and the statistics of the perturbed
/// rows at `temperature`.
///
/// Among entries of `+inf` one is drawn. A row that is all `-inf` gives zeros, a row that holds NaN is NaN. Shapes as for
/// [`gumbel_softmax`].
///
/// # Panics
/// As [`gumbel_softmax`].
pub fn gumbel_argmax(
    logits: CubeTensor,
    noise: Noise,
    dim: usize,
    temperature: f64,
) -> (CubeTensor, CubeTensor) {
    let op = "gumbel_argmax";
    forward(op, logits, noise, dim, temperature, true)
}

/// The tensor that noise is read from, where it comes from, and its seed. Drawn noise reads nothing.
pub(super) fn noise_view(
    op: &str,
    noise: Noise,
    logits: &View,
    dim: usize,
) -> (View, Source, [u64; 3]) {
    match noise {
        Noise::Drawn { key, step, row } => {
            let view = View {
                tensor: logits.tensor.clone(),
                steps: logits.steps,
            };
            (view, Source::Drawn, [key, step, row])
        }
        Noise::Given(noise) => {
            check_same(op, "noise", &noise, &logits.tensor);
            let rank = noise.meta.num_dims();
            (View::new(noise, dim, rank), Source::Given, [0; 3])
        }
    }
}

/// Launches the forward kernel.
fn forward(
    op: &str,
    logits: CubeTensor,
    noise: Noise,
    dim: usize,
    temperature: f64,
    hard: bool,
) -> (CubeTensor, CubeTensor) {
    let rank = logits.meta.num_dims();
    let (elements, stats_dtype) = elements(op, &logits.client, logits.dtype);
    let sizes = Sizes::of(&logits, dim, rank);
    let out = output(&logits, logits.meta.shape().clone(), logits.dtype);
    let stats = output(&logits, resized(&logits, dim, 2), stats_dtype);
    if sizes.rows() == 0 {
        return (out, stats);
    }
    sizes.check_classes(op);
    let logits = View::new(logits, dim, rank);
    let (noise, source, seed) = noise_view(op, noise, &logits, dim);
    let form = Form {
        hard,
        source,
        kept: elements[0] == elements[1],
    };
    let vector = block_vector(&sizes, &[&logits, &noise]);
    let groups = source.groups(sizes.classes);
    // Two maxima, one with its index, and the normaliser; four walks.
    let need = Need {
        shared_bytes: 3 * stats_dtype.size() + size_of::<u32>(),
        walks: 5,
    };
    let plan = unsplit_plan(&logits, &sizes, groups, need);
    // SAFETY: the views' strides stay inside their tensors, the outputs are contiguous and of the sizes given, entries of a block
    // outside the row read class 0 and are not written, and neither are those of units beyond the last row.
    unsafe {
        gumbel_kernel::launch_unchecked(
            &out.client,
            cube_count(op, &out.client, plan.cubes(sizes.rows())),
            plan.layout.cube_dim(),
            address_type(&[&logits.tensor, &noise.tensor, &out, &stats]),
            vector,
            logits.tensor.clone().into_tensor_arg(),
            noise.tensor.clone().into_tensor_arg(),
            out.clone().into_tensor_arg(),
            stats.clone().into_tensor_arg(),
            sizes.launch(&plan, groups),
            logits.launch_vector_steps(vector),
            noise.launch_vector_steps(vector),
            seeds(seed),
            reciprocal(temperature, elements[1]),
            InputScalar::new(f64::NEG_INFINITY, elements[1]),
            form,
            plan.layout,
            elements,
        );
    }
    (out, stats)
}
