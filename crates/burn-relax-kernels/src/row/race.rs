//! The Gumbel-max trick without most of its logarithms.
//!
//! The winner of a row is the argmax of `z + G`, `G = -ln(-ln u)`. With `v = 1 - u`, `-ln u > v + v^2 / 2`, and a binary logarithm is at
//! least the number's exponent plus what its mantissa is above 1. So a score has an upper bound that costs a few instructions, and
//! only entries whose bound is near the largest one need their two logarithms taken: one or two of a row. The winner is the same to
//! the bit: scores that are taken are those of [`score`].

use super::access::{filled, get};
use super::head::Head;
use crate::lanes::pack::Pack;
use crate::lanes::reduce::max_lanes;
use crate::lanes::region::shared;
use crate::lanes::vector::{Backend, Real, Vector};
use crate::noise::fill::gumbel_of;
use core::mem::MaybeUninit;

/// `z + noise`, and `-inf` where `z` is that, whatever the noise.
#[inline(always)]
pub(crate) fn score<V: Vector>(z: V, noise: V) -> V {
    V::select(z.ne(V::splat(V::Scalar::NEG_INFINITY)), z + noise, z)
}

/// How far the best score is most often below the largest bound, at most.
const NEAR: f64 = 0.5;

/// Lowers the bar, so that rounding cannot shut out a winner: bounds, scores and the bar itself are each off by less than a
/// hundredth of this.
const SLACK: f64 = 1.0 / 1024.0;

/// An upper bound of `-ln(-ln u)` of a draw.
#[inline(always)]
fn bound<V: Vector>(draw: V) -> V {
    let zero = V::splat(V::Scalar::ZERO);
    let v = V::select(draw.lt(zero), zero - draw, V::splat(V::Scalar::ONE) - draw);
    let least = (v * V::splat(V::Scalar::from_f64(0.5))).mul_add(v, v);
    let biased = least.shr_mantissa().ior(V::Scalar::INTEGER_BITS);
    let mantissa = least
        .iand(V::Scalar::MANTISSA_BITS)
        .ior(V::Scalar::ONE_BITS);
    // The bound of the binary logarithm, and 1: the mantissa is not made smaller before it is added.
    let binary = (biased - V::splat(V::Scalar::INTEGER_OFFSET)) + mantissa;
    let ln_2 = V::splat(V::Scalar::from_f64(core::f64::consts::LN_2));
    ln_2 - ln_2 * binary
}

shared! {
    /// The largest `z + G` of a row without NaN and the lowest index that has it, `-inf` and 0 if every entry is forbidden.
    ///
    /// `draws` are the uniform numbers that the row's noise is made from, `bounds` is scratch of the row's length.
    pub(crate) fn winner<B: Backend, A: Real>(
        head: &Head<A>,
        x: &[A],
        draws: &[A],
        bounds: &mut [MaybeUninit<A>],
    ) -> (A, usize) {
        let n = x.len();
        let mut largest = A::Lanes::<B>::splat(A::NEG_INFINITY);
        let bounds = filled!(B, A, &mut bounds[..n], |i, k, U| {
            let z = head.exponent(get::<B, A, U>(x, i, k, A::NEG_INFINITY));
            let most = z + bound(get::<B, A, U>(draws, i, k, A::from_f64(0.5)));
            largest = most.fold(|a, b| a.max(b)).max(largest);
            most
        } folded);
        let mut bar = max_lanes(largest) - A::from_f64(NEAR);
        loop {
            let (best, index) = best_above::<B, A>(head, x, draws, bounds, bar);
            let reached = best - A::from_f64(SLACK);
            // Whoever was passed over is below the bar. If the best is not above it, its own score is the bar of a second round.
            if reached >= bar || best == A::NEG_INFINITY {
                return (best, index);
            }
            bar = reached;
        }
    }
}

/// The best of the entries whose bound is not below `bar`, which rises with it.
#[inline(always)]
fn best_above<B: Backend, A: Real>(
    head: &Head<A>,
    x: &[A],
    draws: &[A],
    bounds: &[A],
    mut bar: A,
) -> (A, usize) {
    let (mut best, mut index) = (A::NEG_INFINITY, 0);
    // One vector at a time: more would be computed for nothing.
    let mut i = 0;
    while i < x.len() {
        let k = (x.len() - i).min(A::Lanes::<B>::LANES);
        let most = get::<B, A, 1>(bounds, i, k, A::NEG_INFINITY);
        if Pack::<A::Lanes<B>, 1>::bits(most.not_lt(Pack::splat(bar))) != 0 {
            let z = head.exponent(get::<B, A, 1>(x, i, k, A::NEG_INFINITY));
            let [draw] = get::<B, A, 1>(draws, i, k, A::from_f64(0.5)).0;
            let score = score(z, Pack([gumbel_of(draw)]));
            let largest = max_lanes(score);
            if largest > best {
                let first = Pack::<A::Lanes<B>, 1>::bits(score.eq(Pack::splat(largest)));
                (best, index) = (largest, i + first.trailing_zeros() as usize);
                let raised = best - A::from_f64(SLACK);
                bar = if raised > bar { raised } else { bar };
            }
        }
        i += k;
    }
    (best, index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::path::Path;
    use crate::lanes::region::{Region, enter};
    use crate::noise::batch::noise_row;
    use crate::noise::fill::Noise;
    use crate::noise::seed::Seed;
    use crate::row::access::{lanes, poke};
    use crate::row::choice::first_equal;
    use crate::row::special::row_max;
    use core::ops::Range;
    use std::sync::Mutex;

    /// Rows of a length, scaled; how many winners differ from those of all scores.
    struct Races<A> {
        n: usize,
        spread: f64,
        rows: Range<usize>,
        wrong: Mutex<usize>,
        logits: core::marker::PhantomData<A>,
    }

    impl<A: Real> Region for &Races<A> {
        #[inline(always)]
        fn run<B: Backend>(self) {
            let n = self.n;
            let mut noise = vec![A::ZERO; n];
            let mut wrong = 0;
            for r in self.rows.clone() {
                let seed = Seed::from(r as u64);
                // Logits from noise of another seed; every seventh is forbidden, and so is the whole of every eleventh row.
                let mut x = vec![A::ZERO; n];
                noise_row::<A::Lanes<B>>(Noise::Gumbel, Seed { step: 1, ..seed }, 0, &mut x);
                for (i, x) in x.iter_mut().enumerate() {
                    *x = *x * A::from_f64(self.spread);
                    if (i + r).is_multiple_of(7) || r.is_multiple_of(11) {
                        *x = A::NEG_INFINITY;
                    }
                }
                let head = Head::new(row_max::<B, A>(&x), A::ONE);
                let mut bounds = vec![MaybeUninit::new(A::ZERO); n];
                noise_row::<A::Lanes<B>>(Noise::Draw, seed, 0, &mut noise);
                let won = winner::<B, A>(&head, &x, &noise, &mut bounds);
                noise_row::<A::Lanes<B>>(Noise::Gumbel, seed, 0, &mut noise);
                lanes!(A::Lanes<B>, n, |i, k, U| {
                    let z = head.exponent(get::<B, A, U>(&x, i, k, A::NEG_INFINITY));
                    let noise_of = get::<B, A, U>(&noise, i, k, A::ZERO);
                    poke(&mut noise, i, k, score(z, noise_of));
                });
                let largest = row_max::<B, A>(&noise);
                wrong += usize::from(won != (largest, first_equal::<B, A>(&noise, largest)));
            }
            *self.wrong.lock().unwrap() = wrong;
        }
    }

    fn wrong_winners<A: Real>(n: usize, spread: f64) -> usize {
        let (wrong, logits) = (Mutex::new(0), core::marker::PhantomData::<A>);
        let races = Races {
            n,
            spread,
            rows: 0..400,
            wrong,
            logits,
        };
        let paths = Path::available();
        enter(paths[paths.len() - 1], &races);
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
