//! The Gumbel-max trick without most of its logarithms.
//!
//! The winner of a row is the argmax of `z + G`, `G = -ln(-ln u)`. Since `-ln u > 1 - u`, a score is less than
//! `ln w - ln(1 - u)` with the weight `w = e^z` that the normaliser is summed from: where `w < (1 - u) e^best` the entry cannot
//! beat the best score so far, and its two logarithms need not be taken. Few entries pass, the fewer the longer the row, and the
//! winner is the same to the bit: scores that are taken are those of [`perturb`](crate::gumbel::perturb).

use crate::math::exp;
use crate::real::Real;
use crate::rows::{Head, get, lanes};
use crate::simd::{Backend, Pack, Vector, max_lanes};

/// Lowers the bar, so that rounding cannot shut out a winner: weight, uniform, score and the bar itself are each off by less than a
/// hundredth of this.
const SLACK: f64 = 1.0 / 1024.0;

/// The lowest index of the largest `z + G` of a row without NaN, 0 if every entry is forbidden.
///
/// `weights` are the row's `e^z`, `uniforms` the numbers that its noise is made from.
#[inline(always)]
pub(crate) fn winner<B: Backend, A: Real>(
    head: &Head<A>,
    x: &[A],
    weights: &[A],
    uniforms: &[A],
) -> usize {
    let lowered = A::from_f64(1.0 - SLACK);
    let (mut best, mut index) = (A::NEG_INFINITY, 0);
    // `e^best`, lowered; 0 lets every entry pass.
    let mut bar = A::ZERO;
    lanes!(A::Lanes<B>, x.len(), |i, k, U| {
        let u = get::<B, A, U>(uniforms, i, k, A::from_f64(0.5));
        let w = get::<B, A, U>(weights, i, k, A::ZERO);
        let least = (Pack::splat(A::ONE) - u) * Pack::splat(bar);
        if Pack::<A::Lanes<B>, U>::bits(w.not_lt(least)) != 0 {
            let z = head.exponent(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
            let forbidden = Pack::splat(A::NEG_INFINITY);
            let score = Pack::select(z.ne(forbidden), z + A::gumbel(u), z);
            let largest = max_lanes(score.fold(|a, b| a.max(b)));
            if largest > best {
                let first = Pack::<A::Lanes<B>, U>::bits(score.eq(Pack::splat(largest)));
                index = i + first.trailing_zeros() as usize;
                best = largest;
                bar = max_lanes(exp(A::Lanes::<B>::splat(best))) * lowered;
            }
        }
    });
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::argmax::first_equal;
    use crate::gumbel::perturb;
    use crate::noise::{Kind, noise_row};
    use crate::philox::Seed;
    use crate::rows::row_max;
    use crate::simd::{Path, Region, enter};
    use core::ops::Range;
    use std::sync::Mutex;

    /// Rows of a length, scaled; how many winners differ from those of all scores.
    struct Races<A> {
        n: usize,
        spread: f64,
        wrong: Mutex<usize>,
        logits: core::marker::PhantomData<A>,
    }

    impl<A: Real> Region for Races<A> {
        #[inline(always)]
        fn run<B: Backend>(&self, rows: Range<usize>) {
            let n = self.n;
            let mut noise = vec![A::ZERO; n];
            let mut wrong = 0;
            for r in rows {
                let seed = Seed::from(r as u64);
                // Logits from noise of another seed; every seventh is forbidden, and so is the whole of every eleventh row.
                let mut x = vec![A::ZERO; n];
                noise_row::<A::Lanes<B>>(Kind::Gumbel, Seed { step: 1, ..seed }, 0, &mut x);
                for (i, x) in x.iter_mut().enumerate() {
                    *x = *x * A::from_f64(self.spread);
                    if (i + r).is_multiple_of(7) || r.is_multiple_of(11) {
                        *x = A::NEG_INFINITY;
                    }
                }
                let head = Head::new(row_max::<B, A>(&x), A::ONE);
                let mut weights = vec![A::ZERO; n];
                lanes!(A::Lanes<B>, n, |i, k, U| {
                    let e = head.weight(get::<B, A, U>(&x, i, k, A::NEG_INFINITY));
                    crate::rows::poke(&mut weights, i, k, e);
                });
                noise_row::<A::Lanes<B>>(Kind::Uniform, seed, 0, &mut noise);
                let won = winner::<B, A>(&head, &x, &weights, &noise);
                noise_row::<A::Lanes<B>>(Kind::Gumbel, seed, 0, &mut noise);
                let largest = perturb::<B, A>(&head, false, &x, &mut noise);
                wrong += usize::from(won != first_equal::<B, A>(&noise, largest));
            }
            *self.wrong.lock().unwrap() = wrong;
        }
    }

    fn wrong_winners<A: Real>(n: usize, spread: f64) -> usize {
        let (wrong, logits) = (Mutex::new(0), core::marker::PhantomData::<A>);
        let races = Races {
            n,
            spread,
            wrong,
            logits,
        };
        let paths = Path::available();
        enter(paths[paths.len() - 1], &races, 0..400);
        races.wrong.into_inner().unwrap()
    }

    #[test]
    fn the_winner_is_the_argmax_of_all_scores() {
        for n in [1, 5, 16, 64, 65, 130, 1000, 5000] {
            for spread in [0.0, 1e-3, 1.0, 40.0, 1e4] {
                assert_eq!(wrong_winners::<f32>(n, spread), 0, "{n} {spread}");
                assert_eq!(wrong_winners::<f64>(n, spread), 0, "{n} {spread}");
            }
        }
    }
}
