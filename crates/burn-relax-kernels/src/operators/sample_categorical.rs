//! Categorical sampling with log-probabilities: the Gumbel-max trick over rows.
//!
//! Per row: maximum and normaliser of the logits, then for every sample the argmax of `(x - max) + G`. The noise depends on the
//! seed and the element's number only. Costs a Philox draw and a comparison per class and sample, and two logarithms where an
//! entry may win (`race`). An inverse-CDF search would be cheaper for many samples of one row, but would draw another index
//! for the same seed on every backend.

use super::kernels::kernels;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real};
use crate::noise::batch::{Batch, NOISE_WORK};
use crate::noise::fill::Noise;
use crate::noise::seed::Seed;
use crate::row::choice::first_nan;
use crate::row::head::{normalisers, reciprocal};
use crate::row::race::winner;
use crate::row::special::put_stats;
use core::mem::MaybeUninit;

kernels! {
    /// Draws `samples` indices from `softmax(logits / temperature)` for every row, with their log-probabilities and the row's
    /// statistics as in [`softmax`](crate::softmax()).
    ///
    /// Class `i` of sample `s` of row `r` sees element `((seed.row + r) * samples + s) * n + i` of the Gumbel noise of the seed.
    /// Forbidden entries are never drawn. A row of `-inf` gives index 0 and log-probability `-inf`; in a row with `+inf` those
    /// entries are equally likely; a row with NaN gives the index of the first NaN and NaN.
    sample_categorical(logits: F[n]; samples: usize, temperature: f64, seed: Seed)
        -> (indices: I64[samples], log_prob: F[samples], stats: Acc[2])
        => struct Sample {}, work NOISE_WORK * n * samples;
}

impl<A: Real> Region for Sample<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let (n, samples) = (self.logits.width, self.samples);
        let draws = (self.shape.rows().len(), samples);
        let mut noise = Batch::drawn(Noise::Draw, self.seed, draws, n);
        let mut bounds = vec![MaybeUninit::uninit(); n];
        let scale = reciprocal(self.temperature);
        for r in self.shape.rows() {
            let x = self.logits.row(r, n);
            let (indices, log_prob) = (self.indices.row(r, samples), self.log_prob.row(r, samples));
            let (head, normaliser, log) = normalisers::<B, A>(x, scale);
            put_stats(self.stats.row(r, 2), head.max, normaliser);
            let nan = normaliser.is_nan();
            for (s, (index, log_prob)) in indices.iter_mut().zip(log_prob).enumerate() {
                let draws = noise.draw::<A::Lanes<B>>(r * samples + s, n);
                let k = if nan {
                    first_nan::<B, A>(x)
                } else {
                    winner::<B, A>(&head, x, draws, &mut bounds).1
                };
                index.write(k as i64);
                log_prob.write(if nan {
                    A::NAN
                } else {
                    head.exponent_of(x[k]) - log
                });
            }
        }
    }
}
