//! Tensors and numbers of a queued operation.

use burn_core::backend::{
    TensorMetadata,
    ir::{BackendIr, HandleContainer, ScalarIr, TensorIr},
    tensor::{FloatTensor, IntTensor},
};
use burn_core::tensor::{DType, Shape};

use crate::Seed;

/// Shape and dtype of an output.
pub(super) struct Spec {
    pub(super) shape: Shape,
    pub(super) dtype: DType,
}

/// The shape and dtype of an input.
pub(super) fn like(input: &TensorIr) -> Spec {
    Spec {
        shape: input.shape.clone(),
        dtype: input.dtype,
    }
}

/// As the input, with another size along `dim`.
pub(super) fn sized(input: &TensorIr, dim: usize, size: usize) -> Spec {
    let mut spec = like(input);
    spec.shape[dim] = size;
    spec
}

/// Row statistics, which are never shorter than f32.
pub(super) fn statistics(logits: &TensorIr, dim: usize, count: usize) -> Spec {
    let mut spec = sized(logits, dim, count);
    if spec.dtype != DType::F64 {
        spec.dtype = DType::F32;
    }
    spec
}

/// Of a coefficient there is one gradient for each row, whether it had one value or as many.
pub(super) fn of_rows(values: &TensorIr, coefficient: &TensorIr, dim: usize) -> Spec {
    Spec {
        dtype: coefficient.dtype,
        ..sized(values, dim, 1)
    }
}

/// Float tensors of an operation.
pub(super) struct Float;

/// Integer tensors of an operation.
pub(super) struct Int;

impl Float {
    pub(super) fn output(spec: Spec, _index: DType) -> Spec {
        spec
    }

    pub(super) fn take<B: BackendIr>(
        handles: &mut HandleContainer<B::Handle>,
        input: &TensorIr,
    ) -> FloatTensor<B> {
        handles.get_float_tensor::<B>(input)
    }

    pub(super) fn put<B: BackendIr>(
        handles: &mut HandleContainer<B::Handle>,
        output: &TensorIr,
        tensor: FloatTensor<B>,
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

impl Number for u64 {
    fn write(self, scalars: &mut Vec<ScalarIr>) {
        scalars.push(ScalarIr::UInt(self));
    }

    fn read(scalars: &mut dyn Iterator<Item = ScalarIr>) -> Option<Self> {
        match scalars.next()? {
            ScalarIr::UInt(value) => Some(value),
            _ => None,
        }
    }
}

impl Number for usize {
    fn write(self, scalars: &mut Vec<ScalarIr>) {
        (self as u64).write(scalars);
    }

    fn read(scalars: &mut dyn Iterator<Item = ScalarIr>) -> Option<Self> {
        u64::read(scalars)?.try_into().ok()
    }
}

impl Number for f64 {
    fn write(self, scalars: &mut Vec<ScalarIr>) {
        scalars.push(ScalarIr::Float(self));
    }

    fn read(scalars: &mut dyn Iterator<Item = ScalarIr>) -> Option<Self> {
        match scalars.next()? {
            ScalarIr::Float(value) => Some(value),
            _ => None,
        }
    }
}

impl Number for bool {
    fn write(self, scalars: &mut Vec<ScalarIr>) {
        scalars.push(ScalarIr::Bool(self));
    }

    fn read(scalars: &mut dyn Iterator<Item = ScalarIr>) -> Option<Self> {
        match scalars.next()? {
            ScalarIr::Bool(value) => Some(value),
            _ => None,
        }
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
