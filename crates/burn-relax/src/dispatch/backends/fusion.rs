//! Backends behind Burn's fusion: an operation is queued as one custom operation, which the backend itself carries out.

use burn_core::backend::fusion::{
    ExecutionError, Fusion, FusionBackend, FusionRuntime,
    custom::{CustomOpIr, HandleContainer, Operation, OperationIr, OperationOutput, StreamId},
};
use burn_core::tensor::DType;

#[cfg(feature = "remote")]
use crate::dispatch::remote::is_remote;
use crate::dispatch::{
    execution::is_composed,
    kinds::{self, Float, FloatTensor, Int, Seed},
    ops::RelaxOps,
    table::operations,
    wire,
};

/// The container of a fused backend's tensors.
type Handles<B> =
    HandleContainer<<<B as FusionBackend>::FusionRuntime as FusionRuntime>::FusionHandle>;

/// A call in the queue.
#[derive(Debug)]
struct Queued<B: FusionBackend> {
    call: CustomOpIr,
    execute: fn(&mut Handles<B>, &CustomOpIr),
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
        return burn_relax_wgpu::INDEX;
    }
    kinds::index_dtype::<B>(device).into()
}

#[cfg(all(feature = "cubecl-backend", not(feature = "remote")))]
fn is_remote<B: FusionBackend>() -> bool {
    false
}

macro_rules! queue {
    ([] $name:ident [$($kind:ident $input:ident),*] [$($number:ident),*] [$($result:ident $output:ident),+]) => {{
        let client = [$(&$input),*][0].client.clone();
        let index = index_dtype::<B>(client.device());
        let call = wire::$name::describe(
            $($input.into_ir(),)* $($number,)* index, || client.create_empty_handle(),
        );
        let queued = Queued::<B> { call: call.clone(), execute: wire::$name::execute::<B> };
        let queue = StreamId::current();
        let [$($output),+] = client.register(queue, OperationIr::Custom(call), queued).outputs();
        ($($output),+)
    }};
}
operations!(implement [
    [impl<B: FusionBackend + RelaxOps> RelaxOps for Fusion<B>] [is_composed()] queue []
]);
