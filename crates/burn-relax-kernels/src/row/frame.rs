//! What a kernel is made of: slices for all rows, of which each task gets its own part, and from there each row its own.
//!
//! [`region!`] declares a kernel as a struct of inputs, numbers and outputs. A call is such a struct; it is cut between rows into
//! the calls of the tasks, so that no two tasks ever hold the same output, and the compiler knows it. A call on 16-bit elements
//! goes block by block: some rows are widened into buffers, the `f32` kernel runs on them, and the results are rounded into the
//! output.

use crate::lanes::path::{current_path, with_path};
use crate::lanes::region::{Region, enter};
use core::marker::PhantomData;
use core::ops::Range;
use rayon::prelude::*;

/// Elements of work below which a call stays on its thread. Waking a sleeping worker costs about 10 µs; the kernels
/// process an element in 0.3 to 1 ns.
pub const PARALLEL_THRESHOLD: usize = 1 << 16;

/// Elements of work in one task: large enough to hide the cost of a task, small enough to balance the load and for the buffers of
/// 16-bit rows to stay in cache.
const TASK_ELEMENTS: usize = 1 << 15;

/// Rows of one task.
fn block(work: usize) -> usize {
    (TASK_ELEMENTS / work.max(1)).max(1)
}

/// Whether a call on `rows` rows of `work` elements of work each is worth the threads.
fn is_parallel(rows: usize, work: usize) -> bool {
    rows > 1 && rows.saturating_mul(work) >= PARALLEL_THRESHOLD && rayon::current_num_threads() > 1
}

/// The rows of a call whose arithmetic is in `A`.
pub struct Shape<A> {
    rows: usize,
    work: usize,
    arithmetic: PhantomData<A>,
}

impl<A> Shape<A> {
    /// So many rows, each of so many elements of work.
    pub(crate) fn new(rows: usize, work: usize) -> Self {
        Shape {
            rows,
            work,
            arithmetic: PhantomData,
        }
    }

    pub(crate) fn work(&self) -> usize {
        self.work
    }

    /// The numbers of the rows.
    #[inline(always)]
    pub(crate) fn rows(&self) -> Range<usize> {
        0..self.rows
    }

    pub(crate) fn split_at(self, rows: usize) -> (Self, Self) {
        (
            Shape::new(rows, self.work),
            Shape::new(self.rows - rows, self.work),
        )
    }
}

/// A number of a call, the same for all of its rows.
pub trait Number: Copy + Send {
    /// What it is for the part of the call that begins with this row.
    #[must_use]
    fn at_row(self, _row: usize) -> Self {
        self
    }
}

impl Number for f32 {}
impl Number for f64 {}
impl Number for usize {}
impl Number for bool {}

impl<T: Number> Number for Option<T> {
    fn at_row(self, row: usize) -> Self {
        self.map(|number| number.at_row(row))
    }
}

/// A call that can be cut between its rows.
pub(crate) trait Call: Sized + Send {
    /// Number of rows.
    fn rows(&self) -> usize;
    /// Elements of work in a row.
    fn work(&self) -> usize;
    /// The first `rows` rows and the others.
    fn split_at(self, rows: usize) -> (Self, Self);
}

/// The call in parts of `block` rows.
fn cut<C: Call>(call: C, block: usize) -> impl Iterator<Item = C> {
    let mut rest = Some(call);
    core::iter::from_fn(move || {
        let call = rest.take()?;
        if call.rows() <= block {
            return Some(call);
        }
        let (part, others) = call.split_at(block);
        rest = Some(others);
        Some(part)
    })
}

type Task<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Runs tasks on rayon's current pool. Not generic, so that its code is there once.
fn in_parallel(tasks: Vec<Task<'_>>) {
    tasks.into_par_iter().for_each(|task| task());
}

/// Runs a call, on several threads if that pays. Rows never share anything, so the result does not depend on the division.
pub(crate) fn distribute<C: Call + Region>(call: C) {
    let path = current_path();
    let (rows, work) = (call.rows(), call.work());
    if is_parallel(rows, work) {
        let task = |part| Box::new(move || enter(path, part)) as Task;
        in_parallel(cut(call, block(work)).map(task).collect());
    } else {
        enter(path, call);
    }
}

/// Calls `task` for some rows at a time, at least `least`, on several threads if that pays.
pub(crate) fn stage<C: Call>(call: C, least: usize, task: impl Fn(C) + Sync) {
    let (rows, work, task) = (call.rows(), call.work(), &task);
    let parts = cut(call, block(work).max(least));
    if is_parallel(rows, work) {
        // The path may be forced for this thread: the tasks inherit it.
        let path = current_path();
        let task = |part| Box::new(move || with_path(path, || task(part))) as Task;
        in_parallel(parts.map(task).collect());
    } else {
        parts.for_each(task);
    }
}

/// Declares a kernel: `region! { Name { inputs } { numbers } { outputs } }`, an input or output being `name: kind`. Kinds `F`, `One`
/// and `Shared` are of the element type, `Acc` of the type of arithmetic, `Class` and `I64` integers. The code is the kernel's
/// [`Region`](crate::lanes::region::Region).
macro_rules! region {
    ($region:ident { $($input:ident: $in:ident),* } { $($number:ident: $type:ty),* $(,)? } { $($output:ident: $out:ident),+ }) => {
        pub(crate) struct $region<'a, T, A = T> {
            pub(crate) shape: $crate::row::frame::Shape<A>,
            $(pub(crate) $input: $crate::row::input::In<'a, $crate::row::frame::region!(@type $in T A)>,)*
            $(pub(crate) $number: $type,)*
            $(pub(crate) $output: $crate::row::output::Out<'a, $crate::row::frame::region!(@type $out T A)>,)+
        }

        impl<T: Send + Sync, A: $crate::row::frame::Number + Sync> $crate::row::frame::Call for $region<'_, T, A> {
            fn rows(&self) -> usize {
                self.shape.rows().len()
            }
            fn work(&self) -> usize {
                self.shape.work()
            }
            fn split_at(self, rows: usize) -> (Self, Self) {
                let shape = self.shape.split_at(rows);
                $(let $input = self.$input.split_at(rows);)*
                $(let $output = self.$output.split_at(rows);)+
                (
                    $region {
                        shape: shape.0,
                        $($input: $input.0,)*
                        $($number: self.$number,)*
                        $($output: $output.0,)+
                    },
                    $region {
                        shape: shape.1,
                        $($input: $input.1,)*
                        $($number: $crate::row::frame::Number::at_row(self.$number, rows),)*
                        $($output: $output.1,)+
                    },
                )
            }
        }

        impl $crate::row::element::Kernel for $region<'static, f32> {
            type Call<'a, F: $crate::row::element::Element> = $region<'a, F, F::Acc>;

            #[inline(never)]
            fn single(call: Self::Call<'_, f32>) {
                $crate::row::frame::distribute(call);
            }
            #[inline(never)]
            fn double(call: Self::Call<'_, f64>) {
                $crate::row::frame::distribute(call);
            }
            fn staged<F: $crate::row::element::Narrow>(call: Self::Call<'_, F>) {
                $crate::row::frame::stage(call, 1, |part| {
                    $(let $input = $crate::row::frame::region!(@widened $in part.$input);)*
                    $(let mut $output = $crate::row::frame::region!(@staged $out part.$output);)+
                    Self::single($region {
                        shape: part.shape,
                        $($input: $input.view(),)*
                        $($number: part.$number,)*
                        $($output: $output.view(),)+
                    });
                    $($output.finish();)+
                });
            }
        }
    };
    (@type F $element:ident $arithmetic:ident) => { $element };
    (@type One $element:ident $arithmetic:ident) => { $element };
    (@type Shared $element:ident $arithmetic:ident) => { $element };
    (@type Acc $element:ident $arithmetic:ident) => { $arithmetic };
    (@type $integer:ident $element:ident $arithmetic:ident) => { i64 };
    (@widened Acc $input:expr) => { $input };
    (@widened Class $input:expr) => { $input };
    (@widened $narrow:ident $input:expr) => { $input.widened() };
    (@staged F $output:expr) => { $output.staged() };
    (@staged $kept:ident $output:expr) => { $output };
}
pub(crate) use region;
