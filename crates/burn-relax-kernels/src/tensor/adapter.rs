/// Declares the public functions of a backend crate: every operator over the backend's tensor type.
///
/// `$wrapper` is a tuple struct round `$tensor` that implements [`RowTensor`](crate::tensor::RowTensor). Shapes and
/// meanings are those of [`crate::tensor`]; arguments are checked by the core crate.
#[macro_export]
macro_rules! row_operations {
    ($wrapper:ident, $tensor:ty) => {
        $crate::row_operations! { @declare $wrapper, $tensor,
            /// Softmax with a temperature along `dim`, and its row statistics.
            softmax(logits; dim: usize, temperature: f64) -> (probs, stats);
            /// Gradient of [`softmax`] with respect to the logits.
            softmax_backward(probs, stats, grad; dim: usize, temperature: f64) -> (grad_logits);
            /// Logarithm of the softmax along `dim`, and its row statistics.
            log_softmax(logits; dim: usize) -> (log_probs, stats);
            /// Gradient of [`log_softmax`] with respect to the logits.
            log_softmax_backward(log_probs, stats, grad; dim: usize) -> (grad_logits);
            /// Expected coordinate along `dim`, and the row statistics.
            soft_argmax(logits, coordinates; dim: usize, temperature: f64) -> (output, stats);
            /// Gradient of [`soft_argmax`] with respect to the logits.
            soft_argmax_backward(logits, coordinates, stats, output, grad; dim: usize, temperature: f64) -> (grad_logits);
            /// Expected value along `dim`, and the row statistics.
            soft_argmax_gather(logits, values; dim: usize, temperature: f64) -> (output, stats);
            /// Value at the argmax along `dim`, expected value, and the row statistics.
            hard_argmax_gather(logits, values; dim: usize, temperature: f64) -> (output, soft, stats);
            /// Gradients of [`soft_argmax_gather`] with respect to logits and values.
            soft_argmax_gather_backward(logits, values, stats, soft, grad; dim: usize, temperature: f64) -> (grad_logits, grad_values);
            /// Power sharpening along `dim`.
            gradual_argmax(values, power; dim: usize) -> (output);
            /// Gradients of [`gradual_argmax`] with respect to values and power.
            gradual_argmax_backward(values, power, grad; dim: usize, of_power: bool) -> (grad_values, grad_power);
            /// Normalised power along `dim`, and its row statistics.
            power_softmax(values, power; dim: usize) -> (output, stats);
            /// Gradients of [`power_softmax`] with respect to values and power.
            power_softmax_backward(values, power, output, stats, grad; dim: usize) -> (grad_values, grad_power);
            /// Free energy of the costs along `dim`, and the statistics of its gradient.
            free_energy(logits, cost; dim: usize, temperature: f64) -> (output, stats);
            /// Gradients of [`free_energy`] with respect to logits and cost.
            free_energy_backward(logits, cost, stats, grad; dim: usize, temperature: f64) -> (grad_logits, grad_cost);
            /// Lowest index of the largest entry along `dim`, as 64-bit integers.
            argmax(logits; dim: usize) -> (index);
            /// Value at the argmax along `dim` alone.
            argmax_gather(logits, values; dim: usize) -> (output);
            /// Gradient of [`argmax_gather`] with respect to the values.
            argmax_gather_backward(logits, grad; dim: usize) -> (grad_values);
            /// One-hot of the argmax along `dim`, and the row statistics.
            straight_through_argmax(logits; dim: usize, temperature: f64) -> (hard, stats);
            /// Gradient of [`straight_through_argmax`].
            straight_through_argmax_backward(logits, stats, grad; dim: usize, temperature: f64) -> (grad_logits);
            /// Gumbel-softmax with the noise of `seed`, and the statistics of the perturbed rows.
            gumbel_softmax(logits; dim: usize, temperature: f64, seed: $crate::Seed) -> (probs, stats);
            /// Gumbel-softmax with given noise, and the statistics of the perturbed rows.
            gumbel_softmax_with_noise(logits, noise; dim: usize, temperature: f64) -> (probs, stats);
            /// One-hot of the argmax of logits plus the noise of `seed`, and the statistics of the perturbed rows.
            gumbel_argmax(logits; dim: usize, temperature: f64, seed: $crate::Seed) -> (hard, stats);
            /// Gradient of [`gumbel_argmax`].
            gumbel_argmax_backward(logits, stats, grad; dim: usize, temperature: f64, seed: $crate::Seed) -> (grad_logits);
            /// One-hot of the argmax of logits plus given noise, and the statistics of the perturbed rows.
            gumbel_argmax_with_noise(logits, noise; dim: usize, temperature: f64) -> (hard, stats);
            /// Gradient of [`gumbel_argmax_with_noise`].
            gumbel_argmax_with_noise_backward(logits, noise, stats, grad; dim: usize, temperature: f64) -> (grad_logits);
            /// 64-bit indices drawn from the softmax along `dim`, their log-probabilities, and the row statistics.
            sample_categorical(logits; dim: usize, samples: usize, temperature: f64, seed: $crate::Seed) -> (index, log_prob, stats);
            /// Log-probabilities of 64-bit indices along `dim`, `samples` per row, and the row statistics.
            categorical_log_prob(logits, index; dim: usize, samples: usize) -> (log_prob, stats);
            /// Gradient of log-probabilities at a temperature: of [`categorical_log_prob`] at 1, of [`sample_categorical`] at its own.
            categorical_log_prob_backward(logits, index, stats, grad; dim: usize, samples: usize, temperature: f64) -> (grad_logits);
            /// Entmax along `dim`, and its row statistics.
            entmax(logits; dim: usize, alpha: f64) -> (probs, stats);
            /// Gradient of [`entmax`] with respect to the logits.
            entmax_backward(probs, stats, grad; dim: usize, alpha: f64) -> (grad_logits);
            /// Entmax along `dim` with one alpha or one for each row, and its row statistics.
            entmax_rows(logits, alpha; dim: usize) -> (probs, stats);
            /// Gradients of [`entmax_rows`] with respect to logits and alpha.
            entmax_rows_backward(probs, alpha, stats, grad; dim: usize) -> (grad_logits, grad_alpha);
            /// Weights in `[0, 1]` with the sum `budget` along `dim`, and their row statistics.
            budget(logits, budget; dim: usize) -> (probs, stats);
            /// Gradients of [`budget`] with respect to logits and budget.
            budget_backward(probs, stats, grad; dim: usize) -> (grad_logits, grad_budget);
        }
    };
    (@declare $wrapper:ident, $tensor:ty, $(
        $(#[$doc:meta])*
        $name:ident($($input:ident),+; $($scalar:ident: $type:ty),+) -> ($($output:ident),+);
    )+) => {$(
        $(#[$doc])*
        #[allow(clippy::too_many_arguments, unused_parens)]
        pub fn $name(
            $($input: $tensor,)+ $($scalar: $type,)+
        ) -> ($($crate::row_operations!(@tensor $output $tensor)),+) {
            let ($($output),+) = $crate::tensor::$name($($wrapper($input),)+ $($scalar),+);
            ($($output.0),+)
        }
    )+};
    (@tensor $output:ident $tensor:ty) => { $tensor };
}
