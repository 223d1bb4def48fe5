use std::cell::RefCell;

use burn_core::backend::{
    Backend, Dispatch, Flex,
    tensor::{FloatTensor, IntTensor},
};
use burn_relax::dispatch::{RelaxOps, composed, table::operations};

use super::SEED;

/// A pair of the table of operations, forward and backward, on each backend.
#[derive(Clone, Copy)]
pub struct Primitive {
    /// The temperature or alpha, where it is not the case's coefficient.
    pub number: Option<f64>,
    /// Below the public functions, on every device.
    pub dispatch: Run<Dispatch>,
    /// On Flex.
    pub flex: Run<Flex>,
    /// On ndarray.
    #[cfg(feature = "ndarray")]
    pub ndarray: Run<burn_core::backend::NdArray>,
    /// On wgpu, without fusion.
    #[cfg(feature = "wgpu")]
    pub cube: Run<burn_cubecl::CubeBackend>,
}

impl Primitive {
    /// The same pair at this temperature or alpha.
    pub(super) const fn at(self, number: f64) -> Self {
        Self {
            number: Some(number),
            ..self
        }
    }
}

/// Runs the forward operation, keeps its results, and returns the backward one.
pub type Run<B> = fn(&Operands<B>) -> Backward<B>;

/// A backward operation, which may run again and again, and the names of its results.
pub type Backward<B> = Box<dyn Fn() -> Vec<(&'static str, FloatTensor<B>)> + Send>;

/// What a pair of operations works on.
pub struct Operands<'a, B: Backend> {
    dim: usize,
    number: f64,
    /// Whether the default bodies run in place of the backend's own operations.
    pub composed: bool,
    /// Whether the gradient of a coefficient, or of coordinates, is asked for.
    pub of_coefficient: bool,
    floats: &'a dyn Fn(&str) -> FloatTensor<B>,
    ints: &'a dyn Fn(&str) -> IntTensor<B>,
    upstream: &'a dyn Fn(&FloatTensor<B>) -> FloatTensor<B>,
    /// Results of the forward operation.
    pub kept: RefCell<Vec<(&'static str, FloatTensor<B>)>>,
    /// Those that are integers.
    pub kept_ints: RefCell<Vec<(&'static str, IntTensor<B>)>>,
}

impl<'a, B: Backend> Operands<'a, B> {
    /// The axis of the classes and the temperature or alpha, tensors by name, and an upstream gradient for an output. The
    /// backend's own operations run, nothing is kept yet, and every gradient asked for.
    pub fn new(
        (dim, number): (usize, f64),
        floats: &'a dyn Fn(&str) -> FloatTensor<B>,
        ints: &'a dyn Fn(&str) -> IntTensor<B>,
        upstream: &'a dyn Fn(&FloatTensor<B>) -> FloatTensor<B>,
    ) -> Self {
        Self {
            dim,
            number,
            composed: false,
            of_coefficient: true,
            floats,
            ints,
            upstream,
            kept: RefCell::default(),
            kept_ints: RefCell::default(),
        }
    }
}

thread_local! {
    static CALLED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Operations of the table that this thread's primitives have called since the last time it was asked.
pub fn called() -> Vec<&'static str> {
    CALLED.take()
}

/// What the cases call an input of the table.
fn named(input: &'static str) -> &'static str {
    match input {
        "power" | "alpha" | "budget" => "coefficient",
        "cost" => "values",
        input => input,
    }
}

/// Whether an input is one of the choice itself, and not what all rows may share: a coefficient, or coordinates.
fn is_input(input: &'static str) -> bool {
    !matches!(named(input), "coefficient" | "coordinates")
}

/// Runs an operation as the backend has it, which is noted, or its default body.
macro_rules! operation {
    ($composed:ident $operation:ident($($argument:expr),*)) => {
        if $composed {
            composed::$operation::<B>($($argument),*)
        } else {
            CALLED.with_borrow_mut(|called| called.push(stringify!($operation)));
            <B as RelaxOps>::$operation($($argument),*)
        }
    };
}

/// A number of the table by its name: a temperature or alpha, unless it says otherwise.
macro_rules! number {
    (dim $x:ident) => {
        $x.dim
    };
    (samples $x:ident) => {
        2
    };
    (seed $x:ident) => {
        SEED
    };
    ($number:ident $x:ident) => {
        $x.number
    };
}

/// An input of the table's kind.
macro_rules! input {
    (Int $x:ident $name:ident) => {
        ($x.ints)(stringify!($name))
    };
    ($float:ident $x:ident $name:ident) => {
        ($x.floats)(named(stringify!($name)))
    };
}

/// Keeps an output to be compared; the one that takes part in the gradient has an upstream one.
macro_rules! keep {
    (Float $x:ident $output:ident $grad:ident) => {
        $x.kept.borrow_mut().push(("output", $output.clone()));
        $grad = ($x.upstream)(&$output);
    };
    (FloatTensor $x:ident $output:ident $grad:ident) => {
        let kept = (stringify!($output), $output.clone());
        $x.kept.borrow_mut().push(kept);
    };
    (Int $x:ident $output:ident $grad:ident) => {
        let kept = (stringify!($output), $output.clone());
        $x.kept_ints.borrow_mut().push(kept);
    };
}

/// Results of a backward operation and whose gradients they are; where inputs share one, it is looked at once.
macro_rules! gradients {
    ([$($target:ident),+] $call:expr) => {{
        let ($($target),+) = $call;
        vec![$((named(stringify!($target)), $target)),+]
    }};
    (for each [$target:ident $(, $other:ident)*] $call:expr) => {
        vec![(named(stringify!($target)), $call)]
    };
}

/// A function for each row that has a gradient or is constant.
macro_rules! pairs {
    ([] $(
        $(#[$doc:meta])*
        $name:ident $inputs:tt -> $outputs:tt { $($how:tt)* }
    )*) => {
        $(pairs! { @row [$($how)*] $name $inputs -> $outputs })*
    };
    (@row [] $($row:tt)*) => {};
    (@row [composed $($how:tt)*] $($row:tt)*) => {
        pairs! { @row [$($how)*] $($row)* }
    };
    (@row [constant]
        $name:ident($($input:ident: $kind:ident),*; $($number:ident: $type:ident),*) -> ($output:ident: Int = $spec:expr)
    ) => {
        pub fn $name<B: RelaxOps>(x: &Operands<B>) -> Backward<B> {
            let composed = x.composed;
            let $output = operation!(composed $name($(input!($kind x $input),)* $(number!($number x)),*));
            keep!(Int x $output grad);
            Box::new(Vec::new)
        }
    };
    (@row [gradients $($target:ident = $backward:ident($($saved:ident),*; $($argument:expr),*)),+] $($row:tt)*) => {
        pairs! { @pair [$($target),+] [move |composed: bool, grad: FloatTensor<B>, asked: [bool; _]| {
            let mut asked = asked.into_iter();
            let gradients = [$((asked.next() == Some(true)).then(|| {
                (named(stringify!($target)),
                    operation!(composed $backward($($saved.clone(),)* grad.clone(), $($argument),*)))
            })),+];
            gradients.into_iter().flatten().collect()
        }] $($row)* }
    };
    (@row [gradient ($($target:ident),+)
            = $(|$wanted:ident|)? $backward:ident($($saved:ident),*; $($argument:expr),*) $($each:ident)*] $($row:tt)*
    ) => {
        pairs! { @pair [$($target),+] [move |composed: bool, grad: FloatTensor<B>, asked: [bool; _]| {
            $(let $wanted = asked;)?
            gradients!($($each)* [$($target),+]
                operation!(composed $backward($($saved.clone(),)* grad, $($argument),*)))
        }] $($row)* }
    };
    (@pair [$($target:ident),+] [$gradients:expr]
        $name:ident($($input:ident: $kind:ident),*; $($number:ident: $type:ident),*)
            -> ($($output:ident: $result:ident = $spec:expr),+)
    ) => {
        pub fn $name<B: RelaxOps>(x: &Operands<B>) -> Backward<B> {
            let composed = x.composed;
            $(let $input = input!($kind x $input);)*
            $(let $number = number!($number x);)*
            let ($($output),+) = operation!(composed $name($($input.clone(),)* $($number),*));
            let grad;
            $(keep!($result x $output grad);)+
            let asked = [$(is_input(stringify!($target)) || x.of_coefficient),+];
            let gradients = $gradients;
            Box::new(move || gradients(composed, grad.clone(), asked))
        }
    };
}

#[allow(
    unused_parens,
    unused_variables,
    reason = "the table's rows are regular"
)]
pub mod pairs {
    use super::*;
    operations!(pairs []);
}

/// `primitive!(name)` is the [`Primitive`] of the operation of that name and of its backward one.
macro_rules! primitive {
    ($operation:ident) => {{
        use $crate::cases::primitive::{Primitive, pairs};
        Primitive {
            number: None,
            dispatch: pairs::$operation,
            flex: pairs::$operation,
            #[cfg(feature = "ndarray")]
            ndarray: pairs::$operation,
            #[cfg(feature = "wgpu")]
            cube: pairs::$operation,
        }
    }};
}

pub(super) use primitive;
