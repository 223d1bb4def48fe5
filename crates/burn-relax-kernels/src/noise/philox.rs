//! Counter-based random numbers: Philox 4x32 with ten rounds.
//!
//! Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011). A draw is a function of the seed
//! and the element's number alone: element `i` is lane `i % 4` of block `i / 4`. It costs about forty instructions per sixteen
//! draws and needs no state, so that threads, instruction sets and devices agree.

use super::seed::Seed;
use crate::lanes::vector::Real;

const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const KEY_STEPS: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUNDS: usize = 10;

/// One block of Philox 4x32-10.
#[inline(always)]
pub fn philox_block(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut a, mut b, mut c, mut d] = counter;
    let [mut k0, mut k1] = key;
    for _ in 0..ROUNDS {
        let p0 = a as u64 * MULTIPLIERS[0] as u64;
        let p1 = c as u64 * MULTIPLIERS[1] as u64;
        (a, b, c, d) = (
            (p1 >> 32) as u32 ^ b ^ k0,
            p1 as u32,
            (p0 >> 32) as u32 ^ d ^ k1,
            p0 as u32,
        );
        k0 = k0.wrapping_add(KEY_STEPS[0]);
        k1 = k1.wrapping_add(KEY_STEPS[1]);
    }
    [a, b, c, d]
}

/// Blocks computed together: the loop over them becomes vector instructions.
pub(crate) const GROUP: usize = 16;

/// The draws of elements `4 * block ..` in order, two in each number: [`words`] takes them apart.
///
/// As [`philox_block`], with every word in the lower half of 64 bits and whatever comes out above it left there: the vector
/// multiplication reads the lower halves only, so that a round needs no shuffles.
#[inline(always)]
pub(crate) fn fill(seed: Seed, block: u64, pairs: &mut [u64; 2 * GROUP]) {
    const LOW: u64 = u32::MAX as u64;
    let [m0, m1] = MULTIPLIERS.map(u64::from);
    let step = [seed.step & LOW, seed.step >> 32];
    for j in 0..GROUP {
        let counter = block.wrapping_add(j as u64);
        let [mut a, mut b, mut c, mut d] = [counter, counter >> 32, step[0], step[1]];
        let [mut k0, mut k1] = [seed.key as u32, (seed.key >> 32) as u32];
        for _ in 0..ROUNDS {
            let p0 = (a & LOW) * m0;
            let p1 = (c & LOW) * m1;
            (a, b, c, d) = (
                (p1 >> 32) ^ b ^ k0 as u64,
                p1,
                (p0 >> 32) ^ d ^ k1 as u64,
                p0,
            );
            k0 = k0.wrapping_add(KEY_STEPS[0]);
            k1 = k1.wrapping_add(KEY_STEPS[1]);
        }
        pairs[2 * j] = pair(a, b);
        pairs[2 * j + 1] = pair(c, d);
    }
}

/// The draws that [`fill`] has made.
#[inline(always)]
pub(crate) fn words(pairs: &[u64; 2 * GROUP]) -> &[u32; 4 * GROUP] {
    bytemuck::cast_ref(pairs)
}

/// The lower halves of two words so that, in memory, the first comes first.
#[inline(always)]
fn pair(first: u64, second: u64) -> u64 {
    if cfg!(target_endian = "little") {
        (first & u32::MAX as u64) | second << 32
    } else {
        first << 32 | (second & u32::MAX as u64)
    }
}

/// The 23 upper bits of a draw as the middle of one of 2^23 equal parts of (0, 1): never 0, never 1, exact in `f32`.
#[inline(always)]
pub fn uniform_f32(bits: u32) -> f32 {
    f32::uniform(bits)
}

/// The uniform number that a Gumbel number is made from: that of [`uniform_f32`], or where its nine upper bits are ones, less 1 and
/// with all 32 bits: a negative number, exact.
#[inline(always)]
pub fn draw_f32(bits: u32) -> f32 {
    f32::draw(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_test_vectors_come_out() {
        let cases = [
            (
                [0; 4],
                [0; 2],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                [u32::MAX; 4],
                [u32::MAX; 2],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, want) in cases {
            assert_eq!(philox_block(counter, key), want);
        }
    }

    #[test]
    fn groups_hold_the_blocks_in_order_across_the_carry() {
        let seed = Seed::new(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210);
        for start in [0, u32::MAX as u64 - 3, u64::MAX - 2] {
            let mut pairs = [0; 2 * GROUP];
            fill(seed, start, &mut pairs);
            let out = words(&pairs);
            for j in 0..GROUP {
                let block = start.wrapping_add(j as u64);
                let counter = [block as u32, (block >> 32) as u32, 0x7654_3210, 0xfedc_ba98];
                assert_eq!(
                    out[4 * j..][..4],
                    philox_block(counter, [0x89ab_cdef, 0x0123_4567])
                );
            }
        }
    }

    #[test]
    fn uniforms_stay_inside_the_open_interval() {
        assert!(uniform_f32(0) > 0.0);
        assert!(uniform_f32(u32::MAX) < 1.0);
    }
}
