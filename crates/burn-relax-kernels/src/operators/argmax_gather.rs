//! The value at the argmax, for inference: no distribution is built, and of the values only those chosen are read.

use super::kernels::kernels;
use crate::lanes::region::Region;
use crate::lanes::vector::{Backend, Real};
use crate::row::choice::{choice, put_chosen, put_value};

kernels! {
    /// The value at the argmax of every row, exactly; the lowest index on ties.
    ///
    /// A row of `-inf` gives 0, a row with NaN gives NaN.
    argmax_gather(logits: F[n], values: F[n, features];) -> (output: F[1, features]), features of values
        => struct Forward {}, work n;

    /// Gradient of [`argmax_gather`] with respect to the values: the upstream gradient at the argmax, 0 elsewhere.
    argmax_gather_backward(logits: F[n], grad: F[1, features];) -> (grad_values: F[n, features]), features of grad
        => struct Backward {}, work n * features;
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let (n, features) = (self.logits.width, self.output.width);
        for r in self.shape.rows() {
            let choice = choice::<B, A>(self.logits.row(r, n)).0;
            put_value(
                self.output.row(r, features),
                &choice,
                self.values.row(r, n * features),
            );
        }
    }
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(mut self) {
        let (n, features) = (self.logits.width, self.grad.width);
        for r in self.shape.rows() {
            let choice = choice::<B, A>(self.logits.row(r, n)).0;
            put_chosen(
                self.grad_values.row(r, n * features),
                &choice,
                self.grad.row(r, features),
            );
        }
    }
}
