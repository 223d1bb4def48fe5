//! Gumbel-softmax: `softmax((x + G) / T)` with the noise made in the kernel, or given; soft, and hard with its backward.
//!
//! The noise is added after the maximum has been subtracted, so that rows of large logits keep all its digits. A row of perturbed
//! logits lives in a scratch row per task; memory reads the logits once and writes the weights once. With generated
//! noise arithmetic binds: a Philox draw and two logarithms per element. The backward pass of the soft form is
//! [`softmax_backward`](crate::softmax_backward) on the output. That of the hard form makes the noise a second time: it depends on
//! seed and element only, so that nothing of the logits' size needs to be kept.

use crate::distribute::run;
use crate::element::Element;
use crate::math::exp;
use crate::noise::{Kind, noise_row};
use crate::philox::Seed;
use crate::real::Real;
use crate::rows::{
    Head, Output, check_len, count_rows, get, inverse, lanes, poke, put, put_stats, reciprocal,
    row, row_max,
};
use crate::simd::{Backend, Pack, Region, Vector, max_lanes};
use crate::straight_through::{put_one_hot, put_soft_gradient};
use crate::sums::Sum;
use core::mem::MaybeUninit;
use core::ops::Range;

/// Elements of noise made together when rows are short: a Philox group is wasted only at the end.
pub(crate) const NOISE_BATCH: usize = 1024;

/// Work per element of a kernel that makes noise, against one that does not.
pub(crate) const NOISE_WORK: usize = 4;

/// Where the noise of a call comes from.
#[derive(Clone, Copy)]
enum Noise {
    /// Element `first + i` of the Gumbel noise of the seed.
    Drawn { seed: Seed, first: u64 },
    /// A slice of the logits' shape.
    Given,
}

/// Replaces the noise in `scratch` by `(x - max) + noise` and returns the largest of those. Forbidden entries stay `-inf`
/// whatever their noise; with `silent`, entries get no noise.
#[inline(always)]
pub(crate) fn perturb<B: Backend, A: Real>(
    head: &Head<A>,
    silent: bool,
    x: &[A],
    scratch: &mut [A],
) -> A {
    let mut best = A::Lanes::<B>::splat(A::NEG_INFINITY);
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let z = head.exponent(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
        let noise = get::<B, A, U>(scratch, i, k, A::ZERO);
        let noise = if silent { Pack::splat(A::ZERO) } else { noise };
        let z = Pack::select(z.ne(Pack::splat(A::NEG_INFINITY)), z + noise, z);
        best = z.fold(|a, b| a.max(b)).max(best);
        poke(scratch, i, k, z);
    });
    max_lanes(best)
}

/// Work on a row and its noise: methods rather than closures, which would be compiled without the instruction set of the caller.
trait NoisyRow<A: Real> {
    /// Where the noise comes from, and the noise given.
    fn noise(&self) -> (Noise, &[A]);
    /// Processes row `r` with its noise in `scratch`.
    fn row<B: Backend>(&self, r: usize, scratch: &mut [A]);
}

/// Every row with a scratch row of its noise.
#[inline(always)]
fn noisy_rows<B: Backend, A: Real>(work: &impl NoisyRow<A>, n: usize, rows: Range<usize>) {
    let (noise, given) = work.noise();
    let batch = (NOISE_BATCH / n).max(1);
    let mut scratch = vec![A::ZERO; batch.min(rows.len()) * n];
    let mut start = rows.start;
    while start < rows.end {
        let count = batch.min(rows.end - start);
        let scratch = &mut scratch[..count * n];
        match noise {
            Noise::Given => scratch.copy_from_slice(&given[start * n..][..count * n]),
            Noise::Drawn { seed, first } => {
                let first = first.wrapping_add((start * n) as u64);
                noise_row::<A::Lanes<B>>(Kind::Gumbel, seed, first, scratch);
            }
        }
        for j in 0..count {
            work.row::<B>(start + j, &mut scratch[j * n..][..n]);
        }
        start += count;
    }
}

struct Soft<'a, A: Real> {
    logits: &'a [A],
    given: &'a [A],
    noise: Noise,
    n: usize,
    inverse_temperature: A,
    out: Output<'a, A>,
    stats: Output<'a, A>,
}

impl<A: Real> NoisyRow<A> for Soft<'_, A> {
    #[inline(always)]
    fn noise(&self) -> (Noise, &[A]) {
        (self.noise, self.given)
    }
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
        put_perturbed_stats(stats, &head, &perturbed, normaliser);
    }
}

/// The statistics of the perturbed row; a row with `+inf` stores the mark of a constant one.
#[inline(always)]
fn put_perturbed_stats<A: Real>(
    stats: &mut [MaybeUninit<A>],
    head: &Head<A>,
    perturbed: &Head<A>,
    normaliser: A,
) {
    let max = if head.is_constant() {
        head.max
    } else {
        perturbed.max
    };
    put_stats(stats, max, normaliser);
}

impl<A: Real> Region for Soft<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        noisy_rows::<B, A>(self, self.n, rows);
    }
}

struct Hard<'a, A: Real> {
    logits: &'a [A],
    given: &'a [A],
    noise: Noise,
    n: usize,
    inverse_temperature: A,
    hard: Output<'a, A>,
    stats: Output<'a, A>,
}

impl<A: Real> NoisyRow<A> for Hard<'_, A> {
    #[inline(always)]
    fn noise(&self) -> (Noise, &[A]) {
        (self.noise, self.given)
    }
    #[inline(always)]
    fn row<B: Backend>(&self, r: usize, scratch: &mut [A]) {
        let n = self.n;
        let x = row(self.logits, r, n);
        // SAFETY: row `r` is in this task's range and borrowed once.
        let (hard, stats) = unsafe { (self.hard.row(r, n), self.stats.row(r, 2)) };
        let head = Head::new(row_max::<B, A>(x), A::ONE);
        let largest = perturb::<B, A>(&head, false, x, scratch);
        let perturbed = Head::new(largest, self.inverse_temperature);
        let mut sum = Sum::<A::Lanes<B>>::new();
        lanes!(A::Lanes<B>, n, |i, k, U| {
            sum.add(perturbed.weight(get::<B, A, U>(scratch, i, k, A::NEG_INFINITY)));
        } flush { sum.flush() });
        let normaliser = sum.total();
        put_one_hot::<B, A>(hard, scratch, largest, normaliser);
        put_perturbed_stats(stats, &head, &perturbed, normaliser);
    }
}

impl<A: Real> Region for Hard<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        noisy_rows::<B, A>(self, self.n, rows);
    }
}

struct HardBackward<'a, A: Real> {
    logits: &'a [A],
    given: &'a [A],
    stats: &'a [A],
    grad: &'a [A],
    noise: Noise,
    n: usize,
    inverse_temperature: A,
    grad_logits: Output<'a, A>,
}

impl<A: Real> NoisyRow<A> for HardBackward<'_, A> {
    #[inline(always)]
    fn noise(&self) -> (Noise, &[A]) {
        (self.noise, self.given)
    }
    #[inline(always)]
    fn row<B: Backend>(&self, r: usize, scratch: &mut [A]) {
        let n = self.n;
        let (x, g) = (row(self.logits, r, n), row(self.grad, r, n));
        // SAFETY: row `r` is in this task's range and borrowed once.
        let out = unsafe { self.grad_logits.row(r, n) };
        let head = Head::new(row_max::<B, A>(x), A::ONE);
        perturb::<B, A>(&head, false, x, scratch);
        let (max, normaliser) = (self.stats[2 * r], self.stats[2 * r + 1]);
        put_soft_gradient::<B, A>(out, scratch, g, max, normaliser, self.inverse_temperature);
    }
}

impl<A: Real> Region for HardBackward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        noisy_rows::<B, A>(self, self.n, rows);
    }
}

/// The noise of a call, and the number of its values per row that are read.
#[track_caller]
fn source<'a, F: Element>(
    kernel: &str,
    noise: Option<&'a [F]>,
    len: usize,
    n: usize,
) -> (&'a [F], usize) {
    check_len(kernel, "noise", noise.map_or(len, <[F]>::len), len);
    (
        noise.unwrap_or_default(),
        if noise.is_some() { n } else { 0 },
    )
}

/// The noise that rows from `start` on see.
fn noise_at(given: usize, seed: Seed, first: u64, element: usize) -> Noise {
    if given > 0 {
        Noise::Given
    } else {
        Noise::Drawn {
            seed,
            first: first.wrapping_add(element as u64),
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
    const KERNEL: &str = "gumbel_softmax";
    let rows = count_rows(KERNEL, logits.len(), n);
    let (given, width) = source(KERNEL, noise, logits.len(), n);
    check_len(KERNEL, "out", out.len(), logits.len());
    check_len(KERNEL, "stats", stats.len(), 2 * rows);
    run!(
        Soft, rows, NOISE_WORK * n, |start| { logits: n, given: width } {} { out: n } { stats: 2 }
        {
            noise: noise_at(width, seed, first, start * n),
            n: n,
            inverse_temperature: reciprocal(temperature),
        }
    );
}

/// The one-hot of the argmax of `logits + G` for every row, an exact sample of `softmax(logits)`, and the statistics of the
/// perturbed rows at `temperature`.
///
/// Noise and statistics are those of [`gumbel_softmax`], except that entries of `+inf` do get noise: one of them is drawn. A row
/// of `-inf` gives zeros, a row with NaN is NaN.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
#[allow(clippy::too_many_arguments)]
pub fn gumbel_argmax<F: Element>(
    logits: &[F],
    noise: Option<&[F]>,
    seed: Seed,
    first: u64,
    n: usize,
    temperature: f64,
    hard: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    const KERNEL: &str = "gumbel_argmax";
    let rows = count_rows(KERNEL, logits.len(), n);
    let (given, width) = source(KERNEL, noise, logits.len(), n);
    check_len(KERNEL, "hard", hard.len(), logits.len());
    check_len(KERNEL, "stats", stats.len(), 2 * rows);
    run!(
        Hard, rows, NOISE_WORK * n, |start| { logits: n, given: width } {} { hard: n } { stats: 2 }
        {
            noise: noise_at(width, seed, first, start * n),
            n: n,
            inverse_temperature: reciprocal(temperature),
        }
    );
}

/// Gradient of [`gumbel_argmax`], that of the Gumbel-softmax it stands for: `p (g - <p, g>) / temperature` with
/// `p = softmax((logits + G) / temperature)` and the noise of the forward call.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
#[allow(clippy::too_many_arguments)]
pub fn gumbel_argmax_backward<F: Element>(
    logits: &[F],
    noise: Option<&[F]>,
    seed: Seed,
    first: u64,
    stats: &[F::Acc],
    grad: &[F],
    n: usize,
    temperature: f64,
    grad_logits: &mut [MaybeUninit<F>],
) {
    const KERNEL: &str = "gumbel_argmax_backward";
    let rows = count_rows(KERNEL, logits.len(), n);
    let (given, width) = source(KERNEL, noise, logits.len(), n);
    check_len(KERNEL, "stats", stats.len(), 2 * rows);
    check_len(KERNEL, "grad", grad.len(), logits.len());
    check_len(KERNEL, "grad_logits", grad_logits.len(), logits.len());
    run!(
        HardBackward, rows, NOISE_WORK * n, |start|
        { logits: n, given: width, grad: n } { stats: 2 } { grad_logits: n } {}
        {
            noise: noise_at(width, seed, first, start * n),
            n: n,
            inverse_temperature: reciprocal(temperature),
        }
    );
}
