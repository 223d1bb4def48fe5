//! The same input bits give the same results on every device and in the default bodies.

#![cfg_attr(feature = "ndarray", allow(deprecated))]

mod half;
mod layout;
mod noise;
mod primitives;
mod public;

/// Of the tensor's largest magnitude: 16 units of f32's rounding, for sums of up to a thousand terms in another order and for
/// `exp` and `ln` that differ by a unit.
const F32: f64 = 1e-6;

/// The same room in f64, rounded up.
const F64: f64 = 1e-14;

/// One entry, a pair, and counts round the widths of vectors (16 lanes, twice that) and blocks (256, 1024).
const LENGTHS: [usize; 9] = [1, 2, 15, 16, 17, 31, 33, 257, 1025];

/// Shapes of ranks 1 to 4.
const SHAPES: [&[usize]; 4] = [&[33], &[3, 17], &[2, 16, 3], &[2, 3, 5, 4]];

/// Logits, costs and values between -4 and 4; where `masked`, every seventh logit is forbidden.
fn numbers(shape: &[usize], seed: u64, masked: bool) -> burn_relax_tests::Array {
    let mut place = 0;
    burn_relax_tests::Random::new(seed).array(shape, -4.0, 4.0).map(|x| {
        place += 1;
        if masked && place % 7 == 3 {
            f64::NEG_INFINITY
        } else {
            x
        }
    })
}
