use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Tensor};

use crate::{check, coefficient::Coefficient, dispatch::RelaxOps, parts::dtype::held};

/// The sparse stand-in for the softmax: the point of the simplex closest to the logits.
///
/// Solves `min_p ||p - x||²` over the simplex. Entries that trail the winner by 1 or more get weight exactly 0.
///
/// `p_i = max(0, x_i - t)`, with `t` such that the weights sum to 1
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Arguments
///
/// * `logits` - Unnormalised scores; `-inf` forbids an entry. Divide them by a temperature to sharpen the choice.
/// * `dim` - The axis of the classes; negative counts from the end.
///
/// # Gradient
///
/// `g - mean g` over the entries with weight, 0 elsewhere: an entry at 0 learns nothing until it is back in the support.
///
/// # Panics
///
/// If `dim` is out of range or the axis is empty.
///
/// # Numerical behaviour
///
/// The threshold is found without sorting. `+inf` entries share the weight and get no gradient; a row of `-inf` gives zeros.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &Device::flex());
/// let probs = burn_relax::sparsemax(logits, 0).into_data().try_to_vec::<f32>().unwrap();
/// assert!(probs[0] == 0.0 && (probs[1] - 0.25).abs() < 1e-6 && (probs[2] - 0.75).abs() < 1e-6);
/// ```
///
/// # References
///
/// Martins, Astudillo, 2016, arXiv:1602.02068. The search: Michelot, 1986.
#[track_caller]
pub fn sparsemax<const D: usize>(logits: Tensor<D>, dim: impl AsIndex) -> Tensor<D> {
    let op = "sparsemax";
    let (logits, dim) = check::logits(op, logits, dim);
    entmax_of(op, logits, dim, Coefficient::Number(2.0))
}

/// Half-way between [`softmax`](crate::softmax) and [`sparsemax`]: `alpha = 1.5` of [`entmax`].
///
/// `p_i = max(0, x_i / 2 - t)²`, with `t` such that the weights sum to 1. Entries that trail the winner by 2 or more get 0.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Gradient
///
/// `s (g - <s, g> / Σ s)` with `s = √p`.
///
/// # Panics
///
/// If `dim` is out of range or the axis is empty.
///
/// # Numerical behaviour
///
/// As [`sparsemax`].
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &Device::flex());
/// let probs = burn_relax::entmax15(logits, 0).into_data().try_to_vec::<f32>().unwrap();
/// assert!(probs[0] == 0.0 && (probs[1] - 0.326_007).abs() < 1e-6);
/// ```
///
/// # References
///
/// Peters, Niculae, Martins, 2019, arXiv:1905.05702.
#[track_caller]
pub fn entmax15<const D: usize>(logits: Tensor<D>, dim: impl AsIndex) -> Tensor<D> {
    let op = "entmax15";
    let (logits, dim) = check::logits(op, logits, dim);
    entmax_of(op, logits, dim, Coefficient::Number(1.5))
}

/// The family from dense to sparse: softmax at `alpha = 1`, [`entmax15`], [`sparsemax`] at 2, towards the argmax beyond.
///
/// Solves `max_p <p, x> + H_α(p)` over the simplex with Tsallis' entropy `H_α(p) = (1 - Σ p^α) / (α (α - 1))`. Above 1 entries that
/// trail the winner by `1 / (α - 1)` or more get weight exactly 0.
///
/// `p_i = (1 + (α - 1)(x_i - c))^(1 / (α - 1))` where that base is positive, else 0, with `c` such that the weights sum to 1
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
/// * `alpha` - Finite and greater than 0, sparse from above 1: a number, or a tensor with one value per row ([`Coefficient`]) that
///   learns how sparse to be.
///
/// # Gradient
///
/// With `s = p^(2 - α)` on the support and `m = <s, g> / Σ s`: `s (g - m)` for the logits. With `L = ln p`, `e = α - 1` and
/// `r = -(exp(-e L) - 1 + e L) / e²`: `Σ p r (g - m)` for alpha, which is `-½ Σ p (L² - Σ p L²) g` at `α = 1`. Value and both
/// gradients are continuous there.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or alpha is out of its domain or of a shape that does not fit.
///
/// # Numerical behaviour
///
/// As [`sparsemax`]. Above `α = 2` the slope of a weight near 0 is unbounded; it is limited to the square root of the largest
/// number.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::entmax;
///
/// let device = Device::flex().autodiff();
/// let logits = Tensor::<2>::from_floats([[-1.0, 0.0, 0.5]], &device);
/// let alpha = Tensor::<2>::from_floats([[1.0]], &device).require_grad();
/// let probs = entmax(logits, 1, alpha.clone());
/// let grads = probs.slice([0..1, 2..3]).sum().backward();
/// assert!(alpha.grad(&grads).unwrap().into_scalar::<f32>() > 0.0); // a larger alpha favours the winner
/// ```
///
/// # References
///
/// Peters, Niculae, Martins, 2019, arXiv:1905.05702; Correia, Niculae, Martins, 2019, arXiv:1909.00015.
#[track_caller]
pub fn entmax<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    alpha: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    entmax_of("entmax", logits, dim, alpha.into())
}

/// [`entmax`] for an operator whose name the messages have.
#[track_caller]
pub(crate) fn entmax_of<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    dim: impl AsIndex,
    alpha: Coefficient<D>,
) -> Tensor<D> {
    let (logits, dim) = check::logits(op, logits, dim);
    alpha.check(op, "alpha", &logits, dim);
    let (probs, _) = match alpha {
        Coefficient::Number(alpha) => {
            let alpha = held(alpha, logits.dtype());
            <Dispatch as RelaxOps>::entmax(logits.into_dispatch(), dim, alpha)
        }
        alpha => {
            let alpha = alpha.into_tensor(&logits, dim).into_dispatch();
            <Dispatch as RelaxOps>::entmax_rows(logits.into_dispatch(), alpha, dim)
        }
    };
    Tensor::from_dispatch(probs)
}
