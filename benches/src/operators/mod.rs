//! The operators that are timed: each fused, as a user of Burn would compose it, as a plain loop, and with what must move.
//!
//! A new operator is one entry in the file of its family, and one function of the same name in `torch/operators.py`.

mod choice;
mod costs;
mod gather;
mod gumbel;
mod softmax;
mod sparse;

use burn::tensor::{Device, Distribution, Tensor};

use crate::device::{Dtype, Pass};

/// An operator of logits `[rows, n]` and of what stands beside them.
pub type Function = fn(Tensor<2>, Tensor<2>) -> Tensor<2>;
/// A backward operation ready to run, made from the operator's two inputs.
pub type Prepare = fn(Tensor<2>, Tensor<2>) -> Box<dyn FnMut() + Send>;
/// One row of an operator as a plain loop: logits, what stands beside them, output.
pub type Row = fn(&[f32], &[f32], &mut [f32]);

/// An operator, and how to run it.
pub struct Operator {
    /// Its name, in the table and in `torch/operators.py`.
    pub name: &'static str,
    /// What its first input holds.
    pub input: Input,
    /// Its second input.
    pub beside: Beside,
    /// Whether the gradient reaches the first input, and the second.
    pub learns: [bool; 2],
    /// With this library.
    pub fused: Function,
    /// With Burn's own operations.
    pub composed: Function,
    /// The backward operation alone, where there is one.
    pub backward: Option<Prepare>,
    /// A plain loop over a row, of the forward pass.
    pub naive: Row,
    /// What must move in a forward pass.
    pub forward: Traffic,
    /// What must move in a backward pass.
    pub gradient: Traffic,
}

/// Numbers that must be read and written once, in units of the logits' count; what is one number a row does not count.
#[derive(Clone, Copy)]
pub struct Traffic {
    /// Inputs.
    pub reads: usize,
    /// Outputs.
    pub writes: usize,
}

/// What the first input holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Standard normal numbers.
    Logits,
    /// Uniform numbers in `[0, 1]`.
    Unit,
}

/// What the second input is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// Nothing; the tensor is `[1, 1]`.
    Nothing,
    /// So many uniform numbers for each logit: `[rows, n * count]`.
    PerClass(usize),
    /// One uniform number for each row: `[rows, 1]`.
    PerRow,
}

impl Beside {
    /// Its size along the classes.
    pub fn width(self, n: usize) -> usize {
        match self {
            Self::Nothing => 0,
            Self::PerClass(count) => n * count,
            Self::PerRow => 1,
        }
    }
}

/// All of them, family by family.
pub fn all() -> impl Iterator<Item = &'static Operator> {
    [
        softmax::OPERATORS,
        gather::OPERATORS,
        choice::OPERATORS,
        gumbel::OPERATORS,
        costs::OPERATORS,
        sparse::OPERATORS,
    ]
    .into_iter()
    .flatten()
}

/// Those that `only` asks for: exact names or parts of names, separated by commas; all if it is empty.
pub fn select(only: &str) -> Vec<&'static Operator> {
    let asked = |operator: &Operator| {
        only.split(',').any(|part| {
            let exact = all().any(|other| other.name == part);
            operator.name == part || (!exact && operator.name.contains(part))
        })
    };
    all().filter(|operator| asked(operator)).collect()
}

impl Operator {
    /// The inputs of a shape.
    pub fn inputs(&self, [rows, n]: [usize; 2], dtype: Dtype, device: &Device) -> [Tensor<2>; 2] {
        device.seed(1);
        let draw = |shape, distribution| {
            Tensor::<2>::random(shape, distribution, device).cast(dtype.float())
        };
        let first = match self.input {
            Input::Logits => Distribution::Normal(0.0, 1.0),
            Input::Unit => Distribution::Uniform(0.0, 1.0),
        };
        let second = match self.beside {
            Beside::Nothing => [1, 1],
            Beside::PerClass(count) => [rows, n * count],
            Beside::PerRow => [rows, 1],
        };
        [
            draw([rows, n], first),
            draw(second, Distribution::Uniform(0.0, 1.0)),
        ]
    }

    /// What must move in a pass: the gradient's pass also makes or reads the upstream gradient.
    pub fn traffic(&self, pass: Pass) -> Traffic {
        let (forward, gradient) = (self.forward, self.gradient);
        match pass {
            Pass::Forward => forward,
            Pass::Backward => gradient,
            Pass::ForwardBackward => Traffic {
                reads: forward.reads + gradient.reads,
                writes: forward.writes + gradient.writes,
            },
        }
    }
}

/// One run of a function with all that autodiff does. Returns value and gradients: a fusing backend would leave out what nobody holds.
#[must_use]
pub fn forward_backward(
    function: Function,
    inputs: &[Tensor<2>; 2],
    learns: [bool; 2],
) -> Vec<Tensor<2>> {
    let [first, second] = inputs;
    let [leaf, other] = [(first, learns[0]), (second, learns[1])].map(|(input, learns)| {
        let input = input.clone();
        if learns { input.require_grad() } else { input }
    });
    let value = function(leaf.clone(), other.clone());
    let grads = value.backward();
    let mut results = vec![value];
    for (leaf, learns) in [leaf, other].into_iter().zip(learns) {
        if learns {
            results.push(leaf.grad(&grads).expect("a leaf has a gradient"));
        }
    }
    results
}

/// Ones of the shape of `like`: an upstream gradient.
fn upstream(like: &Tensor<2>) -> burn::backend::tensor::FloatTensor<burn::backend::Dispatch> {
    like.ones_like().into_dispatch()
}

/// The largest number of a row.
fn largest(x: &[f32]) -> f32 {
    x.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b))
}

/// Position of the largest number of a row.
fn position(x: &[f32]) -> usize {
    let max = largest(x);
    x.iter().position(|&x| x == max).unwrap_or(0)
}

/// `Σ exp(x_i - max)`, `max` being the row's largest number.
fn normaliser(x: &[f32], max: f32) -> f32 {
    x.iter().map(|x| (x - max).exp()).sum()
}
