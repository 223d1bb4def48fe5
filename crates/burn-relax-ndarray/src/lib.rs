//! The row kernels of burn-relax over Burn's ndarray backend: [`Rows`] is an [`NdArrayTensor`] that the [`operators`] take and
//! return.
//!
//! Burn deprecates this backend in favour of Flex; new programs should take that one. Contiguous tensors are read in place,
//! whichever the axis; others are copied once.
#![allow(deprecated)]

use burn_backend::TensorMetadata;
use burn_ndarray::NdArrayTensor;
use burn_relax_kernels::tensor::{Dtype, RowTensor};
use bytemuck::{Pod, allocation::cast_vec};
use ndarray::{ArcArray, ArrayD, IxDyn};

pub use burn_relax_kernels::tensor as operators;

/// A tensor of ndarray whose rows the [`operators`] work on.
#[derive(Clone)]
pub struct Rows(NdArrayTensor);

impl From<NdArrayTensor> for Rows {
    fn from(tensor: NdArrayTensor) -> Self {
        Self(tensor)
    }
}

impl From<Rows> for NdArrayTensor {
    fn from(rows: Rows) -> Self {
        rows.0
    }
}

/// Runs `$body` on the storage of a tensor of floats or indices.
macro_rules! with_storage {
    ($tensor:expr, $storage:ident => $body:expr) => {
        match $tensor {
            NdArrayTensor::F64($storage) => $body,
            NdArrayTensor::F32($storage) => $body,
            NdArrayTensor::I64($storage) => $body,
            other => panic!(
                "burn-relax-ndarray: tensors must hold f32, f64 or i64, got {:?}",
                other.dtype()
            ),
        }
    };
}

impl RowTensor for Rows {
    fn dtype(&self) -> Dtype {
        match self.0 {
            NdArrayTensor::F64(_) => Dtype::F64,
            NdArrayTensor::I64(_) => Dtype::I64,
            _ => Dtype::F32,
        }
    }

    fn dims(&self) -> Vec<usize> {
        self.0.shape().to_vec()
    }

    fn permuted(self, axes: &[usize]) -> Self {
        if axes.is_sorted() {
            return self;
        }
        Self(with_storage!(self.0, storage => {
            storage.into_shared().permuted_axes(IxDyn(axes)).into()
        }))
    }

    fn is_contiguous(&self) -> bool {
        with_storage!(&self.0, storage => storage.view().is_standard_layout())
    }

    fn contiguous(self) -> Self {
        if self.is_contiguous() {
            return self;
        }
        Self(with_storage!(self.0, storage => {
            storage.view().as_standard_layout().into_owned().into_shared().into()
        }))
    }

    fn elements<F: Pod>(&self) -> &[F] {
        with_storage!(&self.0, storage => {
            let view = storage.view();
            let elements = view.to_slice().expect("the tensor was made contiguous");
            bytemuck::cast_slice(elements)
        })
    }

    fn from_elements<F: Pod + Send + Sync>(
        elements: Vec<F>,
        dims: Vec<usize>,
        dtype: Dtype,
    ) -> Self {
        Self(match dtype {
            Dtype::F64 => array::<f64, F>(elements, dims).into(),
            Dtype::I64 => array::<i64, F>(elements, dims).into(),
            _ => array::<f32, F>(elements, dims).into(),
        })
    }
}

fn array<E: Pod, F: Pod>(elements: Vec<F>, dims: Vec<usize>) -> ArcArray<E, IxDyn> {
    ArrayD::from_shape_vec(IxDyn(&dims), cast_vec(elements))
        .expect("one element for each place")
        .into_shared()
}
