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
            gradual_argmax_backward => gradual_argmax_backward(values, power, grad; dim: usize) -> two;
            power_softmax => power_softmax(values, power; dim: usize) -> two;
            power_softmax_backward => power_softmax_backward(values, power, output, stats, grad; dim: usize) -> two;
            free_energy => free_energy(logits, cost; dim: usize, temperature: f64) -> two;
            free_energy_backward => free_energy_backward(logits, cost, stats, grad; dim: usize, temperature: f64) -> two;
        }

        fn first_argmax(
            logits: burn_core::backend::tensor::FloatTensor<Self>,
            dim: usize,
        ) -> burn_core::backend::tensor::IntTensor<Self> {
            use burn_core::backend::{TensorMetadata, get_or_init_device_settings, ops::IntTensorOps};

            let dtype = get_or_init_device_settings::<Self>(&logits.device()).int_dtype;
            Self::int_cast($kernels::argmax(logits, dim), dtype)
        }
    };
    (@forward $kernels:ident, $(
        $name:ident => $kernel:ident($($input:ident),+; $($scalar:ident: $type:ty),+) -> $outputs:ident;
    )+) => {$(
        fn $name(
            $($input: burn_core::backend::tensor::FloatTensor<Self>,)+
            $($scalar: $type,)+
        ) -> row_kernels!(@$outputs) {
            $kernels::$kernel($($input,)+ $($scalar),+)
        }
    )+};
    (@one) => { burn_core::backend::tensor::FloatTensor<Self> };
    (@two) => { (row_kernels!(@one), row_kernels!(@one)) };
    (@three) => { (row_kernels!(@one), row_kernels!(@one), row_kernels!(@one)) };
}
