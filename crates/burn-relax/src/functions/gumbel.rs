use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Tensor};

use crate::{
    RelaxOps, Seed, check,
    coefficient::Coefficient,
    functions::{
        Centred,
        categorical::{finite_or_zero, load, store},
        centred::{limits, spread},
        noise, softmax, straight_through_argmax,
    },
};

/// A relaxed sample from `softmax(logits)`: `softmax((x + G) / T)` with Gumbel noise `G`.
///
/// With `hard` the forward pass is the one-hot of `argmax(x + G)`, an exact sample of `softmax(x)`, and the backward pass
/// that of the relaxed sample.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Arguments
///
/// * `logits` - Unnormalised scores; `-inf` forbids an entry.
/// * `dim` - The axis of the classes; negative counts from the end.
/// * `temperature` - Finite and greater than 0: a number, or a tensor with one value per row ([`Coefficient`]).
/// * `hard` - Exact sample forward, relaxed gradient backward.
/// * `seed` - Same seed, same draw, on every backend and for any number of threads.
///
/// # Gradient
///
/// `y (g - <y, g>) / T` with `y` the relaxed sample. A biased estimate of the gradient of
/// `E f(sample)`; bias goes to 0 and variance up as the temperature goes to 0.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or the temperature is out of its domain or of a shape that does not fit.
///
/// # Randomness
///
/// Counter-based ([`Seed`], [`gumbel_noise`](crate::gumbel_noise)); [`gumbel_softmax_with_noise`] takes the noise.
///
/// # Numerical behaviour
///
/// The maximum is subtracted before the noise is added, so rows of ±10⁴ keep the noise's precision.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::gumbel_softmax;
///
/// let logits = Tensor::<2>::zeros([4, 3], &Device::flex());
/// let sample = gumbel_softmax(logits.clone(), 1, 0.5, true, 3);
/// assert_eq!(sample.clone().sum().into_scalar::<f32>(), 4.0);
/// assert_eq!(sample.into_data(), gumbel_softmax(logits, 1, 0.5, true, 3).into_data());
/// ```
///
/// # References
///
/// Jang, Gu, Poole, 2017, arXiv:1611.01144; Maddison, Mnih, Teh, 2017, arXiv:1611.00712.
#[track_caller]
pub fn gumbel_softmax<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    hard: bool,
    seed: impl Into<Seed>,
) -> Tensor<D> {
    let op = "gumbel_softmax";
    let dim = check::dim::<D>(op, dim);
    check::not_empty(op, "logits", &logits, dim);
    let temperature = temperature.into();
    temperature.check(op, "temperature", &logits, dim);
    let (logits, seed) = (logits.dequantize(), seed.into());
    match temperature {
        Coefficient::Number(temperature) => {
            let draw = if hard {
                Dispatch::gumbel_argmax
            } else {
                Dispatch::gumbel_softmax
            };
            let (sample, _) = draw(logits.into_dispatch(), dim, temperature, seed);
            Tensor::from_dispatch(sample)
        }
        Coefficient::Tensor(temperature) => {
            let dtype = load(logits.clone()).dtype();
            let noise = noise::rows(
                logits.dims(),
                dim,
                1,
                seed,
                (&logits.device(), dtype).into(),
            );
            perturb(logits, noise, dim, temperature, hard)
        }
    }
}

/// [`gumbel_softmax`] with the noise given, for tests, common random numbers and other distributions.
///
/// # Shapes
///
/// - logits, noise, output: `[.., n, ..]` with `n ≥ 1` along `dim`
///
/// # Gradient
///
/// As [`gumbel_softmax`]; the noise gets the logits' gradient where it is tracked.
///
/// # Panics
///
/// As [`gumbel_softmax`], and if the shapes differ.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::gumbel_softmax_with_noise;
///
/// let device = Device::flex();
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &device);
/// let noise = Tensor::<1>::from_floats([0.3, -0.1, 0.2], &device);
/// let sample = gumbel_softmax_with_noise(logits, noise, 0, 0.5, false);
/// let sample = sample.into_data().try_to_vec::<f32>().unwrap();
/// assert!((sample[1] - 0.166_839).abs() < 1e-5 && (sample[2] - 0.826_360).abs() < 1e-5);
/// ```
#[track_caller]
pub fn gumbel_softmax_with_noise<const D: usize>(
    logits: Tensor<D>,
    noise: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    hard: bool,
) -> Tensor<D> {
    let op = "gumbel_softmax_with_noise";
    let dim = check::dim::<D>(op, dim);
    check::not_empty(op, "logits", &logits, dim);
    check::beside(op, "noise", &logits, &noise);
    let temperature = temperature.into();
    temperature.check(op, "temperature", &logits, dim);
    let (logits, noise) = (logits.dequantize(), noise.dequantize());
    match temperature {
        Coefficient::Number(temperature) => {
            let draw = if hard {
                Dispatch::gumbel_argmax_with_noise
            } else {
                Dispatch::gumbel_softmax_with_noise
            };
            let (logits, noise) = (logits.into_dispatch(), noise.into_dispatch());
            let (sample, _) = draw(logits, noise, dim, temperature);
            Tensor::from_dispatch(sample)
        }
        Coefficient::Tensor(temperature) => perturb(logits, load(noise), dim, temperature, hard),
    }
}

/// With one temperature per row, which gets a gradient of its own.
fn perturb<const D: usize>(
    logits: Tensor<D>,
    noise: Tensor<D>,
    dim: usize,
    temperature: Tensor<D>,
    hard: bool,
) -> Tensor<D> {
    let dtype = logits.dtype();
    let logits = load(logits);
    let noise = if hard {
        noise
    } else {
        // Infinite logits share the weight: no noise comes between them.
        let (_, largest) = limits(logits.dtype());
        let decided = logits.clone().detach().max_dim(dim).greater_scalar(largest);
        noise.mask_fill(spread(decided, logits.dims()), 0.0)
    };
    let perturbed = Centred::new(logits, dim).map(|gaps| gaps.add(noise));
    let temperature = load(temperature);
    let sample = if hard {
        straight_through_argmax(perturbed, dim, temperature)
    } else {
        softmax(perturbed, dim, temperature)
    };
    store(sample, dtype)
}

/// Log density of the relaxed sample on the simplex (the Concrete distribution) at `weights`.
///
/// `log Γ(n) + (n-1) ln T + Σ (x_i - (T+1) ln y_i) - n log Σ exp(x_i - T ln y_i)`
///
/// # Shapes
///
/// - logits, weights: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., 1, ..]`
///
/// # Arguments
///
/// * `logits` - Finite.
/// * `weights` - Points inside the simplex: every entry greater than 0, sum 1.
/// * `temperature` - Finite and greater than 0: a number, or a tensor with one value per row ([`Coefficient`]).
///
/// # Gradient
///
/// Exact for logits, weights and a tensor temperature.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, the shapes differ, or the temperature is out of its domain or of a shape
/// that does not fit.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::relaxed_categorical_log_density;
///
/// let device = Device::flex();
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &device);
/// let weights = Tensor::<1>::from_floats([0.2, 0.3, 0.5], &device);
/// let density = relaxed_categorical_log_density(logits, weights, 0, 0.5).into_scalar::<f32>();
/// assert!((density + 1.418_76).abs() < 1e-5);
/// ```
#[track_caller]
pub fn relaxed_categorical_log_density<const D: usize>(
    logits: Tensor<D>,
    weights: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
) -> Tensor<D> {
    let op = "relaxed_categorical_log_density";
    let dim = check::dim::<D>(op, dim);
    check::not_empty(op, "logits", &logits, dim);
    check::beside(op, "weights", &logits, &weights);
    let temperature = temperature.into();
    temperature.check(op, "temperature", &logits, dim);
    let dtype = logits.dtype();
    let (logits, weights) = (load(logits), load(weights));
    let temperature = temperature.load().into_tensor(&logits, dim);

    let classes = logits.dims()[dim];
    let log_gamma: f64 = (2..classes).map(|k| (k as f64).ln()).sum();
    let log_weights = weights.log();
    let tilted = logits - log_weights.clone() * temperature.clone();
    // Σ(x - T ln y) - n log Σ exp(x - T ln y) is the sum of a log-softmax.
    let joint = finite_or_zero(crate::log_softmax(tilted, dim)).sum_dim(dim);
    let volume = temperature.log() * (classes as f64 - 1.0);
    store(joint - log_weights.sum_dim(dim) + volume + log_gamma, dtype)
}
