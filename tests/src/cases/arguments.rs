use burn_core::{
    backend::{
        Dispatch,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::{Int, Tensor},
};

/// How a coefficient is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// As a number.
    Number,
    /// As a tensor with one value for each row.
    PerRow,
    /// As a tensor with one value for all rows.
    Shared,
}

/// Tensors of a call by name, whatever their ranks.
pub struct Args {
    floats: Vec<(&'static str, FloatTensor<Dispatch>)>,
    ints: Vec<(&'static str, IntTensor<Dispatch>)>,
    held: Vec<(&'static str, FloatTensor<Dispatch>)>,
    number: f64,
    form: Form,
}

impl Args {
    /// No tensors, and `number` as the coefficient where its form is a number.
    pub fn new(number: f64, form: Form) -> Self {
        Self {
            floats: Vec::new(),
            ints: Vec::new(),
            held: Vec::new(),
            number,
            form,
        }
    }

    /// Adds a tensor of numbers.
    pub fn push<const D: usize>(&mut self, name: &'static str, tensor: Tensor<D>) {
        self.push_dispatch(name, tensor.into_dispatch());
    }

    /// Adds a tensor of numbers, whatever its rank.
    pub fn push_dispatch(&mut self, name: &'static str, tensor: FloatTensor<Dispatch>) {
        self.floats.push((name, tensor));
    }

    /// Adds a tensor as it was before a difference's step.
    pub fn push_held<const D: usize>(&mut self, name: &'static str, tensor: Tensor<D>) {
        self.held.push((name, tensor.into_dispatch()));
    }

    /// Adds a tensor of integers.
    pub fn push_ints<const D: usize>(&mut self, name: &'static str, tensor: Tensor<D, Int>) {
        self.ints.push((name, tensor.into_dispatch()));
    }

    /// A tensor of numbers.
    pub fn get<const D: usize>(&self, name: &str) -> Tensor<D> {
        Tensor::from_dispatch(find(&self.floats, name))
    }

    /// A tensor of integers.
    pub fn ints<const D: usize>(&self, name: &str) -> Tensor<D, Int> {
        Tensor::from_dispatch(find(&self.ints, name))
    }

    /// A tensor as it was before a difference's step, without a gradient.
    pub fn held<const D: usize>(&self, name: &str) -> Tensor<D> {
        Tensor::from_dispatch(find(&self.held, name))
    }

    /// The logits.
    pub fn logits<const D: usize>(&self) -> Tensor<D> {
        self.get("logits")
    }

    /// The values or costs beside them.
    pub fn values<const D: usize>(&self) -> Tensor<D> {
        self.get("values")
    }

    /// The temperature, power, alpha or budget.
    pub fn coefficient<const D: usize>(&self) -> burn_relax::Coefficient<D> {
        match self.form {
            Form::Number => self.number.into(),
            _ => self.get::<D>("coefficient").into(),
        }
    }

    /// The same for a function that takes the axis of the classes last.
    pub fn coefficient_at_end<const D: usize>(&self, dim: isize) -> burn_relax::Coefficient<D> {
        match self.form {
            Form::Number => self.number.into(),
            _ => self.get::<D>("coefficient").swap_dims(dim, -1).into(),
        }
    }
}

fn find<T: Clone>(list: &[(&'static str, T)], name: &str) -> T {
    let found = list.iter().find(|(own, _)| *own == name);
    found
        .unwrap_or_else(|| panic!("no input is named {name}"))
        .1
        .clone()
}
