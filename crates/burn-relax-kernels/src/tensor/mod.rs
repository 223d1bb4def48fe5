//! The row kernels over strided tensors of any backend that can show them its memory.
//!
//! A backend implements [`RowTensor`] for its tensor type and gets every operator for any axis. Rows that lie in one piece go
//! through the kernel where they are. Where the axis is not the last, some rows at a time are brought together in cache, and
//! their results are put in place from there: memory is read once and written once all the same. Only tensors that are not
//! contiguous in either order are copied first.

mod adapter;
mod ops;
mod pages;
mod rows;

use bytemuck::Pod;

pub use ops::*;

/// The element types of tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// Double precision.
    F64,
    /// Single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// Truncated single precision.
    Bf16,
    /// Indices.
    I64,
}

/// A tensor in main memory, as a backend has it.
pub trait RowTensor: Clone {
    /// Its element type.
    fn dtype(&self) -> Dtype;
    /// Its sizes.
    fn dims(&self) -> Vec<usize>;
    /// A view whose axis `i` is this tensor's axis `axes[i]`.
    fn permuted(self, axes: &[usize]) -> Self;
    /// Whether its elements are in row-major order, without gaps.
    fn is_contiguous(&self) -> bool;
    /// The tensor in row-major memory, copied only if it is not there already.
    fn contiguous(self) -> Self;
    /// The elements of a contiguous tensor.
    fn elements<F: Pod>(&self) -> &[F];
    /// A row-major tensor that owns `elements`.
    fn from_elements<F: Pod + Send + Sync>(
        elements: Vec<F>,
        dims: Vec<usize>,
        dtype: Dtype,
    ) -> Self;
}
