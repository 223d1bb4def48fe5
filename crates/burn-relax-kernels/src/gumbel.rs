//! Gumbel-softmax: `softmax((x + G) / T)` with the noise made in the kernel, or given.
//!
//! The noise is added after the maximum has been subtracted, so that rows of large logits keep all its digits. A row of perturbed
//! logits lives in a scratch row per task; memory reads the logits once and writes the weights once. With generated
//! noise arithmetic binds: a Philox draw and two logarithms per element. The backward pass is
//! [`softmax_backward`](crate::softmax_backward) on the output.

use crate::distribute::run;
use crate::element::Element;
use crate::math::exp;
use crate::noise::gumbel_row;
use crate::philox::Seed;
use crate::real::Real;
use crate::rows::{
    Head, Output, Sum, check_len, count_rows, get, inverse, lanes, poke, put, put_stats,
    reciprocal, row, row_max,
};
use crate::simd::{Backend, Pack, Region, Vector, max_lanes};
use core::mem::MaybeUninit;
use core::ops::Range;

/// Elements of noise made together when rows are short: a Philox group is wasted only at the end.
pub(crate) const NOISE_BATCH: usize = 1024;

/// Work per element of a kernel that makes noise, against one that does not.
pub(crate) const NOISE_WORK: usize = 4;

struct Forward<'a, A: Real> {
    logits: &'a [A],
    noise: &'a [A],
    given: bool,
    seed: Seed,
    first: u64,
    n: usize,
    inverse_temperature: A,
    out: Output<'a, A>,
    stats: Output<'a, A>,
}

/// Replaces the noise in `scratch` by `(x - max) + noise` and returns the largest of those. Forbidden entries stay `-inf`
/// whatever their noise; rows with `+inf` get no noise.
#[inline(always)]
pub(crate) fn perturb<B: Backend, A: Real>(
    head: &Head<A>,
    constant: bool,
    x: &[A],
    scratch: &mut [A],
) -> A {
    let mut best = A::Lanes::<B>::splat(A::NEG_INFINITY);
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let z = head.exponent(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
        let noise = get::<B, A, U>(scratch, i, k, A::ZERO);
        let noise = if constant {
            Pack::splat(A::ZERO)
        } else {
            noise
        };
        let z = Pack::select(z.ne(Pack::splat(A::NEG_INFINITY)), z + noise, z);
        best = z.fold(|a, b| a.max(b)).max(best);
        poke(scratch, i, k, z);
    });
    max_lanes(best)
}

impl<A: Real> Forward<'_, A> {
    /// Weights of a row from the noise in `scratch`.
    #[inline(always)]
    fn row<B: Backend>(&self, r: usize, scratch: &mut [A]) {
        let n = self.n;
        let x = row(self.logits, r, n);
        // SAFETY: row `r` is in this task's range and borrowed once.
        let (out, stats) = unsafe { (self.out.row(r, n), self.stats.row(r, 2)) };
        let head = Head::new(row_max::<B, A>(x), A::ONE);
        let largest = perturb::<B, A>(&head, head.is_constant(), x, scratch);
        let perturbed = Head::new(largest, self.inverse_temperature);
        let mut sum = Sum::<A::Lanes<B>>::new();
        lanes!(A::Lanes<B>, n, |i, k, U| {
            let z = get::<B, A, U>(scratch, i, k, A::NEG_INFINITY);
            let e = exp(perturbed.exponent(z));
            sum.add(e);
            poke(scratch, i, k, e);
        } flush { sum.flush() });
        let normaliser = sum.total();
        let factor = inverse(normaliser);
        lanes!(A::Lanes<B>, n, |i, k, U| {
            let e = get::<B, A, U>(scratch, i, k, A::ZERO);
            put::<B, A, U>(out, i, k, e * Pack::splat(factor));
        });
        put_stats(
            stats,
            if head.is_constant() {
                head.max
            } else {
                perturbed.max
            },
            normaliser,
        );
    }
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let n = self.n;
        let batch = (NOISE_BATCH / n).max(1);
        let mut scratch = vec![A::ZERO; batch.min(rows.len()) * n];
        let mut start = rows.start;
        while start < rows.end {
            let count = batch.min(rows.end - start);
            let scratch = &mut scratch[..count * n];
            if self.given {
                scratch.copy_from_slice(&self.noise[start * n..][..count * n]);
            } else {
                let first = self.first.wrapping_add((start * n) as u64);
                gumbel_row::<A::Lanes<B>>(self.seed, first, scratch);
            }
            for (j, scratch) in scratch.chunks_exact_mut(n).enumerate() {
                self.row::<B>(start + j, scratch);
            }
            start += count;
        }
    }
}

/// `softmax((logits + G) / temperature)` for every row, and the statistics of the perturbed rows, for
/// [`softmax_backward`](crate::softmax_backward).
///
/// `noise` is `G` with the shape of the logits; without it, element `i` gets element `first + i` of the Gumbel noise of `seed`,
/// the same for every element type and number of threads. The statistics are maximum and normaliser of `(x - max x) + G`. Rows
/// with `+inf` share the weight among those entries, without noise.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
#[allow(clippy::too_many_arguments)]
pub fn gumbel_softmax<F: Element>(
    logits: &[F],
    noise: Option<&[F]>,
    seed: Seed,
    first: u64,
    n: usize,
    temperature: f64,
    out: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    let rows = count_rows("gumbel_softmax", logits.len(), n);
    check_len(
        "gumbel_softmax",
        "noise",
        noise.map_or(logits.len(), <[F]>::len),
        logits.len(),
    );
    check_len("gumbel_softmax", "out", out.len(), logits.len());
    check_len("gumbel_softmax", "stats", stats.len(), 2 * rows);
    let given = usize::from(noise.is_some());
    let noise = noise.unwrap_or_default();
    run!(
        Forward, rows, NOISE_WORK * n, |start| { logits: n, noise: given * n } {} { out: n } { stats: 2 }
        {
            given: given == 1,
            seed: seed,
            first: first.wrapping_add((start * n) as u64),
            n: n,
            inverse_temperature: reciprocal(temperature),
        }
    );
}
