//! What is asked of every operator: each test runs through the registry of cases.

mod contract;
mod determinism;
mod differences;
mod empty;
mod half;
mod parity;
mod pick;
mod reference;
mod rows;
mod simplex;
mod table;

/// Of max(1, the largest magnitude): rounding of f32 over short rows, as in the golden tests.
const CLOSE: f64 = 3e-6;

/// Of the tensor's largest magnitude: 16 units of f32's rounding, for sums of up to a thousand terms in another order and for
/// `exp` and `ln` that differ by a unit.
const F32: f64 = 1e-6;

/// The same room in f64, rounded up.
const F64: f64 = 1e-14;

/// One entry, a pair, and counts round the widths of vectors (16 lanes, twice that) and blocks (256, 1024).
const LENGTHS: [usize; 9] = [1, 2, 15, 16, 17, 31, 33, 257, 1025];

/// Shapes of ranks 1 to 4.
pub const SHAPES: [&[usize]; 4] = [&[33], &[3, 17], &[2, 16, 3], &[2, 3, 5, 4]];
