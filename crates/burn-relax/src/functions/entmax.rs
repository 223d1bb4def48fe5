use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Tensor};

use crate::{
    Coefficient, RelaxOps, check,
    functions::{Centred, load, log_softmax, power_softmax, store},
};

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
    map("sparsemax", logits, dim, Coefficient::Number(2.0))
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
    map("entmax15", logits, dim, Coefficient::Number(1.5))
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
    map("entmax", logits, dim, alpha.into())
}

/// The body of the family's functions.
#[track_caller]
fn map<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    dim: impl AsIndex,
    alpha: Coefficient<D>,
) -> Tensor<D> {
    let dim = check::dim::<D>(op, dim);
    check::not_empty(op, "logits", &logits, dim);
    alpha.check(op, "alpha", &logits, dim);
    let logits = logits.dequantize();
    let (probs, _) = match alpha {
        Coefficient::Number(alpha) => {
            <Dispatch as RelaxOps>::entmax(logits.into_dispatch(), dim, alpha)
        }
        alpha => {
            let alpha = alpha.into_tensor(&logits, dim).into_dispatch();
            <Dispatch as RelaxOps>::entmax_rows(logits.into_dispatch(), alpha, dim)
        }
    };
    Tensor::from_dispatch(probs)
}

/// The logarithm of [`sparsemax`]: `-inf`, with a gradient of 0, outside the support.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Panics
///
/// As [`sparsemax`].
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &Device::flex());
/// let logs = burn_relax::log_sparsemax(logits, 0).into_data().try_to_vec::<f32>().unwrap();
/// assert!(logs[0] == f32::NEG_INFINITY && (logs[1] - 0.25f32.ln()).abs() < 1e-6);
/// ```
#[track_caller]
pub fn log_sparsemax<const D: usize>(logits: Tensor<D>, dim: impl AsIndex) -> Tensor<D> {
    log_map("log_sparsemax", logits, dim, Coefficient::Number(2.0))
}

/// The logarithm of [`entmax15`]: `-inf`, with a gradient of 0, outside the support.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Panics
///
/// As [`entmax15`].
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &Device::flex());
/// let logs = burn_relax::log_entmax15(logits, 0).into_data().try_to_vec::<f32>().unwrap();
/// assert!(logs[0] == f32::NEG_INFINITY && (logs[1] - 0.326_007f32.ln()).abs() < 1e-5);
/// ```
#[track_caller]
pub fn log_entmax15<const D: usize>(logits: Tensor<D>, dim: impl AsIndex) -> Tensor<D> {
    log_map("log_entmax15", logits, dim, Coefficient::Number(1.5))
}

/// The logarithm of [`entmax`]: `-inf`, with a gradient of 0, outside the support; [`log_softmax`](crate::log_softmax) at the number 1.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Panics
///
/// As [`entmax`].
///
/// # Numerical behaviour
///
/// A weight below the smallest normal number counts as outside the support, except at the number 1.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let logits = Tensor::<1>::from_floats([1000.0, 0.0], &Device::flex());
/// let logs = burn_relax::log_entmax(logits.clone(), 0, 1.0).into_data().try_to_vec::<f32>().unwrap();
/// assert_eq!(logs, [0.0, -1000.0]);
/// let logs = burn_relax::log_entmax(logits, 0, 1.2).into_data().try_to_vec::<f32>().unwrap();
/// assert_eq!(logs, [0.0, f32::NEG_INFINITY]);
/// ```
#[track_caller]
pub fn log_entmax<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    alpha: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    log_map("log_entmax", logits, dim, alpha.into())
}

#[track_caller]
fn log_map<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    dim: impl AsIndex,
    alpha: Coefficient<D>,
) -> Tensor<D> {
    let dim = check::dim::<D>(op, dim);
    if let Coefficient::Number(1.0) = alpha {
        check::not_empty(op, "logits", &logits, dim);
        return log_softmax(logits, dim);
    }
    let dtype = logits.dtype();
    alpha.check(op, "alpha", &logits, dim);
    let probs = map(op, load(logits.dequantize()), dim, alpha.load());
    let outside = probs.clone().equal_scalar(0.0);
    let logs = probs
        .mask_fill(outside.clone(), 1.0)
        .log()
        .mask_fill(outside, f64::NEG_INFINITY);
    store(logs, dtype)
}

/// The sparse map of a norm: `max_p <p, x> - ||p||_α` over the simplex.
///
/// It falls between the sparse maps and a plain argmax in that its support shrinks with the *absolute* gaps of the logits but its
/// weights stay closer to uniform on the support, the more so the larger `α` is.
///
/// `p ∝ max(0, x - t)^(1 / (α - 1))` with `t` such that `Σ max(0, x - t)^(α / (α - 1)) = 1`. Since that sum is one of [`entmax`]'s
/// with `2 - 1/α` in place of `α`, so `p ∝ y^(1/α)` with `y = entmax(x α / (α - 1), 2 - 1/α)`.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Arguments
///
/// * `alpha` - Finite and greater than 1: a number, or a tensor with one value per row ([`Coefficient`]).
///
/// # Gradient
///
/// That of the composition, for the logits and a tensor alpha.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or alpha is out of its domain or of a shape that does not fit.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// // Alone within 1 of itself, the winner takes everything.
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 1.5], &Device::flex());
/// let probs = burn_relax::normmax(logits, 0, 2.0).into_data().try_to_vec::<f32>().unwrap();
/// assert_eq!(probs, [0.0, 0.0, 1.0]);
/// ```
///
/// # References
///
/// Blondel, Martins, Niculae, 2020, arXiv:1901.02324, section 4.3.
#[track_caller]
pub fn normmax<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    alpha: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let op = "normmax";
    let dim = check::dim::<D>(op, dim);
    check::not_empty(op, "logits", &logits, dim);
    let alpha = alpha.into();
    if let Coefficient::Number(value) = alpha {
        check::greater_than_one(op, "alpha", value);
    }
    alpha.check(op, "alpha", &logits, dim);
    let dtype = logits.dtype();
    let centred = Centred::new(load(logits.dequantize()), dim);
    let probs = match alpha.load() {
        Coefficient::Number(alpha) => {
            let scaled = centred.map(|gaps| gaps.mul_scalar(alpha / (alpha - 1.0)));
            power_softmax(entmax(scaled, dim, 2.0 - 1.0 / alpha), dim, 1.0 / alpha)
        }
        Coefficient::Tensor(alpha) => {
            let conjugate = alpha.clone().div(alpha.clone().sub_scalar(1.0));
            let power = alpha.recip();
            let scaled = centred.map(|gaps| gaps.mul(conjugate));
            let excess = power.clone().neg().add_scalar(2.0);
            power_softmax(entmax(scaled, dim, excess), dim, power)
        }
    };
    store(probs, dtype)
}
