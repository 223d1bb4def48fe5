//! Gumbel-softmax: `softmax((x + G) / T)` with the noise made in the kernel, or given.
//!
//! The noise is added after the maximum has been subtracted, so that rows of large logits keep all its digits. A row of noise lives
//! in a scratch row per task; memory reads the logits once and writes the weights once. With generated noise arithmetic binds: a
//! Philox draw an element, and two logarithms. The backward pass is [`softmax_backward`](crate::softmax_backward) on the output.

use super::kernels::kernels;
use crate::lanes::pack::Pack;
use crate::lanes::reduce::max_lanes;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::noise::batch::{Batch, NOISE_WORK};
use crate::noise::fill::Noise;
use crate::noise::seed::Seed;
use crate::row::access::{get, lanes, poke, put};
use crate::row::head::{Head, reciprocal};
use crate::row::input::In;
use crate::row::perturbed::Perturbed;
use crate::row::race::score;
use crate::row::special::{put_stats, row_max};
use crate::row::sums::{Sum, inverse};

kernels! {
    /// [`gumbel_softmax`] with given noise `G`.
    gumbel_softmax_with_noise(logits: F[n], noise: F[n]; temperature: f64) -> (probs: F[n], stats: Acc[2])
        => struct Soft { seed: Option<Seed> = None }, work NOISE_WORK * n;

    /// `softmax((logits + G) / temperature)` for every row, and the statistics of the perturbed rows, for
    /// [`softmax_backward`](crate::softmax_backward).
    ///
    /// Entry `i` of row `r` gets element `(seed.row + r) * n + i` of the Gumbel noise of the seed, the same for every element type
    /// and number of threads. The statistics are maximum and normaliser of `(x - max x) + G`. Rows with `+inf` share the weight
    /// among those entries, without noise.
    gumbel_softmax(logits: F[n]; temperature: f64, seed: Seed) -> (probs: F[n], stats: Acc[2])
        => as Soft { noise: In::none(), temperature: temperature, seed: Some(seed) }, work NOISE_WORK * n;
}

impl<A: Real> Region for Soft<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let (rows, n) = (self.shape.rows(), self.logits.width);
        let inverse_temperature = reciprocal(self.temperature);
        let mut noise = match self.seed {
            Some(seed) => Batch::drawn(Noise::Gumbel, seed, (rows.len(), 1), n),
            None => Batch::given(self.noise, rows.len()),
        };
        for r in rows {
            let x = self.logits.row(r, n);
            let scratch = noise.draw::<A::Lanes<B>>(r, n);
            let head = Head::new(row_max::<B, A>(x), A::ONE);
            if head.is_constant() {
                scratch.fill(A::ZERO);
            }
            let mut largest = A::Lanes::<B>::splat(A::NEG_INFINITY);
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let z = head.exponent(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
                let score = score(z, get::<B, A, U>(scratch, i, k, A::ZERO));
                largest = score.fold(|a, b| a.max(b)).max(largest);
            } folded);
            let largest = max_lanes(largest);
            let row = (x, &*scratch);
            let perturbed = Perturbed::new::<B>(head, row, largest, inverse_temperature);
            let mut sum = Sum::<A::Lanes<B>>::new();
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let noise = get::<B, A, U>(scratch, i, k, A::ZERO);
                let e = perturbed.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY), noise);
                sum.add(e);
                poke(scratch, i, k, e);
            } flush { sum.flush() });
            let normaliser = sum.total();
            let factor = inverse(normaliser);
            let out = self.probs.row(r, n);
            lanes!(A::Lanes<B>, n, |i, k, U| {
                let e = get::<B, A, U>(scratch, i, k, A::ZERO);
                put::<B, A, U>(out, i, k, e * Pack::splat(factor));
            });
            put_stats(self.stats.row(r, 2), perturbed.stored_max(), normaliser);
        }
    }
}
