//! The operations of [`RelaxOps`](crate::RelaxOps) as they are queued, sent and recorded: their tensors, numbers and the shapes
//! of what comes out.

/// Expands `$callback` with one line for each operation: input tensors, numbers, and outputs with shape and dtype.
macro_rules! operations {
    ($callback:ident) => {
        $callback! {
            softmax_with_stats(logits: Float; dim: usize, temperature: f64)
                -> (probs: Float = like(logits), stats: Float = statistics(logits, dim, 2));
            softmax_backward(probs: Float, stats: Float, grad: Float; dim: usize, temperature: f64)
                -> (grad_logits: Float = like(probs));
            log_softmax_with_stats(logits: Float; dim: usize)
                -> (log_probs: Float = like(logits), stats: Float = statistics(logits, dim, 2));
            log_softmax_backward(log_probs: Float, stats: Float, grad: Float; dim: usize)
                -> (grad_logits: Float = like(log_probs));
            soft_argmax(logits: Float, coordinates: Float; dim: usize, temperature: f64)
                -> (coordinate: Float = sized(logits, dim, 1), stats: Float = statistics(logits, dim, 2));
            soft_argmax_backward(
                logits: Float, coordinates: Float, stats: Float, output: Float, grad: Float; dim: usize, temperature: f64
            ) -> (grad_logits: Float = like(logits));
            soft_argmax_gather(logits: Float, values: Float; dim: usize, temperature: f64)
                -> (soft: Float = sized(values, dim, 1), stats: Float = statistics(logits, dim, 2));
            hard_argmax_gather(logits: Float, values: Float; dim: usize, temperature: f64)
                -> (hard: Float = sized(values, dim, 1), soft: Float = sized(values, dim, 1),
                    stats: Float = statistics(logits, dim, 2));
            soft_argmax_gather_backward(
                logits: Float, values: Float, stats: Float, soft: Float, grad: Float; dim: usize, temperature: f64
            ) -> (grad_logits: Float = like(logits), grad_values: Float = like(values));
            gradual_argmax(values: Float, power: Float; dim: usize) -> (output: Float = like(values));
            gradual_argmax_backward(values: Float, power: Float, grad: Float; dim: usize, of_power: bool)
                -> (grad_values: Float = like(values), grad_power: Float = of_rows(values, power, dim));
            power_softmax(values: Float, power: Float; dim: usize)
                -> (output: Float = like(values), stats: Float = statistics(values, dim, 2));
            power_softmax_backward(
                values: Float, power: Float, output: Float, stats: Float, grad: Float; dim: usize
            ) -> (grad_values: Float = like(values), grad_power: Float = of_rows(values, power, dim));
            free_energy(logits: Float, cost: Float; dim: usize, temperature: f64)
                -> (energy: Float = sized(logits, dim, 1), stats: Float = statistics(logits, dim, 4));
            free_energy_backward(
                logits: Float, cost: Float, stats: Float, grad: Float; dim: usize, temperature: f64
            ) -> (grad_logits: Float = like(logits), grad_cost: Float = like(cost));
            entmax(logits: Float; dim: usize, alpha: f64)
                -> (probs: Float = like(logits), stats: Float = statistics(logits, dim, 2));
            entmax_backward(probs: Float, stats: Float, grad: Float; dim: usize, alpha: f64)
                -> (grad_logits: Float = like(probs));
            entmax_rows(logits: Float, alpha: Float; dim: usize)
                -> (probs: Float = like(logits), stats: Float = statistics(logits, dim, 2));
            entmax_rows_backward(probs: Float, alpha: Float, stats: Float, grad: Float; dim: usize)
                -> (grad_logits: Float = like(probs), grad_alpha: Float = sized(probs, dim, 1));
            budget(logits: Float, budget: Float; dim: usize)
                -> (probs: Float = like(logits), stats: Float = statistics(logits, dim, 2));
            budget_backward(probs: Float, stats: Float, grad: Float; dim: usize)
                -> (grad_logits: Float = like(probs), grad_budget: Float = sized(probs, dim, 1));
            first_argmax(logits: Float; dim: usize) -> (indices: Int = sized(logits, dim, 1));
            argmax_gather(logits: Float, values: Float; dim: usize) -> (output: Float = sized(values, dim, 1));
            argmax_gather_backward(logits: Float, grad: Float; dim: usize)
                -> (grad_values: Float = sized(grad, dim, logits.shape[dim]));
            straight_through_argmax(logits: Float; dim: usize, temperature: f64)
                -> (hard: Float = like(logits), stats: Float = statistics(logits, dim, 2));
            straight_through_argmax_backward(
                logits: Float, stats: Float, grad: Float; dim: usize, temperature: f64
            ) -> (grad_logits: Float = like(logits));
            gumbel_softmax(logits: Float; dim: usize, temperature: f64, seed: Seed)
                -> (probs: Float = like(logits), stats: Float = statistics(logits, dim, 2));
            gumbel_softmax_with_noise(logits: Float, noise: Float; dim: usize, temperature: f64)
                -> (probs: Float = like(logits), stats: Float = statistics(logits, dim, 2));
            gumbel_argmax(logits: Float; dim: usize, temperature: f64, seed: Seed)
                -> (hard: Float = like(logits), stats: Float = statistics(logits, dim, 2));
            gumbel_argmax_backward(
                logits: Float, stats: Float, grad: Float; dim: usize, temperature: f64, seed: Seed
            ) -> (grad_logits: Float = like(logits));
            gumbel_argmax_with_noise(logits: Float, noise: Float; dim: usize, temperature: f64)
                -> (hard: Float = like(logits), stats: Float = statistics(logits, dim, 2));
            gumbel_argmax_with_noise_backward(
                logits: Float, noise: Float, stats: Float, grad: Float; dim: usize, temperature: f64
            ) -> (grad_logits: Float = like(logits));
            sample_categorical(logits: Float; dim: usize, samples: usize, temperature: f64, seed: Seed)
                -> (indices: Int = sized(logits, dim, samples), log_prob: Float = sized(logits, dim, samples),
                    stats: Float = statistics(logits, dim, 2));
            categorical_log_prob(logits: Float, indices: Int; dim: usize)
                -> (log_prob: Float = sized(logits, dim, indices.shape[dim]), stats: Float = statistics(logits, dim, 2));
            categorical_log_prob_backward(
                logits: Float, indices: Int, stats: Float, grad: Float; dim: usize, temperature: f64
            ) -> (grad_logits: Float = like(logits));
        }
    };
}

/// The primitive of a kind of tensor, in an implementation for a backend.
macro_rules! primitive {
    (Float) => { burn_core::backend::tensor::FloatTensor<Self> };
    (Int) => { burn_core::backend::tensor::IntTensor<Self> };
}

pub(crate) use {operations, primitive};
