//! Tensors of f64 in main memory, on which the CPU row kernels run.

use std::sync::Arc;

use burn_cubecl::{ops::into_data_sync, tensor::CubeTensor};
use burn_relax_kernels::tensor::{Dtype, RowTensor};
use burn_relax_wgpu::INDEX;
use bytemuck::{Pod, allocation::cast_vec, cast_slice};

use crate::device::operators::{Inputs, Note, Operator, SAMPLES, SEED, Visit};

/// A tensor in row-major order: numbers, or classes.
#[derive(Clone)]
pub struct Plain {
    words: Arc<Vec<u64>>,
    dims: Vec<usize>,
    dtype: Dtype,
}

operators_of!(burn_relax_kernels::tensor, Plain);

impl Plain {
    /// The values of a tensor of the device. A statistic that stands for an infinity is that of f64.
    pub fn of(tensor: &CubeTensor) -> Self {
        let dims = tensor.meta.shape().to_vec();
        let data = into_data_sync(tensor.clone());
        if tensor.dtype == INDEX {
            return Plain::from_elements(data.iter::<i64>().collect(), dims, Dtype::I64);
        }
        let wide = |x: f32| match x {
            f32::MAX => f64::MAX,
            f32::MIN => f64::MIN,
            x => f64::from(x),
        };
        Plain::from_elements(data.iter::<f32>().map(wide).collect(), dims, Dtype::F64)
    }

    /// All numbers.
    pub fn values(&self) -> Vec<f64> {
        match self.dtype {
            Dtype::I64 => self.elements::<i64>().iter().map(|&k| k as f64).collect(),
            _ => self.elements().to_vec(),
        }
    }

    /// The numbers of each row along `dim`.
    pub fn rows(&self, dim: usize) -> Vec<Vec<f64>> {
        let (values, n) = (self.values(), self.dims[dim]);
        let inner: usize = self.dims[dim + 1..].iter().product();
        let at = |r: usize, i: usize| values[(r / inner * n + i) * inner + r % inner];
        let row = |r: usize| (0..n).map(|i| at(r, i)).collect();
        (0..values.len() / n.max(1)).map(row).collect()
    }
}

impl RowTensor for Plain {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn dims(&self) -> Vec<usize> {
        self.dims.clone()
    }

    fn permuted(self, _: &[usize]) -> Self {
        unreachable!("the kernels permute what is not contiguous")
    }

    fn is_contiguous(&self) -> bool {
        true
    }

    fn contiguous(self) -> Self {
        self
    }

    fn elements<E: Pod>(&self) -> &[E] {
        cast_slice(&self.words)
    }

    fn from_elements<E: Pod + Send + Sync>(
        elements: Vec<E>,
        dims: Vec<usize>,
        dtype: Dtype,
    ) -> Self {
        Plain {
            words: Arc::new(cast_vec(elements)),
            dims,
            dtype,
        }
    }
}
