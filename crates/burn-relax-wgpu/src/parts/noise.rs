//! The counter-based generator of the CPU row kernels on the device: Philox 4x32 with ten rounds, and Gumbel numbers from it.
//!
//! Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011). Element `e` of a call's noise is lane
//! `e % 4` of block `e / 4`; the elements of a row follow each other, whatever the layout in memory. Element numbers have 64
//! bits, in two words: WGSL has no wider integers.

use burn_cubecl::cubecl;
use burn_relax_kernels::Seed;
use cubecl::prelude::*;

use super::{math::gumbel, number::number};

/// Elements of a block.
pub(crate) const BLOCK: usize = 4;

const MULTIPLIER_0: u32 = 0xd251_1f53;
const MULTIPLIER_1: u32 = 0xcd9e_8d57;
const KEY_STEP_0: u32 = 0x9e37_79b9;
const KEY_STEP_1: u32 = 0xbb67_ae85;
const ROUNDS: u32 = 10;

/// The seed of a call's noise, in words of 32 bits.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Seeds {
    pub(crate) key_low: u32,
    pub(crate) key_high: u32,
    pub(crate) step_low: u32,
    pub(crate) step_high: u32,
    /// The number of the call's first row.
    pub(crate) row: u32,
}

/// The seed as a kernel argument.
pub(crate) fn seeds(seed: Seed) -> SeedsLaunch {
    SeedsLaunch::new(
        seed.key as u32,
        (seed.key >> 32) as u32,
        seed.step as u32,
        (seed.step >> 32) as u32,
        u32::try_from(seed.row).expect("rows are numbered in 32 bits"),
    )
}

/// The four words of a block.
#[cube]
pub(crate) fn philox(block_low: u32, block_high: u32, seeds: &Seeds) -> Array<u32> {
    let mut a = block_low;
    let mut b = block_high;
    let mut c = seeds.step_low;
    let mut d = seeds.step_high;
    let mut k0 = seeds.key_low;
    let mut k1 = seeds.key_high;
    let m0 = MULTIPLIER_0.runtime();
    let m1 = MULTIPLIER_1.runtime();
    #[unroll]
    for _ in 0..ROUNDS {
        let high_0 = a.mul_hi(m0);
        let low_0 = a * m0;
        let high_1 = c.mul_hi(m1);
        let low_1 = c * m1;
        a = high_1 ^ b ^ k0;
        b = low_1;
        c = high_0 ^ d ^ k1;
        d = low_0;
        k0 += KEY_STEP_0;
        k1 += KEY_STEP_1;
    }
    let mut words = Array::<u32>::new(4usize);
    words[0] = a;
    words[1] = b;
    words[2] = c;
    words[3] = d;
    words
}

/// The uniform number `u` that a Gumbel number is made from: the 23 upper bits of a word as the middle of one of 2²³ equal parts of
/// (0, 1), or where its nine upper bits are ones the negative number `u - 1`, the middle of one of 2³² parts. Both are exact.
#[cube]
pub(crate) fn draw<A: Float>(word: u32) -> A {
    let half = number::<A>(0.5_f32);
    let coarse = (A::cast_from(word >> 9) + half) * number::<A>(COARSE_STEP);
    let fine = (A::cast_from(!word & 0x007f_ffff) + half) * number::<A>(FINE_STEP);
    select(word >= NEAR_ONE, fine, coarse)
}

/// Words from here on give the distance from 1.
const NEAR_ONE: u32 = 0xff80_0000;

/// 2⁻²³
const COARSE_STEP: f32 = 1.0 / 8_388_608.0;

/// -2⁻³²
const FINE_STEP: f32 = -1.0 / 4_294_967_296.0;

/// Where the noise of one row begins.
#[derive(CubeType)]
pub(crate) struct NoiseRow {
    /// The block that holds the first element, in two words.
    block_low: u32,
    block_high: u32,
    /// Elements of that block that belong to the row before.
    pub(crate) skip: usize,
}

/// The noise of row number `row` in the draw's own order, of `classes` elements each.
#[cube]
pub(crate) fn noise_row(row: usize, classes: usize) -> NoiseRow {
    let row = row as u32;
    let classes = classes as u32;
    let low = row * classes;
    let high = row.mul_hi(classes);
    NoiseRow {
        block_low: (low >> 2) | (high << 30),
        block_high: high >> 2,
        skip: (low & 3) as usize,
    }
}

/// In place of [`noise_row`] where the noise is given.
#[cube]
pub(crate) fn nothing_drawn() -> NoiseRow {
    NoiseRow {
        block_low: 0u32.runtime(),
        block_high: 0u32.runtime(),
        skip: 0usize.runtime(),
    }
}

/// The Gumbel numbers of the row's block number `group`: those of its classes `4 group - skip ..`.
#[cube]
pub(crate) fn gumbel_block<A: Float>(row: &NoiseRow, group: usize, seeds: &Seeds) -> Array<A> {
    let low = row.block_low + group as u32;
    let carry = select(low < row.block_low, 1u32, 0u32);
    let words = philox(low, row.block_high + carry, seeds);
    let mut noise = Array::<A>::new(4usize);
    #[unroll]
    for j in 0..BLOCK {
        noise[j] = gumbel::<A>(draw::<A>(words[j]));
    }
    noise
}

#[cfg(all(test, feature = "wgpu"))]
mod tests {
    use burn_backend::{Shape, TensorData, ops::FloatTensorOps};
    use burn_cubecl::{CubeBackend, CubeDevice, ops::into_data_sync, tensor::CubeTensor};
    use burn_relax_kernels::{draw_f32, philox_block};
    use burn_wgpu::WgpuDevice;

    use super::*;

    /// The word number `i` of those that give different numbers: first those of 23 bits, then those near 1.
    fn word(i: u32) -> u32 {
        if i < COARSE { i << 9 } else { i + FINE }
    }

    /// Words that give different numbers of 23 bits.
    const COARSE: u32 = 1 << 23;

    /// What leads from the number of a word near 1 to the word.
    const FINE: u32 = NEAR_ONE - COARSE;

    /// The uniform or the Gumbel number of every such word, one for each unit.
    #[cube(launch)]
    fn numbers_kernel(numbers: &mut Tensor<f32>, #[comptime] uniforms: bool) {
        if ABSOLUTE_POS < numbers.len() {
            let i = ABSOLUTE_POS as u32;
            let word = select(i < COARSE, i << 9, i + FINE);
            let u = draw::<f32>(word);
            numbers[ABSOLUTE_POS] = if comptime!(uniforms) {
                u
            } else {
                gumbel::<f32>(u)
            };
        }
    }

    /// The uniform numbers of the elements from `first` on, `first` in two words.
    #[cube(launch)]
    fn drawn_kernel(numbers: &mut Tensor<f32>, low: u32, high: u32, seeds: &Seeds) {
        let block = ABSOLUTE_POS as u32;
        let words = philox(low + block, high, seeds);
        for j in 0..4 {
            numbers[ABSOLUTE_POS * 4 + j] = draw::<f32>(words[j]);
        }
    }

    fn zeros(count: usize) -> CubeTensor {
        let device = CubeDevice::Wgpu(WgpuDevice::default());
        CubeBackend::float_from_data(
            TensorData::new(vec![0.0f32; count], Shape::from([count])),
            &device,
        )
    }

    fn read(tensor: CubeTensor) -> Vec<f32> {
        into_data_sync(tensor).iter::<f32>().collect()
    }

    /// Uniform numbers there are.
    const ALL: usize = 1 << 24;

    fn all(uniforms: bool) -> Vec<f32> {
        let numbers = zeros(ALL);
        numbers_kernel::launch(
            &numbers.client,
            CubeCount::Static(256, 256, 1),
            CubeDim::new_1d(256),
            numbers.clone().into_tensor_arg(),
            uniforms,
        );
        read(numbers)
    }

    #[test]
    fn every_uniform_number_has_the_bits_of_the_cpu() {
        for (i, u) in all(true).into_iter().enumerate() {
            let want = draw_f32(word(i as u32));
            assert_eq!(u.to_bits(), want.to_bits(), "uniform {i}");
        }
    }

    /// What is promised of Gumbel numbers on any adapter; the polynomials are good for 2 units wherever sums and products are
    /// rounded correctly.
    const UNITS: f64 = 4.0;

    #[test]
    fn gumbel_numbers_of_all_draws_are_within_four_units_in_the_last_place() {
        let mut worst = (0.0, 0.0);
        for (i, g) in all(false).into_iter().enumerate() {
            let u = f64::from(draw_f32(word(i as u32)));
            let ln_u = if u < 0.0 { u.ln_1p() } else { u.ln() };
            let want = -(-ln_u).ln();
            let near = (want as f32).abs();
            let unit = f64::from(f32::from_bits(near.to_bits() + 1) - near);
            let error = (f64::from(g) - want).abs() / unit;
            assert!(error <= UNITS, "{error} units at {u}: {g}, not {want}");
            worst = if error > worst.0 { (error, u) } else { worst };
        }
        println!("{:.3} units at {}", worst.0, worst.1);
    }

    #[test]
    fn draws_have_the_bits_of_the_cpu_for_every_key_and_counter() {
        let keys = [0, 42, 0x0123_4567_89ab_cdef, u64::MAX];
        let firsts = [(0, 0), (u32::MAX - 3, 7), (0x89ab_cdef, u32::MAX)];
        for (key, step) in keys
            .into_iter()
            .zip([0, 1, 0xfedc_ba98_7654_3210, u64::MAX])
        {
            for (low, high) in firsts {
                let numbers = zeros(4 * 4);
                drawn_kernel::launch(
                    &numbers.client,
                    CubeCount::new_single(),
                    CubeDim::new_1d(4),
                    numbers.clone().into_tensor_arg(),
                    low,
                    high,
                    seeds(Seed::new(key, step)),
                );
                let want = (0..4u32).flat_map(|i| {
                    let counter = [low.wrapping_add(i), high, step as u32, (step >> 32) as u32];
                    philox_block(counter, [key as u32, (key >> 32) as u32])
                });
                let want: Vec<f32> = want.map(draw_f32).collect();
                assert_eq!(read(numbers), want, "key {key}, block {low} {high}");
            }
        }
    }
}
