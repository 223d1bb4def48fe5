use burn_core::tensor::Tensor;

use crate::{
    check,
    parts::{
        centred::is_forbidden,
        constant::Constant,
        dtype::{load, store},
    },
};

/// The score-function (REINFORCE) surrogate: its *value is the cost* and its *gradient is the estimator*.
///
/// `f + (log p(k) - detach(log p(k))) detach(f - b)`
///
/// Parameters inside the cost get their pathwise gradient; the parameters of the choice get `(f - b) ∇ log p(k)`, unbiased
/// for `∇ E f` when `k` was *sampled* from `p` and the baseline `b` does not depend on it.
///
/// Two frequent mistakes this form rules out: the sign (`-log p(k) · cost` climbs the cost when minimised; that sign belongs
/// to a reward), and forgetting to detach the cost in the product, which lets the cost's own parameters cheat. A third it
/// cannot rule out: `k` must be a sample, not the argmax, or the gradient is that of no expectation.
///
/// # Shapes
///
/// - log_prob, cost, baseline, output: the same
///
/// # Arguments
///
/// * `log_prob` - Of the sampled classes, from [`categorical_log_prob`](crate::distribution::categorical_log_prob).
/// * `cost` - Of the sampled classes; to be minimised.
/// * `baseline` - What a typical cost is, to lower the variance; never the cost's own sample. It is detached.
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
/// The value is the cost, whatever it is. Where the advantage is infinite or NaN the log-probability has no gradient.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::loss::score_function_loss;
///
/// let device = Device::flex().autodiff();
/// let log_prob = Tensor::<1>::from_floats([-0.7, -1.2], &device).require_grad();
/// let cost = Tensor::<1>::from_floats([3.0, 1.0], &device);
/// let baseline = Tensor::<1>::full([2], 2.0, &device);
/// let surrogate = score_function_loss(log_prob.clone(), cost, Some(baseline));
/// assert_eq!(surrogate.to_data().try_to_vec::<f32>().unwrap(), [3.0, 1.0]);
/// let grads = surrogate.sum().backward();
/// assert_eq!(log_prob.grad(&grads).unwrap().into_data().try_to_vec::<f32>().unwrap(), [1.0, -1.0]);
/// ```
///
/// # References
///
/// Williams, 1992, "Simple statistical gradient-following algorithms"; Schulman et al., 2015, arXiv:1506.05254.
#[track_caller]
pub fn score_function_loss<const D: usize>(
    log_prob: Tensor<D>,
    cost: Tensor<D>,
    baseline: Option<Tensor<D>>,
) -> Tensor<D> {
    let op = "score_function_loss";
    let (log_prob, cost) = (log_prob.dequantize(), cost.dequantize());
    check::alike(op, ["cost", "log_prob"], &cost, &log_prob);
    let baseline = baseline.map(Tensor::dequantize);
    if let Some(baseline) = &baseline {
        check::alike(op, ["baseline", "log_prob"], baseline, &log_prob);
    }
    surrogate(log_prob, cost, baseline)
}

/// [`score_function_loss`] of checked tensors; the log-probability may be longer than the cost.
pub(crate) fn surrogate<const D: usize>(
    log_prob: Tensor<D>,
    cost: Tensor<D>,
    baseline: Option<Tensor<D>>,
) -> Tensor<D> {
    let dtype = cost.dtype();
    let (log_prob, cost) = (load(log_prob), load(cost));
    let advantage = advantage(cost.clone(), baseline.map(load));
    // A forbidden class has log-probability -inf and nothing to learn.
    let forbidden = is_forbidden(&log_prob);
    let log_prob = log_prob.mask_fill(forbidden, 0.0);
    let score = log_prob.clone().sub(log_prob.constant());
    store(cost.add(score.mul(advantage)), dtype)
}

/// What the cost exceeds the baseline by, as a constant: 0 where that is no finite number, from which nothing can be learned.
fn advantage<const D: usize>(cost: Tensor<D>, baseline: Option<Tensor<D>>) -> Tensor<D> {
    let advantage = match baseline {
        None => cost.constant(),
        Some(baseline) => cost.constant().sub(baseline.constant()),
    };
    let unknown = advantage.clone().is_finite().bool_not();
    advantage.mask_fill(unknown, 0.0)
}
