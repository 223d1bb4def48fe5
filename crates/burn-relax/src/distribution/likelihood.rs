use burn_core::tensor::{Int, Tensor};

use super::categorical::categorical_log_prob_of;
use crate::{
    check,
    coefficient::Coefficient,
    parts::{
        centred::spread,
        dtype::{held, load, store},
        quotient::quotient,
    },
};

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
/// If the deviation is a number out of its domain, a shape does not broadcast, or a dtype is not that of the values.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let values = Tensor::<1>::from_floats([1.0, 0.0], &device);
/// let target = Tensor::<1>::from_floats([0.0], &device);
/// let density = burn_relax::distribution::gaussian_log_likelihood(values, target, 0.5);
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
    let (values, target) = (values.dequantize(), target.dequantize());
    let dtype = values.dtype();
    check::broadcasts(op, "target", values.shape(), target.shape());
    check::same_dtype(op, "target", "the values", dtype, target.dtype());
    let half_log_tau = core::f64::consts::TAU.ln() / 2.0;
    let distance = load(values).sub(load(target));
    let density = match deviation.into() {
        Coefficient::Number(deviation) => {
            check::positive(op, "deviation", deviation);
            let deviation = held(deviation, dtype);
            // A tensor: the gradient of a division by a number is taken in f32.
            let scale = Tensor::full([1; D], deviation, (&distance.device(), distance.dtype()));
            let scaled = quotient(distance, scale).square().div_scalar(-2.0);
            scaled.sub_scalar(deviation.ln() + half_log_tau)
        }
        Coefficient::Tensor(deviation) => {
            let deviation = deviation.dequantize();
            check::broadcasts(op, "deviation", distance.shape(), deviation.shape());
            check::same_dtype(op, "deviation", "the values", dtype, deviation.dtype());
            let deviation = load(deviation);
            let scaled = quotient(distance, deviation.clone())
                .square()
                .div_scalar(-2.0);
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
/// If the outputs are empty in their last dimension, the target's last size is not 1, its shape does not broadcast, or a target is
/// no output. Targets are read back for it, except in a browser.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Int, Tensor};
/// use burn_relax::{distribution::categorical_log_likelihood, loss::mixture_loss};
///
/// let device = Device::flex();
/// let gate = Tensor::<1>::from_floats([0.0, 0.0], &device);
/// // The first class expects output 0, the second does not know; output 0 was seen.
/// let outputs = Tensor::<2>::from_floats([[100.0, 0.0], [0.0, 0.0]], &device);
/// let target = Tensor::<2, Int>::from_ints([[0]], &device);
/// let nll = mixture_loss(gate, categorical_log_likelihood(outputs, target), 0);
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
    let (outputs, last) = check::floats(op, "outputs", outputs, last);
    let mut shape = outputs.shape();
    shape[last] = 1;
    check::broadcasts(op, "target", shape.clone(), target.shape());
    check::indices(op, "target", &target, outputs.dims()[last]);
    let target = spread(target, shape.dims::<DO>());
    let density = categorical_log_prob_of(outputs, target, last);
    let kept: [usize; D] = core::array::from_fn(|axis| shape[axis]);
    density.reshape(kept)
}
