use burn_core::tensor::{AsIndex, DType, FloatDType, Int, Tensor};

use crate::{
    Seed, check,
    functions::{
        Centred,
        argmax::first_argmax,
        centred::{is_forbidden, limits},
        log_softmax, noise,
    },
};

/// Log-probability of chosen classes under `softmax(logits)`.
///
/// `log p_k = x_k - log Σ_j exp x_j`
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - indices: `[.., K, ..]`, each in `0..n`
/// - output: the indices'
///
/// # Gradient
///
/// `(e_k - p) g` for each index.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or the indices' shape differs from the logits' outside `dim`.
///
/// # Numerical behaviour
///
/// A forbidden class (`-inf`) has log-probability `-inf`.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Int, Tensor};
/// use burn_relax::categorical_log_prob;
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &device);
/// let indices = Tensor::<2, Int>::from_ints([[2, 0]], &device);
/// let log_prob = categorical_log_prob(logits, indices, 1).into_data().try_to_vec::<f32>().unwrap();
/// assert!((log_prob[0] + 0.523_909).abs() < 1e-5 && (log_prob[1] + 3.023_909).abs() < 1e-5);
/// ```
#[track_caller]
pub fn categorical_log_prob<const D: usize>(
    logits: Tensor<D>,
    indices: Tensor<D, Int>,
    dim: impl AsIndex,
) -> Tensor<D> {
    let op = "categorical_log_prob";
    let dim = check::dim::<D>(op, dim);
    check::not_empty(op, "logits", &logits, dim);
    check::same_rows(op, "indices", logits.shape(), indices.shape(), dim);
    log_softmax(logits, dim).gather(dim, indices)
}

/// Entropy `-Σ p ln p` of `softmax(logits)`, in nats.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., 1, ..]`
///
/// # Gradient
///
/// `-p_i (ln p_i + H) g`, exactly 0 at forbidden entries.
///
/// # Panics
///
/// If `dim` is out of range or the axis is empty.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let logits = Tensor::<1>::from_floats([0.0, 0.0, f32::NEG_INFINITY], &Device::flex());
/// let entropy = burn_relax::categorical_entropy(logits, 0).into_scalar::<f32>();
/// assert!((entropy - std::f32::consts::LN_2).abs() < 1e-6);
/// ```
#[track_caller]
pub fn categorical_entropy<const D: usize>(logits: Tensor<D>, dim: impl AsIndex) -> Tensor<D> {
    let op = "categorical_entropy";
    let dim = check::dim::<D>(op, dim);
    check::not_empty(op, "logits", &logits, dim);
    let dtype = logits.dtype();
    let log_probs = log_softmax(load(logits), dim);
    let forbidden = is_forbidden(&log_probs);
    let log_probs = log_probs.mask_fill(forbidden.clone(), 0.0);
    let probs = log_probs.clone().exp().mask_fill(forbidden, 0.0);
    store(probs.mul(log_probs).sum_dim(dim).neg(), dtype)
}

/// Draws classes from `softmax(logits)`, by the Gumbel-max trick.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., samples, ..]`
///
/// # Arguments
///
/// * `samples` - Independent draws per row, at least 1.
/// * `seed` - Same seed, same draw, on every backend and for any number of threads.
///
/// # Gradient
///
/// None: indices are integers.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or `samples` is 0.
///
/// # Randomness
///
/// Counter-based ([`Seed`]): class `i` of sample `s` in row `r` uses draw `(r K + s) n + i` of the seed's stream, whatever
/// the backend and the number of threads.
///
/// # Numerical behaviour
///
/// Forbidden classes are never drawn; a row that is all `-inf` gives 0.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::sample_categorical;
///
/// let logits = Tensor::<2>::from_floats([[0.0, f32::NEG_INFINITY, 0.0]], &Device::flex());
/// let draws = sample_categorical(logits, 1, 1000, 1);
/// let ones = draws.clone().equal_elem(1).int().sum().into_scalar::<i64>();
/// let twos = draws.equal_elem(2).int().sum().into_scalar::<i64>();
/// assert!(ones == 0 && (440..560).contains(&twos));
/// ```
#[track_caller]
pub fn sample_categorical<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    samples: usize,
    seed: impl Into<Seed>,
) -> Tensor<D, Int> {
    let op = "sample_categorical";
    let dim = check::dim::<D>(op, dim);
    check::not_empty(op, "logits", &logits, dim);
    check::at_least(op, "samples", 1, samples);
    sample(logits.detach(), dim, samples, 1.0, seed.into())
}

/// Draws from `softmax(logits / temperature)`; arguments are checked by the caller.
pub(super) fn sample<const D: usize>(
    logits: Tensor<D>,
    dim: usize,
    samples: usize,
    temperature: f64,
    seed: Seed,
) -> Tensor<D, Int> {
    let classes = logits.dims()[dim];
    let mut innermost = logits.dims();
    innermost[dim..].rotate_left(1);
    let rows = innermost[..D - 1].iter().product();
    let mut drawn = logits.dims();
    drawn[dim] = samples;
    if rows == 0 {
        // Burn's `reshape` reads a 0 as "the size that was there".
        return Tensor::zeros(drawn, &logits.device());
    }
    let mut axes: [isize; D] = core::array::from_fn(|axis| axis as isize);
    axes[dim..].rotate_left(1);
    let scores: Tensor<3> = load(logits).permute(axes).reshape([rows, 1, classes]);

    let options = (&scores.device(), scores.dtype()).into();
    let noise = noise::rows([rows, samples, classes], 2, seed, options);
    let perturbed = Centred::new(scores, 2).map_into(|gaps| gaps.div_scalar(temperature), noise);
    let indices = first_argmax(perturbed, 2);

    drawn[dim..].rotate_left(1);
    let mut back: [isize; D] = core::array::from_fn(|axis| axis as isize);
    back[dim..].rotate_right(1);
    indices.reshape(drawn).permute(back)
}

/// In at least f32, the shortest dtype that anything is computed in.
pub(crate) fn load<const D: usize>(logits: Tensor<D>) -> Tensor<D> {
    let logits = logits.dequantize();
    match logits.dtype() {
        DType::F16 | DType::BF16 => logits.cast(FloatDType::F32),
        _ => logits,
    }
}

/// Rounded once to the dtype that was asked for.
pub(crate) fn store<const D: usize>(result: Tensor<D>, dtype: DType) -> Tensor<D> {
    if result.dtype() == dtype {
        result
    } else {
        result.cast(FloatDType::from(dtype))
    }
}

/// Log-probabilities with `-inf` replaced by 0, for products whose other factor vanishes there.
pub(crate) fn finite_or_zero<const D: usize>(log_probs: Tensor<D>) -> Tensor<D> {
    let lowest = limits(log_probs.dtype()).0;
    let forbidden = log_probs.clone().lower_scalar(lowest);
    log_probs.mask_fill(forbidden, 0.0)
}
