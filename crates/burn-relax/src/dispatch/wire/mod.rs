//! Operations as Burn's custom operations: what fusion queues, a remote client sends and a server runs.
//!
//! Each operation of the table has a module with two functions: `describe` puts a call into words, `execute` takes it out of them
//! and runs it on a backend.

mod value;

use burn_core::backend::ir::{BackendIr, CustomOpIr, HandleContainer, TensorId, TensorIr};
use burn_core::tensor::DType;
use value::{Float, FloatTensor, Int, Number};

use crate::dispatch::{
    kinds::{Seed, Spec, classes, like, of_rows, sized, statistics},
    ops::RelaxOps,
    table::operations,
};

/// The version of the operations' names: what a client sends is run by servers of the same version only.
macro_rules! version {
    () => {
        4
    };
}
#[cfg(feature = "router")]
pub(in crate::dispatch) const VERSION: u32 = version!();

macro_rules! words {
    ([] $(
        $(#[$doc:meta])*
        $name:ident($($input:ident: $kind:ident),*; $($number:ident: $type:ident),*)
            -> ($($output:ident: $result:ident = $spec:expr),+) { $($how:tt)* }
    )*) => { $(
        #[allow(unused_parens, unused_variables, reason = "the table's rows are regular")]
        pub(in crate::dispatch) mod $name {
            use super::*;

            pub(in crate::dispatch) const ID: &str = concat!("burn-relax/", version!(), "/", stringify!($name));

            /// The call in words; `index` is the device's dtype of indices.
            #[allow(dead_code, clippy::too_many_arguments, reason = "a composed operation is never sent")]
            pub(in crate::dispatch) fn describe(
                $($input: TensorIr,)*
                $($number: $type,)*
                index: DType,
                mut new_id: impl FnMut() -> TensorId,
            ) -> CustomOpIr {
                let outputs = {
                    $(let $input = &Spec { shape: $input.shape.clone(), dtype: $input.dtype };)*
                    [$($result::output($spec, index)),+]
                };
                let outputs = outputs.map(|Spec { shape, dtype }| TensorIr::uninit(new_id(), shape, dtype));
                let mut scalars = Vec::new();
                $($number.write(&mut scalars);)*
                CustomOpIr {
                    id: ID.to_owned(),
                    inputs: vec![$($input),*],
                    outputs: outputs.into(),
                    scalars,
                }
            }

            /// Runs a call that was put into words.
            ///
            /// # Panics
            ///
            /// If the words are not those of this operation.
            pub(in crate::dispatch) fn execute<B: BackendIr + RelaxOps>(
                handles: &mut HandleContainer<B::Handle>,
                call: &CustomOpIr,
            ) {
                let misfit = || -> ! {
                    panic!("{ID}: {} tensors, {} results and {} numbers do not fit",
                        call.inputs.len(), call.outputs.len(), call.scalars.len())
                };
                let mut scalars = call.scalars.iter().copied();
                $(let Some($number) = <$type>::read(&mut scalars) else { misfit() };)*
                let [$($input),*] = call.inputs.as_slice() else { misfit() };
                $(let $input = $kind::take::<B>(handles, $input);)*
                let ($($output),+) = <B as RelaxOps>::$name($($input,)* $($number),*);
                let mut outputs = call.outputs.iter();
                $(
                    let Some(ir) = outputs.next() else { misfit() };
                    $result::put::<B>(handles, ir, $output);
                )+
            }
        }
    )* };
}
operations!(words []);
