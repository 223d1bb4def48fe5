use burn_core::tensor::Tensor;

use crate::{
    check,
    parts::{
        centred::limits,
        dtype::{computed_in, load},
    },
};

/// Where the classes lie on a line: evenly spaced, or given.
// As with `Coefficient`, a box would cost more than it saves.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Coordinates {
    /// Class `i` lies at `base + i * step`.
    Index {
        /// Coordinate of the first class.
        base: f64,
        /// Distance between neighbours.
        step: f64,
    },
    /// Class `i` lies at entry `i` of a tensor with one entry per class, which receives a gradient.
    Given(Tensor<1>),
}

impl Coordinates {
    /// The index itself: `0, 1, 2, …`.
    pub const fn index() -> Self {
        Self::Index {
            base: 0.0,
            step: 1.0,
        }
    }

    /// The distance between neighbours of an even line.
    pub(super) const fn spacing(&self) -> Option<f64> {
        match self {
            Self::Index { step, .. } => Some(*step),
            Self::Given(_) => None,
        }
    }

    /// The coordinates as a tensor beside `like`, in at least f32.
    #[track_caller]
    pub(super) fn into_tensor<const D: usize>(
        self,
        op: &str,
        like: &Tensor<D>,
        dim: usize,
    ) -> Tensor<1> {
        let classes = like.dims()[dim];
        match self {
            Self::Index { base, step } => {
                check::finite(op, "base", base);
                check::finite(op, "step", step);
                let dtype = computed_in(like.dtype());
                let line: Vec<f64> = (0..classes).map(|i| base + i as f64 * step).collect();
                for end in [line.first(), line.last()].into_iter().flatten() {
                    check::at_most(op, "coordinates", limits(dtype).1, *end);
                }
                Tensor::from_data(line.as_slice(), (&like.device(), dtype))
            }
            Self::Given(tensor) => {
                check::one_per_class(op, "coordinates", classes, tensor.dims()[0]);
                let tensor = tensor.dequantize();
                check::same_dtype(
                    op,
                    "coordinates",
                    "the logits",
                    like.dtype(),
                    tensor.dtype(),
                );
                load(tensor)
            }
        }
    }
}

impl From<Tensor<1>> for Coordinates {
    fn from(value: Tensor<1>) -> Self {
        Self::Given(value)
    }
}

/// `coordinates` along `dim`, size 1 elsewhere.
pub(super) fn lay_along<const D: usize>(
    coordinates: Tensor<1>,
    dim: usize,
    like: &Tensor<D>,
) -> Tensor<D> {
    let mut shape = [1; D];
    shape[dim] = like.dims()[dim];
    coordinates.reshape(shape)
}
