//! Uniform and Gumbel noise from [`Seed`], for slices and for the kernels that add noise to a row.
//!
//! Element `i` of a call depends on the seed and on `first + i`, not on the slice, the threads or the element type: all types
//! see the same uniform number of 23 bits. A Gumbel number is `-ln(-ln u)`: in `f32` within 2 ulp for every one of the 2^23
//! uniforms (tested one by one), in `f64` within 2 ulp or 4e-16. The largest one is 16.6, the smallest -2.8.

use crate::distribute::run;
use crate::element::Element;
use crate::philox::{GROUP, Seed, fill};
use crate::real::Real;
use crate::rows::{Output, UNROLL};
use crate::simd::{Backend, Pack, Region, Vector};
use core::mem::MaybeUninit;
use core::ops::Range;

/// Draws made at once.
const DRAWS: usize = 4 * GROUP;

/// Which noise.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Uniform,
    Gumbel,
}

/// The noise of elements `first ..`, [`DRAWS`] at a time, given to `sink` as whole groups with the range that belongs to the
/// request and its place in it.
#[inline(always)]
fn groups<V: Vector>(
    kind: Kind,
    seed: Seed,
    first: u64,
    len: usize,
    mut sink: impl FnMut(&[V::Scalar; DRAWS], Range<usize>, usize),
) {
    let mut block = first / 4;
    let mut skip = (first % 4) as usize;
    let mut done = 0;
    while done < len {
        let mut draws = [0u32; DRAWS];
        fill(seed, block, &mut draws);
        let mut noise = [V::Scalar::ZERO; DRAWS];
        for (noise, &bits) in noise.iter_mut().zip(&draws) {
            *noise = V::Scalar::uniform(bits);
        }
        if kind == Kind::Gumbel {
            for pack in noise.chunks_exact_mut(UNROLL * V::LANES) {
                // SAFETY: the chunk holds exactly that many vectors.
                unsafe {
                    V::Scalar::gumbel(Pack::<V, UNROLL>::load(pack.as_ptr()))
                        .store(pack.as_mut_ptr())
                };
            }
        }
        let take = (DRAWS - skip).min(len - done);
        sink(&noise, skip..skip + take, done);
        done += take;
        skip = 0;
        block = block.wrapping_add(GROUP as u64);
    }
}

/// Noise of elements `first ..` in a scratch row.
#[inline(always)]
pub(crate) fn noise_row<V: Vector>(kind: Kind, seed: Seed, first: u64, out: &mut [V::Scalar]) {
    groups::<V>(kind, seed, first, out.len(), |noise, part, at| {
        let out = &mut out[at..at + part.len()];
        // A copy of known length is a few stores, any other a call.
        match <&mut [V::Scalar; DRAWS]>::try_from(&mut *out) {
            Ok(whole) => *whole = *noise,
            Err(_) => out.copy_from_slice(&noise[part]),
        }
    });
}

struct Fill<'a, A: Real> {
    kind: Kind,
    seed: Seed,
    first: u64,
    /// The largest uniform number that does not round to 1.
    limit: A,
    out: Output<'a, A>,
}

impl<A: Real> Region for Fill<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, elements: Range<usize>) {
        // SAFETY: these elements are this task's, and borrowed once.
        let out = unsafe { self.out.part(elements.start, elements.len()) };
        let first = self.first.wrapping_add(elements.start as u64);
        groups::<A::Lanes<B>>(self.kind, self.seed, first, out.len(), |noise, part, at| {
            for (out, &x) in out[at..].iter_mut().zip(&noise[part]) {
                out.write(if self.kind == Kind::Uniform && x > self.limit {
                    self.limit
                } else {
                    x
                });
            }
        });
    }
}

fn noise<F: Element>(kind: Kind, seed: Seed, first: u64, out: &mut [MaybeUninit<F>]) {
    // Each element is a row of its own.
    let elements = out.len();
    run!(
        Fill, elements, 2, |start| {} {} { out: 1 } {}
        { kind: kind, seed: seed, first: first.wrapping_add(start as u64), limit: F::BELOW_ONE }
    );
}

/// Uniform numbers in the open interval (0, 1): elements `first ..` of the noise of `seed`.
pub fn uniform<F: Element>(seed: Seed, first: u64, out: &mut [MaybeUninit<F>]) {
    noise(Kind::Uniform, seed, first, out);
}

/// Standard Gumbel numbers `-ln(-ln u)`: elements `first ..` of the noise of `seed`.
pub fn gumbel<F: Element>(seed: Seed, first: u64, out: &mut [MaybeUninit<F>]) {
    noise(Kind::Gumbel, seed, first, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Path, enter};
    use std::sync::Mutex;

    /// Gumbel numbers of all 2^23 uniforms, the worst error in ulp.
    struct Exhaustive(Mutex<f64>);

    impl Region for Exhaustive {
        #[inline(always)]
        fn run<B: Backend>(&self, _: Range<usize>) {
            let mut worst = 0.0f64;
            for start in (0..1u32 << 23).step_by(16) {
                let mut lanes = [0.0f32; 16];
                for (j, u) in lanes.iter_mut().enumerate() {
                    *u = f32::uniform((start + j as u32) << 9);
                }
                let u = lanes;
                // SAFETY: the array holds sixteen values.
                unsafe { f32::gumbel(B::F32::load(u.as_ptr())).store(lanes.as_mut_ptr()) };
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
        enter(paths[paths.len() - 1], &exhaustive, 0..1);
        let worst = exhaustive.0.into_inner().unwrap();
        assert!(worst <= 2.0, "{worst} ulp");
    }
}
