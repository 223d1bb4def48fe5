//! How the rows of a tensor lie in memory, and how a kernel gets at them.

use core::mem::MaybeUninit;
use core::ops::Range;

use bytemuck::Pod;
use half::{bf16, f16};

use super::{Dtype, RowTensor, pages::prefer_large};
use crate::distribute::stage;
use crate::rows::Output;

/// Rows that are brought together at least, where they lie side by side: a cache line of the shortest type.
const LEAST_TILE: usize = 32;

/// Edge of the squares in which rows are turned: a square of either side stays in the first-level cache.
const SQUARE: usize = 16;

/// Where the entries of a row are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// One after the other, in the tensors as they are.
    Together,
    /// One after the other, once the axis is moved last: a view, because the memory is in that order.
    Moved,
    /// Side by side with those of other rows: some rows at a time are brought together in cache.
    Apart,
}

/// The rows of a tensor along an axis.
pub(super) struct Rows {
    dims: Vec<usize>,
    dim: usize,
    place: Place,
    /// Entries of a row.
    pub(super) n: usize,
    /// Number of rows.
    pub(super) count: usize,
    /// Rows that lie side by side.
    inner: usize,
}

/// Values of an operand: so many entries per row, each a block of so many features.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    entries: usize,
    features: Option<usize>,
}

impl Extent {
    fn block(self) -> usize {
        self.features.unwrap_or(1)
    }

    /// Values per row, 0 where all rows share them.
    fn width(self) -> usize {
        self.entries * self.block()
    }
}

/// Shared by all rows.
impl From<[usize; 0]> for Extent {
    fn from([]: [usize; 0]) -> Self {
        Self {
            entries: 0,
            features: None,
        }
    }
}

/// Entries.
impl From<[usize; 1]> for Extent {
    fn from([entries]: [usize; 1]) -> Self {
        Self {
            entries,
            features: None,
        }
    }
}

/// Entries and features.
impl From<[usize; 2]> for Extent {
    fn from([entries, features]: [usize; 2]) -> Self {
        Self {
            entries,
            features: Some(features),
        }
    }
}

impl Rows {
    pub(super) fn new<T: RowTensor>(tensor: &T, dim: usize) -> Self {
        let dims = tensor.dims();
        let n = dims[dim];
        let others = dims.iter().enumerate().filter(|&(axis, _)| axis != dim);
        let count = others.map(|(_, &size)| size).product();
        let inner = dims[dim + 1..].iter().product();
        let mut rows = Self {
            dims,
            dim,
            place: Place::Together,
            n,
            count,
            inner,
        };
        if inner > 1 {
            rows.place = if !tensor.is_contiguous() && rows.moved(tensor.clone()).is_contiguous() {
                Place::Moved
            } else {
                Place::Apart
            };
        }
        rows
    }

    /// `tensor` with the rows' axis after the other axes of the logits, any feature axes last.
    fn moved<T: RowTensor>(&self, tensor: T) -> T {
        let rank = tensor.dims().len();
        let mut axes: Vec<usize> = (0..rank).collect();
        axes[self.dim..self.dims.len()].rotate_left(1);
        tensor.permuted(&axes)
    }

    /// `tensor` in the memory order that the rows are taken from.
    pub(super) fn load<T: RowTensor>(&self, tensor: T) -> T {
        match self.place {
            // Shared by all rows.
            _ if tensor.dims().len() < self.dims.len() => tensor.contiguous(),
            Place::Moved => self.moved(tensor).contiguous(),
            Place::Together | Place::Apart => tensor.contiguous(),
        }
    }

    /// The feature axes of an operand: those after the logits' axes.
    pub(super) fn features<T: RowTensor>(&self, operand: &T) -> Vec<usize> {
        operand.dims().split_off(self.dims.len())
    }

    /// A loaded tensor as the values of its rows. One value where each row has one is shared by all rows.
    pub(super) fn operand<'a, T: RowTensor, E: Pod>(
        &self,
        tensor: &'a T,
        extent: Extent,
    ) -> Operand<'a, E> {
        let elements = tensor.elements();
        let shared = extent.width() == 1 && elements.len() == 1 && self.count != 1;
        Operand {
            elements,
            extent: if shared { Extent::from([]) } else { extent },
        }
    }

    /// An output to be filled.
    pub(super) fn target<E>(&self, extent: Extent) -> Target<E> {
        let len = self.count * extent.width();
        let mut elements = Vec::with_capacity(len);
        prefer_large(&mut elements);
        Target {
            elements,
            len,
            extent,
        }
    }

    /// A tensor of a filled output, in the original order of axes.
    ///
    /// # Safety
    /// Every element of the target has been written.
    pub(super) unsafe fn store<T: RowTensor, E: Stored>(
        &self,
        mut target: Target<E>,
        features: &[usize],
    ) -> T {
        // SAFETY: within the capacity; written by the caller's promise.
        unsafe { target.elements.set_len(target.len) };
        let rank = self.dims.len();
        let mut dims = self.dims.clone();
        dims[self.dim] = target.extent.entries;
        if target.extent.features.is_some() {
            dims.extend_from_slice(features);
        }
        if self.place != Place::Moved {
            return T::from_elements(target.elements, dims, E::DTYPE);
        }
        let mut axes: Vec<usize> = (0..dims.len()).collect();
        dims[self.dim..rank].rotate_left(1);
        axes[self.dim..rank].rotate_right(1);
        T::from_elements(target.elements, dims, E::DTYPE).permuted(&axes)
    }

    /// Whether rows have to be brought together.
    pub(super) fn are_apart(&self) -> bool {
        self.place == Place::Apart
    }

    /// Calls `task` for some rows at a time, `width` values of work each, where they have to be brought together.
    pub(super) fn tiles(&self, width: usize, task: impl Fn(Range<usize>) + Sync) {
        stage(self.count, width, LEAST_TILE, task);
    }

    /// The parts of `rows` that lie side by side: number of their group, places in it, and where they begin in `rows`.
    fn groups(&self, rows: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>, usize)> {
        let inner = self.inner;
        let first = rows.start;
        let mut next = rows.start;
        core::iter::from_fn(move || {
            (next < rows.end).then(|| {
                let (group, place) = (next / inner, next % inner);
                let len = (inner - place).min(rows.end - next);
                let at = next - first;
                next += len;
                (group, place..place + len, at)
            })
        })
    }

    /// Calls `copy(in the tensor, in the rows, length)` for every run of values that are together in both.
    #[inline(always)]
    fn runs(&self, rows: Range<usize>, extent: Extent, mut copy: impl FnMut(usize, usize, usize)) {
        let (entries, block) = (extent.entries, extent.block());
        for (group, places, at) in self.groups(rows) {
            for k0 in (0..entries).step_by(SQUARE) {
                for i0 in places.clone().step_by(SQUARE) {
                    for i in i0..(i0 + SQUARE).min(places.end) {
                        for k in k0..(k0 + SQUARE).min(entries) {
                            let outside = (group * entries + k) * self.inner + i;
                            let inside = (at + i - places.start) * entries + k;
                            copy(outside * block, inside * block, block);
                        }
                    }
                }
            }
        }
    }
}

/// An input of a kernel.
pub(super) struct Operand<'a, E> {
    /// All of its values.
    pub(super) elements: &'a [E],
    extent: Extent,
}

impl<E: Pod> Operand<'_, E> {
    /// The values of `rows`, brought together; all values where rows share them.
    pub(super) fn gather(&self, rows: &Rows, range: Range<usize>) -> Vec<E> {
        let width = self.extent.width();
        if width == 0 {
            return self.elements.to_vec();
        }
        let mut together = vec![E::zeroed(); range.len() * width];
        rows.runs(range, self.extent, |outside, inside, len| {
            if len == 1 {
                together[inside] = self.elements[outside];
            } else {
                together[inside..inside + len].copy_from_slice(&self.elements[outside..][..len]);
            }
        });
        together
    }
}

/// An output of a kernel.
pub(super) struct Target<E> {
    elements: Vec<E>,
    len: usize,
    extent: Extent,
}

impl<E: Copy> Target<E> {
    /// All of it.
    pub(super) fn spare(&mut self) -> &mut [MaybeUninit<E>] {
        &mut self.elements.spare_capacity_mut()[..self.len]
    }

    /// The same, for several tasks that each fill their own rows.
    pub(super) fn shared(&mut self) -> Shared<'_, E> {
        let extent = self.extent;
        Shared {
            output: Output::new(self.spare()),
            extent,
        }
    }
}

/// An output that tasks fill row by row.
pub(super) struct Shared<'a, E> {
    output: Output<'a, E>,
    extent: Extent,
}

impl<E: Copy> Shared<'_, E> {
    /// A buffer for some rows.
    pub(super) fn buffer(&self, rows: usize) -> Buffer<'_, E> {
        let len = rows * self.extent.width();
        Buffer {
            shared: self,
            elements: Vec::with_capacity(len),
            len,
        }
    }
}

/// Rows of an output, together.
pub(super) struct Buffer<'a, E> {
    shared: &'a Shared<'a, E>,
    elements: Vec<E>,
    len: usize,
}

impl<E: Copy> Buffer<'_, E> {
    /// The rows, to be filled completely.
    pub(super) fn spare(&mut self) -> &mut [MaybeUninit<E>] {
        &mut self.elements.spare_capacity_mut()[..self.len]
    }

    /// Puts the rows where they belong.
    ///
    /// # Safety
    /// The buffer is filled, for the rows `range`, which no other task has.
    pub(super) unsafe fn scatter(mut self, rows: &Rows, range: Range<usize>) {
        // SAFETY: within the capacity; filled by the caller's promise.
        unsafe { self.elements.set_len(self.len) };
        let extent = self.shared.extent;
        rows.runs(range, extent, |outside, inside, len| {
            // SAFETY: these values belong to rows of this task only, by the caller's promise.
            let place = unsafe { self.shared.output.part(outside, len) };
            place.write_copy_of_slice(&self.elements[inside..inside + len]);
        });
    }
}

/// An element type as a backend stores it.
pub(super) trait Stored: Pod + Send + Sync {
    /// Its name.
    const DTYPE: Dtype;
}

impl Stored for f64 {
    const DTYPE: Dtype = Dtype::F64;
}

impl Stored for f32 {
    const DTYPE: Dtype = Dtype::F32;
}

impl Stored for f16 {
    const DTYPE: Dtype = Dtype::F16;
}

impl Stored for bf16 {
    const DTYPE: Dtype = Dtype::Bf16;
}

impl Stored for i64 {
    const DTYPE: Dtype = Dtype::I64;
}
