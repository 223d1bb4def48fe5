//! Index of the largest logit of every row.
//!
//! One pass for the maximum, a second one that stops at the first lane equal to it; the second reads the row from cache.

use super::kernels::kernels;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real};
use crate::row::choice::{Choice, choice, first_nan};

kernels! {
    /// Index of the largest logit of every row: the lowest one on ties, 0 in a row of `-inf`. NaN counts as the largest.
    argmax(logits: F[n];) -> (indices: I64[1])
        => struct Argmax {}, work n;
}

impl<A: Real> Region for Argmax<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let n = self.logits.width;
        for r in self.shape.rows() {
            let x = self.logits.row(r, n);
            let k = match choice::<B, A>(x).0 {
                Choice::Class(k) => k,
                Choice::Nothing => 0,
                Choice::Unknown => first_nan::<B, A>(x),
            };
            self.indices.set(r, k as i64);
        }
    }
}
