//! Division by what is learned.

use burn_core::tensor::Tensor;

use super::{centred::limits, constant::Constant};

/// `numerator / divisor`, infinite results replaced by the largest number.
///
/// A division's own gradient for its divisor has the square of the divisor, which leaves the range of f32 from 1e-19 on. Here the
/// two factors are taken one after the other.
pub(crate) fn quotient<const D: usize>(numerator: Tensor<D>, divisor: Tensor<D>) -> Tensor<D> {
    let (lowest, largest) = limits(numerator.dtype());
    let held = divisor.clone().constant();
    // One factor for the whole row: a device may round each division otherwise.
    let quotient = numerator.mul(held.clone().recip());
    let (below, above) = (
        quotient.clone().lower_scalar(lowest),
        quotient.clone().greater_scalar(largest),
    );
    let quotient = quotient.mask_fill(below, lowest).mask_fill(above, largest);
    if !divisor.is_tracked() {
        return quotient;
    }
    // Exactly 1, with the slope of -divisor / held.
    let relative = divisor.mul(held.recip());
    let ratio = relative.clone().constant().sub(relative).add_scalar(1.0);
    quotient.mul(ratio)
}
