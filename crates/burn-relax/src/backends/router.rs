use burn_core::backend::{
    get_or_init_device_settings,
    ir::{OperationIr, OperationOutput},
};
use burn_core::tensor::DType;
use burn_router::{BackendRouter, RouterChannel, RouterClient};

use crate::{
    RelaxOps, Seed, composed, custom, remote,
    table::{operations, primitive},
};

macro_rules! requests {
    ($(
        $name:ident($($input:ident: $kind:ident),*; $($number:ident: $type:ty),*)
            -> ($($output:ident: $output_kind:ident = $spec:expr),+);
    )*) => {
        /// A remote device gets one request for an operation, or the default body's; a captured graph is of Burn's own
        /// operations, which whatever reads it knows.
        #[allow(unused_parens, reason = "some operations have one output")]
        impl<C: RouterChannel> RelaxOps for BackendRouter<C> { $(
            fn $name($($input: primitive!($kind),)* $($number: $type),*) -> ($(primitive!($output_kind)),+) {
                if !remote::sends_custom::<Self>() {
                    return composed::$name::<Self>($($input,)* $($number),*);
                }
                let client = [$(&$input),*][0].client.clone();
                let index = DType::from(get_or_init_device_settings::<Self>(&client.device()).int_dtype);
                let call = custom::$name::describe(
                    $($input.into_ir(),)* $($number,)* index, || client.create_empty_handle(),
                );
                let [$($output),+] = client.register(OperationIr::Custom(call)).outputs();
                ($($output),+)
            }
        )* }
    };
}
operations!(requests);
