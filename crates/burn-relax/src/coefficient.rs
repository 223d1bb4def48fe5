use burn_core::backend::DispatchTensor;
use burn_core::tensor::{DType, Tensor};

use crate::{
    check,
    parts::{
        centred::{Centred, spread},
        constant::Constant,
        dtype::{held, is_exact, load, store},
        quotient::quotient,
    },
};

/// A temperature or a power: one number, or a tensor with one value per row that receives a gradient.
///
/// The tensor has the rank of the logits, size 1 along the choice axis, and size 1 or the logits' size elsewhere; a shape
/// of all ones is one learnable coefficient for everything.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::softmax;
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[0.0, 1.0], [0.0, 1.0]], &device);
/// let per_row = Tensor::<2>::from_floats([[1.0], [0.5]], &device);
/// let probs = softmax(logits, 1, per_row);
/// let second = probs.slice([0..2, 1..2]).into_data().try_to_vec::<f32>().unwrap();
/// assert!((second[0] - 0.731_058_6).abs() < 1e-6);
/// assert!((second[1] - 0.880_797).abs() < 1e-6);
/// ```
// A box round the tensor would cost an allocation at each call to save a few words of stack.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Coefficient<const D: usize> {
    /// One constant for every row.
    Number(f64),
    /// One value per row, with a gradient.
    Tensor(Tensor<D>),
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl<const D: usize> From<$number> for Coefficient<D> {
            fn from(value: $number) -> Self {
                Self::Number(value as f64)
            }
        }
    )*};
}
numbers!(f64, f32, i32, i64, u32, u64, usize);

impl<const D: usize> From<Tensor<D>> for Coefficient<D> {
    fn from(value: Tensor<D>) -> Self {
        Self::Tensor(value)
    }
}

impl<const D: usize> Coefficient<D> {
    /// Checks the number's domain or the tensor's shape.
    #[track_caller]
    pub(crate) fn check(&self, op: &str, argument: &str, logits: &Tensor<D>, dim: usize) {
        match self {
            Self::Number(value) => check::positive(op, argument, *value),
            Self::Tensor(tensor) => {
                check::per_row(op, argument, logits.shape(), tensor.shape(), dim);
                check::same_dtype(op, argument, "the logits", logits.dtype(), tensor.dtype());
                #[cfg(feature = "debug-validation")]
                check::values(
                    op,
                    argument,
                    tensor,
                    |v| v.is_finite() && v > 0.0,
                    "hold finite numbers greater than 0",
                );
            }
        }
    }

    /// What an operation makes of values and the coefficient beside them, in the values' dtype. Where a short one would round a
    /// number, both are in f32.
    pub(crate) fn apply(
        self,
        values: Tensor<D>,
        dim: usize,
        operation: impl FnOnce(DispatchTensor, DispatchTensor) -> DispatchTensor,
    ) -> Tensor<D> {
        let dtype = values.dtype();
        let values = match self {
            Self::Number(number) if !is_exact(number, dtype) => load(values),
            _ => values,
        };
        let coefficient = self.into_tensor(&values, dim);
        let result = operation(values.into_dispatch(), coefficient.into_dispatch());
        store(Tensor::from_dispatch(result), dtype)
    }

    /// In at least f32.
    pub(crate) fn load(self) -> Self {
        match self {
            Self::Number(value) => Self::Number(value),
            Self::Tensor(tensor) => Self::Tensor(load(tensor)),
        }
    }

    /// Without its gradient.
    pub(crate) fn constant(self) -> Self {
        match self {
            Self::Number(value) => Self::Number(value),
            Self::Tensor(tensor) => Self::Tensor(tensor.constant()),
        }
    }

    /// The coefficient as a tensor beside `like`: a single value, or one for each row.
    pub(crate) fn into_tensor(self, like: &Tensor<D>, dim: usize) -> Tensor<D> {
        match self {
            Self::Number(value) => {
                let dtype = like.dtype();
                Tensor::full([1; D], held(value, dtype), (&like.device(), dtype))
            }
            Self::Tensor(tensor) => {
                let dtype = tensor.dtype();
                let mut rows = like.dims();
                rows[dim] = 1;
                // The rows' gradients add up in f32: a short coefficient is spread while it is loaded.
                match dtype {
                    DType::F16 | DType::BF16 => store(spread(load(tensor), rows), dtype),
                    _ if tensor.dims() == [1; D] => tensor,
                    _ => spread(tensor, rows),
                }
            }
        }
    }
}

/// Checks a temperature, and folds one that is a tensor into the logits.
///
/// Returns logits and a constant temperature whose softmax is the one asked for. After a division, short floats come back
/// as f32, to be rounded once at the end.
#[track_caller]
pub(crate) fn tempered<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    dim: usize,
    temperature: impl Into<Coefficient<D>>,
) -> (Tensor<D>, f64) {
    let temperature = temperature.into();
    temperature.check(op, "temperature", &logits, dim);
    match temperature {
        Coefficient::Number(value) => {
            let value = held(value, logits.dtype());
            (logits, value)
        }
        Coefficient::Tensor(tensor) => {
            let scaled = Centred::new(load(logits), dim).map(|gaps| quotient(gaps, load(tensor)));
            (scaled, 1.0)
        }
    }
}
