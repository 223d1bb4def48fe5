use burn_core::backend::{Backend, TensorMetadata, get_or_init_device_settings, tensor::IntTensor};
use burn_core::tensor::{DType, IntDType};

/// 64-bit indices from a kernel as the device keeps its integers.
pub(super) fn of_device<B: Backend>(index: IntTensor<B>) -> IntTensor<B> {
    let dtype = get_or_init_device_settings::<B>(&index.device()).int_dtype;
    if index.dtype() == DType::from(dtype) {
        index
    } else {
        B::int_cast(index, dtype)
    }
}

/// Indices in the 64 bits that the kernels read, and their number per row.
pub(super) fn long<B: Backend>(index: IntTensor<B>, dim: usize) -> (IntTensor<B>, usize) {
    let samples = index.shape()[dim];
    if index.dtype() == DType::I64 {
        (index, samples)
    } else {
        (B::int_cast(index, IntDType::I64), samples)
    }
}

/// The forwards of a CPU backend to its crate of row kernels: the one list that Flex and ndarray share.
macro_rules! row_kernels {
    ($kernels:ident) => {
        row_kernels! { @forward $kernels,
            softmax_with_stats => softmax(logits; dim: usize, temperature: f64) -> two;
            softmax_backward => softmax_backward(probs, stats, grad; dim: usize, temperature: f64) -> one;
            log_softmax_with_stats => log_softmax(logits; dim: usize) -> two;
            log_softmax_backward => log_softmax_backward(log_probs, stats, grad; dim: usize) -> one;
            soft_argmax => soft_argmax(logits, coordinates; dim: usize, temperature: f64) -> two;
            soft_argmax_backward => soft_argmax_backward(logits, coordinates, stats, output, grad; dim: usize, temperature: f64) -> one;
            soft_argmax_gather => soft_argmax_gather(logits, values; dim: usize, temperature: f64) -> two;
            hard_argmax_gather => hard_argmax_gather(logits, values; dim: usize, temperature: f64) -> three;
            soft_argmax_gather_backward => soft_argmax_gather_backward(logits, values, stats, soft, grad; dim: usize, temperature: f64) -> two;
            gradual_argmax => gradual_argmax(values, power; dim: usize) -> one;
            gradual_argmax_backward => gradual_argmax_backward(values, power, grad; dim: usize, of_power: bool) -> two;
            power_softmax => power_softmax(values, power; dim: usize) -> two;
            power_softmax_backward => power_softmax_backward(values, power, output, stats, grad; dim: usize) -> two;
            free_energy => free_energy(logits, cost; dim: usize, temperature: f64) -> two;
            free_energy_backward => free_energy_backward(logits, cost, stats, grad; dim: usize, temperature: f64) -> two;
            argmax_gather => argmax_gather(logits, values; dim: usize) -> one;
            argmax_gather_backward => argmax_gather_backward(logits, grad; dim: usize) -> one;
            straight_through_argmax => straight_through_argmax(logits; dim: usize, temperature: f64) -> two;
            straight_through_argmax_backward => straight_through_argmax_backward(logits, stats, grad; dim: usize, temperature: f64) -> one;
            gumbel_softmax => gumbel_softmax(logits; dim: usize, temperature: f64, seed: $crate::Seed) -> two;
            gumbel_softmax_with_noise => gumbel_softmax_with_noise(logits, noise; dim: usize, temperature: f64) -> two;
            gumbel_argmax => gumbel_argmax(logits; dim: usize, temperature: f64, seed: $crate::Seed) -> two;
            gumbel_argmax_backward => gumbel_argmax_backward(logits, stats, grad; dim: usize, temperature: f64, seed: $crate::Seed) -> one;
            gumbel_argmax_with_noise => gumbel_argmax_with_noise(logits, noise; dim: usize, temperature: f64) -> two;
            gumbel_argmax_with_noise_backward => gumbel_argmax_with_noise_backward(logits, noise, stats, grad; dim: usize, temperature: f64) -> one;
            entmax => entmax(logits; dim: usize, alpha: f64) -> two;
            entmax_backward => entmax_backward(probs, stats, grad; dim: usize, alpha: f64) -> one;
            entmax_rows => entmax_rows(logits, alpha; dim: usize) -> two;
            entmax_rows_backward => entmax_rows_backward(probs, alpha, stats, grad; dim: usize) -> two;
            budget => budget(logits, budget; dim: usize) -> two;
            budget_backward => budget_backward(probs, stats, grad; dim: usize) -> two;
        }

        fn first_argmax(
            logits: burn_core::backend::tensor::FloatTensor<Self>,
            dim: usize,
        ) -> burn_core::backend::tensor::IntTensor<Self> {
            row_kernels!(@composed first_argmax(logits, dim));
            $crate::backends::rows::of_device::<Self>($kernels::argmax(logits, dim))
        }

        fn sample_categorical(
            logits: burn_core::backend::tensor::FloatTensor<Self>,
            dim: usize,
            samples: usize,
            temperature: f64,
            seed: $crate::Seed,
        ) -> (burn_core::backend::tensor::IntTensor<Self>, row_kernels!(@one), row_kernels!(@one)) {
            row_kernels!(@composed sample_categorical(logits, dim, samples, temperature, seed));
            let (index, log_prob, stats) =
                $kernels::sample_categorical(logits, dim, samples, temperature, seed);
            ($crate::backends::rows::of_device::<Self>(index), log_prob, stats)
        }

        fn categorical_log_prob(
            logits: burn_core::backend::tensor::FloatTensor<Self>,
            indices: burn_core::backend::tensor::IntTensor<Self>,
            dim: usize,
        ) -> row_kernels!(@two) {
            row_kernels!(@composed categorical_log_prob(logits, indices, dim));
            let (index, samples) = $crate::backends::rows::long::<Self>(indices, dim);
            $kernels::categorical_log_prob(logits, index, dim, samples)
        }

        fn categorical_log_prob_backward(
            logits: burn_core::backend::tensor::FloatTensor<Self>,
            indices: burn_core::backend::tensor::IntTensor<Self>,
            stats: burn_core::backend::tensor::FloatTensor<Self>,
            grad: burn_core::backend::tensor::FloatTensor<Self>,
            dim: usize,
            temperature: f64,
        ) -> row_kernels!(@one) {
            row_kernels!(@composed categorical_log_prob_backward(
                logits, indices, stats, grad, dim, temperature
            ));
            let (index, samples) = $crate::backends::rows::long::<Self>(indices, dim);
            $kernels::categorical_log_prob_backward(
                logits, index, stats, grad, dim, samples, temperature,
            )
        }
    };
    (@forward $kernels:ident, $(
        $name:ident => $kernel:ident($($input:ident),+; $($scalar:ident: $type:ty),+) -> $outputs:ident;
    )+) => {$(
        fn $name(
            $($input: burn_core::backend::tensor::FloatTensor<Self>,)+
            $($scalar: $type,)+
        ) -> row_kernels!(@$outputs) {
            row_kernels!(@composed $name($($input,)+ $($scalar),+));
            $kernels::$kernel($($input,)+ $($scalar),+)
        }
    )+};
    (@composed $name:ident($($argument:ident),+)) => {
        if $crate::operators() == $crate::Operators::Composed {
            return $crate::composed::$name::<Self>($($argument),+);
        }
    };
    (@one) => { burn_core::backend::tensor::FloatTensor<Self> };
    (@two) => { (row_kernels!(@one), row_kernels!(@one)) };
    (@three) => { (row_kernels!(@one), row_kernels!(@one), row_kernels!(@one)) };
}
