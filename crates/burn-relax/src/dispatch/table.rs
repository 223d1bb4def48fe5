//! The list of all operations. Everything else in [`dispatch`](super) is made from its rows: the trait and its default bodies'
//! calls, the nodes of the graph, the forwards to kernels, what is queued and sent.
//!
//! A row says, in this order:
//!
//! ```text
//! /// What the operation computes.
//! name(tensor: Kind, …; number: type, …) -> (output: Kind = shape and dtype, …) { how }
//! ```
//!
//! The kinds are the words by which Burn's `backend_extension` knows tensors: `Float` takes part in the gradient, `FloatTensor`
//! is constant for it, as row statistics are, and `Int` holds indices. An output's shape and dtype are told with the
//! functions of `wire/value.rs`, before anything runs. *How* is one of:
//!
//! | how | meaning |
//! |---|---|
//! | `{}` | kernels everywhere; on tracked tensors the default body, which Burn differentiates: all backward operations |
//! | `{ constant }` | kernels everywhere, no gradient |
//! | `{ gradient (inputs) = backward(saved; numbers) }` | one node of the graph: the gradients of these inputs, all that are `Float`, are what `backward` returns for the saved tensors, the upstream gradient of the first `Float` output, and the numbers. `\|wanted\|` before its name gives it an array that says which of them are asked for |
//! | `{ gradient (inputs) = backward(…) for each }` | the same, where each input has the one gradient that `backward` returns |
//! | `{ gradients input = backward(saved; numbers), … }` | one node too, where each input has a backward operation of its own, which runs if that gradient is asked for |
//! | `{ composed … }` | as what follows, but no backend has a kernel: the default body everywhere |
//!
//! Whoever changes a released row raises the version in `wire/mod.rs`: client and server need the same.

/// Expands `$callback` with what is in the brackets, then with all rows. Exported for the tests, which make calls of it; no part of
/// the public API.
#[doc(hidden)]
#[macro_export]
macro_rules! __operations {
    ($callback:ident [$($context:tt)*]) => {
        $callback! { [$($context)*]
            /// Softmax of the logits over a temperature, and the row statistics.
            softmax(logits: Float; dim: usize, temperature: f64)
                -> (probs: Float = like(logits), stats: FloatTensor = statistics(logits, dim, 2))
                { gradient (logits) = softmax_backward(probs, stats; dim, temperature) }
            /// Gradient of the softmax for the logits, from the saved weights.
            softmax_backward(probs: Float, stats: Float, grad: Float; dim: usize, temperature: f64)
                -> (grad_logits: Float = like(probs)) {}

            /// Logarithm of the softmax, and the row statistics.
            log_softmax(logits: Float; dim: usize)
                -> (log_probs: Float = like(logits), stats: FloatTensor = statistics(logits, dim, 2))
                { gradient (logits) = log_softmax_backward(log_probs, stats; dim) }
            /// Gradient of the log-softmax for the logits, from the saved output.
            log_softmax_backward(log_probs: Float, stats: Float, grad: Float; dim: usize)
                -> (grad_logits: Float = like(log_probs)) {}

            /// Expected coordinate under the softmax, and the row statistics; `coordinates` has one entry per class.
            soft_argmax(logits: Float, coordinates: Float; dim: usize, temperature: f64)
                -> (output: Float = sized(logits, dim, 1), stats: FloatTensor = statistics(logits, dim, 2))
                { gradients
                    logits = soft_argmax_backward(logits, coordinates, stats, output; dim, temperature),
                    coordinates = soft_argmax_backward_coordinates(logits, stats; dim, temperature) }
            /// Gradient of the expected coordinate for the logits.
            soft_argmax_backward(
                logits: Float, coordinates: Float, stats: Float, output: Float, grad: Float; dim: usize, temperature: f64
            ) -> (grad_logits: Float = like(logits)) {}
            /// Gradient of the expected coordinate for the coordinates, a sum over the rows.
            soft_argmax_backward_coordinates(logits: Float, stats: Float, grad: Float; dim: usize, temperature: f64)
                -> (grad_coordinates: Float = classes(logits, dim)) { composed }

            /// Expected value under the softmax, and the row statistics; `values` has the logits' shape, then feature dimensions.
            soft_argmax_gather(logits: Float, values: Float; dim: usize, temperature: f64)
                -> (soft: Float = sized(values, dim, 1), stats: FloatTensor = statistics(logits, dim, 2))
                { gradient (logits, values) = soft_argmax_gather_backward(logits, values, stats, soft; dim, temperature) }
            /// Gradients of the expected value for logits and values.
            soft_argmax_gather_backward(
                logits: Float, values: Float, stats: Float, soft: Float, grad: Float; dim: usize, temperature: f64
            ) -> (grad_logits: Float = like(logits), grad_values: Float = like(values)) {}

            /// Value at the argmax, the expected value, and the row statistics.
            hard_argmax_gather(logits: Float, values: Float; dim: usize, temperature: f64)
                -> (hard: Float = sized(values, dim, 1), soft: FloatTensor = sized(values, dim, 1),
                    stats: FloatTensor = statistics(logits, dim, 2))
                { gradient (logits, values) = hard_argmax_gather_backward(logits, values, stats, soft; dim, temperature) }
            /// Gradients of the value at the argmax: the expected value's for the logits, the upstream one for the chosen value.
            hard_argmax_gather_backward(
                logits: Float, values: Float, stats: Float, soft: Float, grad: Float; dim: usize, temperature: f64
            ) -> (grad_logits: Float = like(logits), grad_values: Float = like(values)) {}

            /// Lowest index of the largest entry; NaN counts as largest, a row of `-inf` gives 0.
            argmax(logits: FloatTensor; dim: usize) -> (indices: Int = sized(logits, dim, 1)) { constant }

            /// Value at the argmax; `values` has the logits' shape, then feature dimensions.
            argmax_gather(logits: FloatTensor, values: Float; dim: usize) -> (output: Float = sized(values, dim, 1))
                { gradient (values) = argmax_gather_backward(logits; dim) }
            /// Gradient of the value at the argmax for the values.
            argmax_gather_backward(logits: Float, grad: Float; dim: usize)
                -> (grad_values: Float = sized(grad, dim, logits.shape[dim])) {}

            /// Power sharpening; `power` holds one value, or one for each row with size 1 along `dim`.
            gradual_argmax(values: Float, power: Float; dim: usize) -> (output: Float = like(values))
                { gradient (values, power) = |wanted| gradual_argmax_backward(values, power; dim, wanted[1]) }
            /// Gradients of the power sharpening for values and, if asked for, the power, one per row.
            gradual_argmax_backward(values: Float, power: Float, grad: Float; dim: usize, of_power: bool)
                -> (grad_values: Float = like(values), grad_power: Float = of_rows(values, power, dim)) {}

            /// The power sharpening over its sum, and two row statistics: the maximum of the values, and that sum; `power` as above.
            normalised_gradual_argmax(values: Float, power: Float; dim: usize)
                -> (output: Float = like(values), stats: FloatTensor = statistics(values, dim, 2))
                { gradient (values, power) =
                    |wanted| normalised_gradual_argmax_backward(values, power, output, stats; dim, wanted[1]) }
            /// Gradients of the normalised power sharpening for values and, if asked for, the power, one per row.
            normalised_gradual_argmax_backward(
                values: Float, power: Float, output: Float, stats: Float, grad: Float; dim: usize, of_power: bool
            ) -> (grad_values: Float = like(values), grad_power: Float = of_rows(values, power, dim)) {}

            /// `v^p / Σ v^p` and the row statistics; `power` holds one value, or one for each row with size 1 along `dim`.
            power_softmax(values: Float, power: Float; dim: usize)
                -> (output: Float = like(values), stats: FloatTensor = statistics(values, dim, 2))
                { gradient (values, power) = power_softmax_backward(values, power, output, stats; dim) }
            /// Gradients of the power softmax for values and power, the latter one per row.
            power_softmax_backward(values: Float, power: Float, output: Float, stats: Float, grad: Float; dim: usize)
                -> (grad_values: Float = like(values), grad_power: Float = of_rows(values, power, dim)) {}

            /// `-T log Σ softmax(logits) exp(-cost / T)`, and five row statistics: maximum and normaliser of the logits, then three
            /// that the backward pass of the same body reads.
            free_energy(logits: Float, cost: Float; dim: usize, temperature: f64)
                -> (energy: Float = sized(logits, dim, 1), stats: FloatTensor = statistics(logits, dim, 5))
                { gradient (logits, cost) = free_energy_backward(logits, cost, stats; dim, temperature) }
            /// Gradients of the free energy for logits and cost.
            free_energy_backward(logits: Float, cost: Float, stats: Float, grad: Float; dim: usize, temperature: f64)
                -> (grad_logits: Float = like(logits), grad_cost: Float = like(cost)) {}

            /// Entmax, and two row statistics: the maximum, and the number of entries with weight.
            entmax(logits: Float; dim: usize, alpha: f64)
                -> (probs: Float = like(logits), stats: FloatTensor = statistics(logits, dim, 2))
                { gradient (logits) = entmax_backward(probs, stats; dim, alpha) }
            /// Gradient of the entmax for the logits, from the saved weights.
            entmax_backward(probs: Float, stats: Float, grad: Float; dim: usize, alpha: f64)
                -> (grad_logits: Float = like(probs)) {}

            /// Entmax with one `alpha`, or one for each row with size 1 along `dim`.
            entmax_rows(logits: Float, alpha: Float; dim: usize)
                -> (probs: Float = like(logits), stats: FloatTensor = statistics(logits, dim, 2))
                { gradient (logits, alpha) = entmax_rows_backward(probs, alpha, stats; dim) }
            /// Gradients of the entmax for logits and alpha, the latter one per row.
            entmax_rows_backward(probs: Float, alpha: Float, stats: Float, grad: Float; dim: usize)
                -> (grad_logits: Float = like(probs), grad_alpha: Float = sized(probs, dim, 1)) {}

            /// Weights in `[0, 1]` with a given sum, and two row statistics: the maximum, and the number of entries strictly
            /// between 0 and 1; `budget` holds one value, or one for each row with size 1 along `dim`.
            budget(logits: Float, budget: Float; dim: usize)
                -> (probs: Float = like(logits), stats: FloatTensor = statistics(logits, dim, 2))
                { gradient (logits, budget) = budget_backward(probs, stats; dim) }
            /// Gradients of the budget for logits and budget, the latter one per row.
            budget_backward(probs: Float, stats: Float, grad: Float; dim: usize)
                -> (grad_logits: Float = like(probs), grad_budget: Float = sized(probs, dim, 1)) {}

            /// One-hot of the first argmax, and for its gradient, that of a softmax, the maximum of every row and its normaliser, or
            /// 1 where a backend sums the weights in the backward pass.
            straight_through_argmax(logits: Float; dim: usize, temperature: f64)
                -> (hard: Float = like(logits), stats: FloatTensor = statistics(logits, dim, 2))
                { gradient (logits) = straight_through_argmax_backward(logits, stats; dim, temperature) }
            /// Gradient of the softmax at the logits.
            straight_through_argmax_backward(logits: Float, stats: Float, grad: Float; dim: usize, temperature: f64)
                -> (grad_logits: Float = like(logits)) {}

            /// Softmax of the logits with the Gumbel noise of a seed, numbered along `dim` first, and the statistics of the
            /// perturbed rows.
            gumbel_softmax(logits: Float; dim: usize, temperature: f64, seed: Seed)
                -> (probs: Float = like(logits), stats: FloatTensor = statistics(logits, dim, 2))
                { gradient (logits) = softmax_backward(probs, stats; dim, temperature) }
            /// Softmax of the logits with given noise, and the statistics of the perturbed rows.
            gumbel_softmax_with_noise(logits: Float, noise: Float; dim: usize, temperature: f64)
                -> (probs: Float = like(logits), stats: FloatTensor = statistics(logits, dim, 2))
                { gradient (logits, noise) = softmax_backward(probs, stats; dim, temperature) for each }

            /// One-hot of the first argmax of the logits with the Gumbel noise of a seed, and statistics of the perturbed rows as in
            /// `straight_through_argmax`.
            gumbel_argmax(logits: Float; dim: usize, temperature: f64, seed: Seed)
                -> (hard: Float = like(logits), stats: FloatTensor = statistics(logits, dim, 2))
                { gradient (logits) = gumbel_argmax_backward(logits, stats; dim, temperature, seed) }
            /// Gradient of the softmax at the perturbed logits, the noise made again.
            gumbel_argmax_backward(logits: Float, stats: Float, grad: Float; dim: usize, temperature: f64, seed: Seed)
                -> (grad_logits: Float = like(logits)) {}

            /// One-hot of the first argmax of the logits with given noise, and statistics as in `gumbel_argmax`.
            gumbel_argmax_with_noise(logits: Float, noise: Float; dim: usize, temperature: f64)
                -> (hard: Float = like(logits), stats: FloatTensor = statistics(logits, dim, 2))
                { gradient (logits, noise) = gumbel_argmax_with_noise_backward(logits, noise, stats; dim, temperature) for each }
            /// Gradient of the softmax at the perturbed logits, the same for logits and noise.
            gumbel_argmax_with_noise_backward(
                logits: Float, noise: Float, stats: Float, grad: Float; dim: usize, temperature: f64
            ) -> (grad_logits: Float = like(logits)) {}

            /// Classes drawn from `softmax(logits / T)` with the noise of a seed, numbered row, sample, class; their
            /// log-probabilities; and the row statistics.
            sample_categorical(logits: Float; dim: usize, samples: usize, temperature: f64, seed: Seed)
                -> (indices: Int = sized(logits, dim, samples), log_prob: Float = sized(logits, dim, samples),
                    stats: FloatTensor = statistics(logits, dim, 2))
                { gradient (logits) = categorical_log_prob_backward(logits, indices, stats; dim, temperature) }

            /// `log softmax(logits)` at the given classes, any number of them per row, and the row statistics.
            categorical_log_prob(logits: Float, indices: Int; dim: usize)
                -> (log_prob: Float = sized(logits, dim, indices.shape[dim]), stats: FloatTensor = statistics(logits, dim, 2))
                { gradient (logits) = categorical_log_prob_backward(logits, indices, stats; dim, 1.0) }
            /// Gradient of `log softmax(logits / T)` at the given classes for the logits.
            categorical_log_prob_backward(
                logits: Float, indices: Int, stats: Float, grad: Float; dim: usize, temperature: f64
            ) -> (grad_logits: Float = like(logits)) {}
        }
    };
}
pub use __operations as operations;
