//! How each result of an operator is compared.

use burn_relax_kernels::tensor::{self, RowTensor};

use crate::{device::operators::Operator, plain::Plain};

/// Of the largest magnitude of a tensor, or for sparse maps of a row: sixteen units of rounding.
pub const TOLERANCE: f64 = 1e-6;

/// A responsibility is a quotient of two exponentials of differences, where a weight is one of one.
const RESPONSIBILITY: f64 = 2.0 * TOLERANCE;

/// The weights beyond alpha = 2, where a crowd of them near 0 feels the rounding of the threshold by its number.
const STEEP: f64 = 1e-5;

/// The gradient of alpha: the formula of its terms loses two bits.
const ALONG_ALPHA: f64 = 4.0 * TOLERANCE;

/// Noise, up to 16.6 in size but for one draw in 2²⁴, is off by 4 units at most, and an exponential makes that relative; divided by the temperature.
const NOISE: f64 = 16.6 * 4.0 * f32::EPSILON as f64;

/// Logits beyond this are nearly decided: a row's gradient is a difference of values that f32 cannot tell apart. What remains is
/// measured by the values, not by the vanishing gradient.
const DECIDED: f64 = 50.0;

/// How a result is compared.
pub enum Rule {
    /// Within so much of the largest magnitude among the wanted, which counts as at least the second number.
    Tensor(f64, f64),
    /// The same row by row, with bounds that the rows take in turns.
    Rows(Vec<Bound>),
    /// The one-hot of a class, or indices of classes: the same, or as large within the noise's error.
    Choice,
    /// A maximum, and the number of weights above 0 and below this, which may be off by one where it is not that of the CPU.
    Count(f64),
    /// Not at all: a statistic for the operator's own backward pass, which the two sides keep in forms of their own.
    Free,
}

/// How a row is compared.
pub struct Bound {
    /// As for [`Rule::Tensor`].
    pub tolerance: f64,
    pub least: f64,
    /// The power of the numbers that is compared.
    power: f64,
}

impl Bound {
    fn new(tolerance: f64, least: f64) -> Self {
        Bound {
            tolerance,
            least,
            power: 1.0,
        }
    }

    /// Of weights: themselves, or what is linear in the logits where their slope is unbounded.
    fn weights(alpha: f64) -> Self {
        Bound {
            tolerance: if alpha > 2.0 { STEEP } else { TOLERANCE },
            least: 0.0,
            power: (alpha - 1.0).max(1.0),
        }
    }

    /// A row as it is compared.
    pub fn tame(&self, row: Vec<f64>) -> Vec<f64> {
        row.into_iter().map(|p| p.powf(self.power)).collect()
    }
}

/// The rule for a result of an operator that is shown after that of the name `before`.
pub fn rule(before: &str, operator: &Operator<Plain>, result: usize, dim: usize) -> Rule {
    use Rule::*;
    let (tensors, t) = (&operator.tensors, operator.number);
    let shape = tensors[0].dims();
    let n = shape[dim] as f64;
    let far = |x: f64| x.is_finite() && x.abs() > DECIDED;
    let decided = || tensors[0].values().into_iter().any(far);
    match (operator.name, result) {
        ("argmax" | "argmax_gather" | "argmax_gather_backward" | "straight_through_argmax", 0)
        | ("hard_argmax_gather", 0)
        | ("hard_argmax_gather_backward", 1) => Tensor(0.0, 0.0),
        ("softmax_backward", _) if before.starts_with("gumbel") => Tensor(NOISE / t, 0.25 / t),
        // Terms that do not cancel leave p (1 - p) of them: a quarter.
        ("softmax_backward", _) => Tensor(TOLERANCE, 0.25 * terms(&tensors[0], operator, dim)),
        ("straight_through_argmax_backward" | "soft_argmax_backward", _)
        | ("soft_argmax_gather_backward" | "hard_argmax_gather_backward", 0) => {
            let (probs, _) = tensor::softmax(tensors[0].clone(), dim, t);
            // Coordinates have one sign: their mean, a sum over the row that is rounded when saved, is a term as large.
            let both = if operator.name == "soft_argmax_backward" {
                2.0
            } else {
                1.0
            };
            Tensor(TOLERANCE, 0.25 * both * terms(&probs, operator, dim))
        }
        ("log_softmax_backward", _) => Tensor(TOLERANCE, 0.25),
        ("soft_argmax" | "free_energy", 0) => Tensor(TOLERANCE, 1.0),
        ("free_energy_backward", 0) if decided() => Tensor(RESPONSIBILITY, t.max(1.0)),
        // A difference of weights, scaled by the temperature.
        ("free_energy_backward", 0) => Tensor(RESPONSIBILITY, t.max(1.0) / n),
        ("free_energy_backward", _) => Tensor(RESPONSIBILITY, 1.0 / n),
        // A sum of n terms of order 1 and either sign, each of them rounded.
        ("gradual_argmax_backward", 1) => Tensor(TOLERANCE, n.sqrt()),
        // A lone class has no gradient but that of the upstream gradient's rounding.
        ("power_softmax_backward" | "normalised_gradual_argmax_backward", 0) if n == 1.0 => {
            Tensor(TOLERANCE, 1.0)
        }
        ("power_softmax_backward" | "normalised_gradual_argmax_backward", 1) => {
            Tensor(TOLERANCE, 1.0)
        }
        ("entmax" | "entmax_rows", 0) => {
            let alphas = alphas(operator, dim).into_iter();
            Rows(alphas.map(Bound::weights).collect())
        }
        ("budget", 0) | ("budget_backward", _) => Rows(vec![Bound::new(TOLERANCE, 1.0)]),
        ("entmax" | "entmax_rows", 1) => Count(f64::INFINITY),
        ("budget", 1) => Count(1.0),
        ("entmax_backward" | "entmax_rows_backward", 0) => {
            bounds(operator, dim, TOLERANCE, slope, f64::max)
        }
        ("entmax_rows_backward", 1) => {
            bounds(operator, dim, ALONG_ALPHA, along_alpha, |a, b| a + b)
        }
        ("gumbel_softmax" | "gumbel_softmax_with_noise", 0) => Tensor(NOISE / t, 0.0),
        ("gumbel_argmax_backward" | "gumbel_argmax_with_noise_backward", _) => {
            Tensor(NOISE / t, 0.25 / t)
        }
        ("gumbel_argmax" | "gumbel_argmax_with_noise" | "sample_categorical", 0) => Choice,
        ("sample_categorical", 1) if decided() => Tensor(TOLERANCE, 1.0),
        ("categorical_log_prob_backward", _) => Tensor(TOLERANCE, 1.0),
        // The CPU needs no normaliser of hard choices, and measures free energies from another cost.
        ("straight_through_argmax" | "free_energy", 1) => Free,
        (name, 1) if name.starts_with("gumbel") => Free,
        _ => Tensor(TOLERANCE, 0.0),
    }
}

/// The largest of the terms `p d / T` of which a gradient of weights `p` is the difference `p (d - <p, d>) / T`, where `d` is what arrives
/// at a weight: the rounding is theirs, however little they leave in a row that is nearly decided or whose values are alike.
fn terms(probs: &Plain, operator: &Operator<Plain>, dim: usize) -> f64 {
    let (probs, tensors) = (probs.rows(dim), &operator.tensors);
    let grad = tensors[tensors.len() - 1].rows(dim);
    // What is added up by the weights, a block for each class, where that is what the gradient is of.
    let values = match operator.name {
        "soft_argmax_backward" => Some(tensors[1].rows(0)),
        name if name.contains("gather") => Some(tensors[1].rows(dim)),
        _ => None,
    };
    let block = grad.len() / probs.len().max(1);
    let arriving = |r: usize, i: usize| -> f64 {
        let Some(values) = &values else {
            return grad[r][i];
        };
        let block = r * block..(r + 1) * block;
        block
            .map(|f| values[f % values.len()][i] * grad[f][0])
            .sum()
    };
    let mut largest = 0.0;
    for (r, row) in probs.iter().enumerate() {
        for (i, p) in row.iter().enumerate() {
            largest = f64::max(largest, (p * arriving(r, i)).abs());
        }
    }
    largest / operator.number
}

/// The alphas of the rows, in turns.
fn alphas(operator: &Operator<Plain>, dim: usize) -> Vec<f64> {
    match operator.name {
        "entmax_rows" | "entmax_rows_backward" => operator.tensors[1].rows(dim).concat(),
        _ => vec![operator.number],
    }
}

/// For the gradient of each row, measured by the terms of its weights brought together.
fn bounds(
    operator: &Operator<Plain>,
    dim: usize,
    tolerance: f64,
    term: fn(f64, f64) -> f64,
    join: fn(f64, f64) -> f64,
) -> Rule {
    let alphas = alphas(operator, dim);
    let of_row = |(r, row): (usize, Vec<f64>)| {
        let e = alphas[r % alphas.len()] - 1.0;
        let members = row.into_iter().filter(|&p| p > 0.0);
        Bound::new(tolerance, members.map(|p| term(p, e).abs()).fold(0.0, join))
    };
    let rows = operator.tensors[0].rows(dim).into_iter();
    Rule::Rows(rows.enumerate().map(of_row).collect())
}

/// The slope of a weight.
fn slope(p: f64, e: f64) -> f64 {
    p.powf(1.0 - e)
}

/// What the gradient of alpha adds up for a weight.
fn along_alpha(p: f64, e: f64) -> f64 {
    let w = e * p.ln();
    if w.abs() < 1e-3 {
        p * p.ln() * p.ln() * (-0.5 + w / 6.0 - w * w / 24.0 + w * w * w / 120.0)
    } else {
        -p * ((-w).exp_m1() + w) / (e * e)
    }
}
