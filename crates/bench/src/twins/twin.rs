//! What a twin is, and what plain loops share.

use burn::tensor::Tensor;
use burn_relax_tests::cases::Args;

/// A function of a case's tensors.
pub type Function = fn(&Args, isize) -> Tensor<2>;

/// One row of an operator as a plain loop: logits, what stands beside them, output.
pub type Row = fn(&[f32], &[f32], &mut [f32]);

/// An operator in other words.
pub struct Twin {
    /// Name of the operator.
    pub name: &'static str,
    /// With Burn's own operations.
    pub composed: Function,
    /// A plain loop over a row, of the forward pass.
    pub plain: Row,
}

/// The largest number of a row.
pub(super) fn largest(x: &[f32]) -> f32 {
    x.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b))
}

/// Position of the largest number of a row.
pub(super) fn position(x: &[f32]) -> usize {
    let max = largest(x);
    x.iter().position(|&x| x == max).unwrap_or(0)
}

/// `Σ exp(x_i - max)`, `max` being the row's largest number.
pub(super) fn normaliser(x: &[f32], max: f32) -> f32 {
    x.iter().map(|x| (x - max).exp()).sum()
}
