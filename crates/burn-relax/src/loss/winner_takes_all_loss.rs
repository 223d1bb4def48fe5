use burn_core::tensor::{AsIndex, Tensor};

use crate::{
    check,
    parts::{
        centred::is_forbidden,
        choose::first_argmax,
        constant::Constant,
        dtype::{load, store},
    },
    relax::softmax::log_softmax,
};

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
/// `(p - e_w) g` for the logits, which is that of [`free_energy_loss`](crate::loss::free_energy_loss) over `T` in the limit `T → 0`; `e_w g` for the costs.
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
/// let winner = burn_relax::loss::winner_takes_all_loss(logits, cost, 0).into_scalar::<f32>();
/// assert!((winner - (1.0 + std::f32::consts::LN_2)).abs() < 1e-6);
/// ```
///
/// # References
///
/// Guzmán-Rivera, Batra, Kohli, 2012, "Multiple choice learning".
#[track_caller]
pub fn winner_takes_all_loss<const D: usize>(
    logits: Tensor<D>,
    cost: Tensor<D>,
    dim: impl AsIndex,
) -> Tensor<D> {
    let op = "winner_takes_all_loss";
    let (logits, dim) = check::logits(op, logits, dim);
    let cost = cost.dequantize();
    check::beside(op, "cost", &logits, &cost);
    winner(logits, cost, dim, false)
}

/// `f_w - log p_w` at the winner of the costs, or of costs and gate together.
pub(super) fn winner<const D: usize>(
    logits: Tensor<D>,
    cost: Tensor<D>,
    dim: usize,
    gate_decides: bool,
) -> Tensor<D> {
    let dtype = cost.dtype();
    let log_probs = log_softmax(load(logits), dim);
    let cost = load(cost);
    let forbidden = is_forbidden(&log_probs);
    let nothing = is_forbidden(&log_probs.clone().constant().max_dim(dim));
    let surprise = log_probs.neg().mask_fill(forbidden.clone(), 0.0);
    // A forbidden class costs as much as a hopeless one: whichever of them is chosen, the row is hopeless.
    let cost = cost.mask_fill(forbidden, f64::INFINITY);
    let mut ranked = cost.clone().constant();
    if gate_decides {
        ranked = ranked.add(surprise.clone().constant());
    }
    let chosen = first_argmax(ranked.neg(), dim);
    // What has no gradient must not meet an infinity on its way back either.
    let total = cost.add(surprise).gather(dim, chosen);
    let hopeless = total.clone().is_inf();
    let total = total
        .clone()
        .mask_fill(hopeless.clone(), 0.0)
        .mask_where(hopeless, total.constant());
    store(total.mask_fill(nothing, 0.0), dtype)
}
