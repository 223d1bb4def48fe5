//! Default bodies: every operation composed from Burn's own, right on any backend before it is fast on one.
//!
//! They are also the reference that fused kernels are compared with, in tests and in the benchmark.
//! Formulas and edge cases: `docs/operators.md` and `docs/numerics.md`.
//!
//! A file computes in f64 where the inputs are f64, else in f32; what comes out is rounded once, to the dtype that the table says.

mod argmax;
mod argmax_gather;
mod budget;
mod categorical_log_prob;
mod entmax;
mod float;
mod free_energy;
mod gradual_argmax;
mod gumbel_argmax;
mod gumbel_softmax;
mod log_softmax;
mod normalised_gradual_argmax;
mod one_hot;
mod perturb;
mod power_softmax;
mod powers;
mod row;
mod sample_categorical;
mod soft_argmax;
mod soft_argmax_gather;
mod softmax;
mod straight_through_argmax;

use burn_core::backend::Backend;

use super::{
    kinds::{Float, FloatTensor, Int, Seed, Spec, classes, like, of_rows, sized, statistics},
    table::operations,
};

/// What the operations of these names compute.
mod formulas {
    pub(super) use super::{
        argmax::*, argmax_gather::*, budget::*, categorical_log_prob::*, entmax::*, free_energy::*,
        gradual_argmax::*, gumbel_argmax::*, gumbel_softmax::*, log_softmax::*,
        normalised_gradual_argmax::*, power_softmax::*, sample_categorical::*, soft_argmax::*,
        soft_argmax_gather::*, softmax::*, straight_through_argmax::*,
    };
}

macro_rules! load {
    (Int $tensor:ident) => {
        $tensor
    };
    ($kind:ident $tensor:ident) => {
        float::Float::<B>::load($tensor)
    };
}

macro_rules! store {
    (Int $tensor:ident $spec:expr) => {
        $tensor
    };
    ($kind:ident $tensor:ident $spec:expr) => {{
        let Spec { shape, dtype } = $spec;
        debug_assert_eq!($tensor.shape(), shape, "the table says another shape");
        $tensor.store(dtype)
    }};
}

macro_rules! bodies {
    ([] $(
        $(#[$doc:meta])*
        $name:ident($($input:ident: $kind:ident),*; $($number:ident: $type:ident),*)
            -> ($($output:ident: $result:ident = $spec:expr),+) { $($how:tt)* }
    )*) => { $(
        $(#[$doc])*
        #[allow(clippy::too_many_arguments, unused_parens, unused_variables, reason = "the table's rows are regular")]
        pub fn $name<B: Backend>($($input: $kind<B>,)* $($number: $type),*) -> ($($result<B>),+) {
            $(let $input = (Spec::of(&$input), load!($kind $input));)*
            let ($($output),+) = formulas::$name::<B>($($input.1,)* $($number),*);
            $(let $input = &$input.0;)*
            ($(store!($result $output $spec)),+)
        }
    )* };
}
operations!(bodies []);
