//! Gather: the expected value of every row, or the value at its argmax; `soft = sum_i w_i V_i`.
//!
//! The number of features decides which kernel runs: each is a region, since the code of two in one function runs slower.

mod calls;
mod chosen;
mod features;
mod few;
mod many;
mod one;
mod sums;

use crate::lanes::region::{Region, enter};
use crate::lanes::vector::{Backend, Real};
use calls::{Backward, Forward};
use features::Features;
use many::{MANY, Many};
use one::One;

pub(crate) use calls::NAMES;
pub use calls::{slices, tensors};

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(self) {
        match self.soft.width {
            1 => enter(B::PATH, One(self)),
            MANY.. if !A::DOUBLE => enter(B::PATH, Many(self)),
            _ => enter(B::PATH, Features(self)),
        }
    }
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(self) {
        match self.soft.width {
            1 => enter(B::PATH, One(self)),
            MANY.. if !A::DOUBLE => enter(B::PATH, Many(self)),
            _ => enter(B::PATH, Features(self)),
        }
    }
}
