//! The same input bits give the same results on every device and in the default bodies.

#![cfg_attr(feature = "ndarray", allow(deprecated))]

mod half;
mod layout;
mod noise;
mod part;
mod primitives;
mod public;
mod sparse;

use burn_relax_tests::{Array, Random, Table};

/// Of the tensor's largest magnitude: 16 units of f32's rounding, for sums of up to a thousand terms in another order and for
/// `exp` and `ln` that differ by a unit.
const F32: f64 = 1e-6;

/// The same room in f64, rounded up.
const F64: f64 = 1e-14;

/// One entry, a pair, and counts round the widths of vectors (16 lanes, twice that) and blocks (256, 1024).
const LENGTHS: [usize; 9] = [1, 2, 15, 16, 17, 31, 33, 257, 1025];

/// Shapes of ranks 1 to 4.
const SHAPES: [&[usize]; 4] = [&[33], &[3, 17], &[2, 16, 3], &[2, 3, 5, 4]];

/// Logits, costs and values between -2 and 2; where `masked`, every seventh logit is forbidden.
fn numbers(shape: &[usize], seed: u64, masked: bool) -> Array {
    let mut place = 0;
    Random::new(seed).array(shape, -2.0, 2.0).map(|x| {
        place += 1;
        if masked && place % 7 == 3 {
            f64::NEG_INFINITY
        } else {
            x
        }
    })
}

/// Numbers in `[0, 1)`, exact in f32.
fn unit_numbers(shape: &[usize], seed: u64) -> Array {
    numbers(shape, seed, false).map(|x| f64::from(((x + 2.0) / 4.0) as f32))
}

/// What a result's rounding is measured against where that is not the result itself.
#[derive(Clone, Copy)]
enum Terms {
    /// Nothing else.
    None,
    /// A sum over a row, or over rows, of terms of order 1 and either sign: little may be left of them.
    OfOrderOne,
    /// A difference of two weights in a row of this many.
    Weights(usize),
    /// A difference of weights times their logarithms, in a row of this many.
    Logarithms(usize),
}

/// About the largest weight of standard normal logits: the largest of `n` is near `sqrt(2 ln n)`, the mean exponential `sqrt(e)`.
fn largest_weight(n: f64) -> f64 {
    ((2.0 * n.ln()).sqrt() - 0.5).exp().min(n) / n
}

/// Compares relative to the largest magnitude of the result or of its terms.
fn compare(
    table: &mut Table,
    title: &str,
    actual: &Array,
    expected: &Array,
    terms: Terms,
    tolerance: f64,
) {
    let scale = match terms {
        Terms::None => 0.0,
        Terms::OfOrderOne => 1.0,
        Terms::Weights(count) => largest_weight(count as f64),
        // The logarithms of either side are rounded.
        Terms::Logarithms(count) => 2.0 * (count as f64).ln() / count as f64,
    };
    table.within(
        title,
        actual,
        expected,
        tolerance * expected.largest().max(scale),
    );
}
