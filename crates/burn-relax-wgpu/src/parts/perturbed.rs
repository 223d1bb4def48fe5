//! Rows of perturbed logits, `(x - max) + G`, in blocks of four classes as the noise comes.
//!
//! The maximum is taken off first, so that rows of large logits keep all digits of the noise. Such rows are never split: the parts
//! would have to know the row's maximum before they add noise.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use burn_relax_kernels::Seed;
use cubecl::prelude::*;

use super::{
    blocks::block,
    call::Call,
    lanes::{row_max, row_sum},
    launch::{At, Walk},
    math::is_nan,
    noise::{BLOCK, NoiseRow, Seeds, gumbel_block, noise_row, nothing_drawn, seeds},
    number::zero,
    row::Place,
    special::{finite_max, gap, is_decided, is_excluded, raw_weight},
    view::{Grid, Row, View},
};

/// The noise of a call.
#[allow(clippy::large_enum_variant, reason = "made once for each call")]
pub(crate) enum Noise {
    /// Gumbel noise from the generator that all backends share: element `i` of row `r`, the rows in row-major order, is number
    /// `(row + r) n + i`.
    Drawn(Seed),
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

/// Logits with noise, for the host.
pub(crate) struct Noisy {
    pub(crate) logits: View,
    /// The noise if it is given; nothing reads it if it is drawn.
    noise: View,
    seed: Seed,
    source: Source,
}

/// Logits with noise, as a kernel argument.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Perturbed<'a, F: Float, N: Size> {
    logits: Grid<'a, F, N>,
    noise: Grid<'a, F, N>,
    pub(crate) seeds: Seeds,
    /// `-inf`
    never: InputScalar,
    #[cube(comptime)]
    source: Source,
}

/// One row of them.
#[derive(CubeType)]
pub(crate) struct PerturbedRow<'a, 's, F: Float, A: Float, N: Size> {
    logits: Row<'a, F, N>,
    noise: Row<'a, F, N>,
    seeds: &'s Seeds,
    from: NoiseRow,
    /// Entries of the first block that belong to the row before.
    pub(crate) skip: usize,
    /// The largest logit.
    pub(crate) max: A,
    /// Factor of the logits before the noise is added.
    scale: A,
    pub(crate) never: A,
    #[cube(comptime)]
    source: Source,
    /// Whether rows that hold `+inf` get no noise.
    #[cube(comptime)]
    silent: bool,
}

impl Noisy {
    /// The views of a call's logits and noise.
    ///
    /// # Panics
    /// If given noise has another shape or dtype than the logits.
    pub(crate) fn new(call: &mut Call, logits: CubeTensor, noise: Noise) -> Self {
        let (noise, seed, source) = match noise {
            Noise::Drawn(seed) => (None, seed, Source::Drawn),
            Noise::Given(noise) => {
                call.check_same("noise", &noise, &logits);
                (Some(call.view(noise)), Seed::new(0, 0), Source::Given)
            }
        };
        let logits = call.view(logits);
        Noisy {
            noise: noise.unwrap_or_else(|| logits.clone()),
            logits,
            seed,
            source,
        }
    }

    /// A walk through logits, noise and `others` in blocks: as many as cover a row, wherever its noise begins.
    pub(crate) fn walk<'a>(&self, call: &'a Call, others: &[&View]) -> Walk<'a> {
        let views = [&[&self.logits, &self.noise][..], others].concat();
        let classes = call.classes;
        let aligned = self.source == Source::Given || classes.is_multiple_of(BLOCK);
        let covered = if aligned {
            classes
        } else {
            classes + BLOCK - 1
        };
        call.walk_blocks(&views, BLOCK, covered.div_ceil(BLOCK))
    }

    /// The kernel argument.
    pub(crate) fn arg<F: Float, N: Size>(
        &self,
        call: &Call,
        at: &At<'_>,
    ) -> PerturbedLaunch<'static, F, N> {
        PerturbedLaunch::new(
            self.logits.grid(at.vector),
            self.noise.grid(at.vector),
            seeds(self.seed),
            call.scalar(f64::NEG_INFINITY),
            self.source,
        )
    }
}

#[cube]
impl<'a, F: Float, N: Size> Perturbed<'a, F, N> {
    /// The row's logits.
    pub(crate) fn logits(&self, place: &Place) -> Row<'a, F, N> {
        self.logits.row(place)
    }

    /// `-inf`
    pub(crate) fn never<A: Float>(&self) -> A {
        self.never.get::<A>()
    }

    /// Where the row's noise begins, if it is drawn.
    pub(crate) fn noise_of(&self, place: &Place) -> NoiseRow {
        let source = comptime!(self.source);
        if comptime!(source == Source::Drawn) {
            noise_row(self.seeds.row as usize + place.row, place.rows.classes)
        } else {
            nothing_drawn()
        }
    }
}

/// The row at `place`, with the noise that begins at `from`.
#[cube]
pub(crate) fn perturbed_row<'a, 's, F: Float, A: Float, N: Size>(
    of: &'s Perturbed<'a, F, N>,
    place: &Place,
    from: NoiseRow,
    max: A,
    scale: A,
    #[comptime] silent: bool,
) -> PerturbedRow<'a, 's, F, A, N> {
    PerturbedRow::<'a, 's, F, A, N> {
        logits: of.logits.row(place),
        noise: of.noise.row(place),
        seeds: &of.seeds,
        skip: from.skip,
        from,
        max,
        scale,
        never: of.never.get::<A>(),
        source: comptime!(of.source),
        silent: comptime!(silent),
    }
}

#[cube]
impl<'a, 's, F: Float, A: Float, N: Size> PerturbedRow<'a, 's, F, A, N> {
    /// The perturbed logits of a block, `-inf` outside the row.
    pub(crate) fn block(&self, place: &Place, group: usize) -> Array<A> {
        let source = comptime!(self.source);
        let silent = comptime!(self.silent);
        let x = block::<F, A, N>(&self.logits, place, self.skip, group, self.never);
        let mut z = if comptime!(source == Source::Drawn) {
            gumbel_block::<A>(&self.from, group, self.seeds)
        } else {
            block::<F, A, N>(&self.noise, place, 0usize, group, zero::<A>())
        };
        #[unroll]
        for j in 0..BLOCK {
            z[j] = perturb::<A>(x[j], z[j], self.max, self.scale, self.never, silent);
        }
        z
    }
}

/// `(x - max) scale + noise`: `never` at entries that can have no weight, NaN at NaN. Rows that hold `+inf` get no noise where it is
/// `silent`.
#[cube]
fn perturb<A: Float>(x: A, noise: A, max: A, scale: A, never: A, #[comptime] silent: bool) -> A {
    let gap = gap::<A>(x, max, scale);
    let noise = if comptime!(silent) {
        select(is_decided::<A>(max), zero::<A>(), noise)
    } else {
        noise
    };
    let z = select(is_excluded::<A>(x, max), never, gap + noise);
    select(is_nan::<A>(x), x, z)
}

/// The largest logit of this unit's part of a row, as statistics hold it.
#[cube]
pub(crate) fn find_block_max<F: Float, A: Float, N: Size>(
    logits: &Row<'_, F, N>,
    place: &Place,
    skip: usize,
    never: A,
) -> A {
    let mut max = A::min_value();
    place.each(|g| {
        let x = block::<F, A, N>(logits, place, skip, g, never);
        #[unroll]
        for j in 0..BLOCK {
            max = select(x[j] > max, x[j], max);
        }
    });
    finite_max::<A>(row_max::<A>(max, place))
}

/// The normaliser of a row, and its first NaN: the number of classes if there is none, over
/// this unit's own classes only.
#[cube]
pub(crate) fn find_block_normaliser<F: Float, A: Float, N: Size>(
    logits: &Row<'_, F, N>,
    place: &Place,
    max: A,
    reciprocal: A,
    never: A,
) -> (A, u32) {
    let mut nan = place.rows.classes as u32;
    let sums = place.sums::<A>(place.end, 1usize, |sums, g| {
        let x = block::<F, A, N>(logits, place, 0usize, g, never);
        #[unroll]
        for j in 0..BLOCK {
            sums[0] += raw_weight::<A>(x[j], max, reciprocal);
            let first = is_nan::<A>(x[j]) && nan == place.rows.classes as u32;
            nan = select(first, (g * BLOCK + j) as u32, nan);
        }
    });
    (row_sum::<A>(sums[0], place), nan)
}
