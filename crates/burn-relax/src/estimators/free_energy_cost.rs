use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Tensor};

use crate::{
    RelaxOps, check,
    coefficient::Coefficient,
    functions::{Centred, is_forbidden, load, store},
    softmax,
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
/// let energy = burn_relax::free_energy_cost(logits, cost, 0, 1.0).into_scalar::<f32>();
/// assert!((energy - 0.900_036).abs() < 1e-5);
/// ```
///
/// # References
///
/// Jacobs, Jordan, Nowlan, Hinton, 1991, "Adaptive mixtures of local experts"; Neal, Hinton, 1998, for the free energy.
#[track_caller]
pub fn free_energy_cost<const D: usize>(
    logits: Tensor<D>,
    cost: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let op = "free_energy_cost";
    let dim = check::dim::<D>(op, dim);
    check::not_empty(op, "logits", &logits, dim);
    check::beside(op, "cost", &logits, &cost);
    let temperature = temperature.into();
    temperature.check(op, "temperature", &logits, dim);
    match temperature {
        Coefficient::Number(value) => energy(logits, cost, dim, value),
        Coefficient::Tensor(tensor) => {
            let dtype = cost.dtype();
            let (logits, cost, tensor) = (load(logits), load(cost), load(tensor));
            // -T log Σ p exp(-f/T) is T times the energy of f/T at temperature 1. The quotient's own slope in T, f / T², may
            // leave the range of the dtype where the energy's does not, so T is held and its slope added.
            let held = tensor.clone().detach();
            let aside = cost.clone().is_inf().bool_or(is_forbidden(&logits));
            let scaled = cost
                .clone()
                .mask_fill(aside.clone(), 0.0)
                .div(held.clone())
                .mask_where(aside, cost.clone().detach());
            let tilt = scaled.clone().detach();
            let prior = Centred::new(logits.clone().detach(), dim);
            let responsibility = softmax(prior.map(|gaps| gaps.sub(tilt)), dim, 1.0);

            let unit = energy(logits, scaled, dim, 1.0);
            let hopeless = unit.clone().is_inf();
            let finite = unit
                .clone()
                .mask_fill(hopeless.clone(), 0.0)
                .mul(held.clone());
            let none = responsibility.clone().equal_elem(0.0);
            let excess = cost
                .detach()
                .sub(finite.clone().detach())
                .mask_fill(none, 0.0);
            let slope = responsibility
                .mul(excess)
                .sum_dim(dim)
                .div(held.clone())
                .neg();
            let energy = finite
                .add(tensor.sub(held).mul(slope))
                .mask_where(hopeless, unit.detach());
            store(energy, dtype)
        }
    }
}

fn energy<const D: usize>(
    logits: Tensor<D>,
    cost: Tensor<D>,
    dim: usize,
    temperature: f64,
) -> Tensor<D> {
    let (energy, _) = <Dispatch as RelaxOps>::free_energy(
        logits.dequantize().into_dispatch(),
        cost.dequantize().into_dispatch(),
        dim,
        temperature,
    );
    Tensor::from_dispatch(energy)
}
