use burn_core::tensor::{AsIndex, Tensor};

use super::entmax::entmax_of;
use crate::{
    check,
    coefficient::Coefficient,
    parts::{
        centred::Centred,
        dtype::{load, store},
    },
    relax::power_softmax::power_softmax_of,
};

/// The sparse map of a norm: `max_p <p, x> - ||p||_α` over the simplex.
///
/// It falls between the sparse maps and a plain argmax in that its support shrinks with the *absolute* gaps of the logits but its
/// weights stay closer to uniform on the support, the more so the larger `α` is.
///
/// `p ∝ max(0, x - t)^(1 / (α - 1))` with `t` such that `Σ max(0, x - t)^(α / (α - 1)) = 1`. Since that sum is one of [`entmax`](crate::sparse::entmax())'s
/// with `2 - 1/α` in place of `α`, so `p ∝ y^(1/α)` with `y = entmax(x α / (α - 1), 2 - 1/α)`.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Arguments
///
/// * `alpha` - Finite and greater than 1: a number, or a tensor with one value per row ([`Coefficient`]).
///
/// # Gradient
///
/// That of the composition, for the logits and a tensor alpha.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or alpha is out of its domain or of a shape that does not fit.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// // Alone within 1 of itself, the winner takes everything.
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 1.5], &Device::flex());
/// let probs = burn_relax::sparse::normmax(logits, 0, 2.0).into_data().try_to_vec::<f32>().unwrap();
/// assert_eq!(probs, [0.0, 0.0, 1.0]);
/// ```
///
/// # References
///
/// Blondel, Martins, Niculae, 2020, arXiv:1901.02324, section 4.3.
#[track_caller]
pub fn normmax<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    alpha: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    normmax_of("normmax", logits, dim, alpha.into())
}

/// [`normmax`] for an operator whose name the messages have.
#[track_caller]
pub(crate) fn normmax_of<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    dim: impl AsIndex,
    alpha: Coefficient<D>,
) -> Tensor<D> {
    let (logits, dim) = check::logits(op, logits, dim);
    if let Coefficient::Number(value) = alpha {
        check::greater_than_one(op, "alpha", value);
    }
    alpha.check(op, "alpha", &logits, dim);
    let dtype = logits.dtype();
    let centred = Centred::new(load(logits), dim);
    let (scaled, excess, power): (_, Coefficient<D>, Coefficient<D>) = match alpha.load() {
        Coefficient::Number(alpha) => (
            centred.map(|gaps| gaps.mul_scalar(alpha / (alpha - 1.0))),
            (2.0 - 1.0 / alpha).into(),
            (1.0 / alpha).into(),
        ),
        Coefficient::Tensor(alpha) => {
            let conjugate = alpha.clone().div(alpha.clone().sub_scalar(1.0));
            let power = alpha.recip();
            (
                centred.map(|gaps| gaps.mul(conjugate)),
                power.clone().neg().add_scalar(2.0).into(),
                power.into(),
            )
        }
    };
    let probs = power_softmax_of(entmax_of(op, scaled, dim, excess), dim, power);
    store(probs, dtype)
}
