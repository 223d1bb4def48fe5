//! The row kernels over strided tensors of any backend that can show them its memory.
//!
//! A backend implements [`RowTensor`] for its tensor type and gets every operator for any axis. Rows that lie in one piece go
//! through the kernel where they are. Where the axis is not the last, some rows at a time are brought together in cache, and
//! their results are put in place from there: memory is read once and written once all the same. Only tensors that are not
//! contiguous in either order are copied first.

//!
//! Arguments are checked by the caller. Shapes are those of the core crate's operations: the rows lie along `dim` of the first
//! tensor; row statistics and other results of whole rows have size 1 (or as many as there are) there; values of a gather may
//! have feature axes behind the axes of the logits. One value per row may be given as one for all rows.

pub(crate) mod pages;
pub(crate) mod row_tensor;
pub(crate) mod rows;

pub use crate::operators::tensors::*;
pub use row_tensor::{Dtype, RowTensor};
