//! What gradual argmax and power softmax share: powers of numbers in [0, 1].

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::math::{exp_nonpositive, ln_positive};

/// The smallest normal number. Smaller ones count as 0: a device may flush them.
const TINY: f32 = f32::MIN_POSITIVE;

/// Whether `v` is 0 as far as powers go.
#[cube]
pub(crate) fn is_zero<A: Float>(v: A) -> bool {
    v < A::new(TINY)
}

/// `v^(p - 1)`, `v^p` and `ln v` of a number inside (0, 1]; without meaning at 0. Exact at `p = 1`.
#[cube]
pub(crate) fn powers<A: Float>(v: A, p: A) -> (A, A, A) {
    let one = A::new(1.0_f32);
    let log = ln_positive::<A>(v);
    let steep = p >= one;
    let power = exp_nonpositive::<A>(select(steep, p - one, p) * log);
    let lower = power / v;
    let lower = select(lower > A::max_value(), A::max_value(), lower);
    let lower = select(steep, power, lower);
    (lower, select(steep, power * v, power), log)
}

/// `0^(p - 1)` as the gradients take it: 1 for `p = 1`, else 0, below 1 too, where it is infinite.
#[cube]
pub(crate) fn zero_power<A: Float>(p: A) -> A {
    select(p == A::new(1.0_f32), A::new(1.0_f32), A::new(0.0_f32))
}
