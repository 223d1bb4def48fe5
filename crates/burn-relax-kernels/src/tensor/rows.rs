//! How the rows of a tensor lie in memory, and how a kernel gets at them.

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ops::Range;

use bytemuck::Pod;
use half::{bf16, f16};

use super::{
    pages::prefer_large,
    row_tensor::{Dtype, RowTensor},
};
use crate::row::frame::{Call, stage};

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
pub(crate) struct Rows {
    dims: Vec<usize>,
    dim: usize,
    place: Place,
    /// Entries of a row.
    pub(crate) n: usize,
    /// Number of rows.
    pub(crate) count: usize,
    /// Rows that lie side by side.
    inner: usize,
}

/// Values of an operand: so many entries per row, each a block of so many features.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
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
    pub(crate) fn new<T: RowTensor>(tensor: &T, dim: usize) -> Self {
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
    pub(crate) fn load<T: RowTensor>(&self, tensor: T) -> T {
        match self.place {
            // Shared by all rows.
            _ if tensor.dims().len() < self.dims.len() => tensor.contiguous(),
            Place::Moved => self.moved(tensor).contiguous(),
            Place::Together | Place::Apart => tensor.contiguous(),
        }
    }

    /// The feature axes of an operand: those after the logits' axes.
    pub(crate) fn features<T: RowTensor>(&self, operand: &T) -> Vec<usize> {
        operand.dims().split_off(self.dims.len())
    }

    /// A loaded tensor as the values of its rows. One value where each row has one is shared by all rows.
    pub(crate) fn operand<'a, T: RowTensor, E: Pod>(
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
    pub(crate) fn target<E>(&self, extent: Extent) -> Target<E> {
        let len = self.count * extent.width();
        let mut elements = Vec::with_capacity(len);
        prefer_large(&mut elements);
        Target {
            elements,
            len,
            extent,
        }
    }

    /// A tensor of an output, in the original order of axes, after a kernel has run on all rows.
    pub(crate) fn store<T: RowTensor, E: Stored>(
        &self,
        mut target: Target<E>,
        features: &[usize],
    ) -> T {
        assert!(target.elements.capacity() >= target.len);
        // SAFETY: within the capacity; kernels write their whole output.
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
    pub(crate) fn are_apart(&self) -> bool {
        self.place == Place::Apart
    }

    /// Calls `task` for some rows at a time, `work` elements of work each, where they have to be brought together.
    pub(crate) fn tiles(&self, work: usize, task: impl Fn(Tile) + Sync) {
        let all = Tile {
            rows: 0..self.count,
            work,
        };
        stage(all, LEAST_TILE, task);
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

/// Some rows, which nothing but this tile stands for.
pub(crate) struct Tile {
    rows: Range<usize>,
    work: usize,
}

impl Tile {
    /// The number of the first row.
    pub(crate) fn start(&self) -> usize {
        self.rows.start
    }
}

impl Call for Tile {
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn work(&self) -> usize {
        self.work
    }
    fn split_at(self, rows: usize) -> (Self, Self) {
        let (work, middle) = (self.work, self.rows.start + rows);
        let [left, right] = [self.rows.start..middle, middle..self.rows.end];
        (Tile { rows: left, work }, Tile { rows: right, work })
    }
}

/// An input of a kernel.
pub(crate) struct Operand<'a, E> {
    /// All of its values.
    pub(crate) elements: &'a [E],
    extent: Extent,
}

impl<E: Pod> Operand<'_, E> {
    /// The values of a tile, brought together; all values where rows share them.
    pub(crate) fn gather(&self, rows: &Rows, tile: &Tile) -> Vec<E> {
        let width = self.extent.width();
        if width == 0 {
            return self.elements.to_vec();
        }
        let mut together = vec![E::zeroed(); tile.rows.len() * width];
        rows.runs(tile.rows.clone(), self.extent, |outside, inside, len| {
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
pub(crate) struct Target<E> {
    elements: Vec<E>,
    len: usize,
    extent: Extent,
}

impl<E: Copy> Target<E> {
    /// All of it.
    pub(crate) fn spare(&mut self) -> &mut [MaybeUninit<E>] {
        &mut self.elements.spare_capacity_mut()[..self.len]
    }

    /// The same, for several tasks that each fill their own rows.
    pub(crate) fn shared(&mut self) -> Shared<'_, E> {
        let extent = self.extent;
        let elements = self.spare();
        Shared {
            elements: elements.as_mut_ptr(),
            len: elements.len(),
            extent,
            borrowed: PhantomData,
        }
    }
}

/// An output that tasks fill row by row. Rows that lie side by side have their values in turns, so that it cannot be cut into slices.
pub(crate) struct Shared<'a, E> {
    elements: *mut MaybeUninit<E>,
    len: usize,
    extent: Extent,
    borrowed: PhantomData<&'a mut [MaybeUninit<E>]>,
}

// SAFETY: this is a mutable slice of which `scatter` alone writes, each tile to its own rows.
unsafe impl<E: Send> Sync for Shared<'_, E> {}

impl<E: Copy> Shared<'_, E> {
    /// A buffer for the rows of a tile.
    pub(crate) fn buffer(&self, tile: &Tile) -> Buffer<E> {
        let len = tile.rows.len() * self.extent.width();
        Buffer {
            elements: Vec::with_capacity(len),
            len,
        }
    }

    /// Puts the rows of a tile where they belong, after a kernel has run on them.
    pub(crate) fn scatter(&self, mut buffer: Buffer<E>, rows: &Rows, tile: &Tile) {
        assert!(buffer.elements.capacity() >= buffer.len);
        // SAFETY: within the capacity; kernels write their whole output.
        unsafe { buffer.elements.set_len(buffer.len) };
        rows.runs(tile.rows.clone(), self.extent, |outside, inside, len| {
            assert!(outside <= self.len && len <= self.len - outside);
            let from = &buffer.elements[inside..inside + len];
            // SAFETY: in bounds by the assertion; these values belong to rows of this tile, and no other tile stands for them.
            let place = unsafe { core::slice::from_raw_parts_mut(self.elements.add(outside), len) };
            place.write_copy_of_slice(from);
        });
    }
}

/// Rows of an output, together.
pub(crate) struct Buffer<E> {
    elements: Vec<E>,
    len: usize,
}

impl<E> Buffer<E> {
    /// The rows, to be filled completely.
    pub(crate) fn spare(&mut self) -> &mut [MaybeUninit<E>] {
        &mut self.elements.spare_capacity_mut()[..self.len]
    }
}

/// An element type as a backend stores it.
pub(crate) trait Stored: Pod + Send + Sync {
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
