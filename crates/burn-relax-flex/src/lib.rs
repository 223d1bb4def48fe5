//! The row kernels of burn-relax over Flex, Burn's own CPU backend: [`FlexTensor`] in, [`FlexTensor`] out.
//!
//! Contiguous tensors whose choice axis is last are read in place; anything else is copied once into that order. Gradients
//! and argument checks live in the core crate.

use burn_backend::DType;
use burn_flex::{FlexTensor, Layout};
use burn_relax_kernels::{
    row_operations,
    tensor::{Float, RowTensor},
};
use burn_std::{Bytes, Shape};
use bytemuck::Pod;

#[derive(Clone)]
struct Rows(FlexTensor);

impl RowTensor for Rows {
    fn float(&self) -> Float {
        match self.0.dtype() {
            DType::F64 => Float::F64,
            DType::F32 => Float::F32,
            DType::F16 => Float::F16,
            DType::BF16 => Float::Bf16,
            dtype => panic!("burn-relax-flex: tensors must hold floats, got {dtype:?}"),
        }
    }

    fn dims(&self) -> Vec<usize> {
        self.0.layout().shape().to_vec()
    }

    fn permuted(self, axes: &[usize]) -> Self {
        if axes.is_sorted() {
            return self;
        }
        Self(self.0.permute(axes))
    }

    fn contiguous(self) -> Self {
        Self(self.0.to_contiguous())
    }

    fn elements<F: Pod>(&self) -> &[F] {
        let start = self.0.layout().start_offset();
        let elements = bytemuck::cast_slice(self.0.bytes());
        &elements[start..start + self.0.layout().num_elements()]
    }

    fn from_elements<F: Pod + Send + Sync>(
        elements: Vec<F>,
        dims: Vec<usize>,
        float: Float,
    ) -> Self {
        let dtype = match float {
            Float::F64 => DType::F64,
            Float::F32 => DType::F32,
            Float::F16 => DType::F16,
            Float::Bf16 => DType::BF16,
        };
        let layout = Layout::contiguous(Shape::from(dims));
        Self(FlexTensor::new(Bytes::from_elems(elements), layout, dtype))
    }
}

row_operations!(Rows, FlexTensor);

/// Lowest index of the largest entry along `dim`, as 64-bit integers.
pub fn argmax(logits: FlexTensor, dim: usize) -> FlexTensor {
    let (index, dims) = burn_relax_kernels::tensor::argmax(Rows(logits), dim);
    let layout = Layout::contiguous(Shape::from(dims));
    FlexTensor::new(Bytes::from_elems(index), layout, DType::I64)
}
