use burn_core::tensor::{AsIndex, Tensor};

use super::{free_energy_loss::free_energy_loss, winner_takes_all_loss::winner};
use crate::{
    check,
    parts::{
        centred::{is_forbidden, limits},
        constant::Constant,
    },
};

/// The negative log-likelihood of a mixture: a gate over the classes times one likelihood per class.
///
/// `L = -log Σ_k p_k exp(ℓ_k)` with `p = softmax(x)`
///
/// Each class learns from the examples it is responsible for, `r_k ~ p_k exp(ℓ_k)`, and the gate learns to predict the
/// responsibilities. It is the [`free_energy_loss`] of the costs `-ℓ` at temperature 1; a scale learned inside `ℓ`
/// ([`gaussian_log_likelihood`](crate::distribution::gaussian_log_likelihood)) takes the temperature's place and finds its own value.
///
/// # Shapes
///
/// - logits, log_likelihood: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., 1, ..]`
///
/// # Arguments
///
/// * `logits` - Of the gate; `-inf` forbids a class, whose likelihood then does not matter.
/// * `log_likelihood` - Of the observation under each class; `-inf` takes the responsibility from a class.
/// * `dim` - The axis of the classes; negative counts from the end.
///
/// # Gradient
///
/// Logits: `(p - r) g`. Log-likelihood: `-r g`.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or the shapes differ.
///
/// # Numerical behaviour
///
/// By log-sum-exp. A row in which no allowed class is possible has the value `+inf` and no gradient, one with an allowed class of
/// likelihood `+inf` the value `-inf` and no gradient.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{distribution::gaussian_log_likelihood, loss::mixture_loss};
///
/// let device = Device::flex();
/// let gate = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &device);
/// let values = Tensor::<1>::from_floats([1.0, 0.0, 3.0], &device);
/// let target = Tensor::<1>::from_floats([0.0], &device);
/// let nll = mixture_loss(gate, gaussian_log_likelihood(values, target, 1.0), 0);
/// // -ln((.048611 e^-.5 + .359188 + .592201 e^-4.5) / √(2π))
/// assert!((nll.into_scalar::<f32>() - 1.847_173).abs() < 1e-5);
/// ```
///
/// # References
///
/// Jacobs, Jordan, Nowlan, Hinton, 1991, "Adaptive mixtures of local experts", equation 1.3.
#[track_caller]
pub fn mixture_loss<const D: usize>(
    logits: Tensor<D>,
    log_likelihood: Tensor<D>,
    dim: impl AsIndex,
) -> Tensor<D> {
    let op = "mixture_loss";
    let (logits, dim) = check::logits(op, logits, dim);
    let log_likelihood = log_likelihood.dequantize();
    check::beside(op, "log_likelihood", &logits, &log_likelihood);
    // A class of infinite likelihood explains everything, and leaves nothing to compute or to learn.
    let certain = log_likelihood
        .clone()
        .constant()
        .greater_scalar(limits(log_likelihood.dtype()).1)
        .bool_and(is_forbidden(&logits).bool_not());
    let cost = log_likelihood.neg().mask_fill(certain.clone(), 0.0);
    let explained = cost.zeros_like().constant().mask_fill(certain, 1.0);
    let explained = explained.max_dim(dim).greater_scalar(0.0);
    free_energy_loss(logits, cost, dim, 1.0).mask_fill(explained, f64::NEG_INFINITY)
}

/// The hard-EM limit of [`mixture_loss`]: the whole responsibility goes to the most responsible class.
///
/// `L = -max_k (log p_k + ℓ_k)`
///
/// # Shapes
///
/// - logits, log_likelihood: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., 1, ..]`
///
/// # Gradient
///
/// With `w` the winner, the lowest index among ties: `(p - e_w) g` for the logits, `-e_w g` for the log-likelihood.
///
/// # Panics
///
/// As [`mixture_loss`].
///
/// # Numerical behaviour
///
/// A row without an allowed and possible class has the value `+inf`, one of `-inf` logits 0; neither has a gradient.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let gate = Tensor::<1>::from_floats([0.0, 0.0], &device);
/// let log_likelihood = Tensor::<1>::from_floats([-3.0, -1.0], &device);
/// let nll = burn_relax::loss::hard_mixture_loss(gate, log_likelihood, 0).into_scalar::<f32>();
/// assert!((nll - (1.0 + std::f32::consts::LN_2)).abs() < 1e-6);
/// ```
///
/// # References
///
/// Celeux, Govaert, 1992, "A classification EM algorithm for clustering and two stochastic versions".
#[track_caller]
pub fn hard_mixture_loss<const D: usize>(
    logits: Tensor<D>,
    log_likelihood: Tensor<D>,
    dim: impl AsIndex,
) -> Tensor<D> {
    let op = "hard_mixture_loss";
    let (logits, dim) = check::logits(op, logits, dim);
    let log_likelihood = log_likelihood.dequantize();
    check::beside(op, "log_likelihood", &logits, &log_likelihood);
    winner(logits, log_likelihood.neg(), dim, true)
}
