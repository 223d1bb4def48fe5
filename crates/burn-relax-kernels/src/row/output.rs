//! Outputs of a kernel.

use super::element::Narrow;
use core::mem::MaybeUninit;

/// An output: so many values of every row, which a kernel writes all.
pub struct Out<'a, T> {
    values: &'a mut [MaybeUninit<T>],
    /// Values of a row.
    pub(crate) width: usize,
}

impl<'a, T> Out<'a, T> {
    /// Values of every row.
    pub(crate) fn each(values: &'a mut [MaybeUninit<T>], width: usize) -> Self {
        Out { values, width }
    }

    /// The places of all rows.
    pub(crate) fn all(&mut self) -> &mut [MaybeUninit<T>] {
        self.values
    }

    pub(crate) fn split_at(self, rows: usize) -> (Self, Self) {
        let (left, right) = self.values.split_at_mut(rows * self.width);
        (Out::each(left, self.width), Out::each(right, self.width))
    }
}

#[cfg(feature = "operators")]
impl<T> Out<'_, T> {
    /// No values.
    pub(crate) fn none() -> Self {
        Out::each(&mut [], 0)
    }

    /// The places of row `r`, of which every row has `width`: see `In::row`.
    #[inline(always)]
    pub(crate) fn row(&mut self, r: usize, width: usize) -> &mut [MaybeUninit<T>] {
        debug_assert!(width == self.width);
        &mut self.values[r * width..][..width]
    }

    /// The only place of row `r`.
    #[inline(always)]
    pub(crate) fn set(&mut self, r: usize, value: T) {
        debug_assert!(self.width == 1);
        self.values[r].write(value);
    }

    pub(crate) fn view(&mut self) -> Out<'_, T> {
        Out::each(self.values, self.width)
    }

    /// Nothing is left to do for an output that was written in place.
    pub(crate) fn finish(self) {}
}

impl<'a, F: Narrow> Out<'a, F> {
    pub(crate) fn staged(self) -> Staged<'a, F> {
        Staged {
            buffer: Vec::with_capacity(self.values.len()),
            target: self,
        }
    }
}

/// Rows of a 16-bit output and the buffer that a kernel fills for them.
pub(crate) struct Staged<'a, F: Narrow> {
    target: Out<'a, F>,
    buffer: Vec<f32>,
}

impl<F: Narrow> Staged<'_, F> {
    pub(crate) fn view(&mut self) -> Out<'_, f32> {
        let len = self.target.values.len();
        let spare = &mut self.buffer.spare_capacity_mut()[..len];
        Out::each(spare, self.target.width)
    }

    /// Rounds the buffer into the output, after a kernel has run.
    pub(crate) fn finish(mut self) {
        let len = self.target.values.len();
        assert!(self.buffer.capacity() >= len);
        // SAFETY: within the capacity; `view` gave the kernel these values, and kernels write their whole output.
        unsafe { self.buffer.set_len(len) };
        F::round(&self.buffer, self.target.values);
    }
}
