//! The value at the argmax, for inference: no distribution is built, and of the values only those chosen are read.

use crate::argmax::{Choice, choice};
use crate::distribute::run;
use crate::element::Element;
use crate::real::Real;
use crate::rows::{Output, check_len, count_rows, row};
use crate::simd::{Backend, Region};
use core::mem::MaybeUninit;
use core::ops::Range;

struct Forward<'a, A: Real> {
    logits: &'a [A],
    values: &'a [A],
    n: usize,
    features: usize,
    out: Output<'a, A>,
}

impl<A: Real> Region for Forward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let (n, features) = (self.n, self.features);
        for r in rows {
            // SAFETY: row `r` is in this task's range and borrowed once.
            let out = unsafe { self.out.row(r, features) };
            match choice::<B, A>(row(self.logits, r, n)).0 {
                Choice::Class(k) => {
                    out.write_copy_of_slice(row(self.values, r * n + k, features));
                }
                Choice::Nothing => out.fill(MaybeUninit::new(A::ZERO)),
                Choice::Unknown => out.fill(MaybeUninit::new(A::NAN)),
            }
        }
    }
}

struct Backward<'a, A: Real> {
    logits: &'a [A],
    grad: &'a [A],
    n: usize,
    features: usize,
    grad_values: Output<'a, A>,
}

impl<A: Real> Region for Backward<'_, A> {
    #[inline(always)]
    fn run<B: Backend>(&self, rows: Range<usize>) {
        let (n, features) = (self.n, self.features);
        for r in rows {
            // SAFETY: row `r` is in this task's range and borrowed once.
            let out = unsafe { self.grad_values.row(r, n * features) };
            match choice::<B, A>(row(self.logits, r, n)).0 {
                Choice::Class(k) => {
                    out.fill(MaybeUninit::new(A::ZERO));
                    out[k * features..][..features]
                        .write_copy_of_slice(row(self.grad, r, features));
                }
                Choice::Nothing => out.fill(MaybeUninit::new(A::ZERO)),
                Choice::Unknown => out.fill(MaybeUninit::new(A::NAN)),
            }
        }
    }
}

/// The value at the argmax of every row, exactly; the lowest index on ties.
///
/// `values` is `[rows, n, features]`, `out` `[rows, features]`. A row of `-inf` gives 0, a row with NaN gives NaN.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn argmax_gather<F: Element>(
    logits: &[F],
    values: &[F],
    n: usize,
    features: usize,
    out: &mut [MaybeUninit<F>],
) {
    const KERNEL: &str = "argmax_gather";
    let rows = count_rows(KERNEL, logits.len(), n);
    check_len(KERNEL, "values", values.len(), logits.len() * features);
    check_len(KERNEL, "out", out.len(), rows * features);
    run!(
        Forward, rows, n, |_first| { logits: n, values: n * features } {} { out: features } {}
        { n: n, features: features }
    );
}

/// Gradient of [`argmax_gather`] with respect to the values: the upstream gradient at the argmax, 0 elsewhere.
///
/// # Panics
/// When a slice has the wrong length.
#[track_caller]
pub fn argmax_gather_backward<F: Element>(
    logits: &[F],
    grad: &[F],
    n: usize,
    features: usize,
    grad_values: &mut [MaybeUninit<F>],
) {
    const KERNEL: &str = "argmax_gather_backward";
    let rows = count_rows(KERNEL, logits.len(), n);
    check_len(KERNEL, "grad", grad.len(), rows * features);
    check_len(
        KERNEL,
        "grad_values",
        grad_values.len(),
        logits.len() * features,
    );
    run!(
        Backward, rows, n * features, |_first|
        { logits: n, grad: features } {} { grad_values: n * features } {}
        { n: n, features: features }
    );
}
