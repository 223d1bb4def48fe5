//! The trait of the operations behind the public functions, made from the [`table`](super::table).
//!
//! Arguments are checked before they arrive here, by the public functions.
//!
//! `stats` is the row statistics tensor: the logits' shape with size 2 along `dim`, holding the row maximum and the
//! normaliser `Σ exp((x - max) / T)`. A row whose maximum is `+inf` stores the largest finite number and the count of its
//! infinite entries; a row that is all `-inf` stores the lowest finite number and 0. See `docs/numerics.md`.

#![allow(unused_parens, reason = "some operations of the table have one output")]

use burn_core as burn;
use burn_core::backend::{Backend, backend_extension};

use super::{
    composed,
    kinds::{Float, FloatTensor, Int, Seed},
    table::operations,
};

macro_rules! declare {
    ([] $(
        $(#[$doc:meta])*
        $name:ident($($input:ident: $kind:ident),*; $($number:ident: $type:ident),*)
            -> ($($output:ident: $result:ident = $spec:expr),+) { $($how:tt)* }
    )*) => {
        /// Backend operations behind the public functions, each with a default body composed of Burn's own.
        ///
        /// Implemented for every Burn backend this crate is compiled with; call the functions of the crate root instead.
        #[backend_extension(
            Flex: cfg(feature = "flex"),
            NdArray: cfg(feature = "ndarray"),
            Cube: cfg(feature = "cubecl-backend"),
            LibTorch: cfg(feature = "tch"),
            Remote: cfg(feature = "remote"),
            Capture: cfg(feature = "capture"),
            Autodiff: cfg(feature = "autodiff"),
        )]
        #[allow(clippy::too_many_arguments, reason = "a backward operation takes what its forward one saved")]
        pub trait RelaxOps: Backend { $(
            $(#[$doc])*
            fn $name($($input: $kind<Self>,)* $($number: $type),*) -> ($($result<Self>),+) {
                composed::$name::<Self>($($input,)* $($number),*)
            }
        )* }

        /// The names of all operations.
        pub const OPERATIONS: &[&str] = &[$(stringify!($name)),*];
    };
}
operations!(declare []);
