use std::collections::BTreeMap;

use burn_core::tensor::{DType, Device, Tensor};

use super::{Args, Call, Case, Form, Gradient, Kind, Numbers, Place};
use crate::{array::Array, leaves::Leaves};

/// A case somewhere, with inputs.
#[derive(Clone)]
pub struct Trial<'a> {
    /// The operator.
    pub case: &'a Case,
    /// Where.
    pub place: Place,
    /// How its coefficient is given.
    pub form: Form,
    /// What its tensors hold in memory.
    pub inputs: BTreeMap<String, Array>,
}

impl<'a> Trial<'a> {
    /// With random inputs.
    pub fn new(case: &'a Case, place: &Place, form: Form, numbers: Numbers) -> Self {
        let mut inputs = BTreeMap::new();
        for (i, input) in case.inputs.iter().enumerate() {
            let shape = input.shape(&place.shape, place.axis());
            let stored = match input.kind {
                Kind::Classes(_) | Kind::Features(_) => place.layout.stored(&shape),
                _ => shape,
            };
            let array = numbers.array(input, i, &stored, place.classes());
            inputs.insert(input.name.to_owned(), array);
        }
        if let Some(coefficient) = &case.coefficient {
            let row = place.row();
            let array = match form {
                Form::Number => None,
                Form::PerRow => Some(Numbers::coefficient(coefficient, &row)),
                Form::Shared => {
                    let one = vec![1; row.len()];
                    Some(Array::new(one, [coefficient.number + 0.1]))
                }
            };
            inputs.extend(array.map(|array| ("coefficient".to_owned(), array)));
        }
        Self {
            case,
            place: place.clone(),
            form,
            inputs,
        }
    }

    /// For reports.
    pub fn title(&self, device: &str) -> String {
        let Place { shape, dim, layout } = &self.place;
        let (name, form) = (self.case.name, self.form);
        format!("{name} {form:?} {shape:?} along {dim} {layout:?} on {device}")
    }

    /// Inputs on a device with autodiff.
    pub fn leaves(&self, device: &Device, dtype: DType) -> Leaves {
        Leaves::new(&device.clone().autodiff(), dtype, self.inputs.clone())
    }

    /// The output's shape, and its numbers.
    pub fn output(&self, leaves: &Leaves) -> (Vec<usize>, Tensor<1>) {
        self.output_of(&self.case.call, leaves)
    }

    /// Those of another function of the same inputs.
    pub fn output_of(&self, call: &Call, leaves: &Leaves) -> (Vec<usize>, Tensor<1>) {
        let args = self.args(leaves);
        call.run(self.place.shape.len(), &args, self.place.dim)
    }

    /// Output and gradients by name; `weights` makes the upstream gradient of an output's shape.
    pub fn run(
        &self,
        device: &Device,
        dtype: DType,
        weights: impl Fn(&[usize]) -> Array,
    ) -> BTreeMap<String, Array> {
        let leaves = self.leaves(device, dtype);
        let (shape, output) = self.output(&leaves);
        let upstream = Array::line(weights(&shape).data);
        let mut results = BTreeMap::new();
        if self.case.learns() {
            results = leaves.gradients(output.clone(), &upstream);
        }
        let output = Array::new(shape, Array::of(output).data);
        results.insert("output".to_owned(), output);
        results
    }

    /// The tensors of `leaves`, viewed as the place says; those that get a gradient are tracked.
    fn args(&self, leaves: &Leaves) -> Args {
        let (case, place) = (self.case, &self.place);
        let mut args = Args::new(case.number(), self.form);
        for input in case.inputs {
            let shape = input.shape(&place.shape, place.axis());
            with_rank!(shape.len(), R => {
                if let Kind::Indices(_) = input.kind {
                    args.push_ints(input.name, leaves.ints::<R>(input.name));
                    continue;
                }
                let tensor: Tensor<R> = match input.gradient {
                    Gradient::None => leaves.constant(input.name),
                    _ => leaves.get(input.name),
                };
                let view = |tensor: Tensor<R>| match input.kind {
                    Kind::Classes(_) | Kind::Features(_) => place.layout.view(tensor, &shape),
                    _ => tensor,
                };
                args.push(input.name, view(tensor));
                if let Some(held) = leaves.held::<R>(input.name) {
                    args.push_held(input.name, view(held));
                }
            });
        }
        if self.form != Form::Number {
            with_rank!(place.shape.len(), R => {
                args.push("coefficient", leaves.get::<R>("coefficient"));
            });
        }
        args
    }
}
