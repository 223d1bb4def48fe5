use burn_core::tensor::{AsIndex, Bool, Tensor};

use crate::{
    check,
    coefficient::Coefficient,
    parts::{
        centred::{Centred, is_forbidden, spread},
        constant::Constant,
        dtype::{epsilon, load, store},
        labels::index_dtype,
    },
    relax::softmax::log_softmax,
};

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
/// * `logits` - Unnormalised scores; `-inf` forbids an entry, whose weight then does not matter.
/// * `weights` - Points of the simplex: not negative, sum 1.
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
/// # Numerical behaviour
///
/// A row with forbidden entries has the density of the row without them, of as many classes fewer; one that is all `-inf` gives 0.
/// At the boundary, where `m` of `n` weights are 0, the density is that which it tends to as they go to 0 together, a power
/// `(n - m) T - m` of them: `+inf` where that is negative, `-inf` where it is positive, both with no gradient, and a number where
/// it is 0, which for one weight of three is at `T = 1/2`.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::distribution::relaxed_categorical_log_density;
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
    let (logits, dim) = check::logits(op, logits, dim);
    let weights = weights.dequantize();
    check::beside(op, "weights", &logits, &weights);
    let temperature = temperature.into();
    temperature.check(op, "temperature", &logits, dim);
    if logits.dims().contains(&0) {
        return logits.sum_dim(dim);
    }
    let dtype = logits.dtype();
    let temperature = temperature.load().into_tensor(&load(logits.clone()), dim);

    // A constant in all logits changes nothing; a large one would take the digits of the others.
    let Centred { gaps, forbidden } = Centred::new(load(logits), dim);
    let weights = load(weights).mask_fill(forbidden.clone(), 1.0);
    let absent = weights.clone().equal_scalar(0.0);
    let log_weights = weights.mask_fill(absent.clone(), 1.0).log();
    let tilted = gaps.sub(log_weights.clone().mul(temperature.clone()));

    let count = |without: Tensor<D, Bool>| {
        let ones = tilted.ones_like().constant();
        ones.mask_fill(without, 0.0).sum_dim(dim)
    };
    let (classes, zeros) = (count(forbidden.clone()), count(absent.clone().bool_not()));
    let at_edge = zeros.clone().greater_scalar(0.0);
    // Beside a weight of 0 the others' part of the sum of exponentials vanishes.
    let dominated = spread(at_edge.clone(), tilted.dims()).bool_and(absent.bool_not());
    let log_sum = log_sum_exp(tilted.clone(), forbidden.clone().bool_or(dominated), dim);
    // Σ (x - T ln y) - n log Σ exp(x - T ln y), as a sum of differences: a log-softmax, but beside a weight of 0.
    let allowed = tilted
        .clone()
        .mask_fill(forbidden.clone(), f64::NEG_INFINITY);
    let inside = log_softmax(allowed, dim).mask_fill(forbidden.clone(), 0.0);
    let edge = tilted.clone().sub(log_sum).mask_fill(forbidden, 0.0);
    let joint = inside
        .mask_where(spread(at_edge.clone(), edge.dims()), edge)
        .sum_dim(dim);
    let volume = temperature
        .clone()
        .log()
        .mul(classes.clone().sub_scalar(1.0));
    let density = joint
        .sub(log_weights.sum_dim(dim))
        .add(volume)
        .add(log_factorials(classes.clone(), tilted.dims()[dim]));

    let powers = classes
        .clone()
        .sub(zeros.clone())
        .mul(temperature.constant());
    let power = powers.sub(zeros.clone());
    // A temperature of 1 / (n - 1) is rounded.
    let rounding = zeros.mul_scalar(4.0 * epsilon(power.dtype()));
    let vanishes = power.clone().greater(rounding.clone());
    let grows = power.lower(rounding.neg());
    let density = density
        .mask_fill(vanishes.bool_and(at_edge.clone()), f64::NEG_INFINITY)
        .mask_fill(grows.bool_and(at_edge), f64::INFINITY)
        .mask_fill(classes.equal_scalar(0.0), 0.0);
    store(density, dtype)
}

/// `log Σ exp` over the entries that are not left out, 0 where all are.
fn log_sum_exp<const D: usize>(
    tensor: Tensor<D>,
    without: Tensor<D, Bool>,
    dim: usize,
) -> Tensor<D> {
    let held = tensor.clone().constant();
    let top = held
        .mask_fill(without.clone(), f64::NEG_INFINITY)
        .max_dim(dim);
    let nothing = is_forbidden(&top);
    let top = top.mask_fill(nothing.clone(), 0.0);
    let parts = tensor
        .mask_fill(without.clone(), 0.0)
        .sub(top.clone())
        .exp();
    let sum = parts.mask_fill(without, 0.0).sum_dim(dim);
    sum.mask_fill(nothing, 1.0).log().add(top)
}

/// `ln (n - 1)!` of whole numbers from 0 to `most`, 0 for 0.
fn log_factorials<const D: usize>(numbers: Tensor<D>, most: usize) -> Tensor<D> {
    let mut table = vec![0.0; most + 1];
    for number in 2..=most {
        table[number] = table[number - 1] + ((number - 1) as f64).ln();
    }
    let options = (&numbers.device(), numbers.dtype());
    let table = Tensor::<1>::from_data(table.as_slice(), options);
    let shape = numbers.dims();
    let places = numbers.cast(index_dtype(&table.device()));
    let places = places.reshape([shape.iter().product::<usize>()]);
    table.select(0, places).reshape(shape)
}
