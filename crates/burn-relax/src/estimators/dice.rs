use burn_core::tensor::Tensor;

use crate::{check, functions::is_forbidden};

/// The magic box of DiCE: 1 in value, and a carrier of score-function gradients through whatever it multiplies.
///
/// `□(ℓ) = exp(ℓ - detach(ℓ))`, so that `∇ □(ℓ) = □(ℓ) ∇ ℓ`
///
/// Multiply every cost by the box of the *sum* of the log-probabilities of all choices that came before it and could have
/// influenced it. The derivative of the product is the score-function estimator, and stays one when it is differentiated
/// again: the box reproduces itself. For one choice and one derivative [`score_function_cost`](crate::score_function_cost) is
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
/// use burn_relax::dice;
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
    log_prob.clone().sub(log_prob.detach()).exp()
}

/// The score-function surrogate in the form of [`dice`]: its value is the cost, its derivatives of every order are estimators
/// of the derivatives of the expected cost.
///
/// `□(ℓ) f + (1 - □(ℓ)) b`
///
/// # Shapes
///
/// - log_prob, cost, baseline, output: the same
///
/// # Arguments
///
/// * `log_prob` - Of all choices that could have influenced the cost, summed.
/// * `cost` - To be minimised.
/// * `baseline` - What a typical cost is; never the cost's own sample. It is detached.
///
/// # Gradient
///
/// `log_prob`: `(f - b) g`. `cost`: `g`. `baseline`: none.
///
/// # Panics
///
/// If the shapes differ.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::dice_cost;
///
/// let device = Device::flex().autodiff();
/// let log_prob = Tensor::<1>::from_floats([-0.7, -1.2], &device).require_grad();
/// let cost = Tensor::<1>::from_floats([3.0, 1.0], &device);
/// let surrogate = dice_cost(log_prob.clone(), cost, Some(Tensor::full([2], 2.0, &device)));
/// assert_eq!(surrogate.to_data().try_to_vec::<f32>().unwrap(), [3.0, 1.0]);
/// let grads = surrogate.sum().backward();
/// assert_eq!(log_prob.grad(&grads).unwrap().into_data().try_to_vec::<f32>().unwrap(), [1.0, -1.0]);
/// ```
///
/// # References
///
/// Foerster et al., 2018, arXiv:1802.05098; Mao et al., 2019, for the baseline term.
#[track_caller]
pub fn dice_cost<const D: usize>(
    log_prob: Tensor<D>,
    cost: Tensor<D>,
    baseline: Option<Tensor<D>>,
) -> Tensor<D> {
    let op = "dice_cost";
    let shape = log_prob.shape();
    check::same_shape(op, "cost", "log_prob", shape.clone(), cost.shape());
    let carrier = dice(log_prob);
    match baseline {
        None => cost.mul(carrier),
        Some(baseline) => {
            check::same_shape(op, "baseline", "log_prob", shape, baseline.shape());
            // The box less 1 is exactly 0 in value, so that the value stays the cost to the bit.
            let excess = carrier.sub_scalar(1.0);
            cost.clone().add(excess.mul(cost.sub(baseline.detach())))
        }
    }
}
