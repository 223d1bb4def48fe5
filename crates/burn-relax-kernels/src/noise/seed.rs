//! Seeds: which noise a call gets.

use crate::row::frame::Number;

/// What the noise of one call is made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seed {
    /// The generator's key: one per model or experiment.
    pub key: u64,
    /// The upper half of the counter: one per call, so that no two calls share noise.
    pub step: u64,
    /// The number of the call's first row: 0, unless the call has only a part of a batch and shall draw what a call with all
    /// of it would draw there.
    pub row: u64,
}

impl Seed {
    /// A seed for whole batches.
    #[must_use]
    pub const fn new(key: u64, step: u64) -> Self {
        Self { key, step, row: 0 }
    }

    /// The seed for the part of the batch that begins with this row.
    #[must_use]
    pub const fn with_row(self, row: u64) -> Self {
        Self { row, ..self }
    }

    /// The number of the first element of a row of the call, with so many elements in each.
    #[must_use]
    pub const fn element(self, row: usize, elements: usize) -> u64 {
        self.row
            .wrapping_add(row as u64)
            .wrapping_mul(elements as u64)
    }
}

impl From<u64> for Seed {
    /// The key, at step 0.
    fn from(key: u64) -> Self {
        Self::new(key, 0)
    }
}

impl From<usize> for Seed {
    /// The key, at step 0.
    fn from(key: usize) -> Self {
        Self::new(key as u64, 0)
    }
}

impl From<i32> for Seed {
    /// The key, at step 0; a negative one has its sign in the upper bits.
    fn from(key: i32) -> Self {
        Self::new(i64::from(key) as u64, 0)
    }
}

impl Number for Seed {
    fn at_row(self, row: usize) -> Self {
        self.with_row(self.row.wrapping_add(row as u64))
    }
}
