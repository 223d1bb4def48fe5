//! One graph node for each operation that has a gradient.
//!
//! A `…_backward` operation on tracked tensors inherits its default body, which Burn differentiates as usual.

use core::fmt;

use burn_autodiff::{
    Autodiff,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, broadcast_shape},
};
use burn_core::backend::TensorMetadata;
use burn_core::tensor::Shape;

use crate::dispatch::{
    kinds::{Float, FloatTensor, Int, Seed},
    ops::RelaxOps,
    table::operations,
};

/// What a backward pass does with the upstream gradient: `gradients` makes one for each parent, told which are asked for.
struct Node<F, const N: usize> {
    operation: &'static str,
    /// The parents' own shapes: a coefficient that all rows share has the sum of their gradients.
    shapes: [Shape; N],
    gradients: F,
}

impl<F, const N: usize> fmt::Debug for Node<F, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation)
    }
}

impl<B, F, const N: usize> Backward<B, N> for Node<F, N>
where
    B: RelaxOps,
    F: FnOnce(FloatTensor<B>, [bool; N]) -> [Option<FloatTensor<B>>; N] + Send + 'static,
{
    type State = ();

    fn backward(self, ops: Ops<(), N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let gradients = (self.gradients)(grad, wanted);
        for ((parent, gradient), shape) in ops.parents.iter().zip(gradients).zip(&self.shapes) {
            if let (Some(node), Some(gradient)) = (parent, gradient) {
                grads.register::<B>(node.id, broadcast_shape::<B>(gradient, shape));
            }
        }
    }
}

macro_rules! enter {
    (Float $tensor:ident) => {
        $tensor.into_parts()
    };
    (FloatTensor $tensor:ident) => {
        $tensor.into_primitive()
    };
    (Int $tensor:ident) => {
        $tensor
    };
}

macro_rules! leave {
    (Float $tensor:ident $node:ident $parents:ident) => {
        // Dropped where no parent needs a gradient.
        $node
            .prepare::<C>($parents)
            .compute_bound()
            .stateless($tensor)
    };
    (FloatTensor $tensor:ident $node:ident $parents:ident) => {
        <FloatTensor<Self>>::new($tensor)
    };
    (Int $tensor:ident $node:ident $parents:ident) => {
        $tensor
    };
}

/// What a backward operation returns as one gradient for each input.
macro_rules! gradients {
    ([$($target:ident),+] $call:expr) => {{
        let ($($target),+) = $call;
        [$(Some($target)),+]
    }};
    (for each [$($target:ident),+] $call:expr) => {{
        let gradient = $call;
        [$({
            let $target = gradient.clone();
            Some($target)
        }),+]
    }};
}

macro_rules! nodes {
    ([] $(
        $(#[$doc:meta])*
        $name:ident $inputs:tt -> $outputs:tt { $($how:tt)* }
    )*) => {
        impl<B: RelaxOps, C: CheckpointStrategy> RelaxOps for Autodiff<B, C> { $(
            nodes! { @row [$($how)*] $name $inputs -> $outputs }
        )* }
    };
    (@row [] $($row:tt)*) => {};
    (@row [composed $($how:tt)*] $($row:tt)*) => {
        nodes! { @row [$($how)*] $($row)* }
    };
    (@row [constant]
        $name:ident($($input:ident: $kind:ident),*; $($number:ident: $type:ident),*)
            -> ($output:ident: Int = $spec:expr)
    ) => {
        fn $name($($input: $kind<Self>,)* $($number: $type),*) -> Int<Self> {
            <B as RelaxOps>::$name($(enter!($kind $input),)* $($number),*)
        }
    };
    (@row [gradient ($($target:ident),+)
            = $(|$wanted:ident|)? $backward:ident($($saved:ident),*; $($argument:expr),*) $($each:ident)*] $($row:tt)*
    ) => {
        nodes! { @node [$($target),+] [move |grad: FloatTensor<B>, asked: [bool; _]| {
            $(let $wanted = asked;)?
            gradients!($($each)* [$($target),+]
                <B as RelaxOps>::$backward($($saved,)* grad, $($argument),*))
        }] $($row)* }
    };
    (@row [gradients $($target:ident = $backward:ident($($saved:ident),*; $($argument:expr),*)),+] $($row:tt)*) => {
        nodes! { @node [$($target),+] [move |grad: FloatTensor<B>, asked: [bool; _]| {
            let mut asked = asked.into_iter();
            [$((asked.next() == Some(true)).then(|| {
                <B as RelaxOps>::$backward($($saved.clone(),)* grad.clone(), $($argument),*)
            })),+]
        }] $($row)* }
    };
    (@node [$($target:ident),+] [$gradients:expr]
        $name:ident($($input:ident: $kind:ident),*; $($number:ident: $type:ident),*)
            -> ($($output:ident: $result:ident = $spec:expr),+)
    ) => {
        #[allow(unused_parens, unused_variables, reason = "the table's rows are regular")]
        fn $name($($input: $kind<Self>,)* $($number: $type),*) -> ($($result<Self>),+) {
            $(let $input = enter!($kind $input);)*
            let parents = [$($target.1),+];
            $(let $target = $target.0;)+
            let shapes = [$($target.shape()),+];
            let ($($output),+) = <B as RelaxOps>::$name($($input.clone(),)* $($number),*);
            let gradients = {
                $(let $output = $output.clone();)+
                $gradients
            };
            let node = Node { operation: stringify!($name), shapes, gradients };
            ($(leave!($result $output node parents)),+)
        }
    };
}
operations!(nodes []);
