//! The operators: one file or folder each, named as the operator is.

mod argmax;
mod argmax_gather;
mod budget;
mod categorical_log_prob;
mod check;
mod entmax;
mod free_energy;
mod gather;
mod gradual_argmax;
mod gumbel_argmax;
mod gumbel_softmax;
mod kernels;
mod log_softmax;
mod normalised_gradual_argmax;
mod power_softmax;
mod sample_categorical;
mod soft_argmax;
mod softmax;
mod straight_through_argmax;

/// Collects the operators of the files.
macro_rules! collect {
    ($($file:ident)+) => {
        /// All operators over slices.
        pub mod slices {
            $(pub use super::$file::slices::*;)+
        }

        /// All operators over tensors.
        pub mod tensors {
            $(pub use super::$file::tensors::*;)+
        }

        /// The names of all operators, by file.
        pub const NAMES: &[&[&str]] = &[$($file::NAMES),+];
    };
}

collect! {
    argmax argmax_gather budget categorical_log_prob entmax free_energy gather gradual_argmax gumbel_argmax gumbel_softmax
    log_softmax normalised_gradual_argmax power_softmax sample_categorical soft_argmax softmax straight_through_argmax
}
