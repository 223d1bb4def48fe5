//! The rules for special rows, in one place.
//!
//! WGSL may assume that there are no infinities and no NaN, so infinities are told by comparison with the largest finite number
//! (which thereby counts as infinite), and NaN by its bits. A row's maximum is kept finite: the largest number in a row that
//! holds `+inf`, the lowest in one that is all `-inf`.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::{
    math::{exp_nonpositive, is_nan, ln_positive},
    number::{one, zero},
};

/// A number without `+inf`: a row's maximum as statistics hold it.
#[cube]
pub(crate) fn finite_max<A: Float>(max: A) -> A {
    select(max > A::max_value(), A::max_value(), max)
}

/// Whether a row with this maximum holds `+inf`: nothing else has weight there, and its logits have no gradient.
#[cube]
pub(crate) fn is_decided<A: Float>(max: A) -> bool {
    max >= A::max_value()
}

/// Whether an entry is `-inf`.
#[cube]
pub(crate) fn is_forbidden<A: Float>(x: A) -> bool {
    x < A::min_value()
}

/// Whether an entry can have no weight, so that its value must not be used even if it is NaN.
#[cube]
pub(crate) fn is_excluded<A: Float>(x: A, max: A) -> bool {
    is_forbidden::<A>(x) || (is_decided::<A>(max) && x < A::max_value())
}

/// `exp((x - max) / T)` under the rules: 0 at forbidden entries; in a row that holds `+inf`, 1 there and 0 elsewhere; NaN at NaN.
#[cube]
pub(crate) fn raw_weight<A: Float>(x: A, max: A, reciprocal: A) -> A {
    let finite = exp_nonpositive::<A>((x - max) * reciprocal);
    let infinite = select(x >= A::max_value(), one::<A>(), zero::<A>());
    let weight = select(is_decided::<A>(max), infinite, finite);
    let weight = select(is_forbidden::<A>(x), zero::<A>(), weight);
    select(is_nan::<A>(x), x, weight)
}

/// The normaliser as a divisor: a row without any choice has weights `0 / 1`.
#[cube]
pub(crate) fn divisor<A: Float>(normaliser: A) -> A {
    select(normaliser == zero::<A>(), one::<A>(), normaliser)
}

/// The factor that moves a sum from the maximum `part` to the row's maximum.
#[cube]
pub(crate) fn rescale<A: Float>(part: A, max: A, reciprocal: A) -> A {
    let factor = exp_nonpositive::<A>((part - max) * reciprocal);
    let factor = select(is_decided::<A>(max), zero::<A>(), factor);
    select(part == max, one::<A>(), factor)
}

/// `(x - max) scale` where that has a meaning, 0 in a row that holds `+inf`.
#[cube]
pub(crate) fn gap<A: Float>(x: A, max: A, scale: A) -> A {
    select(is_decided::<A>(max), zero::<A>(), (x - max) * scale)
}

/// The log-probability of an entry, `-inf` (that is `never`) where nothing can be chosen, NaN in a row that holds NaN.
#[cube]
pub(crate) fn log_prob<A: Float>(x: A, max: A, normaliser: A, reciprocal: A, never: A) -> A {
    let log = ln_positive::<A>(divisor::<A>(normaliser));
    let gap = gap::<A>(x, max, reciprocal);
    let value = select(is_excluded::<A>(x, max), never, gap - log);
    select(is_nan::<A>(normaliser), normaliser, value)
}

/// The entry of a one-hot row; its index is the number of classes if there is none.
#[cube]
pub(crate) fn one_hot<A: Float>(class: usize, index: u32, normaliser: A) -> A {
    let chosen = class as u32 == index && normaliser > zero::<A>();
    let entry = select(chosen, one::<A>(), zero::<A>());
    select(is_nan::<A>(normaliser), normaliser, entry)
}

/// Whether a weight is strictly between 0 and 1.
#[cube]
pub(crate) fn is_free<A: Float>(p: A) -> bool {
    p > zero::<A>() && p < one::<A>()
}
