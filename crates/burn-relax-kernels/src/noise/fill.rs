//! Uniform and Gumbel noise from [`Seed`], for slices and for the kernels that add noise to a row.
//!
//! Element `i` of a call depends on the seed and on `first + i`, not on the slice, the threads or the element type: all types
//! see the same uniform number of 23 bits. A Gumbel number is `-ln(-ln u)`: in `f32` within 2 ulp for every one of the 2^23
//! uniforms (tested one by one), in `f64` within 2 ulp or 4e-16. The largest one is 16.6, the smallest -2.8.

use super::philox::{GROUP, fill, words};
use super::seed::Seed;
use crate::lanes::pack::{Pack, UNROLL};
use crate::lanes::region::Region;
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
    Gumbel,
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
        let mut pairs = [0u64; DRAWS / 2];
        fill(seed, block, &mut pairs);
        let mut noise = [V::Scalar::ZERO; DRAWS];
        for (noise, &bits) in noise.iter_mut().zip(words(&pairs)) {
            *noise = V::Scalar::uniform(bits);
        }
        if kind == Noise::Gumbel {
            for pack in noise.chunks_exact_mut(UNROLL * V::LANES) {
                V::Scalar::gumbel(Pack::<V, UNROLL>::load(pack)).overwrite(pack);
            }
        }
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
            Noise::Gumbel => A::INFINITY,
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
    use crate::lanes::path::Path;
    use crate::lanes::region::enter;
    use std::sync::Mutex;

    /// Gumbel numbers of all 2^23 uniforms, the worst error in ulp.
    struct Exhaustive(Mutex<f64>);

    impl Region for &Exhaustive {
        #[inline(always)]
        fn run<B: Backend>(self) {
            let mut worst = 0.0f64;
            for start in (0..1u32 << 23).step_by(16) {
                let mut lanes = [0.0f32; 16];
                for (j, u) in lanes.iter_mut().enumerate() {
                    *u = f32::uniform((start + j as u32) << 9);
                }
                let u = lanes;
                f32::gumbel(B::F32::load(&u)).overwrite(&mut lanes);
                for (&g, &u) in lanes.iter().zip(&u) {
                    let want = -(-(u as f64).ln()).ln();
                    let near = (want as f32).abs();
                    let ulp = f32::from_bits(near.to_bits() + 1) - near;
                    worst = worst.max((g as f64 - want).abs() / ulp as f64);
                }
            }
            *self.0.lock().unwrap() = worst;
        }
    }

    #[test]
    fn gumbel_numbers_of_all_uniforms_are_within_two_ulp() {
        let exhaustive = Exhaustive(Mutex::new(0.0));
        let paths = Path::available();
        enter(paths[paths.len() - 1], &exhaustive);
        let worst = exhaustive.0.into_inner().unwrap();
        assert!(worst <= 2.0, "{worst} ulp");
    }
}
