use core::fmt;

use burn_core::backend::{
    fusion::{
        ExecutionError, Fusion, FusionBackend, FusionRuntime,
        custom::{CustomOpIr, HandleContainer, Operation, OperationIr, OperationOutput, StreamId},
    },
    get_or_init_device_settings,
};
use burn_core::tensor::DType;

#[cfg(feature = "remote")]
use crate::remote::is_remote;
use crate::{
    Operators, RelaxOps, Seed, composed, custom, operators,
    table::{operations, primitive},
};

/// The container of a fused backend's tensors.
type Handles<B> =
    HandleContainer<<<B as FusionBackend>::FusionRuntime as FusionRuntime>::FusionHandle>;

/// A call in the queue.
struct Queued<B: FusionBackend> {
    call: CustomOpIr,
    execute: fn(&mut Handles<B>, &CustomOpIr),
}

impl<B: FusionBackend> fmt::Debug for Queued<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Queued").field(&self.call).finish()
    }
}

impl<B: FusionBackend> Operation<B::FusionRuntime> for Queued<B> {
    fn execute(&self, handles: &mut Handles<B>) -> Result<(), ExecutionError> {
        (self.execute)(handles, &self.call);
        Ok(())
    }
}

/// The dtype of indices: what the kernels make, or whatever a remote device has.
fn index_dtype<B: FusionBackend>(device: &B::Device) -> DType {
    #[cfg(feature = "cubecl-backend")]
    if !is_remote::<B>() {
        return super::cube::INDEX;
    }
    get_or_init_device_settings::<B>(device).int_dtype.into()
}

#[cfg(all(feature = "cubecl-backend", not(feature = "remote")))]
fn is_remote<B: FusionBackend>() -> bool {
    false
}

macro_rules! queue {
    ($(
        $name:ident($($input:ident: $kind:ident),*; $($number:ident: $type:ty),*)
            -> ($($output:ident: $output_kind:ident = $spec:expr),+);
    )*) => {
        #[allow(unused_parens, reason = "some operations have one output")]
        impl<B: FusionBackend + RelaxOps> RelaxOps for Fusion<B> { $(
            fn $name($($input: primitive!($kind),)* $($number: $type),*) -> ($(primitive!($output_kind)),+) {
                if operators() == Operators::Composed {
                    return composed::$name::<Self>($($input,)* $($number),*);
                }
                let client = [$(&$input),*][0].client.clone();
                let index = index_dtype::<B>(client.device());
                let call = custom::$name::describe(
                    $($input.into_ir(),)* $($number,)* index, || client.create_empty_handle(),
                );
                let queued = Queued::<B> { call: call.clone(), execute: custom::$name::execute::<B> };
                let queue = StreamId::current();
                let [$($output),+] = client.register(queue, OperationIr::Custom(call), queued).outputs();
                ($($output),+)
            }
        )* }
    };
}
operations!(queue);
