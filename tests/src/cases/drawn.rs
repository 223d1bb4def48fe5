use burn_core::{
    backend::{Dispatch, TensorMetadata, tensor::FloatTensor},
    tensor::{Device, Distribution, FloatDType, Int, Tensor},
};

use super::{Args, Backward, Case, Domain, Form, Gradient, Input, Kind, Operands};
use crate::leaves::flat;

/// A function of a case's tensors.
type Function = fn(&Args, isize) -> Tensor<2>;

/// Tensors of a case for logits `[rows, classes]`, made on the device: what time, memory and launches are measured with.
#[derive(Clone)]
pub struct Drawn {
    case: &'static Case,
    floats: Vec<Float>,
    indices: Option<(&'static str, Tensor<2, Int>)>,
    coefficient: Tensor<2>,
}

#[derive(Clone)]
struct Float {
    input: Input,
    rank: usize,
    tensor: FloatTensor<Dispatch>,
}

impl Drawn {
    /// Normal logits and noise, other numbers uniform, the class in the middle, coordinates 0, 1, ….
    pub fn new(
        case: &'static Case,
        shape: [usize; 2],
        device: &Device,
        dtype: impl Into<FloatDType>,
    ) -> Self {
        let dtype = dtype.into();
        device.seed(1);
        let [rows, classes] = shape;
        let mut floats = Vec::new();
        let mut indices = None;
        for &input in case.inputs {
            if let Kind::Indices(_) = input.kind {
                let middle = Tensor::full([rows, 1], (classes / 2) as i64, device);
                indices = Some((input.name, middle));
                continue;
            }
            let own = input.shape(&shape, 1);
            let rank = own.len();
            let tensor = with_rank!(rank, R => {
                let own: [usize; R] = own.try_into().expect("the rank is the shape's");
                let tensor = match input.kind {
                    Kind::Coordinates => Tensor::arange(0..classes as i64, device).float().reshape(own),
                    Kind::Classes(Domain::Logits) => {
                        Tensor::random(own, Distribution::Normal(0.0, 1.0), device)
                    }
                    _ => Tensor::<R>::random(own, Distribution::Uniform(0.0, 1.0), device),
                };
                tensor.cast(dtype).into_dispatch()
            });
            floats.push(Float {
                input,
                rank,
                tensor,
            });
        }
        let number = case.coefficient.map_or(1.0, |c| c.timed);
        let coefficient = Tensor::<2>::full([1, 1], number, device).cast(dtype);
        Self {
            case,
            floats,
            indices,
            coefficient,
        }
    }

    /// The same on the device's autodiff twin.
    pub fn autodiff(mut self) -> Self {
        for float in &mut self.floats {
            with_rank!(float.rank, R => {
                let tensor = Tensor::<R>::from_dispatch(float.tensor.clone());
                float.tensor = tensor.autodiff().into_dispatch();
            });
        }
        self
    }

    fn number(&self) -> f64 {
        self.case.coefficient.map_or(1.0, |c| c.timed)
    }

    fn args(&self) -> Args {
        let mut args = Args::new(self.number(), Form::Number);
        if let Some((name, indices)) = &self.indices {
            args.push_ints(name, indices.clone());
        }
        args
    }

    /// The device.
    pub fn device(&self) -> Device {
        self.coefficient.device()
    }

    /// Whether the gradient of any input is asked for.
    pub fn learns(&self) -> bool {
        let learns = |float: &Float| float.input.gradient == Gradient::Learned;
        self.floats.iter().any(learns)
    }

    /// The numbers of an input by its place.
    pub fn flat(&self, place: usize) -> Option<Tensor<1>> {
        let float = self.floats.get(place)?;
        with_rank!(float.rank, R => {
            Some(flat(Tensor::<R>::from_dispatch(float.tensor.clone())))
        })
    }

    /// One run of the case's call or of a function like it, without gradients.
    #[must_use]
    pub fn forward(&self, function: Function) -> Tensor<2> {
        let mut args = self.args();
        for float in &self.floats {
            args.push_dispatch(float.input.name, float.tensor.clone());
        }
        function(&args, 1)
    }

    /// One run with all that autodiff does: value and gradients, since a fusing backend would leave out what
    /// nobody holds.
    #[must_use]
    pub fn forward_backward(&self, function: Function) -> Vec<FloatTensor<Dispatch>> {
        let mut args = self.args();
        let mut leaves = Vec::new();
        for Float {
            input,
            rank,
            tensor,
        } in &self.floats
        {
            if input.gradient != Gradient::Learned {
                args.push_dispatch(input.name, tensor.clone());
                continue;
            }
            with_rank!(*rank, R => {
                let leaf = Tensor::<R>::from_dispatch(tensor.clone()).require_grad();
                args.push(input.name, leaf.clone());
                leaves.push((R, leaf.into_dispatch()));
            });
        }
        let value = function(&args, 1);
        let grads = value.backward();
        let mut results = vec![value.into_dispatch()];
        for (rank, leaf) in leaves {
            with_rank!(rank, R => {
                let gradient = Tensor::<R>::from_dispatch(leaf).grad(&grads);
                results.push(gradient.expect("a leaf has a gradient").into_dispatch());
            });
        }
        results
    }

    /// The backward operation alone, from what the forward one saved, where there is one; the upstream gradient is ones.
    #[must_use]
    pub fn backward(&self) -> Option<Backward<Dispatch>> {
        let primitive = self.case.primitives.first()?;
        let floats = |name: &str| {
            let float = self.floats.iter().find(|float| float.input.name == name);
            float.map_or_else(
                || self.coefficient.clone().into_dispatch(),
                |float| float.tensor.clone(),
            )
        };
        let ints = |_: &str| {
            let (_, indices) = self.indices.clone().expect("the case has indices");
            indices.into_dispatch()
        };
        let upstream = |output: &FloatTensor<Dispatch>| {
            let rank = output.shape().len();
            with_rank!(rank, R => {
                Tensor::<R>::from_dispatch(output.clone()).ones_like().into_dispatch()
            })
        };
        let number = primitive.number.unwrap_or(self.number());
        let mut operands = Operands::new((1, number), &floats, &ints, &upstream);
        operands.of_coefficient = false;
        Some((primitive.dispatch)(&operands))
    }
}
