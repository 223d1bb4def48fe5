//! Tensors and numbers of a queued operation.

use burn_core::backend::{
    TensorMetadata,
    ir::{BackendIr, HandleContainer, ScalarIr, TensorIr},
    tensor::{self, IntTensor},
};
use burn_core::tensor::DType;

use crate::dispatch::kinds::{Seed, Spec};

/// Float tensors of an operation.
pub(super) struct Float;

/// Those among them that are constant for the gradient, which makes no difference on the way.
pub(super) type FloatTensor = Float;

/// Integer tensors of an operation.
pub(super) struct Int;

impl Float {
    pub(super) fn output(spec: Spec, _index: DType) -> Spec {
        spec
    }

    pub(super) fn take<B: BackendIr>(
        handles: &mut HandleContainer<B::Handle>,
        input: &TensorIr,
    ) -> tensor::FloatTensor<B> {
        handles.get_float_tensor::<B>(input)
    }

    pub(super) fn put<B: BackendIr>(
        handles: &mut HandleContainer<B::Handle>,
        output: &TensorIr,
        tensor: tensor::FloatTensor<B>,
    ) {
        handles.register_float_tensor::<B>(&output.id, tensor);
    }
}

impl Int {
    pub(super) fn output(spec: Spec, index: DType) -> Spec {
        Spec {
            dtype: index,
            ..spec
        }
    }

    pub(super) fn take<B: BackendIr>(
        handles: &mut HandleContainer<B::Handle>,
        input: &TensorIr,
    ) -> IntTensor<B> {
        handles.get_int_tensor::<B>(input)
    }

    /// Whoever queued the operation counts on the dtype it announced.
    pub(super) fn put<B: BackendIr>(
        handles: &mut HandleContainer<B::Handle>,
        output: &TensorIr,
        tensor: IntTensor<B>,
    ) {
        let tensor = if tensor.dtype() == output.dtype {
            tensor
        } else {
            B::int_cast(tensor, output.dtype.into())
        };
        handles.register_int_tensor::<B>(&output.id, tensor);
    }
}

/// A number of an operation, in as many scalars as it takes.
pub(super) trait Number: Sized {
    fn write(self, scalars: &mut Vec<ScalarIr>);

    /// Nothing if a scalar is missing or of another kind.
    fn read(scalars: &mut dyn Iterator<Item = ScalarIr>) -> Option<Self>;
}

macro_rules! scalars {
    ($($number:ident $kind:ident),*) => { $(
        impl Number for $number {
            fn write(self, scalars: &mut Vec<ScalarIr>) {
                scalars.push(ScalarIr::$kind(self));
            }

            fn read(scalars: &mut dyn Iterator<Item = ScalarIr>) -> Option<Self> {
                match scalars.next()? {
                    ScalarIr::$kind(value) => Some(value),
                    _ => None,
                }
            }
        }
    )* };
}
scalars!(u64 UInt, f64 Float, bool Bool);

impl Number for usize {
    fn write(self, scalars: &mut Vec<ScalarIr>) {
        (self as u64).write(scalars);
    }

    fn read(scalars: &mut dyn Iterator<Item = ScalarIr>) -> Option<Self> {
        u64::read(scalars)?.try_into().ok()
    }
}

impl Number for Seed {
    fn write(self, scalars: &mut Vec<ScalarIr>) {
        for word in [self.key, self.step, self.row] {
            word.write(scalars);
        }
    }

    fn read(scalars: &mut dyn Iterator<Item = ScalarIr>) -> Option<Self> {
        let seed = Self::new(u64::read(scalars)?, u64::read(scalars)?);
        Some(seed.with_row(u64::read(scalars)?))
    }
}
