use burn_core::tensor::{AsIndex, Tensor};

use crate::{
    Seed, check,
    coefficient::Coefficient,
    functions::{
        Centred,
        argmax::first_argmax,
        categorical::{load, store},
        centred::{is_forbidden, spread},
        log_softmax,
        noise::{self, classes_back, classes_last},
        softmax,
        straight_through::{combine, one_hot},
    },
};

/// The one-hot of a class drawn from `softmax(logits)`, with the gradient of hard Gumbel-softmax averaged over the noise
/// that would have drawn the same class (Gumbel-Rao).
///
/// Forward `e_D`, `D ~ softmax(x)`. Backward the mean over `draws` of `J(y) g / T`, `y = softmax((x + G | D) / T)`, where `G | D`
/// is Gumbel noise under which `D` wins. The mean is that of [`gumbel_softmax`](crate::gumbel_softmax) with `hard`, the variance
/// never larger (Rao–Blackwell), and the cost is evaluated once.
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
/// * `temperature` - Of the relaxation, finite and greater than 0: a number or one per row ([`Coefficient`]).
/// * `draws` - Conditional draws per row, at least 1.
/// * `seed` - Same seed, same draw, on every backend.
///
/// # Gradient
///
/// The formula above for the logits, the noise held; for a tensor temperature that of the mean of the relaxed samples.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, `draws` is 0, or the temperature is out of its domain or of a shape that
/// does not fit.
///
/// # Randomness
///
/// Counter-based ([`Seed`]): row `r` has `draws + 1` blocks of `n` Gumbel numbers, the first of which draws the class.
///
/// # Numerical behaviour
///
/// The conditional noise is computed in log space and stays finite for logits of ±10⁴, where exponentials of them overflow.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::gumbel_rao;
///
/// let device = Device::flex().autodiff();
/// let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &device).require_grad();
/// let choice = gumbel_rao(logits.clone(), 1, 0.5, 8, 3);
/// assert_eq!(choice.clone().sum().into_scalar::<f32>(), 1.0);
/// let grads = choice.slice([0..1, 2..3]).sum().backward();
/// assert!(logits.grad(&grads).unwrap().sum().into_scalar::<f32>().abs() < 1e-6);
/// ```
///
/// # References
///
/// Paulus, Maddison, Krause, 2021, "Rao-Blackwellizing the straight-through Gumbel-softmax gradient estimator",
/// arXiv:2010.04838.
#[track_caller]
pub fn gumbel_rao<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    draws: usize,
    seed: impl Into<Seed>,
) -> Tensor<D> {
    let op = "gumbel_rao";
    let dim = check::dim::<D>(op, dim);
    check::not_empty(op, "logits", &logits, dim);
    check::at_least(op, "draws", 1, draws);
    let temperature = temperature.into();
    temperature.check(op, "temperature", &logits, dim);
    let dtype = logits.dtype();
    let shape = logits.dims();
    if shape.contains(&0) {
        return logits;
    }
    let logits = load(logits);

    // Classes innermost, one row a choice, the draws between.
    let mut innermost = shape;
    innermost[dim..].rotate_left(1);
    let classes = shape[dim];
    let rows = shape.iter().product::<usize>() / classes;
    let flat = |tensor: Tensor<D>, last: usize| classes_last(tensor, dim).reshape([rows, 1, last]);
    let temperature = temperature.load().into_tensor(&logits, dim);
    let temperature = if temperature.dims() == [1; D] {
        temperature.reshape([1, 1, 1])
    } else {
        flat(temperature, 1)
    };
    let x = flat(logits, classes);

    let options = (&x.device(), x.dtype()).into();
    let drawn = [rows, draws + 1, classes];
    let noise: Tensor<3> = noise::rows(drawn, 2, draws + 1, seed.into(), options);
    let held = log_softmax(x.clone().detach(), 2);
    let forbidden = is_forbidden(&held);
    let held = held.mask_fill(forbidden.clone(), 0.0);
    let deciding = noise.clone().narrow(1, 0, 1);
    let perturbed = (held.clone() + deciding).mask_fill(forbidden.clone(), f64::NEG_INFINITY);
    let chosen = first_argmax(perturbed, 2);
    let hard = one_hot(&x.clone().detach(), chosen, 2);

    let conditional = conditional(held, hard.clone(), noise.narrow(1, 1, draws));
    let everywhere = spread(forbidden, conditional.dims());
    // The noise is held: the relaxed samples move with the logits alone.
    let gaps = Centred::new(x, 2).gaps;
    let moved = conditional
        .add(gaps.clone().sub(gaps.detach()))
        .mask_fill(everywhere, f64::NEG_INFINITY);
    let soft = softmax(moved, 2, temperature).mean_dim(1);
    let hard = hard.mask_fill(soft.clone().detach().is_nan(), f64::NAN);
    let choice = combine(hard, soft).reshape(innermost);

    store(classes_back(choice, dim), dtype)
}

/// Perturbed log-probabilities given that the class of `hard` wins, from Gumbel numbers `-ln E` with `E ~ Exp(1)`.
///
/// The winner's is `-ln E_D`, the others' `-ln(E_i / p_i + E_D)`: what is left of each race after the winner has come in.
fn conditional(log_probs: Tensor<3>, hard: Tensor<3>, noise: Tensor<3>) -> Tensor<3> {
    let shape = noise.dims();
    let winner = hard.clone().mul(noise.clone()).sum_dim(2);
    let (waits, first) = (log_probs.neg().sub(noise), winner.neg());
    let first = spread(first, shape);
    let longer = waits.clone().max_pair(first.clone());
    let log_sum = longer + waits.sub(first.clone()).abs().neg().exp().log1p();
    log_sum
        .mask_where(spread(hard.greater_scalar(0.0), shape), first)
        .neg()
}
