use burn_core::tensor::{AsIndex, Tensor};

use crate::{
    check,
    coefficient::Coefficient,
    parts::{
        centred::{Centred, spread},
        constant::Constant,
        dtype::{load, store},
    },
    sparse::entmax::entmax_of,
};

/// The loss that belongs to [`entmax`](crate::sparse::entmax()), as the cross-entropy belongs to the softmax, for each row.
///
/// The Fenchel–Young loss of Tsallis' entropy `H_α`: with `p = entmax(x, α)` and the target distribution `t`,
///
/// `L = H_α(p) - H_α(t) + <p - t, x>`, `H_α(p) = (1 - Σ p^α) / (α (α - 1))`
///
/// It is convex in the logits, never negative, and for a one-hot target exactly 0 once the target leads by `1 / (α - 1)`. At `α = 1`
/// it is the cross-entropy less the target's own entropy.
///
/// # Shapes
///
/// - logits, targets: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., 1, ..]`
///
/// # Arguments
///
/// * `logits` - Unnormalised scores; `-inf` forbids an entry.
/// * `targets` - Not negative, sum 1 along `dim`: a one-hot or a distribution.
/// * `dim` - The axis of the classes; negative counts from the end.
/// * `alpha` - Finite and greater than 0: a number, or a tensor with one value per row ([`Coefficient`]).
///
/// # Gradient
///
/// Logits: `p - t`. Targets and a tensor alpha: the derivatives of the formula at constant `p`.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, the targets' shape or dtype is not the logits', or alpha is out of its domain or of a
/// shape that does not fit.
///
/// # Numerical behaviour
///
/// A target at a forbidden entry costs `+inf`, with no gradient.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::loss::entmax_loss;
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5], [-2.0, 0.0, 2.0]], &device);
/// let targets = Tensor::<2>::from_floats([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]], &device);
/// let loss = entmax_loss(logits, targets, 1, 1.5).into_data().try_to_vec::<f32>().unwrap();
/// assert!((loss[0] - 0.184_371).abs() < 1e-6 && loss[1] == 0.0);
/// ```
///
/// # References
///
/// Blondel, Martins, Niculae, 2020, arXiv:1901.02324, equation 14.
#[track_caller]
pub fn entmax_loss<const D: usize>(
    logits: Tensor<D>,
    targets: Tensor<D>,
    dim: impl AsIndex,
    alpha: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    entmax_loss_of("entmax_loss", logits, targets, dim, alpha.into())
}

/// [`entmax_loss`] at `alpha = 2`, the loss of [`sparsemax`](crate::sparsemax).
///
/// `L = ½ (Σ t² - Σ p²) + <p - t, x>`; for a one-hot target exactly 0 once it leads by 1.
///
/// # Shapes
///
/// - logits, targets: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., 1, ..]`
///
/// # Gradient
///
/// Logits: `p - t`.
///
/// # Panics
///
/// As [`entmax_loss`].
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &device);
/// let target = Tensor::<1>::from_floats([0.0, 1.0, 0.0], &device);
/// let loss = burn_relax::loss::sparsemax_loss(logits, target, 0).into_scalar::<f32>();
/// assert!((loss - 0.5625).abs() < 1e-6);
/// ```
///
/// # References
///
/// Martins, Astudillo, 2016, arXiv:1602.02068.
#[track_caller]
pub fn sparsemax_loss<const D: usize>(
    logits: Tensor<D>,
    targets: Tensor<D>,
    dim: impl AsIndex,
) -> Tensor<D> {
    entmax_loss_of(
        "sparsemax_loss",
        logits,
        targets,
        dim,
        Coefficient::Number(2.0),
    )
}

/// [`entmax_loss`] for an operator whose name the messages have.
#[track_caller]
pub(crate) fn entmax_loss_of<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    targets: Tensor<D>,
    dim: impl AsIndex,
    alpha: Coefficient<D>,
) -> Tensor<D> {
    let (logits, dim) = check::logits(op, logits, dim);
    let targets = targets.dequantize();
    check::beside(op, "targets", &logits, &targets);
    alpha.check(op, "alpha", &logits, dim);
    let dtype = logits.dtype();
    let (logits, targets) = (load(logits), load(targets));
    let alpha = alpha.load();
    // Constant: with the entropy's slope their own cancels, and leaves p - t exactly.
    let held = alpha.clone().constant();
    let probs = entmax_of(op, logits.clone().constant(), dim, held);
    let alpha = alpha.into_tensor(&logits, dim);
    let Centred { gaps, forbidden } = Centred::new(logits, dim);
    let impossible = targets
        .clone()
        .constant()
        .mask_fill(forbidden.bool_not(), 0.0)
        .sum_dim(dim)
        .greater_scalar(0.0);
    let linear = probs.clone().sub(targets.clone()).mul(gaps).sum_dim(dim);
    let entropies = entropy(probs, alpha.clone(), dim).sub(entropy(targets, alpha, dim));
    let raw = linear.add(entropies);
    // Rounding may leave a little less than 0; the gradient stays.
    let least = raw.clone().constant();
    let lift = least.clone().clamp_min(0.0).sub(least);
    let loss = raw.add(lift);
    store(loss.mask_fill(impossible, f64::INFINITY), dtype)
}

/// Below this `(e^w - 1) / w` is summed from its series: the formula loses no more than two bits beyond.
const NEAR: f64 = 0.5;

/// Terms of that series: the next is 1e-18 of the first.
const TERMS: u32 = 15;

/// `Σ p (-ln p) (e^w - 1) / w / α` with `w = (α - 1) ln p`: `(1 - Σ p^α) / (α (α - 1))` without its singularity at 1.
fn entropy<const D: usize>(probs: Tensor<D>, alpha: Tensor<D>, dim: usize) -> Tensor<D> {
    let shape = probs.dims();
    let zero = probs.clone().equal_scalar(0.0);
    let logs = probs.clone().mask_fill(zero, 1.0).log();
    let w = logs.clone().mul(alpha.clone().sub_scalar(1.0));
    let far = w.clone().abs().greater_scalar(NEAR);
    let small = w.clone().mask_fill(far.clone(), 0.0);
    let mut series = small.ones_like();
    for k in (2..=TERMS).rev() {
        series = series
            .mul(small.clone())
            .div_scalar(f64::from(k))
            .add_scalar(1.0);
    }
    let large = w.mask_fill(far.clone().bool_not(), 1.0);
    let formula = large.clone().exp().sub_scalar(1.0).div(large);
    let ratio = series.mask_where(far, formula);
    let sum = probs.mul(logs).mul(ratio).sum_dim(dim).neg();
    let mut rows = shape;
    rows[dim] = 1;
    sum.div(spread(alpha, rows))
}
