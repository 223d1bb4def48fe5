//! Inputs of a kernel.

use super::element::Narrow;
use core::ops::Range;

/// An input: so many values for every row, or the same for all.
#[derive(Clone, Copy)]
pub struct In<'a, T> {
    values: &'a [T],
    /// Values that a row sees.
    pub(crate) width: usize,
    /// Values from a row to the next.
    step: usize,
}

impl<'a, T> In<'a, T> {
    /// Values of every row.
    pub(crate) fn each(values: &'a [T], width: usize) -> Self {
        In {
            values,
            width,
            step: width,
        }
    }

    /// The same values for all rows.
    pub(crate) fn shared(values: &'a [T]) -> Self {
        In {
            values,
            width: values.len(),
            step: 0,
        }
    }

    /// No values.
    pub(crate) fn none() -> Self {
        In::shared(&[])
    }

    /// The values of row `r`, of which every row has `width`. Kernels say it each time, so that the compiler sees which rows are
    /// as long as each other.
    #[inline(always)]
    pub(crate) fn row(&self, r: usize, width: usize) -> &'a [T] {
        debug_assert!(width == self.width && width == self.step);
        &self.values[r * width..][..width]
    }

    /// The `width` values that all rows share.
    #[inline(always)]
    pub(crate) fn all(&self, width: usize) -> &'a [T] {
        debug_assert!(self.step == 0);
        &self.values[..width]
    }

    /// The only value of row `r`, or of all rows.
    #[inline(always)]
    pub(crate) fn one(&self, r: usize) -> T
    where
        T: Copy,
    {
        debug_assert!(self.width == 1);
        self.values[r * self.step]
    }

    /// The values of some rows side by side.
    #[inline(always)]
    pub(crate) fn rows(&self, rows: Range<usize>) -> &'a [T] {
        &self.values[rows.start * self.step..][..rows.len() * self.step]
    }

    pub(crate) fn split_at(self, rows: usize) -> (Self, Self) {
        let (left, right) = if self.step == 0 {
            (self.values, self.values)
        } else {
            self.values.split_at(rows * self.step)
        };
        (
            In {
                values: left,
                ..self
            },
            In {
                values: right,
                ..self
            },
        )
    }

    pub(crate) fn view(&self) -> Self
    where
        T: Copy,
    {
        *self
    }
}

impl<F: Narrow> In<'_, F> {
    pub(crate) fn widened(self) -> Widened {
        let mut values = Vec::with_capacity(self.values.len());
        F::widen(self.values, &mut values);
        Widened {
            values,
            width: self.width,
            step: self.step,
        }
    }
}

/// An input of 16-bit elements in `f32`.
pub(crate) struct Widened {
    values: Vec<f32>,
    width: usize,
    step: usize,
}

impl Widened {
    pub(crate) fn view(&self) -> In<'_, f32> {
        In {
            values: &self.values,
            width: self.width,
            step: self.step,
        }
    }
}
