//! From a public function to its region: element types, threads, instruction set.
//!
//! Regions exist for `f32` and `f64`. A call on 16-bit elements goes block by block: some rows are widened into buffers, the `f32`
//! region runs on them, and the results are rounded into the output. Every region is compiled in this crate, once per
//! type and instruction set, however many crates call it.

use crate::element::Element;
use crate::rows::Output;
use crate::simd::{Region, current_path, enter};
use core::mem::MaybeUninit;
use core::ops::Range;
use rayon::prelude::*;

/// Elements of work below which a call stays on its thread. Waking a sleeping worker costs about 10 µs; the kernels
/// process an element in 0.3 to 1 ns.
pub const PARALLEL_THRESHOLD: usize = 1 << 16;

/// Elements of work in one task: large enough to hide the cost of a task, small enough to balance the load and for the buffers of
/// 16-bit rows to stay in cache.
const TASK_ELEMENTS: usize = 1 << 15;

/// Rows of one task.
fn block(width: usize) -> usize {
    (TASK_ELEMENTS / width.max(1)).max(1)
}

/// Whether a call on `rows` rows of `width` elements of work is worth the threads.
fn is_parallel(rows: usize, width: usize) -> bool {
    rows > 1 && rows.saturating_mul(width) >= PARALLEL_THRESHOLD && rayon::current_num_threads() > 1
}

/// Runs `region` over `rows` rows of `width` elements of work each, on rayon's current pool if that pays.
///
/// Rows never share anything, so the result does not depend on the division.
pub(crate) fn distribute<R: Region>(region: &R, rows: usize, width: usize) {
    let path = current_path();
    if is_parallel(rows, width) {
        blocks(rows, block(width), |rows| enter(path, region, rows));
    } else {
        enter(path, region, 0..rows);
    }
}

/// Calls `task` for every block of rows, in parallel.
fn blocks(rows: usize, block: usize, task: impl Fn(Range<usize>) + Sync) {
    (0..rows.div_ceil(block))
        .into_par_iter()
        .for_each(|b| task(b * block..((b + 1) * block).min(rows)));
}

/// Calls `task` for every block of at least `least` rows of a call whose rows go through buffers.
pub(crate) fn stage(rows: usize, width: usize, least: usize, task: impl Fn(Range<usize>) + Sync) {
    let block = block(width).max(least);
    if is_parallel(rows, width) {
        // The path may be forced for this thread: the tasks inherit it.
        let path = current_path();
        blocks(rows, block, |rows| {
            crate::simd::with_path(path, || task(rows))
        });
    } else {
        for start in (0..rows).step_by(block) {
            task(start..(start + block).min(rows));
        }
    }
}

/// The part of an input that belongs to some rows; inputs of width 0 belong to all of them.
pub(crate) fn part<'a, T>(slice: &'a [T], rows: &Range<usize>, width: usize) -> &'a [T] {
    if width == 0 {
        slice
    } else {
        &slice[rows.start * width..rows.end * width]
    }
}

/// The widened values of a 16-bit slice.
pub(crate) fn widened<F: Element>(slice: &[F]) -> Vec<F::Acc> {
    let mut buffer = Vec::with_capacity(slice.len());
    F::widen(slice, &mut buffer);
    buffer
}

/// Rows of a 16-bit output and the buffer a region fills for them.
pub(crate) struct Staged<'a, F: Element> {
    target: &'a mut [MaybeUninit<F>],
    buffer: Vec<F::Acc>,
}

impl<'a, F: Element> Staged<'a, F> {
    pub(crate) fn new(target: &'a mut [MaybeUninit<F>]) -> Self {
        let buffer = Vec::with_capacity(target.len());
        Staged { target, buffer }
    }

    /// The buffer, to be filled completely.
    pub(crate) fn output(&mut self) -> Output<'_, F::Acc> {
        let len = self.target.len();
        Output::new(&mut self.buffer.spare_capacity_mut()[..len])
    }

    /// Rounds the buffer into the output.
    ///
    /// # Safety
    /// A region has filled all of [`output`](Self::output).
    pub(crate) unsafe fn finish(mut self) {
        // SAFETY: within the capacity; filled by the caller's promise.
        unsafe { self.buffer.set_len(self.target.len()) };
        F::round(&self.buffer, self.target);
    }
}

/// Builds a region and runs it: `run!(Region, rows, width of work, |first| { inputs } { kept inputs } { outputs } { kept outputs }
/// { own fields })`.
///
/// Inputs and outputs are `name: values per row`, an input of width 0 being shared by all rows; those kept are not of the
/// element type. Own fields are `name: expression`, in which `first` is the number of the region's row 0 in the call.
macro_rules! run {
    ($($region:ident)::+, $rows:expr, $work:expr, |$first:ident|
     { $($input:ident: $input_width:expr),* } { $($kept:ident: $kept_width:expr),* }
     { $($output:ident: $output_width:expr),* } { $($kept_output:ident: $kept_output_width:expr),* }
     { $($own:ident: $value:expr),* $(,)? }) => {{
        use $crate::distribute::{distribute, stage};
        use $crate::real::Real;
        use $crate::rows::Output;

        // Not generic: this is where the code of the region is compiled.
        fn compiled(double: bool, region: *const (), rows: usize, work: usize) {
            // SAFETY: the callers below pass a live region over the type of arithmetic that `double` names.
            unsafe {
                if double {
                    distribute(&*region.cast::<$($region)::+<f64>>(), rows, work);
                } else {
                    distribute(&*region.cast::<$($region)::+<f32>>(), rows, work);
                }
            }
        }

        let (rows, work) = ($rows, $work);
        let double = <F::Acc as Real>::DOUBLE;
        #[allow(irrefutable_let_patterns)]
        if let ($(Some($input),)* $(Some($output),)*) = ($(F::as_acc($input),)* $(F::as_acc_mut(&mut *$output),)*) {
            #[allow(unused_variables)]
            let $first = 0usize;
            let region: $($region)::+<F::Acc> = $($region)::+ {
                $($input,)*
                $($kept,)*
                $($output: Output::new($output),)*
                $($kept_output: Output::new(&mut *$kept_output),)*
                $($own: $value,)*
            };
            compiled(double, core::ptr::from_ref(&region).cast(), rows, work);
        } else {
            $(let $output = Output::new($output);)*
            $(let $kept_output = Output::new($kept_output);)*
            stage(rows, work, 1, |block| {
                let $first = block.start;
                let count = block.len();
                $(let $input = $crate::distribute::widened($crate::distribute::part($input, &block, $input_width));)*
                // SAFETY: blocks do not overlap, so neither do these parts.
                $(let mut $output = $crate::distribute::Staged::<F>::new(unsafe {
                    $output.part($first * $output_width, count * $output_width)
                });)*
                // SAFETY: as above.
                $(let $kept_output = unsafe {
                    $kept_output.part($first * $kept_output_width, count * $kept_output_width)
                };)*
                let region: $($region)::+<F::Acc> = $($region)::+ {
                    $($input: &$input,)*
                    $($kept: $crate::distribute::part($kept, &block, $kept_width),)*
                    $($output: $output.output(),)*
                    $($kept_output: Output::new($kept_output),)*
                    $($own: $value,)*
                };
                compiled(double, core::ptr::from_ref(&region).cast(), count, 0);
                // SAFETY: regions fill all of their outputs.
                $(unsafe { $output.finish() };)*
            });
        }
    }};
}
pub(crate) use run;
