//! The gradient of the values where the one chosen is all that counts.

use crate::lanes::region::{Region, enter};
use crate::lanes::vector::{Backend, Real};
use crate::row::choice::{choice, put_chosen};
use core::mem::MaybeUninit;

/// Writes the upstream gradient at the argmax of `x`, 0 elsewhere.
#[inline(always)]
pub(super) fn put_gradient<B: Backend, A: Real>(
    grad_values: &mut [MaybeUninit<A>],
    x: &[A],
    grad: &[A],
) {
    let chosen = Chosen {
        grad_values,
        x,
        grad,
    };
    enter(B::PATH, chosen);
}

/// A region, since its code in those of the soft gradient makes them slower.
struct Chosen<'a, A> {
    grad_values: &'a mut [MaybeUninit<A>],
    x: &'a [A],
    grad: &'a [A],
}

impl<A: Real> Region for Chosen<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(self) {
        put_chosen(self.grad_values, &choice::<B, A>(self.x).0, self.grad);
    }
}
