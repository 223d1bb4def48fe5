//! The hard form of the Gumbel-softmax: an exact sample forward, the gradient of the Gumbel-softmax backward.
//!
//! Noise as in the soft form, but the forward pass takes the two logarithms only where an entry may win. The backward pass makes the
//! noise a second time: it depends on seed and element only, so that nothing of the logits' size needs to be kept.

use super::kernels::kernels;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real};
use crate::noise::batch::{Batch, NOISE_WORK};
use crate::noise::fill::Noise;
use crate::noise::seed::Seed;
use crate::row::access::{filled, get, lanes, poke, prefetch};
use crate::row::choice::{Choice, choice, put_choice};
use crate::row::head::{Head, reciprocal, soft_gradient};
use crate::row::input::In;
use crate::row::perturbed::Perturbed;
use crate::row::race::{score, winner};
use crate::row::special::{fill, is_constant, max_and_nan, row_max, stored_max};
use crate::row::sums::Mean;

/// Rows at least this long look for their winner by bounds: it costs two logarithms for one or two vectors of the row. Shorter rows are
/// few vectors, whose logarithms are cheaper taken together, a batch of rows at a time.
const RACE: usize = 64;

kernels! {
    /// [`gumbel_argmax`] with given noise `G`.
    gumbel_argmax_with_noise(logits: F[n], noise: F[n]; temperature: f64) -> (hard: F[n], stats: Acc[2])
        => struct Forward { seed: Option<Seed> = None }, work NOISE_WORK * n;

    /// The one-hot of the argmax of `logits + G` for every row, an exact sample of `softmax(logits)`, with two statistics: the
    /// maximum of the perturbed row, and 1, or 0 if nothing can be chosen. The temperature is for the gradient.
    ///
    /// Noise and maximum are those of [`gumbel_softmax`](crate::gumbel_softmax), except that entries of `+inf` do get noise: one of
    /// them is drawn. A row of `-inf` gives zeros, a row with NaN is NaN.
    gumbel_argmax(logits: F[n]; temperature: f64, seed: Seed) -> (hard: F[n], stats: Acc[2])
        => as Forward { noise: In::none(), temperature: temperature, seed: Some(seed) }, work NOISE_WORK * n;

    /// Gradient of [`gumbel_argmax_with_noise`].
    gumbel_argmax_with_noise_backward(logits: F[n], noise: F[n], stats: Acc[2], grad: F[n]; temperature: f64)
        -> (grad_logits: F[n])
        => struct Backward { seed: Option<Seed> = None }, work NOISE_WORK * n;

    /// Gradient of [`gumbel_argmax`], that of the Gumbel-softmax it stands for: `p (g - <p, g>) / temperature` with
    /// `p = softmax((logits + G) / temperature)` and the noise of the forward call.
    gumbel_argmax_backward(logits: F[n], stats: Acc[2], grad: F[n]; temperature: f64, seed: Seed) -> (grad_logits: F[n])
        => as Backward { noise: In::none(), temperature: temperature, seed: Some(seed) }, work NOISE_WORK * n;
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let (rows, n) = (self.shape.rows(), self.logits.width);
        let kind = if n < RACE { Noise::Gumbel } else { Noise::Draw };
        let mut noise = match self.seed {
            Some(seed) => Batch::drawn(kind, seed, (rows.len(), 1), n),
            None => Batch::given(self.noise, rows.len()),
        };
        let draws = self.seed.is_some() && kind == Noise::Draw;
        for r in rows {
            let x = self.logits.row(r, n);
            let scratch = noise.draw::<A::Lanes<B>>(r, n);
            let hard = self.hard.row(r, n);
            let (largest, nan) = max_and_nan::<B, A>(x);
            let head = Head::new(largest, A::ONE);
            let (choice, best) = if draws && !nan && largest != A::NEG_INFINITY {
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
                stored_max(best)
            };
            put_choice(hard, self.stats.row(r, 2), &choice, max);
        }
    }
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let (rows, n) = (self.shape.rows(), self.logits.width);
        let inverse_temperature = reciprocal(self.temperature);
        let mut noise = match self.seed {
            Some(seed) => Batch::drawn(Noise::Gumbel, seed, (rows.len(), 1), n),
            None => Batch::given(self.noise, rows.len()),
        };
        for r in rows {
            let (x, g) = (self.logits.row(r, n), self.grad.row(r, n));
            let scratch = noise.draw::<A::Lanes<B>>(r, n);
            let out = self.grad_logits.row(r, n);
            let largest = self.stats.row(r, 2)[0];
            if is_constant(largest) {
                fill(out, A::ZERO);
                continue;
            }
            let head = Head::new(row_max::<B, A>(x), A::ONE);
            let row = (x, &*scratch);
            let perturbed = Perturbed::new::<B>(head, row, largest, inverse_temperature);
            let mut mean = Mean::<A::Lanes<B>>::new();
            let weights = filled!(B, A, out, |i, k, U| {
                prefetch(g, i, k);
                let noise = get::<B, A, U>(scratch, i, k, A::ZERO);
                let e = perturbed.weight(get::<B, A, U>(x, i, k, A::NEG_INFINITY), noise);
                mean.add(e, get::<B, A, U>(g, i, k, A::ZERO));
                e
            } flush { mean.flush() });
            soft_gradient::<B, A>(weights, g, &mean, inverse_temperature);
        }
    }
}
