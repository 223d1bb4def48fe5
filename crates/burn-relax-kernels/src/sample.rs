//! Categorical sampling with log-probabilities: the Gumbel-max trick over rows.
//!
//! Per row: maximum and normaliser of the logits, then for every sample the argmax of `(x - max) + G`. The noise depends on the
//! seed and the element's number only. Costs a Philox draw and a comparison per class and sample, and two logarithms where an
//! entry may win (`race`). An inverse-CDF search would be cheaper for many samples of one row, but would draw another index
//! for the same seed on every backend.

use crate::argmax::first_nan;
use crate::distribute::run;
use crate::element::Element;
use crate::gumbel::{NOISE_BATCH, NOISE_WORK};
use crate::log_prob::normalisers;
use crate::noise::{Kind, noise_row};
use crate::philox::Seed;
use crate::race::winner;
use crate::real::Real;
use crate::rows::{Output, check_len, count_rows, put_stats, reciprocal, row};
use crate::simd::{Backend, Region};
use core::mem::MaybeUninit;
use core::ops::Range;

struct Sample<'a, A: Real> {
    logits: &'a [A],
    seed: Seed,
    first: u64,
    n: usize,
    samples: usize,
    inverse_temperature: A,
    index: Output<'a, i64>,
    log_prob: Output<'a, A>,
    stats: Output<'a, A>,
}

impl<A: Real> Region for Sample<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let (n, samples) = (self.n, self.samples);
        let batch = (NOISE_BATCH / n).max(1);
        // The noise of the draws `drawn`, of which one belongs to each row and sample in turn.
        let (mut drawn, end) = (
            rows.start * samples..rows.start * samples,
            rows.end * samples,
        );
        let mut noise = vec![A::ZERO; batch.min(rows.len() * samples) * n];
        let mut bounds = vec![MaybeUninit::uninit(); n];
        for r in rows {
            let x = row(self.logits, r, n);
            // SAFETY: row `r` is in this task's range and borrowed once.
            let (index, log_prob, stats) = unsafe {
                (
                    self.index.row(r, samples),
                    self.log_prob.row(r, samples),
                    self.stats.row(r, 2),
                )
            };
            let scale = self.inverse_temperature;
            let (head, normaliser, log) = normalisers::<B, A>(x, scale);
            put_stats(stats, head.max, normaliser);
            let nan = normaliser.is_nan();
            for s in 0..samples {
                let draw = r * samples + s;
                if draw >= drawn.end {
                    drawn = draw..(draw + batch).min(end);
                    let first = self.first.wrapping_add((draw * n) as u64);
                    let noise = &mut noise[..drawn.len() * n];
                    noise_row::<A::Lanes<B>>(Kind::Uniform, self.seed, first, noise);
                }
                let uniforms = &noise[(draw - drawn.start) * n..][..n];
                let k = if nan {
                    first_nan::<B, A>(x)
                } else {
                    winner::<B, A>(&head, x, uniforms, &mut bounds).1
                };
                index[s].write(k as i64);
                let l = if nan {
                    A::NAN
                } else {
                    head.exponent_of(x[k]) - log
                };
                log_prob[s].write(l);
            }
        }
    }
}

/// Draws `samples` indices from `softmax(logits / temperature)` for every row, with their log-probabilities and the row's
/// statistics as in [`softmax`](crate::softmax()).
///
/// `index` and `log_prob` are `[rows, samples]`. Class `i` of sample `s` of row `r` sees element
/// `first + (r * samples + s) * n + i` of the Gumbel noise of `seed`. Forbidden entries are never drawn. A row of `-inf` gives
/// index 0 and log-probability `-inf`; in a row with `+inf` those entries are equally likely; a row with NaN gives the index of
/// the first NaN and NaN.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
#[allow(clippy::too_many_arguments)]
pub fn sample_categorical<F: Element>(
    logits: &[F],
    seed: Seed,
    first: u64,
    n: usize,
    samples: usize,
    temperature: f64,
    index: &mut [MaybeUninit<i64>],
    log_prob: &mut [MaybeUninit<F>],
    stats: &mut [MaybeUninit<F::Acc>],
) {
    const KERNEL: &str = "sample_categorical";
    let rows = count_rows(KERNEL, logits.len(), n);
    check_len(KERNEL, "index", index.len(), rows * samples);
    check_len(KERNEL, "log_prob", log_prob.len(), rows * samples);
    check_len(KERNEL, "stats", stats.len(), 2 * rows);
    run!(
        Sample, rows, NOISE_WORK * n * samples, |start|
        { logits: n } {} { log_prob: samples } { index: samples, stats: 2 }
        {
            seed: seed,
            first: first.wrapping_add((start * n * samples) as u64),
            n: n,
            samples: samples,
            inverse_temperature: reciprocal(temperature),
        }
    );
}
