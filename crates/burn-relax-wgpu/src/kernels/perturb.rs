//! Rows of perturbed logits, `(x - max) + G`, in blocks of four classes as the noise comes.
//!
//! The maximum is taken off first, so that rows of large logits keep all digits of the noise. Such rows are never split: the parts
//! would have to know the row's maximum before they add noise.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    blocks::block,
    lanes::{row_max, row_sum},
    math::is_nan,
    noise::{BLOCK, NoiseRow, Seeds, gumbel_block},
    reduce::{is_excluded, raw_weight},
    row::{Layout, Place, Rows},
    view::Steps,
};

/// The noise of a call.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // made once for each call
pub enum Noise {
    /// Gumbel noise from the generator that all backends share: element `i` of row `r`, the rows in row-major order, is number
    /// `(row + r) n + i`.
    Drawn {
        /// The generator's key.
        key: u64,
        /// The upper half of its counter.
        step: u64,
        /// The number of the first row, in 32 bits.
        row: u64,
    },
    /// A tensor of the logits' shape and dtype.
    Given(CubeTensor),
}

/// Where the noise of a kernel comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// The seed.
    Drawn,
    /// A tensor of the logits' shape.
    Given,
}

impl Source {
    /// Blocks that cover a row of `classes`, wherever its noise begins.
    pub(crate) fn groups(self, classes: usize) -> usize {
        match self {
            Source::Drawn if !classes.is_multiple_of(BLOCK) => {
                (classes + BLOCK - 1).div_ceil(BLOCK)
            }
            _ => classes.div_ceil(BLOCK),
        }
    }
}

/// The largest logit of this unit's part of a row, as statistics hold it.
#[cube]
pub(crate) fn find_block_max<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,
    start: usize,
    steps: &Steps,
    place: &Place,
    rows: &Rows,
    skip: usize,
    never: A,
    #[comptime] layout: Layout,
) -> A {
    let mut max = A::min_value();
    let mut g = place.first;
    while g < place.end {
        let x = block::<F, A, N>(logits, start, steps.class, rows, skip, g, never);
        #[unroll]
        for j in 0..BLOCK {
            max = select(x[j] > max, x[j], max);
        }
        g += layout.lanes;
    }
    let max = row_max::<A>(max, place.lane, layout);
    select(max > A::max_value(), A::max_value(), max)
}

/// The normaliser of a row, and its first NaN: the number of classes if there is none, over
/// this unit's own classes only.
#[cube]
pub(crate) fn find_block_normaliser<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,
    start: usize,
    steps: &Steps,
    place: &Place,
    rows: &Rows,
    max: A,
    reciprocal: A,
    never: A,
    #[comptime] layout: Layout,
) -> (A, u32) {
    let mut sum = A::new(0.0_f32);
    let mut nan = rows.classes as u32;
    let mut from = place.first;
    while from < place.end {
        let end = min(from + rows.block, place.end);
        let mut part = A::new(0.0_f32);
        let mut g = from;
        while g < end {
            let x = block::<F, A, N>(logits, start, steps.class, rows, 0usize, g, never);
            #[unroll]
            for j in 0..BLOCK {
                part += raw_weight::<A>(x[j], max, reciprocal);
                let first = is_nan::<A>(x[j]) && nan == rows.classes as u32;
                nan = select(first, (g * BLOCK + j) as u32, nan);
            }
            g += layout.lanes;
        }
        sum += part;
        from += rows.block;
    }
    (row_sum::<A>(sum, place.lane, layout), nan)
}

/// `(x - max) scale + noise`: `never` at entries that can have no weight, NaN at NaN. Rows that hold `+inf` get no noise where it is
/// `silent`.
#[cube]
fn perturb<A: Float>(x: A, noise: A, max: A, scale: A, never: A, #[comptime] silent: bool) -> A {
    let decided = max >= A::max_value();
    let zero = A::new(0.0_f32);
    let gap = select(decided, zero, (x - max) * scale);
    let noise = if comptime!(silent) {
        select(decided, zero, noise)
    } else {
        noise
    };
    let z = select(is_excluded::<A>(x, max), never, gap + noise);
    select(is_nan::<A>(x), x, z)
}

/// The perturbed logits of a block, `never` outside the row.
#[cube]
#[allow(clippy::too_many_arguments)]
pub(crate) fn perturbed_block<F: Float, A: Float, N: Size>(
    logits: &Tensor<Vector<F, N>>,
    noise: &Tensor<Vector<F, N>>,
    start: usize,
    noise_start: usize,
    steps: &Steps,
    noise_steps: &Steps,
    rows: &Rows,
    noise_row: &NoiseRow,
    seeds: &Seeds,
    group: usize,
    max: A,
    scale: A,
    never: A,
    #[comptime] source: Source,
    #[comptime] silent: bool,
) -> Array<A> {
    let x = block::<F, A, N>(
        logits,
        start,
        steps.class,
        rows,
        noise_row.skip,
        group,
        never,
    );
    let mut z = if comptime!(source == Source::Drawn) {
        gumbel_block::<A>(noise_row, group, seeds)
    } else {
        let zero = A::new(0.0_f32);
        block::<F, A, N>(
            noise,
            noise_start,
            noise_steps.class,
            rows,
            0usize,
            group,
            zero,
        )
    };
    #[unroll]
    for j in 0..BLOCK {
        z[j] = perturb::<A>(x[j], z[j], max, scale, never, silent);
    }
    z
}
