//! The row kernels of burn-relax over Burn's ndarray backend: [`NdArrayTensor`] in, [`NdArrayTensor`] out.
//!
//! Burn deprecates this backend in favour of Flex; new programs should take that one. Contiguous tensors whose choice axis
//! is last are read in place; anything else is copied once into that order.
#![allow(deprecated)]

use burn_backend::TensorMetadata;
use burn_ndarray::NdArrayTensor;
use burn_relax_kernels::{
    row_operations,
    tensor::{Float, RowTensor},
};
use bytemuck::{Pod, allocation::cast_vec};
use ndarray::{ArcArray, ArrayD, IxDyn};

#[derive(Clone)]
struct Rows(NdArrayTensor);

/// Runs `$body` on the storage of a float tensor, whichever its precision.
macro_rules! with_storage {
    ($tensor:expr, $storage:ident => $body:expr) => {
        match $tensor {
            NdArrayTensor::F64($storage) => $body,
            NdArrayTensor::F32($storage) => $body,
            other => panic!(
                "burn-relax-ndarray: tensors must hold f32 or f64, got {:?}",
                other.dtype()
            ),
        }
    };
}

impl RowTensor for Rows {
    fn float(&self) -> Float {
        match self.0 {
            NdArrayTensor::F64(_) => Float::F64,
            _ => Float::F32,
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

    fn contiguous(self) -> Self {
        Self(with_storage!(self.0, storage => {
            let array = storage.into_shared();
            if array.is_standard_layout() {
                array.into()
            } else {
                array.as_standard_layout().into_owned().into_shared().into()
            }
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
        float: Float,
    ) -> Self {
        Self(match float {
            Float::F64 => array::<f64, F>(elements, dims).into(),
            _ => array::<f32, F>(elements, dims).into(),
        })
    }
}

fn array<E: Pod, F: Pod>(elements: Vec<F>, dims: Vec<usize>) -> ArcArray<E, IxDyn> {
    ArrayD::from_shape_vec(IxDyn(&dims), cast_vec(elements))
        .expect("one element for each place")
        .into_shared()
}

row_operations!(Rows, NdArrayTensor);

/// Lowest index of the largest entry along `dim`, as 64-bit integers.
pub fn argmax(logits: NdArrayTensor, dim: usize) -> NdArrayTensor {
    let (index, dims) = burn_relax_kernels::tensor::argmax(Rows(logits), dim);
    array::<i64, i64>(index, dims).into()
}
