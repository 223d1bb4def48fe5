use burn_core::tensor::Tensor;

use crate::{check, estimate::dice::dice, parts::constant::Constant};

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
/// use burn_relax::loss::dice_loss;
///
/// let device = Device::flex().autodiff();
/// let log_prob = Tensor::<1>::from_floats([-0.7, -1.2], &device).require_grad();
/// let cost = Tensor::<1>::from_floats([3.0, 1.0], &device);
/// let surrogate = dice_loss(log_prob.clone(), cost, Some(Tensor::full([2], 2.0, &device)));
/// assert_eq!(surrogate.to_data().try_to_vec::<f32>().unwrap(), [3.0, 1.0]);
/// let grads = surrogate.sum().backward();
/// assert_eq!(log_prob.grad(&grads).unwrap().into_data().try_to_vec::<f32>().unwrap(), [1.0, -1.0]);
/// ```
///
/// # References
///
/// Foerster et al., 2018, arXiv:1802.05098; Mao et al., 2019, for the baseline term.
#[track_caller]
pub fn dice_loss<const D: usize>(
    log_prob: Tensor<D>,
    cost: Tensor<D>,
    baseline: Option<Tensor<D>>,
) -> Tensor<D> {
    let op = "dice_loss";
    let shape = log_prob.shape();
    check::same_shape(op, "cost", "log_prob", shape.clone(), cost.shape());
    let carrier = dice(log_prob);
    match baseline {
        None => cost.mul(carrier),
        Some(baseline) => {
            check::same_shape(op, "baseline", "log_prob", shape, baseline.shape());
            // The box less 1 is exactly 0 in value, so that the value stays the cost to the bit.
            let excess = carrier.sub_scalar(1.0);
            cost.clone().add(excess.mul(cost.sub(baseline.constant())))
        }
    }
}
