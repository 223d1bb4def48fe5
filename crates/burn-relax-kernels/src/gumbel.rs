//! Gumbel-softmax: `softmax((x + G) / T)` with the noise made in the kernel, or given; soft, and hard with its backward.
//!
//! The noise is added after the maximum has been subtracted, so that rows of large logits keep all its digits. A row of noise lives
//! in a scratch row per task; memory reads the logits once and writes the weights once. With generated noise arithmetic binds: a
//! Philox draw an element, and two logarithms, which the hard form takes only where an entry may win (`race`). The backward
//! pass of the soft form is [`softmax_backward`](crate::softmax_backward) on the output. That of the hard form makes the noise a second
//! time: it depends on seed and element only, so that nothing of the logits' size needs to be kept.

use crate::argmax::{Choice, choice, max_and_nan};
use crate::distribute::run;
use crate::element::Element;
use crate::math::exp;
use crate::noise::{Kind, noise_row};
use crate::philox::Seed;
use crate::race::winner;
use crate::real::Real;
use crate::rows::{
    Head, Output, check_len, count_rows, get, inverse, lanes, poke, prefetch, put, put_stats,
    reciprocal, row, row_max,
};
use crate::simd::{Backend, Pack, Region, Vector, max_lanes};
use crate::straight_through::{put_choice, put_soft_gradient};
use crate::sums::{Mean, Sum, lost};
use core::mem::MaybeUninit;
use core::ops::Range;

/// Elements of noise made together when rows are short: a Philox group is wasted only at the end.
pub(crate) const NOISE_BATCH: usize = 1024;

/// Work per element of a kernel that makes noise, against one that does not.
pub(crate) const NOISE_WORK: usize = 4;

/// Rows at least this long look for their winner by bounds: it costs two logarithms for one or two vectors of the row. Shorter rows are
/// few vectors, whose logarithms are cheaper taken together, a batch of rows at a time.
const RACE: usize = 64;

/// Where the noise of a call comes from.
#[derive(Clone, Copy)]
enum Noise {
    /// Element `first + i` of the noise of the seed.
    Drawn { kind: Kind, seed: Seed, first: u64 },
    /// A slice of the logits' shape.
    Given,
}

/// `z + noise`, and `-inf` where `z` is that, whatever the noise.
#[inline(always)]
pub(crate) fn score<V: Vector>(z: V, noise: V) -> V {
    V::select(z.ne(V::splat(V::Scalar::NEG_INFINITY)), z + noise, z)
}

/// The head of a row of logits and that of the row of its scores.
struct Perturbed<A> {
    head: Head<A>,
    scores: Head<A>,
    inverse_temperature: A,
}

impl<A: Real> Perturbed<A> {
    /// The unnormalised weights. What the two additions of a score round off is some units of the seventh digit of a
    /// weight at a temperature of 0.3, and counts.
    #[inline(always)]
    fn weight<V: Vector<Scalar = A>>(&self, x: V, noise: V) -> V {
        let z = self.head.exponent(x);
        let score = score(z, noise);
        let rest = lost(x, V::splat(A::ZERO - self.head.max), z) + lost(z, noise, score);
        // NaN beside an infinite number.
        let rest = V::select(rest.eq(rest), rest, V::splat(A::ZERO));
        exp(rest.mul_add(
            V::splat(self.inverse_temperature),
            self.scores.exponent(score),
        ))
    }

    /// The maximum for the statistics; a row with `+inf` stores the mark of a constant one.
    #[inline(always)]
    fn max(&self) -> A {
        if self.head.is_constant() {
            self.head.max
        } else {
            self.scores.max
        }
    }
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
            Noise::Drawn { kind, seed, first } => {
                let first = first.wrapping_add((start * n) as u64);
                noise_row::<A::Lanes<B>>(kind, seed, first, scratch);
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
        if head.is_constant() {
            scratch.fill(A::ZERO);
        }
        let mut largest = A::Lanes::<B>::splat(A::NEG_INFINITY);
        lanes!(A::Lanes<B>, n, |i, k, U| {
            let z = head.exponent(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
            let score = score(z, get::<B, A, U>(scratch, i, k, A::ZERO));
            largest = score.fold(|a, b| a.max(b)).max(largest);
        });
        let perturbed = Perturbed {
            head,
            scores: Head::new(max_lanes(largest), self.inverse_temperature),
            inverse_temperature: self.inverse_temperature,
        };
        let mut sum = Sum::<A::Lanes<B>>::new();
        lanes!(A::Lanes<B>, n, |i, k, U| {
            let noise = get::<B, A, U>(scratch, i, k, A::ZERO);
            let e = perturbed.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY), noise);
            sum.add(e);
            poke(scratch, i, k, e);
        } flush { sum.flush() });
        let normaliser = sum.total();
        let factor = inverse(normaliser);
        lanes!(A::Lanes<B>, n, |i, k, U| {
            let e = get::<B, A, U>(scratch, i, k, A::ZERO);
            put::<B, A, U>(out, i, k, e * Pack::splat(factor));
        });
        put_stats(stats, perturbed.max(), normaliser);
    }
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
        let (largest, nan) = max_and_nan::<B, A>(x);
        let head = Head::new(largest, A::ONE);
        let uniforms = matches!(self.noise, Noise::Drawn { kind, .. } if kind == Kind::Uniform);
        let (choice, best) = if uniforms && !nan && largest != A::NEG_INFINITY {
            let (best, k) = winner::<B, A>(&head, x, scratch, hard);
            (Choice::Class(k), best)
        } else {
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let z = head.exponent(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
                let noise = get::<B, A, U>(scratch, i, k, A::ZERO);
                poke(scratch, i, k, score(z, noise));
            });
            choice::<B, A>(scratch)
        };
        let max = if head.is_constant() {
            head.max
        } else {
            Head::new(best, A::ONE).max
        };
        put_choice(hard, stats, &choice, max);
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
        let scale = self.inverse_temperature;
        let scores = Head::from_stats(self.stats[2 * r], scale);
        if scores.is_constant() {
            out.fill(MaybeUninit::new(A::ZERO));
            return;
        }
        let perturbed = Perturbed {
            head: Head::new(row_max::<B, A>(x), A::ONE),
            scores,
            inverse_temperature: scale,
        };
        let mut mean = Mean::<A::Lanes<B>>::new();
        lanes!(A::Lanes<B>, n, |i, k, U| {
            prefetch(g, i, k);
            let noise = get::<B, A, U>(scratch, i, k, A::ZERO);
            let e = perturbed.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY), noise);
            put::<B, A, U>(out, i, k, e);
            mean.add(e, get::<B, A, U>(g, i, k, A::ZERO));
        } flush { mean.flush() });
        // SAFETY: the loop above wrote every value of the row.
        unsafe { put_soft_gradient::<B, A>(out, g, &mean, scale) };
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
fn noise_at(given: usize, kind: Kind, seed: Seed, first: u64, element: usize) -> Noise {
    if given > 0 {
        Noise::Given
    } else {
        Noise::Drawn {
            kind,
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
            noise: noise_at(width, Kind::Gumbel, seed, first, start * n),
            n: n,
            inverse_temperature: reciprocal(temperature),
        }
    );
}

/// The one-hot of the argmax of `logits + G` for every row, an exact sample of `softmax(logits)`, with two statistics: the
/// maximum of the perturbed row, and 1, or 0 if nothing can be chosen.
///
/// Noise and maximum are those of [`gumbel_softmax`], except that entries of `+inf` do get noise: one of them is drawn. A row
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
    hard: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    const KERNEL: &str = "gumbel_argmax";
    let rows = count_rows(KERNEL, logits.len(), n);
    let (given, width) = source(KERNEL, noise, logits.len(), n);
    check_len(KERNEL, "hard", hard.len(), logits.len());
    check_len(KERNEL, "stats", stats.len(), 2 * rows);
    let kind = if n < RACE {
        Kind::Gumbel
    } else {
        Kind::Uniform
    };
    run!(
        Hard, rows, NOISE_WORK * n, |start| { logits: n, given: width } {} { hard: n } { stats: 2 }
        {
            noise: noise_at(width, kind, seed, first, start * n),
            n: n,
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
            noise: noise_at(width, Kind::Gumbel, seed, first, start * n),
            n: n,
            inverse_temperature: reciprocal(temperature),
        }
    );
}
