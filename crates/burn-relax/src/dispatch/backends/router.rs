//! A remote device gets one request for an operation, or the default body's; a captured graph is of Burn's own operations,
//! which whatever reads it knows.

use burn_core::backend::ir::{OperationIr, OperationOutput};
use burn_router::{BackendRouter, RouterChannel, RouterClient};

use crate::dispatch::{
    kinds::{Float, FloatTensor, Int, Seed, index_dtype},
    ops::RelaxOps,
    remote,
    table::operations,
    wire,
};

macro_rules! request {
    ([] $name:ident [$($kind:ident $input:ident),*] [$($number:ident),*] [$($result:ident $output:ident),+]) => {{
        let client = [$(&$input),*][0].client.clone();
        let index = index_dtype::<Self>(&client.device()).into();
        let call = wire::$name::describe(
            $($input.into_ir(),)* $($number,)* index, || client.create_empty_handle(),
        );
        let [$($output),+] = client.register(OperationIr::Custom(call)).outputs();
        ($($output),+)
    }};
}
operations!(implement [
    [impl<C: RouterChannel> RelaxOps for BackendRouter<C>] [!remote::sends_custom::<Self>()] request []
]);
