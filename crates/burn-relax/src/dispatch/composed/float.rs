//! Arithmetic on float primitives that reads like the formulas it serves. Shapes broadcast.

use burn_core::backend::{
    Backend, FloatDType, Scalar, TensorMetadata, get_or_init_device_settings,
    tensor::{BoolTensor, FloatTensor, IntTensor},
};
use burn_core::tensor::{DType, Shape};

/// A float primitive of backend `B`.
pub(super) struct Float<B: Backend>(pub(super) FloatTensor<B>);

/// A bool primitive of backend `B`.
pub(super) struct Mask<B: Backend>(BoolTensor<B>);

impl<B: Backend> Clone for Float<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B: Backend> Clone for Mask<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

macro_rules! binary {
    ($($name:ident => $op:ident),*) => {$(
        pub(super) fn $name(self, other: &Self) -> Self {
            Self(B::$op(self.0, other.0.clone()))
        }
    )*};
}

macro_rules! unary {
    ($($name:ident => $op:ident),*) => {$(
        pub(super) fn $name(self) -> Self {
            Self(B::$op(self.0))
        }
    )*};
}

macro_rules! scalar {
    ($($name:ident => $op:ident),*) => {$(
        pub(super) fn $name(self, value: f64) -> Self {
            let value = self.scalar(value);
            Self(B::$op(self.0, value))
        }
    )*};
}

macro_rules! compare {
    ($($name:ident => $op:ident),*) => {$(
        pub(super) fn $name(&self, value: f64) -> Mask<B> {
            let dtype = get_or_init_device_settings::<B>(&self.0.device()).bool_dtype;
            Mask(B::$op(self.0.clone(), self.scalar(value), dtype))
        }
    )*};
}

impl<B: Backend> Float<B> {
    binary!(add => float_add, sub => float_sub, mul => float_mul, div => float_div);
    unary!(exp => float_exp, ln => float_log, log1p => float_log1p, neg => float_neg, sqrt => float_sqrt, tanh => float_tanh);
    scalar!(add_scalar => float_add_scalar, mul_scalar => float_mul_scalar, div_scalar => float_div_scalar);
    compare!(lower => float_lower_elem, greater => float_greater_elem, equal_to => float_equal_elem);

    /// The axis `dim` behind the others, which keep their order.
    ///
    /// By exchanges: burn-fusion 0.22.1 describes a permutation of floats as one of integers, which ends a remote session.
    pub(super) fn classes_last(self, dim: usize) -> Self {
        let last = self.shape().num_dims() - 1;
        let swap = |tensor, axis| B::float_swap_dims(tensor, axis, axis + 1);
        Self((dim..last).fold(self.0, swap))
    }

    /// The last axis back at `dim`.
    pub(super) fn classes_back(self, dim: usize) -> Self {
        let last = self.shape().num_dims() - 1;
        let swap = |tensor, axis| B::float_swap_dims(tensor, axis, axis + 1);
        Self((dim..last).rev().fold(self.0, swap))
    }

    /// The tensor in the dtype that the computation runs in: f64 stays, everything shorter becomes f32.
    pub(super) fn load(tensor: FloatTensor<B>) -> Self {
        match tensor.dtype() {
            DType::F16 | DType::BF16 | DType::Flex32 => {
                Self(B::float_cast(tensor, FloatDType::F32))
            }
            _ => Self(tensor),
        }
    }

    /// The primitive, rounded once to `dtype`.
    pub(super) fn store(self, dtype: DType) -> FloatTensor<B> {
        if self.0.dtype() == dtype {
            self.0
        } else {
            B::float_cast(self.0, dtype.into())
        }
    }

    pub(super) fn shape(&self) -> Shape {
        self.0.shape()
    }

    /// Lowest and largest finite number of the dtype; anything beyond is an infinity.
    pub(super) fn limits(&self) -> (f64, f64) {
        let max = if self.0.dtype() == DType::F64 {
            f64::MAX
        } else {
            f64::from(f32::MAX)
        };
        (-max, max)
    }

    fn scalar(&self, value: f64) -> Scalar {
        Scalar::new(value, &self.0.dtype())
    }

    pub(super) fn max_dim(self, dim: usize) -> Self {
        Self(B::float_max_dim(self.0, dim))
    }

    pub(super) fn sum_dim(self, dim: usize) -> Self {
        Self(B::float_sum_dim(self.0, dim))
    }

    /// The entries at `indices` along `dim`.
    pub(super) fn gather(self, dim: usize, indices: IntTensor<B>) -> Self {
        Self(B::float_gather(dim, self.0, indices))
    }

    /// `value` where the mask holds.
    pub(super) fn fill(self, mask: &Mask<B>, value: f64) -> Self {
        let value = self.scalar(value);
        Self(B::float_mask_fill(self.0, mask.0.clone(), value))
    }

    /// `other` where the mask holds.
    pub(super) fn replace(self, mask: &Mask<B>, other: &Self) -> Self {
        Self(B::float_mask_where(self.0, mask.0.clone(), other.0.clone()))
    }

    pub(super) fn is_nan(&self) -> Mask<B> {
        let dtype = get_or_init_device_settings::<B>(&self.0.device()).bool_dtype;
        Mask(B::float_is_nan(self.0.clone(), dtype))
    }

    pub(super) fn lower_than(&self, other: &Self) -> Mask<B> {
        let dtype = get_or_init_device_settings::<B>(&self.0.device()).bool_dtype;
        Mask(B::float_lower(self.0.clone(), other.0.clone(), dtype))
    }

    pub(super) fn reshape(self, shape: Shape) -> Self {
        Self(B::float_reshape(self.0, shape))
    }

    pub(super) fn expand(self, shape: Shape) -> Self {
        Self(B::float_expand(self.0, shape))
    }

    /// Appends size-1 dimensions up to `rank`.
    pub(super) fn append_dims(self, rank: usize) -> Self {
        let mut dims = self.shape().to_vec();
        if dims.len() == rank {
            return self;
        }
        dims.resize(rank, 1);
        self.reshape(Shape::from(dims))
    }

    /// Sums the dimensions from `rank` on and drops them.
    pub(super) fn sum_trailing(mut self, rank: usize) -> Self {
        let mut dims = self.shape().to_vec();
        if dims.len() == rank {
            return self;
        }
        for dim in rank..dims.len() {
            self = self.sum_dim(dim);
        }
        dims.truncate(rank);
        self.reshape(Shape::from(dims))
    }

    /// Entry `index` along `dim`, kept as size 1.
    pub(super) fn narrow(&self, dim: usize, index: usize) -> Self {
        let mut shape = self.shape();
        if shape.num_elements() == 0 {
            // Flex reads past the end of an empty tensor that is sliced beyond its start.
            shape[dim] = 1;
            return self.clone().reshape(shape);
        }
        let slices: Vec<_> = self
            .shape()
            .iter()
            .enumerate()
            .map(|(d, &len)| {
                if d == dim {
                    (index..index + 1).into()
                } else {
                    (0..len).into()
                }
            })
            .collect();
        Self(B::float_slice(self.0.clone(), &slices))
    }

    pub(super) fn cat(tensors: Vec<Self>, dim: usize) -> Self {
        Self(B::float_cat(
            tensors.into_iter().map(|t| t.0).collect(),
            dim,
        ))
    }
}

impl<B: Backend> Mask<B> {
    pub(super) fn new(mask: BoolTensor<B>) -> Self {
        Self(mask)
    }

    pub(super) fn and(self, other: &Self) -> Self {
        Self(B::bool_and(self.0, other.0.clone()))
    }

    pub(super) fn or(self, other: &Self) -> Self {
        Self(B::bool_or(self.0, other.0.clone()))
    }

    pub(super) fn not(self) -> Self {
        Self(B::bool_not(self.0))
    }

    pub(super) fn expand(self, shape: Shape) -> Self {
        Self(B::bool_expand(self.0, shape))
    }

    pub(super) fn append_dims(self, rank: usize) -> Self {
        let mut dims = self.0.shape().to_vec();
        if dims.len() == rank {
            return self;
        }
        dims.resize(rank, 1);
        Self(B::bool_reshape(self.0, Shape::from(dims)))
    }

    /// 1 where the mask holds, 0 elsewhere, in `like`'s dtype.
    pub(super) fn float(self, like: &Float<B>) -> Float<B> {
        Float(B::bool_into_float(self.0, like.0.dtype().into()))
    }

    pub(super) fn primitive(self) -> BoolTensor<B> {
        self.0
    }
}
