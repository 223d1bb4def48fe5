use burn_core::tensor::Tensor;

use crate::{
    check,
    estimate::dice::dice,
    parts::{
        constant::Constant,
        dtype::{load, store},
    },
};

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
/// If the shapes or the dtypes differ.
///
/// # Numerical behaviour
///
/// The value is the cost, whatever it is. Where cost or baseline are infinite or NaN the log-probability has no gradient.
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
    let (log_prob, cost) = (log_prob.dequantize(), cost.dequantize());
    check::alike(op, ["cost", "log_prob"], &cost, &log_prob);
    let baseline = baseline.map(Tensor::dequantize);
    if let Some(baseline) = &baseline {
        check::alike(op, ["baseline", "log_prob"], baseline, &log_prob);
    }
    let dtype = cost.dtype();
    let (cost, baseline) = (
        load(cost),
        baseline.map(|baseline| load(baseline.constant())),
    );
    // Nothing can be learned where these are no finite numbers; the value is the cost all the same.
    let mut unknown = cost.clone().is_finite().bool_not();
    if let Some(baseline) = &baseline {
        unknown = unknown.bool_or(baseline.clone().is_finite().bool_not());
    }
    let baseline = baseline.map(|baseline| baseline.mask_fill(unknown.clone(), 0.0));
    let finite = cost.clone().mask_fill(unknown.clone(), 0.0);
    let carrier = dice(load(log_prob));
    let surrogate = match baseline {
        None => finite.mul(carrier),
        Some(baseline) => {
            // The box less 1 is exactly 0 in value, so that the value stays the cost to the bit.
            let excess = carrier.sub_scalar(1.0);
            finite.clone().add(excess.mul(finite.sub(baseline)))
        }
    };
    store(surrogate.mask_where(unknown, cost), dtype)
}
