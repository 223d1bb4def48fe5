use burn_core::backend::{Backend, TensorMetadata, tensor::FloatTensor};

use super::{
    float::{Float, Mask},
    row::normalise,
};

/// Winners of each row: every entry that equals the row's maximum.
fn winners<B: Backend>(values: &Float<B>, dim: usize) -> Mask<B> {
    values.lower_than(&values.clone().max_dim(dim)).not()
}

/// `base^power`, with `0^power = 0`.
fn pow<B: Backend>(base: &Float<B>, power: &Float<B>) -> Float<B> {
    let zero = base.equal_to(0.0);
    base.clone()
        .fill(&zero, 1.0)
        .ln()
        .mul(power)
        .exp()
        .fill(&zero, 0.0)
}

/// `power * base^(power - 1)`: at a base of 0 the slope of `x^power`, which is 0 above power 1, 1 at power 1, and taken
/// as 0 below, where the mathematical slope is infinite.
fn slope<B: Backend>(base: &Float<B>, power: &Float<B>) -> Float<B> {
    let shape = base.shape();
    let zero = base.equal_to(0.0);
    let at_zero = power.equal_to(1.0).float(base).expand(shape);
    base.clone()
        .fill(&zero, 1.0)
        .ln()
        .mul(&power.clone().add_scalar(-1.0))
        .exp()
        .mul(power)
        .replace(&zero, &at_zero)
}

/// `ln base`, with 0 where the base is 0: it always meets a factor that vanishes there.
fn safe_ln<B: Backend>(base: &Float<B>) -> Float<B> {
    base.clone().fill(&base.equal_to(0.0), 1.0).ln()
}

/// See [`RelaxOps::gradual_argmax`](crate::RelaxOps::gradual_argmax).
pub fn gradual_argmax<B: Backend>(
    values: FloatTensor<B>,
    power: FloatTensor<B>,
    dim: usize,
) -> FloatTensor<B> {
    let dtype = values.dtype();
    let (values, power) = (Float::<B>::load(values), Float::load(power));
    let winners = winners(&values, dim);
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
    pow(&values, &power).replace(&winners, &won).store(dtype)
}

/// See [`RelaxOps::gradual_argmax_backward`](crate::RelaxOps::gradual_argmax_backward).
pub fn gradual_argmax_backward<B: Backend>(
    values: FloatTensor<B>,
    power: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
    of_power: bool,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (dtype, power_dtype) = (values.dtype(), power.dtype());
    let (values, power) = (Float::<B>::load(values), Float::load(power));
    let grad = Float::load(grad);
    let winners = winners(&values, dim);
    let rest = values.clone().neg().add_scalar(1.0);
    let base = values.replace(&winners, &rest);

    let grad_values = slope(&base, &power).mul(&grad);
    if !of_power {
        let none = grad.sum_dim(dim).mul_scalar(0.0);
        return (grad_values.store(dtype), none.store(power_dtype));
    }
    // d/dp of x^p is x^p ln x; a winner's output is 1 - x^p.
    let towards = pow(&base, &power).mul(&safe_ln(&base));
    let towards = towards.clone().replace(&winners, &towards.neg());
    let grad_power = towards.mul(&grad).sum_dim(dim);
    (grad_values.store(dtype), grad_power.store(power_dtype))
}

/// See [`RelaxOps::power_softmax`](crate::RelaxOps::power_softmax).
pub fn power_softmax<B: Backend>(
    values: FloatTensor<B>,
    power: FloatTensor<B>,
    dim: usize,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let dtype = values.dtype();
    let (values, power) = (Float::<B>::load(values), Float::load(power));
    let max = values.clone().max_dim(dim);
    let raised = pow(&relative(&values, &max), &power);
    let sum = raised.clone().sum_dim(dim);
    let probs = normalise(raised, &sum);
    (probs.store(dtype), Float::cat(vec![max, sum], dim).0)
}

/// `values / max`, 0 in a row of zeros.
fn relative<B: Backend>(values: &Float<B>, max: &Float<B>) -> Float<B> {
    let max = max.clone().fill(&max.equal_to(0.0), 1.0);
    values.clone().div(&max)
}

/// With `u = v / max` and `S = Σ u^p`: `p u^(p-1) (g - <y, g>) / (max S)` for the values, `<g, J(y) ln u>` for the power;
/// see [`RelaxOps::power_softmax_backward`](crate::RelaxOps::power_softmax_backward).
pub fn power_softmax_backward<B: Backend>(
    values: FloatTensor<B>,
    power: FloatTensor<B>,
    output: FloatTensor<B>,
    stats: FloatTensor<B>,
    grad: FloatTensor<B>,
    dim: usize,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (dtype, power_dtype) = (values.dtype(), power.dtype());
    let (values, power) = (Float::<B>::load(values), Float::load(power));
    let (output, grad) = (Float::load(output), Float::load(grad));
    let stats = Float::<B>(stats);
    let (max, sum) = (stats.narrow(dim, 0), stats.narrow(dim, 1));
    let ratio = relative(&values, &max);
    let scale = max.mul(&sum);
    let empty = scale.equal_to(0.0);

    let centred = grad.clone().sub(&output.clone().mul(&grad).sum_dim(dim));
    let grad_values = slope(&ratio, &power)
        .mul(&centred)
        .div(&scale.fill(&empty, 1.0))
        .fill(&empty, 0.0);
    let grad_power = output.mul(&centred).mul(&safe_ln(&ratio)).sum_dim(dim);
    (grad_values.store(dtype), grad_power.store(power_dtype))
}
