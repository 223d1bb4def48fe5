//! The four operators, the struct of a fixed alpha being that of one alpha for each row.

use super::map::limited;
use crate::lanes::vector::Real;
use crate::operators::kernels::kernels;
use crate::row::input::In;
use crate::row::output::Out;

/// Work per element against a kernel that passes over memory once or twice.
const WORK: usize = 2;

kernels! {
    /// [`entmax`] with an `alpha` for all rows or for each row.
    entmax_rows(logits: F[n], alpha: One[1];) -> (probs: F[n], stats: Acc[2])
        => struct Forward { excess: f64 = 0.0 }, work WORK * n;

    /// Entmax of every row, and two statistics: the row's maximum and the number of entries with weight.
    ///
    /// `p_i = (1 + (alpha - 1)(x_i - c))^(1 / (alpha - 1))` where that base is positive, else 0, with `c` such that the weights sum
    /// to 1; the softmax at `alpha = 1`. A row with `+inf` shares the weight among those entries and stores the largest number and
    /// how many they are; a row of `-inf` stores the smallest number and 0 and has weights 0; a row with NaN is NaN. Weights below
    /// the smallest normal number are 0.
    entmax(logits: F[n]; alpha: f64) -> (probs: F[n], stats: Acc[2])
        => as Forward { alpha: In::none(), excess: alpha - 1.0 }, work WORK * n;

    /// Gradients of [`entmax_rows`] with respect to the logits and, one for each row, to alpha.
    entmax_rows_backward(probs: F[n], alpha: One[1], stats: Acc[2], grad: F[n];) -> (grad_logits: F[n], grad_alpha: F[1])
        => struct Backward { excess: f64 = 0.0 }, work WORK * n;

    /// Gradient of [`entmax`] with respect to the logits.
    ///
    /// Entries without weight get 0 and contribute nothing, whatever their upstream gradient. Rows with `+inf` get 0. Beyond
    /// `alpha = 2` the slope of a vanishing weight is bounded by the square root of the largest number.
    entmax_backward(probs: F[n], stats: Acc[2], grad: F[n]; alpha: f64) -> (grad_logits: F[n])
        => as Backward { alpha: In::none(), excess: alpha - 1.0, grad_alpha: Out::none() }, work WORK * n;
}

/// `alpha - 1` of a row: its own, or the fixed one of all rows.
#[inline(always)]
pub(super) fn excess_of<A: Real>(alpha: &In<'_, A>, r: usize, fixed: A) -> A {
    limited(if alpha.width == 0 {
        fixed
    } else {
        alpha.one(r) - A::ONE
    })
}
