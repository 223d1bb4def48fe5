//! What a backend shows of its tensors.

use bytemuck::Pod;

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

/// Runs `$body` with `$element` naming the element type `$dtype`.
macro_rules! with_element {
    ($dtype:expr, $element:ident => $body:expr) => {
        match $dtype {
            $crate::tensor::row_tensor::Dtype::F64 => {
                type $element = f64;
                $body
            }
            $crate::tensor::row_tensor::Dtype::F32 => {
                type $element = f32;
                $body
            }
            $crate::tensor::row_tensor::Dtype::F16 => {
                type $element = half::f16;
                $body
            }
            $crate::tensor::row_tensor::Dtype::Bf16 => {
                type $element = half::bf16;
                $body
            }
            $crate::tensor::row_tensor::Dtype::I64 => {
                panic!("row kernels: the first tensor must hold floats, got I64")
            }
        }
    };
}
pub(crate) use with_element;
