//! The list of operators: every one, forward and backward, over the inputs of a case.

use crate::case::Case;
use crate::support::{SEED, buffer, filled, narrow, out, stats, wide};
use burn_relax_kernels::{self as kernels, Element, Real};

/// One output of one call.
pub struct Answer {
    pub operator: &'static str,
    /// What tells calls of one operator apart: features, alpha, whether rows share a parameter.
    pub variant: String,
    pub output: &'static str,
    /// Values per row.
    pub width: usize,
    /// In `f64`, which holds every element type exactly.
    pub values: Vec<f64>,
}

impl Answer {
    /// Operator, variant and output.
    pub fn name(&self) -> String {
        [self.operator, &self.variant, self.output].join(" ")
    }

    /// The values of a row.
    pub fn row(&self, r: usize) -> &[f64] {
        &self.values[r * self.width..][..self.width]
    }
}

/// Samples of a row that are drawn.
pub const DRAWN: usize = 3;

/// Calls an operator: `call!(answers, variant, operator(inputs and numbers) -> (outputs))`, an output being
/// `name: kind[values per row]`. Leaves the outputs in variables of their names.
macro_rules! call {
    ($answers:ident, $variant:expr, $operator:ident($($argument:expr),* $(,)?)
        -> ($($output:ident: $kind:ident[$width:expr]),+)) => {
        $(let mut $output = call!(@buffer $kind $answers.1 * $width);)+
        kernels::$operator($($argument,)* $(&mut $output),+);
        $(
            let $output = filled($output);
            $answers.0.push(Answer {
                operator: stringify!($operator),
                variant: $variant.to_string(),
                output: stringify!($output),
                width: $width,
                values: call!(@wide $kind $output),
            });
        )+
    };
    (@buffer F $len:expr) => { out::<F>($len) };
    (@buffer Acc $len:expr) => { stats::<F>($len) };
    (@buffer I64 $len:expr) => { buffer($len, -1i64) };
    (@wide F $output:ident) => { wide(&$output) };
    (@wide Acc $output:ident) => { $output.iter().map(|x| x.to_f64()).collect() };
    (@wide I64 $output:ident) => { $output.iter().map(|&k| k as f64).collect() };
}

/// Runs every operator.
pub fn answers<F: Element>(c: &Case) -> Vec<Answer> {
    let mut all = (Vec::new(), c.rows);
    maps::<F>(c, &mut all);
    gathers::<F>(c, &mut all);
    powers::<F>(c, &mut all);
    sparse::<F>(c, &mut all);
    choices::<F>(c, &mut all);
    noise::<F>(c, &mut all);
    all.0
}

type Answers = (Vec<Answer>, usize);

fn maps<F: Element>(c: &Case, a: &mut Answers) {
    let (n, t) = (c.n, c.temperature);
    let (logits, grad) = (narrow::<F>(&c.logits), narrow::<F>(&c.grad));
    let (coordinates, cost) = (narrow::<F>(&c.coordinates), narrow::<F>(&c.cost));
    let grad_row = narrow::<F>(&c.grad_row);
    call!(a, "", softmax(&logits, n, t) -> (probs: F[n], stats: Acc[2]));
    call!(a, "", softmax_backward(&probs, &stats, &grad, n, t) -> (grad_logits: F[n]));
    call!(a, "", log_softmax(&logits, n) -> (log_probs: F[n], stats: Acc[2]));
    call!(a, "", log_softmax_backward(&log_probs, &stats, &grad, n) -> (grad_logits: F[n]));
    call!(a, "", soft_argmax(&logits, &coordinates, n, t) -> (output: F[1], stats: Acc[2]));
    call!(a, "", soft_argmax_backward(&logits, &coordinates, &stats, &output, &grad_row, n, t)
        -> (grad_logits: F[n]));
    call!(a, "", free_energy(&logits, &cost, n, t) -> (energy: F[1], stats: Acc[5]));
    call!(a, "", free_energy_backward(&logits, &cost, &stats, &grad_row, n, t)
        -> (grad_logits: F[n], grad_cost: F[n]));
}

fn gathers<F: Element>(c: &Case, a: &mut Answers) {
    let (n, t) = (c.n, c.temperature);
    let logits = narrow::<F>(&c.logits);
    for gather in &c.gathers {
        let f = gather.features;
        let (values, grad) = (narrow::<F>(&gather.values), narrow::<F>(&gather.grad));
        call!(a, f, soft_argmax_gather(&logits, &values, n, f, t) -> (soft: F[f], stats: Acc[2]));
        call!(a, f, soft_argmax_gather_backward(&logits, &values, &stats, &soft, &grad, n, f, t)
            -> (grad_logits: F[n], grad_values: F[n * f]));
        call!(a, f, hard_argmax_gather(&logits, &values, n, f, t)
            -> (hard: F[f], soft: F[f], stats: Acc[2]));
        call!(a, f, hard_argmax_gather_backward(&logits, &values, &stats, &soft, &grad, n, f, t)
            -> (grad_logits: F[n], grad_values: F[n * f]));
        call!(a, f, argmax_gather(&logits, &values, n, f) -> (output: F[f]));
        call!(a, f, argmax_gather_backward(&logits, &grad, n, f) -> (grad_values: F[n * f]));
    }
}

fn powers<F: Element>(c: &Case, a: &mut Answers) {
    let n = c.n;
    let (values, grad) = (narrow::<F>(&c.unit), narrow::<F>(&c.grad));
    let each = narrow::<F>(&c.power);
    for (variant, power) in [("each", &each[..]), ("one", &each[..c.rows.min(1)])] {
        call!(a, variant, gradual_argmax(&values, power, n) -> (output: F[n]));
        call!(a, variant, gradual_argmax_backward(&values, power, &grad, n, true)
            -> (grad_values: F[n], grad_power: F[1]));
        call!(a, variant, normalised_gradual_argmax(&values, power, n) -> (output: F[n], stats: Acc[2]));
        call!(a, variant, normalised_gradual_argmax_backward(&values, power, &output, &stats, &grad, n, true)
            -> (grad_values: F[n], grad_power: F[1]));
        call!(a, variant, power_softmax(&values, power, n) -> (output: F[n], stats: Acc[2]));
        call!(a, variant, power_softmax_backward(&values, power, &output, &stats, &grad, n)
            -> (grad_values: F[n], grad_power: F[1]));
    }
}

fn sparse<F: Element>(c: &Case, a: &mut Answers) {
    let n = c.n;
    let (logits, grad) = (narrow::<F>(&c.logits), narrow::<F>(&c.grad));
    for &alpha in &c.alphas {
        call!(a, alpha, entmax(&logits, n, alpha) -> (probs: F[n], stats: Acc[2]));
        call!(a, alpha, entmax_backward(&probs, &stats, &grad, n, alpha) -> (grad_logits: F[n]));
    }
    let (alphas, budgets) = (narrow::<F>(&c.alpha), narrow::<F>(&c.budget));
    let one = c.rows.min(1);
    for (variant, alpha) in [("each", &alphas[..]), ("one", &alphas[..one])] {
        call!(a, variant, entmax_rows(&logits, alpha, n) -> (probs: F[n], stats: Acc[2]));
        call!(a, variant, entmax_rows_backward(&probs, alpha, &stats, &grad, n)
            -> (grad_logits: F[n], grad_alpha: F[1]));
    }
    for (variant, budget) in [("each", &budgets[..]), ("one", &budgets[..one])] {
        call!(a, variant, budget(&logits, budget, n) -> (probs: F[n], stats: Acc[2]));
        call!(a, variant, budget_backward(&probs, &stats, &grad, n)
            -> (grad_logits: F[n], grad_budget: F[1]));
    }
}

fn choices<F: Element>(c: &Case, a: &mut Answers) {
    let (n, t, samples) = (c.n, c.temperature, c.samples);
    let (logits, grad) = (narrow::<F>(&c.logits), narrow::<F>(&c.grad));
    let grad_samples = narrow::<F>(&c.grad_samples);
    call!(a, "", argmax(&logits, n) -> (indices: I64[1]));
    call!(a, "", straight_through_argmax(&logits, n, t) -> (hard: F[n], stats: Acc[2]));
    call!(a, "", straight_through_argmax_backward(&logits, &stats, &grad, n, t)
        -> (grad_logits: F[n]));
    call!(a, "", categorical_log_prob(&logits, &c.indices, n, samples)
        -> (log_prob: F[samples], stats: Acc[2]));
    for (variant, t) in [("at 1", 1.0), ("scaled", t)] {
        call!(a, variant, categorical_log_prob_backward(
            &logits, &c.indices, &stats, &grad_samples, n, samples, t
        ) -> (grad_logits: F[n]));
    }
}

/// Operators that make noise, or take it.
fn noise<F: Element>(c: &Case, a: &mut Answers) {
    let (n, t) = (c.n, c.temperature);
    let (logits, grad) = (narrow::<F>(&c.logits), narrow::<F>(&c.grad));
    let given = narrow::<F>(&c.noise);
    let seed = SEED.with_row(11);
    call!(a, "", gumbel_softmax(&logits, n, t, seed) -> (probs: F[n], stats: Acc[2]));
    call!(a, "", gumbel_softmax_with_noise(&logits, &given, n, t) -> (probs: F[n], stats: Acc[2]));
    call!(a, "", gumbel_argmax(&logits, n, t, seed) -> (hard: F[n], stats: Acc[2]));
    call!(a, "", gumbel_argmax_backward(&logits, &stats, &grad, n, t, seed)
        -> (grad_logits: F[n]));
    call!(a, "", gumbel_argmax_with_noise(&logits, &given, n, t) -> (hard: F[n], stats: Acc[2]));
    call!(a, "", gumbel_argmax_with_noise_backward(&logits, &given, &stats, &grad, n, t)
        -> (grad_logits: F[n]));
    call!(a, "", sample_categorical(&logits, n, DRAWN, t, seed)
        -> (indices: I64[DRAWN], log_prob: F[DRAWN], stats: Acc[2]));
    call!(a, "", uniform(SEED, 5) -> (output: F[n]));
    call!(a, "", gumbel(SEED, 5) -> (output: F[n]));
}
