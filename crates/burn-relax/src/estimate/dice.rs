use burn_core::tensor::Tensor;

use crate::parts::{centred::is_forbidden, constant::Constant};

/// The magic box of DiCE: 1 in value, and a carrier of score-function gradients through whatever it multiplies.
///
/// `□(ℓ) = exp(ℓ - detach(ℓ))`, so that `∇ □(ℓ) = □(ℓ) ∇ ℓ`
///
/// Multiply every cost by the box of the *sum* of the log-probabilities of all choices that came before it and could have
/// influenced it. The derivative of the product is the score-function estimator, and stays one when it is differentiated
/// again: the box reproduces itself. For one choice and one derivative [`score_function_loss`](crate::loss::score_function_loss) is
/// the same.
///
/// # Shapes
///
/// - log_prob, output: the same
///
/// # Gradient
///
/// `□ g`, which is `g` in value; none at forbidden classes, whose log-probability is `-inf`.
///
/// # Example
///
/// Two choices in a row; the first influences both costs, the second its own only.
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::estimate::dice;
///
/// let device = Device::flex().autodiff();
/// let first = Tensor::<1>::from_floats([-0.7], &device).require_grad();
/// let second = Tensor::<1>::from_floats([-1.2], &device).require_grad();
/// let costs = dice(first.clone()) * 3.0 + dice(first.clone() + second.clone()) * 2.0;
/// assert_eq!(costs.clone().into_scalar::<f32>(), 5.0);
/// let grads = costs.backward();
/// assert_eq!(first.grad(&grads).unwrap().into_scalar::<f32>(), 5.0);
/// assert_eq!(second.grad(&grads).unwrap().into_scalar::<f32>(), 2.0);
/// ```
///
/// # References
///
/// Foerster et al., 2018, "DiCE: the infinitely differentiable Monte-Carlo estimator", arXiv:1802.05098, section 4.
#[must_use]
pub fn dice<const D: usize>(log_prob: Tensor<D>) -> Tensor<D> {
    let forbidden = is_forbidden(&log_prob);
    let log_prob = log_prob.mask_fill(forbidden, 0.0);
    log_prob.clone().sub(log_prob.constant()).exp()
}
