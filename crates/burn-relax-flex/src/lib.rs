//! The row kernels of burn-relax over Flex, Burn's own CPU backend: [`Rows`] is a [`FlexTensor`] that the [`operators`] take and
//! return.
//!
//! Contiguous tensors are read in place, whichever the axis; others are copied once. Gradients and argument checks live in the
//! core crate.

use burn_backend::DType;
use burn_flex::{FlexTensor, Layout};
use burn_relax_kernels::tensor::{Dtype, RowTensor};
use burn_std::{Bytes, Shape};
use bytemuck::Pod;

pub use burn_relax_kernels::tensor as operators;

/// A tensor of Flex whose rows the [`operators`] work on.
#[derive(Clone)]
pub struct Rows(FlexTensor);

impl From<FlexTensor> for Rows {
    fn from(tensor: FlexTensor) -> Self {
        Self(tensor)
    }
}

impl From<Rows> for FlexTensor {
    fn from(rows: Rows) -> Self {
        rows.0
    }
}

const DTYPES: [(DType, Dtype); 5] = [
    (DType::F64, Dtype::F64),
    (DType::F32, Dtype::F32),
    (DType::F16, Dtype::F16),
    (DType::BF16, Dtype::Bf16),
    (DType::I64, Dtype::I64),
];

impl RowTensor for Rows {
    fn dtype(&self) -> Dtype {
        let dtype = self.0.dtype();
        let found = DTYPES.iter().find(|(of_burn, _)| *of_burn == dtype);
        let unknown = || panic!("burn-relax-flex: tensors must hold floats or i64, got {dtype:?}");
        found.map_or_else(unknown, |(_, of_kernels)| *of_kernels)
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

    fn is_contiguous(&self) -> bool {
        self.0.layout().is_contiguous()
    }

    fn contiguous(self) -> Self {
        // A slice of a larger tensor is read where it is.
        if self.is_contiguous() {
            return self;
        }
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
        dtype: Dtype,
    ) -> Self {
        let found = DTYPES.iter().find(|(_, of_kernels)| *of_kernels == dtype);
        let (dtype, _) = *found.expect("every dtype of the kernels is one of Burn's");
        let layout = Layout::contiguous(Shape::from(dims));
        Self(FlexTensor::new(Bytes::from_elems(elements), layout, dtype))
    }
}
