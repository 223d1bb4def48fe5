use burn_core::tensor::{AsIndex, Int, Tensor};

use super::softmax::softmax;
use burn_relax_kernels::Seed;

use crate::{
    check,
    coefficient::Coefficient,
    distribution::categorical::sample,
    parts::{
        centred::Centred,
        choose::{combine, one_hot},
        constant::Constant,
        dtype::{load, store},
    },
};

/// The one-hot of a class drawn from `softmax(logits)`, with a straight-through gradient of second order (ReinMax).
///
/// Forward `D ~ softmax(x)`. Backward, with `p = softmax(x)`, `q = (D + softmax(x / T)) / 2` and `J(q) u = q (u - <q, u>)`:
///
/// `(2 J(q) g - ½ J(p) g) / T`
///
/// Plain straight-through is the explicit Euler step from one choice to another, this one Heun's: at temperature 1 it is
/// unbiased for costs up to quadratic, where straight-through is so for linear ones only.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same; exactly 0 or 1
///
/// # Arguments
///
/// * `logits` - Unnormalised scores; `-inf` forbids an entry.
/// * `dim` - The axis of the classes; negative counts from the end.
/// * `temperature` - Of the backward pass, finite and greater than 0: a number or one per row ([`Coefficient`]). Above 1 it
///   trades bias for variance.
/// * `seed` - Same seed, same draw, on every backend: give each choice a key or a step of its own, `Seed::new(key, step)`.
///
/// # Gradient
///
/// The formula above for the logits. The temperature gets none, for the estimator is not the gradient of any function.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or the temperature is out of its domain or of a shape that does not fit.
///
/// # Randomness
///
/// Counter-based ([`Seed`]); [`reinmax_with_indices`] takes the drawn classes.
///
/// # Numerical behaviour
///
/// Exact for logits up to ±10⁴; a row of `-inf` gives zeros; a row with NaN gives NaN. The authors' code computes the
/// bracket without its factor `1 / T`; here the factor is kept, as in every other relaxation.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::relax::reinmax;
///
/// let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &Device::flex());
/// let choice = reinmax(logits, 1, 1.0, 7);
/// assert_eq!(choice.sum().into_scalar::<f32>(), 1.0);
/// ```
///
/// # References
///
/// Liu et al., 2023, "Bridging discrete and backpropagation: straight-through and beyond", arXiv:2304.08612, algorithm 2.
#[track_caller]
pub fn reinmax<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    seed: impl Into<Seed>,
) -> Tensor<D> {
    let op = "reinmax";
    let (logits, dim) = check::logits(op, logits, dim);
    let (indices, _) = sample(logits.clone().constant(), dim, 1, 1.0, seed.into());
    second_order(op, logits, indices, dim, temperature)
}

/// [`reinmax`] at given classes, one per row, for enumeration, tests and shared draws.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - indices: `[.., 1, ..]`, each in `0..n`
/// - output: the logits'
///
/// # Gradient
///
/// As [`reinmax`].
///
/// # Panics
///
/// As [`reinmax`], and if the indices are not one per row or one is no class. They are read back for it, except in a browser.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Int, Tensor};
/// use burn_relax::relax::reinmax_with_indices;
///
/// let device = Device::flex().autodiff();
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &device).require_grad();
/// let drawn = Tensor::<1, Int>::from_ints([1], &device);
/// let upstream = Tensor::<1>::from_floats([1.0, 2.0, 3.0], &device);
/// let grads = reinmax_with_indices(logits.clone(), drawn, 0, 1.0).mul(upstream).sum().backward();
/// let gradient = logits.grad(&grads).unwrap().into_data().try_to_vec::<f32>().unwrap();
/// assert!((gradient[0] + 0.024_305).abs() < 1e-5 && (gradient[2] - 0.296_101).abs() < 1e-5);
/// ```
#[track_caller]
pub fn reinmax_with_indices<const D: usize>(
    logits: Tensor<D>,
    indices: Tensor<D, Int>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let op = "reinmax_with_indices";
    let (logits, dim) = check::logits(op, logits, dim);
    check::one_per_row(op, "indices", logits.shape(), indices.shape(), dim);
    check::indices(op, "indices", &indices, logits.dims()[dim]);
    second_order(op, logits, indices, dim, temperature)
}

#[track_caller]
fn second_order<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    indices: Tensor<D, Int>,
    dim: usize,
    temperature: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let temperature = temperature.into();
    temperature.check(op, "temperature", &logits, dim);
    if logits.dims().contains(&0) {
        return logits;
    }
    let dtype = logits.dtype();
    let logits = load(logits);
    let temperature = temperature.load().constant();

    let held = logits.clone().constant();
    let hard = one_hot(&held, indices, dim);
    let probs = softmax(held.clone(), dim, 1.0);
    let middle = softmax(held, dim, temperature.clone())
        .add(hard.clone())
        .div_scalar(2.0);
    let hard = hard.mask_fill(probs.clone().is_nan(), f64::NAN);

    // `J(q)` is linear, so that with `q` held the product's gradient is the formula's; the value is 0. The temperature comes first,
    // and in the backward pass last, where the sums are known.
    let gaps = Centred::new(logits, dim).gaps;
    let moved = gaps.clone().sub(gaps.clone().constant());
    let moved = moved.div(temperature.into_tensor(&gaps, dim));
    let jacobian = |q: Tensor<D>| {
        let mean = q.clone().mul(moved.clone()).sum_dim(dim);
        q.mul(moved.clone().sub(mean))
    };
    let line = jacobian(middle).mul_scalar(2.0) - jacobian(probs).div_scalar(2.0);
    store(combine(hard, line), dtype)
}
