use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Tensor};

use crate::{
    check,
    coefficient::Coefficient,
    dispatch::RelaxOps,
    parts::{
        centred::is_forbidden,
        constant::Constant,
        dtype::{held, load, store},
    },
    relax::softmax::softmax,
};

/// The free energy of the classes' costs: the objective that trains a choice best when every cost is at hand.
///
/// `F = -T log Σ_k p_k exp(-f_k / T)` with `p = softmax(x)`
///
/// It lies between the cheapest class's cost (`T → 0`) and the expected cost (`T → ∞`). Each class learns from the examples
/// it is responsible for, `r_k ~ p_k exp(-f_k / T)`, and the gate learns to predict the responsibilities; a class that is
/// not chosen yet but fits better still receives its share. With `f` a squared error and `T = 2 σ²` this is, up to a factor
/// and a constant, the negative log-likelihood of a mixture of Gaussian experts.
///
/// # Shapes
///
/// - logits, cost: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., 1, ..]`
///
/// # Arguments
///
/// * `logits` - Unnormalised scores of the classes; `-inf` forbids one, whose cost then does not matter.
/// * `cost` - To be minimised, in any unit; `+inf` takes the responsibility from a class.
/// * `dim` - The axis of the classes; negative counts from the end.
/// * `temperature` - In the unit of the cost; finite and greater than 0: a number, or a tensor with one value per row.
///
/// # Gradient
///
/// Logits: `T (p - r) g`. Cost: `r g`. Temperature: `(F - Σ r f) / T`, the divergence `KL(r || p)`.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, the shapes differ, or the temperature is out of its domain or of a shape
/// that does not fit.
///
/// # Numerical behaviour
///
/// By log-sum-exp, so costs may be as large as the dtype allows. A row whose allowed costs are all `+inf` has `F = +inf`
/// and no gradient; a row of `-inf` logits gives 0.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &device);
/// let cost = Tensor::<1>::from_floats([1.0, 0.0, 3.0], &device);
/// let energy = burn_relax::loss::free_energy_loss(logits, cost, 0, 1.0).into_scalar::<f32>();
/// assert!((energy - 0.900_036).abs() < 1e-5);
/// ```
///
/// # References
///
/// Jacobs, Jordan, Nowlan, Hinton, 1991, "Adaptive mixtures of local experts"; Neal, Hinton, 1998, for the free energy.
#[track_caller]
pub fn free_energy_loss<const D: usize>(
    logits: Tensor<D>,
    cost: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let op = "free_energy_loss";
    let (logits, dim) = check::logits(op, logits, dim);
    let cost = cost.dequantize();
    check::beside(op, "cost", &logits, &cost);
    let temperature = temperature.into();
    temperature.check(op, "temperature", &logits, dim);
    match temperature {
        Coefficient::Number(value) => {
            let value = held(value, logits.dtype());
            energy(logits, cost, dim, value)
        }
        Coefficient::Tensor(tensor) => {
            let dtype = cost.dtype();
            let energy = at_temperatures(load(logits), load(cost), dim, load(tensor));
            store(energy, dtype)
        }
    }
}

/// `T` times the energy of `(f - c) / T` at temperature 1, beyond the lowest cost `c` of the row, which would cost digits.
///
/// The temperature's gradient, `KL(r || p)`, is added as such: as a difference of energy and mean cost it would cancel.
fn at_temperatures<const D: usize>(
    logits: Tensor<D>,
    cost: Tensor<D>,
    dim: usize,
    tensor: Tensor<D>,
) -> Tensor<D> {
    let temperature = tensor.clone().constant();
    let forbidden = is_forbidden(&logits);
    let lowest = cost
        .clone()
        .constant()
        .mask_fill(forbidden.clone(), f64::INFINITY);
    let lowest = lowest.min_dim(dim);
    let hopeless = lowest.clone().is_inf();
    let lowest = lowest.mask_fill(hopeless.clone(), 0.0);
    let scaled = cost.sub(lowest.clone()).div(temperature.clone());
    let energy = energy(logits.clone(), scaled.clone(), dim, 1.0);
    let information = information(logits.constant(), scaled.constant(), energy.clone(), dim)
        .mask_fill(hopeless.clone(), 0.0);
    let value = energy
        .clone()
        .mask_fill(hopeless.clone(), 0.0)
        .mul(temperature.clone())
        .add(lowest)
        .mask_where(hopeless, energy.constant());
    value.add(tensor.sub(temperature).mul(information))
}

/// `KL(r || p)` of a row, `ln(r / p) = F - f` at temperature 1, as the sum of `p` times `h e^h - e^h + 1 >= 0`: no terms cancel.
fn information<const D: usize>(
    logits: Tensor<D>,
    cost: Tensor<D>,
    energy: Tensor<D>,
    dim: usize,
) -> Tensor<D> {
    /// Below this the function of `h` is a sum of its series: the formula loses no more than eight bits beyond.
    const NEAR: f64 = 0.0625;
    let probs = softmax(logits, dim, 1.0);
    let unlikely = probs.clone().equal_scalar(0.0);
    let h = energy.constant().sub(cost).mask_fill(unlikely, 0.0);
    let impossible = h.clone().is_inf();
    let h = h.mask_fill(impossible.clone(), 0.0);
    let near = h.clone().abs().lower_scalar(NEAR);
    // h² Σ h^k / (k! (k + 2)); the next term is 2e-13 of the first.
    let series = [
        1.0 / 5760.0,
        1.0 / 840.0,
        1.0 / 144.0,
        1.0 / 30.0,
        1.0 / 8.0,
        1.0 / 3.0,
        0.5,
    ]
    .into_iter()
    .fold(h.zeros_like(), |sum, term| {
        sum.mul(h.clone()).add_scalar(term)
    });
    let near_value = series.mul(h.clone()).mul(h.clone());
    let e = h.clone().exp();
    let far = h.sub_scalar(1.0).mul(e).add_scalar(1.0);
    far.mask_where(near, near_value)
        .mask_fill(impossible, 1.0)
        .mul(probs)
        .sum_dim(dim)
}

/// The free energy over its temperature, in at least f32: the energy of `f / T` at temperature 1, which `relative` computes.
///
/// What has no gradient, infinite costs and those of forbidden classes, stands aside of that: 0 times infinity would reach the
/// temperature's.
pub(crate) fn relative_free_energy<const D: usize>(
    logits: Tensor<D>,
    cost: Tensor<D>,
    dim: usize,
    relative: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Tensor<D> {
    let (logits, cost) = (load(logits), load(cost));
    let aside = cost.clone().is_inf().bool_or(is_forbidden(&logits));
    let scaled = relative(cost.clone().mask_fill(aside.clone(), 0.0));
    let scaled = scaled.mask_where(aside, cost.constant());
    energy(logits, scaled, dim, 1.0)
}

fn energy<const D: usize>(
    logits: Tensor<D>,
    cost: Tensor<D>,
    dim: usize,
    temperature: f64,
) -> Tensor<D> {
    let (energy, _) = <Dispatch as RelaxOps>::free_energy(
        logits.into_dispatch(),
        cost.into_dispatch(),
        dim,
        temperature,
    );
    Tensor::from_dispatch(energy)
}
