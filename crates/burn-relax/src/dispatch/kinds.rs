//! The words of the [`table`](super::table): kinds of tensors, and shapes and dtypes of outputs.

use burn_core::backend::{Backend, TensorMetadata, get_or_init_device_settings, tensor::IntTensor};
use burn_core::tensor::{DType, IntDType, Shape};

pub(super) use burn_core::backend::tensor::FloatTensor;
pub(super) use burn_relax_kernels::Seed;

/// A tensor that takes part in the gradient.
pub(super) type Float<B> = FloatTensor<B>;

/// A tensor of indices.
pub(super) type Int<B> = IntTensor<B>;

/// What indices are on a device: its integers, or 32 bits where those have no room for the classes.
pub(super) fn index_dtype<B: Backend>(device: &B::Device) -> IntDType {
    match get_or_init_device_settings::<B>(device).int_dtype {
        IntDType::I8 | IntDType::I16 | IntDType::U8 | IntDType::U16 => IntDType::I32,
        dtype => dtype,
    }
}

/// Shape and dtype of a tensor.
#[derive(Clone)]
pub(super) struct Spec {
    pub(super) shape: Shape,
    pub(super) dtype: DType,
}

impl Spec {
    pub(super) fn of(tensor: &impl TensorMetadata) -> Self {
        let (shape, dtype) = (tensor.shape(), tensor.dtype());
        Self { shape, dtype }
    }
}

/// The shape and dtype of an input.
pub(super) fn like(input: &Spec) -> Spec {
    input.clone()
}

/// As the input, with another size along `dim`.
pub(super) fn sized(input: &Spec, dim: usize, size: usize) -> Spec {
    let mut spec = input.clone();
    spec.shape[dim] = size;
    spec
}

/// Row statistics, which are never shorter than f32.
pub(super) fn statistics(logits: &Spec, dim: usize, count: usize) -> Spec {
    let mut spec = sized(logits, dim, count);
    if spec.dtype != DType::F64 {
        spec.dtype = DType::F32;
    }
    spec
}

/// Of a coefficient there is one gradient for each row, whether it had one value or as many.
pub(super) fn of_rows(values: &Spec, coefficient: &Spec, dim: usize) -> Spec {
    Spec {
        dtype: coefficient.dtype,
        ..sized(values, dim, 1)
    }
}

/// One entry for each class.
pub(super) fn classes(logits: &Spec, dim: usize) -> Spec {
    Spec {
        shape: Shape::new([logits.shape[dim]]),
        dtype: logits.dtype,
    }
}
