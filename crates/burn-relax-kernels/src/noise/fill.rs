//! Uniform and Gumbel noise from [`Seed`], for slices and for the kernels that add noise to a row.
//!
//! Element `i` of a call depends on the seed and on `first + i`, not on the slice, the threads or the element type: all types
//! see the same uniform number. It has 23 bits, and for Gumbel noise all 32 where it is within 2^-9 of 1, since the large numbers,
//! by which rare classes win, come from there; in `f64` the 2^6 numbers next to 1 have 64. A Gumbel number is `-ln(-ln u)`: in
//! `f32` within 2 ulp for every one of the 2^24 uniforms (tested one by one), in `f64` within 2 ulp or 4e-16. The largest one is
//! 22.9, in `f64` 45.1, the smallest -2.8.

use super::philox::{GROUP, fill, philox_block, words};
use super::seed::Seed;
use crate::lanes::pack::{Pack, UNROLL};
use crate::lanes::region::{Region, shared};
use crate::lanes::vector::{Backend, Real, Vector};
use crate::row::element::Element;
use crate::row::frame::{Number, Shape, region};
use crate::row::output::Out;
use core::mem::MaybeUninit;
use core::ops::Range;

/// Draws made at once.
pub(super) const DRAWS: usize = 4 * GROUP;

/// Which noise.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noise {
    Uniform,
    /// What Gumbel numbers are made from; see [`Real::draw`].
    Draw,
    Gumbel,
}

/// Draws from here on have further bits in `f64`.
const LAST: u32 = u32::MAX - 0x3f;

/// Gives the draws next to 1 of the blocks from `block` on 32 bits more, from the generator with the complement of the key.
#[cold]
fn lengthen<A: Real>(seed: Seed, block: u64, words: &[u32; DRAWS], draws: &mut [A; DRAWS]) {
    for (i, draw) in draws.iter_mut().enumerate() {
        if words[i] >= LAST {
            let block = block.wrapping_add(i as u64 / 4);
            let halves = |x: u64| [x as u32, (x >> 32) as u32];
            let ([b0, b1], [s0, s1]) = (halves(block), halves(seed.step));
            let more = philox_block([b0, b1, s0, s1], halves(!seed.key))[i % 4];
            *draw = A::from_f64(long_draw(words[i], more));
        }
    }
}

/// The draw of 64 bits, less 1.
#[inline(always)]
fn long_draw(bits: u32, more: u32) -> f64 {
    const PARTS: f64 = 4_294_967_296.0;
    -(f64::from(!bits) + (f64::from(!more) + 0.5) / PARTS) / PARTS
}

shared! {
    /// Gumbel numbers of draws.
    pub(crate) fn gumbel_of<V: Vector>(draw: V) -> V {
        V::Scalar::gumbel(draw)
    }
}

/// The noise of the elements of the blocks from `block` on.
#[inline(always)]
fn group<V: Vector>(kind: Noise, seed: Seed, block: u64) -> [V::Scalar; DRAWS] {
    let mut pairs = [0u64; DRAWS / 2];
    fill(seed, block, &mut pairs);
    let mut noise = [V::Scalar::ZERO; DRAWS];
    let words = words(&pairs);
    if kind == Noise::Uniform {
        for (noise, &bits) in noise.iter_mut().zip(words) {
            *noise = V::Scalar::uniform(bits);
        }
    } else {
        for (noise, &bits) in noise.iter_mut().zip(words) {
            *noise = V::Scalar::draw(bits);
        }
        if V::Scalar::DOUBLE && words.iter().any(|&bits| bits >= LAST) {
            lengthen(seed, block, words, &mut noise);
        }
    }
    if kind == Noise::Gumbel && V::CALLS {
        for pack in noise.chunks_exact_mut(V::LANES) {
            gumbel_of(V::load(pack)).overwrite(pack);
        }
    } else if kind == Noise::Gumbel {
        for pack in noise.chunks_exact_mut(UNROLL * V::LANES) {
            V::Scalar::gumbel(Pack::<V, UNROLL>::load(pack)).overwrite(pack);
        }
    }
    noise
}

/// The same as a call, where multiplications are calls anyway.
#[inline(never)]
fn group_call<V: Vector>(kind: Noise, seed: Seed, block: u64) -> [V::Scalar; DRAWS] {
    group::<V>(kind, seed, block)
}

/// The noise of elements `first ..`, [`DRAWS`] at a time, given to `sink` as whole groups with the range that belongs to the
/// request and its place in it.
#[inline(always)]
pub(super) fn groups<V: Vector>(
    kind: Noise,
    seed: Seed,
    first: u64,
    len: usize,
    mut sink: impl FnMut(&[V::Scalar; DRAWS], Range<usize>, usize),
) {
    let mut block = first / 4;
    let mut skip = (first % 4) as usize;
    let mut done = 0;
    while done < len {
        let noise = if V::CALLS {
            group_call::<V>(kind, seed, block)
        } else {
            group::<V>(kind, seed, block)
        };
        let take = (DRAWS - skip).min(len - done);
        sink(&noise, skip..skip + take, done);
        done += take;
        skip = 0;
        block = block.wrapping_add(GROUP as u64);
    }
}

// Each element is a row. The seed's row is the number of the first one, the limit the largest uniform number that does not round
// to 1.
region! { Fill {} { noise: Noise, seed: Seed, limit: A } { out: F } }

impl Number for Noise {}

impl<A: Real> Region for Fill<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        // Gumbel numbers have no limit.
        let limit = match self.noise {
            Noise::Uniform => self.limit,
            Noise::Draw | Noise::Gumbel => A::INFINITY,
        };
        let (seed, out) = (self.seed, self.out.all());
        let len = out.len();
        groups::<A::Lanes<B>>(self.noise, seed, seed.row, len, |numbers, part, at| {
            for (out, &x) in out[at..].iter_mut().zip(&numbers[part]) {
                out.write(if x > limit { limit } else { x });
            }
        });
    }
}

/// Work per element, against a kernel that passes over memory once.
const WORK: usize = 2;

fn noise<F: Element>(noise: Noise, seed: Seed, first: u64, out: &mut [MaybeUninit<F>]) {
    F::run::<Fill<'static, f32>>(Fill {
        shape: Shape::new(out.len(), WORK),
        noise,
        seed: seed.with_row(first),
        limit: F::BELOW_ONE,
        out: Out::each(out, 1),
    });
}

/// Uniform numbers in the open interval (0, 1): elements `first ..` of the noise of `seed`.
pub fn uniform<F: Element>(seed: Seed, first: u64, out: &mut [MaybeUninit<F>]) {
    noise(Noise::Uniform, seed, first, out);
}

/// Standard Gumbel numbers `-ln(-ln u)`: elements `first ..` of the noise of `seed`.
pub fn gumbel<F: Element>(seed: Seed, first: u64, out: &mut [MaybeUninit<F>]) {
    noise(Noise::Gumbel, seed, first, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::math::elementary::NEAR_ONE;
    use crate::lanes::path::Path;
    use crate::lanes::region::enter;
    use std::sync::Mutex;

    /// Gumbel numbers of all draws, the worst error in ulp.
    struct Exhaustive(Mutex<f64>);

    impl Region for &Exhaustive {
        #[inline(always)]
        fn run<B: Backend>(self) {
            let mut worst = 0.0f64;
            for start in (0..1u32 << 24).step_by(16) {
                let mut lanes = [0.0f32; 16];
                for (j, u) in lanes.iter_mut().enumerate() {
                    let i = start + j as u32;
                    // Those with 23 bits, then those next to 1.
                    let is_coarse = i < 1 << 23;
                    *u = f32::draw(if is_coarse {
                        i << 9
                    } else {
                        i - (1 << 23) + NEAR_ONE
                    });
                }
                let draws = lanes;
                f32::gumbel(B::F32::load(&draws)).overwrite(&mut lanes);
                for (&g, &draw) in lanes.iter().zip(&draws) {
                    let draw = f64::from(draw);
                    let ln_u = if draw < 0.0 { draw.ln_1p() } else { draw.ln() };
                    let want = -(-ln_u).ln();
                    let near = (want as f32).abs();
                    let ulp = f32::from_bits(near.to_bits() + 1) - near;
                    worst = worst.max((g as f64 - want).abs() / ulp as f64);
                }
            }
            *self.0.lock().unwrap() = worst;
        }
    }

    #[test]
    fn gumbel_numbers_of_all_draws_are_within_two_ulp() {
        let exhaustive = Exhaustive(Mutex::new(0.0));
        let paths = Path::available();
        enter(paths[paths.len() - 1], &exhaustive);
        let worst = exhaustive.0.into_inner().unwrap();
        assert!(worst <= 2.0, "{worst} ulp");
    }

    /// How often a class of probability `p` wins against all others together, `exp(-(1 - p) / p x)` of the time where its own draw
    /// has `-ln u = x`, against `p`; the draws are those near 1, `parts` of them in the unit interval.
    fn share(p: f64, parts: f64, draws: impl Iterator<Item = f64>) -> f64 {
        let wins = draws.map(|draw| ((1.0 - p) / p * draw.ln_1p()).exp());
        wins.sum::<f64>() / parts / p
    }

    #[test]
    fn rare_classes_win_at_their_rate() {
        // Draws that are left out win less than once in e^60 times.
        for exponent in [16, 20, 24, 28, 30] {
            let p = 2f64.powi(-exponent);
            let words = ((p * 60.0 * 2f64.powi(32)) as u32).max(60);
            let draws = (0..words).map(|k| f64::from(f32::draw(!k)));
            let share = share(p, 2f64.powi(32), draws);
            assert!((share - 1.0).abs() < 3e-3, "2^-{exponent}: {share}");
        }
        for exponent in [44, 48, 52, 56] {
            let p = 2f64.powi(-exponent);
            let words = (p * 60.0 * 2f64.powi(64)) as u32;
            let draws = (0..words).map(|k| long_draw(u32::MAX, !k));
            let share = share(p, 2f64.powi(64), draws);
            assert!((share - 1.0).abs() < 1e-3, "2^-{exponent}: {share}");
        }
    }
}
