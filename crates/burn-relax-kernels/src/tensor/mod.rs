//! The row kernels over strided tensors of any backend that can show them its memory.
//!
//! A backend implements [`RowTensor`] for its tensor type and gets every operator for any axis: the axis is moved last
//! (a view, or one copy where the memory is not in that order), the rows go through the kernel, and the result is viewed
//! in the original order. Contiguous tensors whose axis is last are never copied, and outputs are written once.

mod adapter;
mod ops;
mod rows;

use bytemuck::Pod;

pub use ops::*;

/// The float types a tensor may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Float {
    /// Double precision.
    F64,
    /// Single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// Truncated single precision.
    Bf16,
}

/// A tensor in main memory, as a backend has it.
pub trait RowTensor: Clone {
    /// Its element type.
    fn float(&self) -> Float;
    /// Its sizes.
    fn dims(&self) -> Vec<usize>;
    /// A view whose axis `i` is this tensor's axis `axes[i]`.
    fn permuted(self, axes: &[usize]) -> Self;
    /// The tensor in row-major memory, copied only if it is not there already.
    fn contiguous(self) -> Self;
    /// The elements of a contiguous tensor.
    fn elements<F: Pod>(&self) -> &[F];
    /// A row-major tensor that owns `elements`.
    fn from_elements<F: Pod + Send + Sync>(
        elements: Vec<F>,
        dims: Vec<usize>,
        float: Float,
    ) -> Self;
}
