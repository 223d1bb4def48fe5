use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Tensor};

use crate::{check, coefficient::Coefficient, dispatch::RelaxOps};

/// Chooses `budget` classes instead of one: weights in `[0, 1]` whose sum is the budget.
///
/// Solves `min_p ||p - x||²` with `0 ≤ p ≤ 1` and `Σ p = budget`, the capped simplex. With a budget of 1 it is
/// [`sparsemax`](crate::sparsemax).
///
/// `p_i = clip(x_i - t, 0, 1)`, with `t` such that the sum is the budget
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Arguments
///
/// * `logits` - Unnormalised scores; `-inf` forbids an entry.
/// * `dim` - The axis of the classes; negative counts from the end.
/// * `budget` - Greater than 0, as a number at most `n`; need not be whole: a number, or a tensor with one value per row
///   ([`Coefficient`]).
///
/// # Gradient
///
/// With `m` the mean of `g` over the entries strictly between 0 and 1: `g - m` for those entries, 0 for the others, and `m` for the
/// budget. Both are 0 where every entry is 0 or 1.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or the budget is out of its domain or of a shape that does not fit.
///
/// # Numerical behaviour
///
/// A row with fewer allowed entries than its budget gives 1 to each. `+inf` entries get equal parts of the budget, at most 1, and
/// the others nothing. A row of `-inf` gives zeros.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5, 3.0], &Device::flex());
/// let probs = burn_relax::sparse::budget(logits, 0, 2.0).into_data().try_to_vec::<f32>().unwrap();
/// assert_eq!(probs, [0.0, 0.25, 0.75, 1.0]);
/// ```
///
/// # References
///
/// Blondel, Martins, Niculae, 2020, arXiv:1901.02324, section 7.3.
#[track_caller]
pub fn budget<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    budget: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let op = "budget";
    let (logits, dim) = check::logits(op, logits, dim);
    let budget = budget.into();
    budget.check(op, "budget", &logits, dim);
    if let Coefficient::Number(value) = budget {
        check::at_most_classes(op, "budget", logits.dims()[dim], value);
    }
    budget.apply(logits, dim, |logits, budget| {
        <Dispatch as RelaxOps>::budget(logits, budget, dim).0
    })
}
