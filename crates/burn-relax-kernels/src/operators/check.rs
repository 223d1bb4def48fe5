//! Checks at the door of a kernel.

use crate::row::input::In;
use crate::row::output::Out;
use core::mem::MaybeUninit;

/// Number of rows of length `n` in a slice.
#[track_caller]
pub(crate) fn count_rows(kernel: &str, argument: &str, len: usize, n: usize) -> usize {
    assert!(n > 0, "{kernel}: n must be at least 1, got 0");
    assert!(
        len.is_multiple_of(n),
        "{kernel}: {argument} must be whole rows of {n} values, got {len}"
    );
    len / n
}

#[track_caller]
fn check_len(kernel: &str, argument: &str, got: usize, want: usize) {
    assert!(
        got == want,
        "{kernel}: {argument} must have {want} values, got {got}"
    );
}

/// An input with `width` values for each row.
#[track_caller]
pub(crate) fn each<'a, T>(
    kernel: &str,
    argument: &str,
    values: &'a [T],
    rows: usize,
    width: usize,
) -> In<'a, T> {
    check_len(kernel, argument, values.len(), rows * width);
    In::each(values, width)
}

/// An input with one value for all rows or one for each.
#[track_caller]
pub(crate) fn one<'a, T>(
    kernel: &str,
    argument: &str,
    values: &'a [T],
    rows: usize,
    width: usize,
) -> In<'a, T> {
    assert!(
        values.len() == 1 || values.len() == rows,
        "{kernel}: {argument} must have 1 or {rows} values, got {}",
        values.len()
    );
    if values.len() == 1 {
        In::shared(values)
    } else {
        In::each(values, width)
    }
}

/// An input with `width` values that all rows share.
#[track_caller]
pub(crate) fn shared<'a, T>(
    kernel: &str,
    argument: &str,
    values: &'a [T],
    width: usize,
) -> In<'a, T> {
    check_len(kernel, argument, values.len(), width);
    In::shared(values)
}

/// An input with `width` of the `n` classes for each row.
#[track_caller]
pub(crate) fn classes<'a>(
    kernel: &str,
    argument: &str,
    values: &'a [i64],
    (rows, n): (usize, usize),
    width: usize,
) -> In<'a, i64> {
    let input = each(kernel, argument, values, rows, width);
    if let Some(k) = values.iter().find(|&&k| k < 0 || k >= n as i64) {
        panic!("{kernel}: {argument} must be in 0..{n}, got {k}");
    }
    input
}

/// An output with `width` values for each row.
#[track_caller]
pub(crate) fn output<'a, T>(
    kernel: &str,
    argument: &str,
    values: &'a mut [MaybeUninit<T>],
    rows: usize,
    width: usize,
) -> Out<'a, T> {
    check_len(kernel, argument, values.len(), rows * width);
    Out::each(values, width)
}
