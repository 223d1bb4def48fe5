//! Power sharpening.

use burn_core::backend::Backend;

use super::{
    float::{Float, Mask},
    powers::{pow, safe_ln, slope, unit},
};

/// Winners of each row: every entry that equals the row's maximum, or is 1 and more.
fn winners<B: Backend>(values: &Float<B>, dim: usize) -> Mask<B> {
    let max = values.clone().max_dim(dim);
    let beyond = max.greater(1.0);
    values.lower_than(&max.fill(&beyond, 1.0)).not()
}

/// See [`RelaxOps::gradual_argmax`](crate::dispatch::RelaxOps::gradual_argmax).
pub(super) fn gradual_argmax<B: Backend>(
    values: Float<B>,
    power: Float<B>,
    dim: usize,
) -> Float<B> {
    let winners = winners(&values, dim);
    let values = unit(values);
    // 1 - (1 - v)^p = -expm1(t) with t = p log1p(-v), and expm1(t) = tanh(t / 2) (exp(t) + 1): exact for small v too.
    let certain = values.equal_to(1.0);
    let t = values.clone().fill(&certain, 0.0).neg().log1p().mul(&power);
    let won = t
        .clone()
        .mul_scalar(0.5)
        .tanh()
        .mul(&t.exp().add_scalar(1.0))
        .neg()
        .fill(&certain, 1.0);
    pow(&values, &power).replace(&winners, &won)
}

/// See [`RelaxOps::gradual_argmax_backward`](crate::dispatch::RelaxOps::gradual_argmax_backward).
pub(super) fn gradual_argmax_backward<B: Backend>(
    values: Float<B>,
    power: Float<B>,
    grad: Float<B>,
    dim: usize,
    of_power: bool,
) -> (Float<B>, Float<B>) {
    let winners = winners(&values, dim);
    let values = unit(values);
    let rest = values.clone().neg().add_scalar(1.0);
    let base = values.replace(&winners, &rest);

    let grad_values = slope(&base, &power).mul(&grad);
    if !of_power {
        let none = grad.sum_dim(dim).mul_scalar(0.0);
        return (grad_values, none);
    }
    // d/dp of x^p is x^p ln x; a winner's output is 1 - x^p.
    let towards = pow(&base, &power).mul(&safe_ln(&base));
    let towards = towards.clone().replace(&winners, &towards.neg());
    let grad_power = towards.mul(&grad).sum_dim(dim);
    (grad_values, grad_power)
}
