//! One operator a file, with its kernels; where they are long, a folder.

/// Declares the files or folders, hands on their public functions, and lists their names.
macro_rules! operators {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        $(pub use $name::*;)*

        /// The files or folders of the operators, for the test that looks for each function among its cases.
        #[doc(hidden)]
        pub const OPERATORS: &[&str] = &[$(stringify!($name)),*];
    };
}

operators![
    argmax,
    argmax_gather,
    budget,
    categorical_log_prob,
    entmax,
    free_energy,
    gradual_argmax,
    gumbel,
    normalised_gradual_argmax,
    power_softmax,
    sample_categorical,
    soft_argmax_gather,
    softmax,
    straight_through_argmax,
];
