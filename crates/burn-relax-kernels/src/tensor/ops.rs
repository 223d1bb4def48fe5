//! The table of operators over tensors; arguments are checked by the caller. Shapes are those of the core crate's operations.

use half::{bf16, f16};

use super::{
    Dtype, RowTensor,
    rows::{Extent, Rows},
};
use crate::{Element, Seed};

type Acc<F> = <F as Element>::Acc;

/// Runs `$body` with `$element` naming the element type of `$tensor`.
macro_rules! with_element {
    ($tensor:expr, $element:ident => $body:expr) => {
        match $tensor.dtype() {
            Dtype::F64 => {
                type $element = f64;
                $body
            }
            Dtype::F32 => {
                type $element = f32;
                $body
            }
            Dtype::F16 => {
                type $element = f16;
                $body
            }
            Dtype::Bf16 => {
                type $element = bf16;
                $body
            }
            Dtype::I64 => panic!("row kernels: the first tensor must hold floats, got I64"),
        }
    };
}

macro_rules! first {
    ($first:ident $($rest:ident)*) => {
        $first
    };
}

macro_rules! tensor {
    ($output:ident $tensor:ident) => {
        $tensor
    };
}

/// Declares operators: `name(inputs; numbers) -> (outputs) |n, features of input, row| kernel call`.
///
/// An input or output is `name: element type [entries per row]`, `[entries, features]` if it has the feature axes of the input
/// named, or `[]` if all rows share it. The axis and the kind of a row come from the first input, whose element type is
/// `F`. The kernel is called with slices for some rows, of which `row` is the first.
macro_rules! operators {
    ($(
        $(#[$doc:meta])*
        $name:ident($($input:ident: $in:ty [$($in_extent:expr),*]),+; $($scalar:ident: $type:ty),*)
            -> ($($output:ident: $out:ty [$($out_extent:expr),*]),+)
        |$n:ident, $features:ident of $of:ident, $row:ident| $call:expr;
    )+) => {$(
        $(#[$doc])*
        #[allow(unused_parens, unused_variables, clippy::too_many_arguments)]
        pub fn $name<T: RowTensor>(
            $($input: T,)+ dim: usize, $($scalar: $type),*
        ) -> ($(tensor!($output T)),+) {
            let rows = Rows::new(&first!($($input)+), dim);
            let trailing = rows.features(&$of);
            let ($n, $features) = (rows.n, trailing.iter().product::<usize>());
            $(let $input = rows.load($input);)+
            with_element!(first!($($input)+), F => {
                $(let $input = rows.operand::<T, $in>(&$input, Extent::from([$($in_extent),*]));)+
                $(let mut $output = rows.target::<$out>(Extent::from([$($out_extent),*]));)+
                if rows.are_apart() {
                    $(let $output = $output.shared();)+
                    rows.tiles(rows.n, |range| {
                        $(let $input = $input.gather(&rows, range.clone());)+
                        $(let mut $output = $output.buffer(range.len());)+
                        {
                            $(let $input = &$input[..];)+
                            $(let $output = $output.spare();)+
                            let $row = range.start;
                            $call;
                        }
                        // SAFETY: kernels fill their outputs, and tiles do not overlap.
                        $(unsafe { $output.scatter(&rows, range.clone()) };)+
                    });
                } else {
                    $(let $input = $input.elements;)+
                    $(let $output = $output.spare();)+
                    let $row = 0;
                    $call;
                }
                // SAFETY: every row went through the kernel, and kernels fill their outputs.
                ($(unsafe { rows.store::<T, $out>($output, &trailing) }),+)
            })
        }
    )+};
}

operators! {
    /// Softmax with a temperature, and its row statistics.
    softmax(logits: F [n]; temperature: f64) -> (probs: F [n], stats: Acc<F> [2])
    |n, features of logits, row| crate::softmax(logits, n, temperature, probs, stats);

    /// Gradient of [`softmax`].
    softmax_backward(probs: F [n], stats: Acc<F> [2], grad: F [n]; temperature: f64) -> (grad_logits: F [n])
    |n, features of probs, row| crate::softmax_backward(probs, stats, grad, n, temperature, grad_logits);

    /// Logarithm of the softmax, and its row statistics.
    log_softmax(logits: F [n];) -> (log_probs: F [n], stats: Acc<F> [2])
    |n, features of logits, row| crate::log_softmax(logits, n, log_probs, stats);

    /// Gradient of [`log_softmax`].
    log_softmax_backward(log_probs: F [n], stats: Acc<F> [2], grad: F [n];) -> (grad_logits: F [n])
    |n, features of log_probs, row| crate::log_softmax_backward(log_probs, stats, grad, n, grad_logits);

    /// Expected coordinate, and the row statistics; `coordinates` is one-dimensional.
    soft_argmax(logits: F [n], coordinates: F []; temperature: f64) -> (output: F [1], stats: Acc<F> [2])
    |n, features of logits, row| crate::soft_argmax(logits, coordinates, n, temperature, output, stats);

    /// Gradient of [`soft_argmax`] with respect to the logits.
    soft_argmax_backward(
        logits: F [n], coordinates: F [], stats: Acc<F> [2], output: F [1], grad: F [1]; temperature: f64
    ) -> (grad_logits: F [n])
    |n, features of logits, row| crate::soft_argmax_backward(
        logits, coordinates, stats, output, grad, n, temperature, grad_logits
    );

    /// Expected value, and the row statistics; `values` has the logits' shape, then any feature axes.
    soft_argmax_gather(logits: F [n], values: F [n, features]; temperature: f64)
        -> (output: F [1, features], stats: Acc<F> [2])
    |n, features of values, row| crate::soft_argmax_gather(logits, values, n, features, temperature, output, stats);

    /// Value at the argmax, expected value, and the row statistics.
    hard_argmax_gather(logits: F [n], values: F [n, features]; temperature: f64)
        -> (output: F [1, features], soft: F [1, features], stats: Acc<F> [2])
    |n, features of values, row| crate::hard_argmax_gather(
        logits, values, n, features, temperature, output, soft, stats
    );

    /// Gradients of [`soft_argmax_gather`] with respect to logits and values.
    soft_argmax_gather_backward(
        logits: F [n], values: F [n, features], stats: Acc<F> [2], soft: F [1, features], grad: F [1, features];
        temperature: f64
    ) -> (grad_logits: F [n], grad_values: F [n, features])
    |n, features of values, row| crate::soft_argmax_gather_backward(
        logits, values, stats, soft, grad, n, features, temperature, grad_logits, grad_values
    );

    /// Value at the argmax alone.
    argmax_gather(logits: F [n], values: F [n, features];) -> (output: F [1, features])
    |n, features of values, row| crate::argmax_gather(logits, values, n, features, output);

    /// Gradient of [`argmax_gather`] with respect to the values.
    argmax_gather_backward(logits: F [n], grad: F [1, features];) -> (grad_values: F [n, features])
    |n, features of grad, row| crate::argmax_gather_backward(logits, grad, n, features, grad_values);

    /// Power sharpening; `power` holds one value, or one for each row with size 1 along `dim`.
    gradual_argmax(values: F [n], power: F [1];) -> (output: F [n])
    |n, features of values, row| crate::gradual_argmax(values, power, n, output);

    /// Gradients of [`gradual_argmax`] with respect to values and power, the latter one for each row.
    gradual_argmax_backward(values: F [n], power: F [1], grad: F [n]; of_power: bool)
        -> (grad_values: F [n], grad_power: F [1])
    |n, features of values, row| {
        let grad_power = if of_power {
            Some(grad_power)
        } else {
            grad_power.fill(core::mem::MaybeUninit::new(F::from_acc(crate::Real::ZERO)));
            None
        };
        crate::gradual_argmax_backward(values, power, grad, n, grad_values, grad_power)
    };

    /// Normalised power, and its row statistics; `power` as in [`gradual_argmax`].
    power_softmax(values: F [n], power: F [1];) -> (output: F [n], stats: Acc<F> [2])
    |n, features of values, row| crate::power_softmax(values, power, n, output, stats);

    /// Gradients of [`power_softmax`] with respect to values and power, the latter one for each row.
    power_softmax_backward(values: F [n], power: F [1], output: F [n], stats: Acc<F> [2], grad: F [n];)
        -> (grad_values: F [n], grad_power: F [1])
    |n, features of values, row| crate::power_softmax_backward(
        values, power, output, stats, grad, n, grad_values, grad_power
    );

    /// Free energy of the costs, and four row statistics for its gradient.
    free_energy(logits: F [n], cost: F [n]; temperature: f64) -> (output: F [1], stats: Acc<F> [4])
    |n, features of logits, row| crate::free_energy(logits, cost, n, temperature, output, stats);

    /// Gradients of [`free_energy`] with respect to logits and cost.
    free_energy_backward(logits: F [n], cost: F [n], stats: Acc<F> [4], grad: F [1]; temperature: f64)
        -> (grad_logits: F [n], grad_cost: F [n])
    |n, features of logits, row| crate::free_energy_backward(
        logits, cost, stats, grad, n, temperature, grad_logits, grad_cost
    );

    /// Lowest index of the largest entry.
    argmax(logits: F [n];) -> (index: i64 [1])
    |n, features of logits, row| crate::argmax(logits, n, index);

    /// One-hot of the argmax, with the maximum of every row and whether anything can be chosen: the temperature is for the gradient.
    straight_through_argmax(logits: F [n]; temperature: f64) -> (hard: F [n], stats: Acc<F> [2])
    |n, features of logits, row| crate::straight_through_argmax(logits, n, hard, stats);

    /// Gradient of [`straight_through_argmax`].
    straight_through_argmax_backward(logits: F [n], stats: Acc<F> [2], grad: F [n]; temperature: f64)
        -> (grad_logits: F [n])
    |n, features of logits, row| crate::straight_through_argmax_backward(
        logits, stats, grad, n, temperature, grad_logits
    );

    /// Gumbel-softmax with the noise of `seed`, and the statistics of the perturbed rows.
    gumbel_softmax(logits: F [n]; temperature: f64, seed: Seed) -> (probs: F [n], stats: Acc<F> [2])
    |n, features of logits, row| crate::gumbel_softmax(
        logits, None, seed, seed.element(row, n), n, temperature, probs, stats
    );

    /// Gumbel-softmax with given noise, and the statistics of the perturbed rows.
    gumbel_softmax_with_noise(logits: F [n], noise: F [n]; temperature: f64) -> (probs: F [n], stats: Acc<F> [2])
    |n, features of logits, row| crate::gumbel_softmax(
        logits, Some(noise), Seed::default(), 0, n, temperature, probs, stats
    );

    /// As [`straight_through_argmax`] for the logits plus the noise of `seed`.
    gumbel_argmax(logits: F [n]; temperature: f64, seed: Seed) -> (hard: F [n], stats: Acc<F> [2])
    |n, features of logits, row| crate::gumbel_argmax(
        logits, None, seed, seed.element(row, n), n, hard, stats
    );

    /// As [`straight_through_argmax`] for the logits plus given noise.
    gumbel_argmax_with_noise(logits: F [n], noise: F [n]; temperature: f64) -> (hard: F [n], stats: Acc<F> [2])
    |n, features of logits, row| crate::gumbel_argmax(
        logits, Some(noise), Seed::default(), 0, n, hard, stats
    );

    /// Gradient of [`gumbel_argmax`].
    gumbel_argmax_backward(logits: F [n], stats: Acc<F> [2], grad: F [n]; temperature: f64, seed: Seed)
        -> (grad_logits: F [n])
    |n, features of logits, row| crate::gumbel_argmax_backward(
        logits, None, seed, seed.element(row, n), stats, grad, n, temperature, grad_logits
    );

    /// Gradient of [`gumbel_argmax_with_noise`].
    gumbel_argmax_with_noise_backward(
        logits: F [n], noise: F [n], stats: Acc<F> [2], grad: F [n]; temperature: f64
    ) -> (grad_logits: F [n])
    |n, features of logits, row| crate::gumbel_argmax_backward(
        logits, Some(noise), Seed::default(), 0, stats, grad, n, temperature, grad_logits
    );

    /// `samples` indices drawn from the softmax, their log-probabilities, and the row statistics.
    sample_categorical(logits: F [n]; samples: usize, temperature: f64, seed: Seed)
        -> (index: i64 [samples], log_prob: F [samples], stats: Acc<F> [2])
    |n, features of logits, row| crate::sample_categorical(
        logits, seed, seed.element(row, samples * n), n, samples, temperature, index, log_prob, stats
    );

    /// Log-probabilities of `samples` given indices per row, and the row statistics.
    categorical_log_prob(logits: F [n], index: i64 [samples]; samples: usize)
        -> (log_prob: F [samples], stats: Acc<F> [2])
    |n, features of logits, row| crate::categorical_log_prob(logits, index, n, samples, log_prob, stats);

    /// Gradient of log-probabilities at a temperature: of [`categorical_log_prob`] at 1, of [`sample_categorical`] at its own.
    categorical_log_prob_backward(
        logits: F [n], index: i64 [samples], stats: Acc<F> [2], grad: F [samples];
        samples: usize, temperature: f64
    ) -> (grad_logits: F [n])
    |n, features of logits, row| crate::categorical_log_prob_backward(
        logits, index, stats, grad, n, samples, temperature, grad_logits
    );

    /// Entmax, and its row statistics.
    entmax(logits: F [n]; alpha: f64) -> (probs: F [n], stats: Acc<F> [2])
    |n, features of logits, row| crate::entmax(logits, alpha, n, probs, stats);

    /// Gradient of [`entmax`].
    entmax_backward(probs: F [n], stats: Acc<F> [2], grad: F [n]; alpha: f64) -> (grad_logits: F [n])
    |n, features of probs, row| crate::entmax_backward(probs, stats, grad, alpha, n, grad_logits);

    /// Entmax, and its row statistics; `alpha` holds one value, or one for each row with size 1 along `dim`.
    entmax_rows(logits: F [n], alpha: F [1];) -> (probs: F [n], stats: Acc<F> [2])
    |n, features of logits, row| crate::entmax_rows(logits, alpha, n, probs, stats);

    /// Gradients of [`entmax_rows`] with respect to logits and alpha, the latter one for each row.
    entmax_rows_backward(probs: F [n], alpha: F [1], stats: Acc<F> [2], grad: F [n];)
        -> (grad_logits: F [n], grad_alpha: F [1])
    |n, features of probs, row| crate::entmax_rows_backward(probs, alpha, stats, grad, n, grad_logits, grad_alpha);

    /// Weights in `[0, 1]` with a given sum, and their row statistics; `budget` as `alpha` in [`entmax_rows`].
    budget(logits: F [n], budget: F [1];) -> (probs: F [n], stats: Acc<F> [2])
    |n, features of logits, row| crate::budget(logits, budget, n, probs, stats);

    /// Gradients of [`budget`] with respect to logits and budget, the latter one for each row.
    budget_backward(probs: F [n], stats: Acc<F> [2], grad: F [n];) -> (grad_logits: F [n], grad_budget: F [1])
    |n, features of probs, row| crate::budget_backward(probs, stats, grad, n, grad_logits, grad_budget);
}
