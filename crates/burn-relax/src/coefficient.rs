use burn_core::tensor::Tensor;

use crate::{
    check,
    parts::{
        centred::{Centred, spread},
        constant::Constant,
        dtype::load,
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
                check::same_dtype(op, argument, logits.dtype(), tensor.dtype());
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

    /// The checked coefficient as a tensor.
    #[track_caller]
    pub(crate) fn checked(
        self,
        op: &str,
        argument: &str,
        logits: &Tensor<D>,
        dim: usize,
    ) -> Tensor<D> {
        check::not_empty(op, "values", logits, dim);
        self.check(op, argument, logits, dim);
        self.into_tensor(logits, dim)
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
            Self::Number(value) => Tensor::full([1; D], value, (&like.device(), like.dtype())),
            Self::Tensor(tensor) if tensor.dims() == [1; D] => tensor,
            Self::Tensor(tensor) => {
                let mut rows = like.dims();
                rows[dim] = 1;
                spread(tensor, rows)
            }
        }
    }
}

/// Checks an operator's logits and axis, and folds a tensor temperature into the logits.
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
    check::not_empty(op, "logits", &logits, dim);
    let temperature = temperature.into();
    temperature.check(op, "temperature", &logits, dim);
    let logits = logits.dequantize();
    match temperature {
        Coefficient::Number(value) => (logits, value),
        Coefficient::Tensor(tensor) => {
            let scaled = Centred::new(load(logits), dim).map(|gaps| gaps.div(load(tensor)));
            (scaled, 1.0)
        }
    }
}
