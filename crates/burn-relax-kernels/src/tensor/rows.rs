use core::mem::MaybeUninit;

use bytemuck::Pod;

use super::{Float, RowTensor};

/// How the rows of a tensor lie: which axis they run along, and how to move it last and back.
pub(super) struct Rows {
    dims: Vec<usize>,
    dim: usize,
    /// Entries of a row.
    pub(super) n: usize,
    /// Number of rows.
    pub(super) count: usize,
}

impl Rows {
    pub(super) fn new<T: RowTensor>(tensor: &T, dim: usize) -> Self {
        let dims = tensor.dims();
        let n = dims[dim];
        let others = dims.iter().enumerate().filter(|&(axis, _)| axis != dim);
        let count = others.map(|(_, &size)| size).product();
        Self {
            dims,
            dim,
            n,
            count,
        }
    }

    /// `tensor` with the rows' axis after the other axes of the logits, any feature axes last, in row-major memory.
    pub(super) fn load<T: RowTensor>(&self, tensor: T) -> T {
        let rank = tensor.dims().len();
        let mut axes: Vec<usize> = (0..rank).collect();
        axes[self.dim..self.dims.len()].rotate_left(1);
        tensor.permuted(&axes).contiguous()
    }

    /// A tensor with `size` entries for each row, and the sizes of `features` after them, back in the original order.
    pub(super) fn store<T: RowTensor, F: Pod + Send + Sync>(
        &self,
        elements: Vec<F>,
        size: usize,
        features: &[usize],
        float: Float,
    ) -> T {
        let rank = self.dims.len();
        let mut dims = self.dims.clone();
        dims[self.dim] = size;
        dims.extend_from_slice(features);
        let mut axes: Vec<usize> = (0..dims.len()).collect();
        dims[self.dim..rank].rotate_left(1);
        axes[self.dim..rank].rotate_right(1);
        T::from_elements(elements, dims, float).permuted(&axes)
    }

    /// The feature axes of `values`: those after the logits' axes.
    pub(super) fn features<T: RowTensor>(&self, values: &T) -> Vec<usize> {
        values.dims().split_off(self.dims.len())
    }
}

/// A vector of `len` elements, all of them written by `fill`: the contract of every kernel of this crate.
pub(super) fn filled<F>(len: usize, fill: impl FnOnce(&mut [MaybeUninit<F>])) -> Vec<F> {
    let mut elements = Vec::with_capacity(len);
    fill(&mut elements.spare_capacity_mut()[..len]);
    // SAFETY: this function is private to the operators beside it, which pass kernels of this crate; each of those writes
    // every element of its output slices.
    unsafe { elements.set_len(len) };
    elements
}
