//! A training that ended without a network.

use std::error::Error;
use std::fmt;

/// The training ended in numbers that are not finite. It is no mistake of the command line, and no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diverged {
    /// What is not finite, in words.
    pub what: String,
    /// The first step whose cost is not finite, counted from 1.
    pub step: Option<usize>,
}

impl fmt::Display for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the training ended in NaN or infinity: {}", self.what)?;
        if let Some(step) = self.step {
            write!(f, ", and the cost first was not in step {step}")?;
        }
        write!(
            f,
            "; nothing was saved; try a smaller --lr, --clip 1 or another --strategy"
        )
    }
}

impl Error for Diverged {}
