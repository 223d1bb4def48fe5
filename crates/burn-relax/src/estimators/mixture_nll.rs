use burn_core::tensor::{AsIndex, Int, Tensor};

use crate::{
    Coefficient, categorical_log_prob, check, free_energy_cost,
    functions::{first_argmax, is_forbidden, load, spread, store},
    log_softmax,
};

/// The negative log-likelihood of a mixture: a gate over the classes times one likelihood per class.
///
/// `L = -log Σ_k p_k exp(ℓ_k)` with `p = softmax(x)`
///
/// Each class learns from the examples it is responsible for, `r_k ~ p_k exp(ℓ_k)`, and the gate learns to predict the
/// responsibilities. It is the [`free_energy_cost`] of the costs `-ℓ` at temperature 1; a scale learned inside `ℓ`
/// ([`gaussian_log_likelihood`]) takes the temperature's place and finds its own value.
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
/// By log-sum-exp. A row in which no allowed class is possible has the value `+inf` and no gradient.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{gaussian_log_likelihood, mixture_nll};
///
/// let device = Device::flex();
/// let gate = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &device);
/// let values = Tensor::<1>::from_floats([1.0, 0.0, 3.0], &device);
/// let target = Tensor::<1>::from_floats([0.0], &device);
/// let nll = mixture_nll(gate, gaussian_log_likelihood(values, target, 1.0), 0);
/// // -ln((.048611 e^-.5 + .359188 + .592201 e^-4.5) / √(2π))
/// assert!((nll.into_scalar::<f32>() - 1.847_173).abs() < 1e-5);
/// ```
///
/// # References
///
/// Jacobs, Jordan, Nowlan, Hinton, 1991, "Adaptive mixtures of local experts", equation 1.3.
#[track_caller]
pub fn mixture_nll<const D: usize>(
    logits: Tensor<D>,
    log_likelihood: Tensor<D>,
    dim: impl AsIndex,
) -> Tensor<D> {
    let op = "mixture_nll";
    let dim = check::dim::<D>(op, dim);
    check::not_empty(op, "logits", &logits, dim);
    check::beside(op, "log_likelihood", &logits, &log_likelihood);
    free_energy_cost(logits, log_likelihood.neg(), dim, 1.0)
}

/// The hard-EM limit of [`mixture_nll`]: the whole responsibility goes to the most responsible class.
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
/// As [`mixture_nll`].
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
/// let nll = burn_relax::hard_mixture_nll(gate, log_likelihood, 0).into_scalar::<f32>();
/// assert!((nll - (1.0 + std::f32::consts::LN_2)).abs() < 1e-6);
/// ```
///
/// # References
///
/// Celeux, Govaert, 1992, "A classification EM algorithm for clustering and two stochastic versions".
#[track_caller]
pub fn hard_mixture_nll<const D: usize>(
    logits: Tensor<D>,
    log_likelihood: Tensor<D>,
    dim: impl AsIndex,
) -> Tensor<D> {
    let op = "hard_mixture_nll";
    let dim = check::dim::<D>(op, dim);
    check::not_empty(op, "logits", &logits, dim);
    check::beside(op, "log_likelihood", &logits, &log_likelihood);
    winner(logits, log_likelihood.neg(), dim, true)
}

/// The cost of the cheapest class, with the gate taught to predict it: the free energy's limit `T → 0` for the heads, and
/// cross entropy for the gate.
///
/// `C = f_w - log p_w` with `w = argmin_k f_k` over the allowed classes
///
/// # Shapes
///
/// - logits, cost: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., 1, ..]`
///
/// # Gradient
///
/// `(p - e_w) g` for the logits, which is that of [`free_energy_cost`] over `T` in the limit `T → 0`; `e_w g` for the costs.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or the shapes differ.
///
/// # Numerical behaviour
///
/// Ties go to the lowest index. A row whose allowed costs are all `+inf` has the value `+inf`, one of `-inf` logits 0; neither
/// has a gradient.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let logits = Tensor::<1>::from_floats([0.0, 0.0], &device);
/// let cost = Tensor::<1>::from_floats([3.0, 1.0], &device);
/// let winner = burn_relax::winner_takes_all_cost(logits, cost, 0).into_scalar::<f32>();
/// assert!((winner - (1.0 + std::f32::consts::LN_2)).abs() < 1e-6);
/// ```
///
/// # References
///
/// Guzmán-Rivera, Batra, Kohli, 2012, "Multiple choice learning".
#[track_caller]
pub fn winner_takes_all_cost<const D: usize>(
    logits: Tensor<D>,
    cost: Tensor<D>,
    dim: impl AsIndex,
) -> Tensor<D> {
    let op = "winner_takes_all_cost";
    let dim = check::dim::<D>(op, dim);
    check::not_empty(op, "logits", &logits, dim);
    check::beside(op, "cost", &logits, &cost);
    winner(logits, cost, dim, false)
}

/// `f_w - log p_w` at the winner of the costs, or of costs and gate together.
fn winner<const D: usize>(
    logits: Tensor<D>,
    cost: Tensor<D>,
    dim: usize,
    gate_decides: bool,
) -> Tensor<D> {
    let dtype = cost.dtype();
    let log_probs = log_softmax(load(logits), dim);
    let cost = load(cost);
    let forbidden = is_forbidden(&log_probs);
    let surprise = log_probs.neg().mask_fill(forbidden.clone(), 0.0);
    let cost = cost.mask_fill(forbidden.clone(), 0.0);
    let mut ranked = cost.clone().detach();
    if gate_decides {
        ranked = ranked.add(surprise.clone().detach());
    }
    let ranked = ranked.mask_fill(forbidden, f64::INFINITY);
    let chosen = first_argmax(ranked.neg(), dim);
    // What has no gradient must not meet an infinity on its way back either.
    let total = cost.add(surprise).gather(dim, chosen);
    let hopeless = total.clone().is_inf();
    let total = total
        .clone()
        .mask_fill(hopeless.clone(), 0.0)
        .mask_where(hopeless, total.detach());
    store(total, dtype)
}

/// Log-density of a target under one Gaussian per class, with a scale that may be learned.
///
/// `ℓ_k = -(t - V_k)² / (2 s²) - ln s - ½ ln 2π`
///
/// # Shapes
///
/// - values: `[.., n, ..]`, the classes' means
/// - target, deviation tensor: any shape that broadcasts to the values'
/// - output: the values'
///
/// # Arguments
///
/// * `deviation` - The standard deviation `s`: a number, finite and greater than 0, or a tensor that receives a gradient. Learn
///   its logarithm and pass the exponential, so that it stays positive.
///
/// # Gradient
///
/// Exact for values, target and a tensor deviation, for which it is `((t - V)² / s² - 1) / s`.
///
/// # Panics
///
/// If the deviation is a number out of its domain, or a shape does not broadcast.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let values = Tensor::<1>::from_floats([1.0, 0.0], &device);
/// let target = Tensor::<1>::from_floats([0.0], &device);
/// let density = burn_relax::gaussian_log_likelihood(values, target, 0.5);
/// let density = density.into_data().try_to_vec::<f32>().unwrap();
/// assert!((density[1] + 0.225_791).abs() < 1e-6 && (density[0] + 2.225_791).abs() < 1e-6);
/// ```
#[track_caller]
pub fn gaussian_log_likelihood<const D: usize>(
    values: Tensor<D>,
    target: Tensor<D>,
    deviation: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let op = "gaussian_log_likelihood";
    check::broadcasts(op, "target", values.shape(), target.shape());
    let half_log_tau = core::f64::consts::TAU.ln() / 2.0;
    let dtype = values.dtype();
    let distance = load(values).sub(load(target));
    let density = match deviation.into() {
        Coefficient::Number(deviation) => {
            check::positive(op, "deviation", deviation);
            let scaled = distance.div_scalar(deviation).square().div_scalar(-2.0);
            scaled.sub_scalar(deviation.ln() + half_log_tau)
        }
        Coefficient::Tensor(deviation) => {
            check::broadcasts(op, "deviation", distance.shape(), deviation.shape());
            let deviation = load(deviation);
            let scaled = distance.div(deviation.clone()).square().div_scalar(-2.0);
            scaled.sub(deviation.log().add_scalar(half_log_tau))
        }
    };
    store(density, dtype)
}

/// Log-probability of a target class under one categorical distribution per class of the gate.
///
/// `ℓ_k = log softmax(z_k)_t`, with the outputs `z_k` of the gate's class `k` in the last dimension
///
/// # Shapes
///
/// - outputs: the gate's logits' shape, then a dimension of `m ≥ 1` outputs
/// - target: the same with size 1 in the last dimension and, where all classes share it, along the gate's axis
/// - output: the gate's logits' shape
///
/// # Gradient
///
/// `(e_t - softmax(z_k)) g` for the outputs of class `k`.
///
/// # Panics
///
/// If the outputs are empty in their last dimension, the target's last size is not 1, or its shape does not broadcast.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Int, Tensor};
/// use burn_relax::{categorical_log_likelihood, mixture_nll};
///
/// let device = Device::flex();
/// let gate = Tensor::<1>::from_floats([0.0, 0.0], &device);
/// // The first class expects output 0, the second does not know; output 0 was seen.
/// let outputs = Tensor::<2>::from_floats([[100.0, 0.0], [0.0, 0.0]], &device);
/// let target = Tensor::<2, Int>::from_ints([[0]], &device);
/// let nll = mixture_nll(gate, categorical_log_likelihood(outputs, target), 0);
/// assert!((nll.into_scalar::<f32>() + 0.75_f32.ln()).abs() < 1e-6);
/// ```
#[track_caller]
pub fn categorical_log_likelihood<const D: usize, const DO: usize>(
    outputs: Tensor<DO>,
    target: Tensor<DO, Int>,
) -> Tensor<D> {
    let op = "categorical_log_likelihood";
    check::one_rank_less::<D, DO>(op, "outputs");
    let last = DO - 1;
    check::not_empty(op, "outputs", &outputs, last);
    let mut shape = outputs.shape();
    shape[last] = 1;
    check::broadcasts(op, "target", shape.clone(), target.shape());
    let target = spread(target, shape.dims::<DO>());
    let density = categorical_log_prob(outputs, target, last);
    let kept: [usize; D] = core::array::from_fn(|axis| shape[axis]);
    density.reshape(kept)
}
