//! The Rao-Blackwellised gradient of a hard Gumbel-softmax (Paulus, Maddison, Krause, 2021, arXiv:2010.04838).
//!
//! Forward `e_D`, `D ~ softmax(x)`. Backward the mean over the draws of `J(y) g / T`, `y = softmax((x + G | D) / T)`, where `G | D`
//! is Gumbel noise under which `D` wins. The mean is that of the hard Gumbel-softmax, the variance never larger, and the
//! cost is evaluated once. Row `r` takes `draws + 1` blocks of `n` Gumbel numbers, the first of which draws the class.

use burn_core::tensor::Tensor;

use super::softmax::{log_softmax, softmax};
use burn_relax_kernels::Seed;

use crate::{
    check,
    coefficient::Coefficient,
    parts::{
        centred::{Centred, is_forbidden, spread},
        choose::{combine, first_argmax, one_hot},
        constant::Constant,
        dtype::{load, store},
        noise::{self, classes_back, classes_last},
    },
};

/// The one-hot of a class drawn from `softmax(logits)`; the noise is held, so that the relaxed samples move with the logits alone.
#[track_caller]
pub(super) fn rao<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    dim: usize,
    temperature: Coefficient<D>,
    draws: usize,
    seed: Seed,
) -> Tensor<D> {
    check::at_least(op, "draws", 1, draws);
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
    let noise: Tensor<3> = noise::rows(drawn, 2, draws + 1, seed, options);
    let held = log_softmax(x.clone().constant(), 2);
    let forbidden = is_forbidden(&held);
    let held = held.mask_fill(forbidden.clone(), 0.0);
    let deciding = noise.clone().narrow(1, 0, 1);
    let perturbed = (held.clone() + deciding).mask_fill(forbidden.clone(), f64::NEG_INFINITY);
    let chosen = first_argmax(perturbed, 2);
    let hard = one_hot(&x.clone().constant(), chosen, 2);

    let conditional = conditional(held, hard.clone(), noise.narrow(1, 1, draws));
    let everywhere = spread(forbidden, conditional.dims());
    let gaps = Centred::new(x, 2).gaps;
    let moved = conditional
        .add(gaps.clone().sub(gaps.constant()))
        .mask_fill(everywhere, f64::NEG_INFINITY);
    let soft = softmax(moved, 2, temperature).mean_dim(1);
    let hard = hard.mask_fill(soft.clone().constant().is_nan(), f64::NAN);
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
