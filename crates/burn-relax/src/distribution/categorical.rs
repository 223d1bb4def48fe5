use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Int, Tensor};

use burn_relax_kernels::Seed;

use crate::{
    check,
    dispatch::RelaxOps,
    parts::{
        centred::is_forbidden,
        constant::Constant,
        dtype::{load, store},
        labels::wide,
    },
    relax::{soft_argmax_gather::soft_argmax_gather_of, softmax::log_softmax},
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
/// If `dim` is out of range, the axis is empty, the indices' shape differs from the logits' outside `dim`, or an index is no class.
/// They are read back for it, except in a browser; [`sample_categorical_with_log_prob`] has nothing to check.
///
/// # Numerical behaviour
///
/// A forbidden class (`-inf`) has log-probability `-inf`.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Int, Tensor};
/// use burn_relax::distribution::categorical_log_prob;
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
    let (logits, dim) = check::logits(op, logits, dim);
    check::same_rows(op, "indices", logits.shape(), indices.shape(), dim);
    check::indices(op, "indices", &indices, logits.dims()[dim]);
    categorical_log_prob_of(logits, indices, dim)
}

/// [`categorical_log_prob`] of checked logits and indices.
pub(super) fn categorical_log_prob_of<const D: usize>(
    logits: Tensor<D>,
    indices: Tensor<D, Int>,
    dim: usize,
) -> Tensor<D> {
    let (log_probs, _) = <Dispatch as RelaxOps>::categorical_log_prob(
        logits.into_dispatch(),
        wide(indices).into_dispatch(),
        dim,
    );
    Tensor::from_dispatch(log_probs)
}

/// Classes whose mean is taken at once.
const SHORT: usize = 4096;

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
/// let entropy = burn_relax::distribution::categorical_entropy(logits, 0).into_scalar::<f32>();
/// assert!((entropy - std::f32::consts::LN_2).abs() < 1e-6);
/// ```
#[track_caller]
pub fn categorical_entropy<const D: usize>(logits: Tensor<D>, dim: impl AsIndex) -> Tensor<D> {
    let op = "categorical_entropy";
    let (logits, dim) = check::logits(op, logits, dim);
    let dtype = logits.dtype();
    let logits = load(logits);
    // What each class would be a surprise by, held: the mean of its own slope is 0.
    let log_probs = log_softmax(logits.clone().constant(), dim);
    let forbidden = is_forbidden(&log_probs);
    let surprise = log_probs.mask_fill(forbidden, 0.0).neg();
    let mean = |values| soft_argmax_gather_of(op, logits.clone(), values, dim, 1.0.into());
    if logits.dims()[dim] <= SHORT {
        return store(mean(surprise), dtype);
    }
    // Of many classes the mean of what is left round the mean, in which no digits are lost.
    let first = mean(surprise.clone()).constant();
    let rest = mean(surprise.sub(first.clone()));
    store(first.add(rest), dtype)
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
/// * `seed` - Same seed, same draw, on every backend and for any number of threads: give each choice a key or a step of its own,
///   `Seed::new(key, step)`.
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
/// use burn_relax::distribution::sample_categorical;
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
    let (logits, dim) = check::logits(op, logits, dim);
    check::at_least(op, "samples", 1, samples);
    sample(logits.constant(), dim, samples, 1.0, seed.into()).0
}

/// Draws classes from `softmax(logits)` together with their log-probabilities, in one pass over the logits.
///
/// The same as [`sample_categorical`] followed by [`categorical_log_prob`], for the score function
/// ([`score_function_loss`](crate::loss::score_function_loss)): draws, log-probabilities and gradients are equal.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: indices and log-probabilities, both `[.., samples, ..]`
///
/// # Arguments
///
/// * `samples` - Independent draws per row, at least 1.
/// * `seed` - Same seed, same draw, on every backend and for any number of threads: give each choice a key or a step of its own,
///   `Seed::new(key, step)`.
///
/// # Gradient
///
/// Of the log-probabilities: `Σ_s g_s (1[i = k_s] - p_i)` over the samples of a row.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, or `samples` is 0.
///
/// # Randomness
///
/// That of [`sample_categorical`].
///
/// # Numerical behaviour
///
/// Forbidden classes are never drawn; a row that is all `-inf` gives index 0 and log-probability `-inf`, with no gradient.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::distribution::{categorical_log_prob, sample_categorical, sample_categorical_with_log_prob};
///
/// let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &Device::flex());
/// let (indices, log_probs) = sample_categorical_with_log_prob(logits.clone(), 1, 4, 1);
/// assert_eq!(indices.to_data(), sample_categorical(logits.clone(), 1, 4, 1).into_data());
/// assert_eq!(log_probs.into_data(), categorical_log_prob(logits, indices, 1).into_data());
/// ```
#[track_caller]
pub fn sample_categorical_with_log_prob<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    samples: usize,
    seed: impl Into<Seed>,
) -> (Tensor<D, Int>, Tensor<D>) {
    let op = "sample_categorical_with_log_prob";
    let (logits, dim) = check::logits(op, logits, dim);
    check::at_least(op, "samples", 1, samples);
    sample(logits, dim, samples, 1.0, seed.into())
}

/// Draws from `softmax(logits / temperature)`, with log-probabilities; arguments are checked by the caller.
pub(crate) fn sample<const D: usize>(
    logits: Tensor<D>,
    dim: usize,
    samples: usize,
    temperature: f64,
    seed: Seed,
) -> (Tensor<D, Int>, Tensor<D>) {
    let (indices, log_probs, _) = <Dispatch as RelaxOps>::sample_categorical(
        logits.into_dispatch(),
        dim,
        samples,
        temperature,
        seed,
    );
    (
        Tensor::from_dispatch(indices),
        Tensor::from_dispatch(log_probs),
    )
}
