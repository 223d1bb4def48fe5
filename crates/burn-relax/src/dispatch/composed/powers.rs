//! Powers of numbers that may be 0.

use burn_core::backend::Backend;

use super::float::Float;

/// Values that rounding has carried out of 0..1, back at its ends.
pub(super) fn unit<B: Backend>(values: Float<B>) -> Float<B> {
    let (below, above) = (values.lower(0.0), values.greater(1.0));
    values.fill(&below, 0.0).fill(&above, 1.0)
}

/// `base^power`, with `0^power = 0`.
pub(super) fn pow<B: Backend>(base: &Float<B>, power: &Float<B>) -> Float<B> {
    let zero = base.equal_to(0.0);
    base.clone()
        .fill(&zero, 1.0)
        .ln()
        .mul(power)
        .exp()
        .fill(&zero, 0.0)
}

/// `power * base^(power - 1)`: at a base of 0 the slope of `x^power`, which is 0 above power 1, 1 at power 1, and taken
/// as 0 below, where the mathematical slope is infinite. Slopes that overflow stop at the largest number.
pub(super) fn slope<B: Backend>(base: &Float<B>, power: &Float<B>) -> Float<B> {
    let shape = base.shape();
    let zero = base.equal_to(0.0);
    let at_zero = power.equal_to(1.0).float(base).expand(shape);
    let (_, largest) = base.limits();
    let slope = base
        .clone()
        .fill(&zero, 1.0)
        .ln()
        .mul(&power.clone().add_scalar(-1.0))
        .exp()
        .mul(power);
    let beyond = slope.greater(largest);
    slope.fill(&beyond, largest).replace(&zero, &at_zero)
}

/// `ln base`, with 0 where the base is 0: it always meets a factor that vanishes there.
pub(super) fn safe_ln<B: Backend>(base: &Float<B>) -> Float<B> {
    base.clone().fill(&base.equal_to(0.0), 1.0).ln()
}
