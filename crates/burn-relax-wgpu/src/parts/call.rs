//! One call of an operator on the host: its sizes and element types, what it reads and what it allocates.

use burn_backend::{DType, Shape, cubecl::dtype_to_storage_type};
use burn_cubecl::{
    CubeDevice,
    cubecl::{
        client::Client,
        ir::{AddressType, ElemType, FloatKind, features::TypeUsage},
        prelude::InputScalar,
    },
    ops::numeric::empty_device_contiguous_dtype,
    tensor::CubeTensor,
};

use super::view::View;

/// Indices of classes on every device: WGSL has no longer integers, and a fused operation is described where nobody knows the
/// device.
pub const INDEX: DType = DType::I32;

/// A call for rows along one dimension.
pub(crate) struct Call {
    pub(crate) op: &'static str,
    /// Storage and computation types of the kernels.
    pub(crate) elements: [ElemType; 2],
    pub(crate) client: Client,
    pub(crate) device: CubeDevice,
    pub(crate) dtype: DType,
    pub(crate) stats: DType,
    pub(crate) shape: Shape,
    pub(crate) dim: usize,
    pub(crate) outer: usize,
    pub(crate) classes: usize,
    pub(crate) inner: usize,
    pub(crate) features: usize,
    pub(crate) results: usize,
    pub(crate) addresses: AddressType,
}

impl Call {
    /// A call of `op` for `rows` along `dim`.
    ///
    /// # Panics
    /// If there is no such dimension, or the device cannot compute with the dtype.
    pub(crate) fn new(op: &'static str, rows: &CubeTensor, dim: usize) -> Self {
        let (elements, stats) = elements(op, &rows.client, rows.dtype);
        let shape = rows.meta.shape().clone();
        let rank = shape.num_dims();
        assert!(
            dim < rank,
            "{op}: dim must be less than the rank {rank}, got {dim}"
        );
        Call {
            op,
            elements,
            client: rows.client.clone(),
            device: rows.device.clone(),
            dtype: rows.dtype,
            stats,
            dim,
            outer: shape[..dim].iter().product(),
            classes: shape[dim],
            inner: shape[dim + 1..].iter().product(),
            features: 1,
            results: 1,
            addresses: AddressType::default(),
            shape,
        }
    }

    /// The call with so many samples of each row.
    ///
    /// # Panics
    /// If there are none of rows that exist.
    pub(crate) fn with_samples(self, samples: usize) -> Self {
        assert!(
            samples > 0 || self.count() == 0,
            "{}: indices must have at least one sample along dim {}, got 0",
            self.op,
            self.dim
        );
        Call {
            results: samples,
            ..self
        }
    }

    /// Whether there is nothing to launch.
    pub(crate) fn is_empty(&self) -> bool {
        self.count() == 0 || self.results == 0
    }

    /// Number of rows.
    pub(crate) fn count(&self) -> usize {
        self.outer * self.inner
    }

    /// Panics unless a row has an entry.
    pub(crate) fn check_classes(&self) {
        assert!(
            self.classes > 0,
            "{}: logits must have at least one class along dim {}, got shape {:?}",
            self.op,
            self.dim,
            self.shape
        );
    }

    /// A contiguous, uninitialised tensor.
    pub(crate) fn empty(&self, shape: Shape, dtype: DType) -> CubeTensor {
        let (client, device) = (self.client.clone(), self.device.clone());
        empty_device_contiguous_dtype(client, device, shape, dtype)
    }

    /// A result.
    pub(crate) fn output(&mut self, shape: Shape, dtype: DType) -> CubeTensor {
        let tensor = self.empty(shape, dtype);
        self.reach(&tensor);
        tensor
    }

    /// A result of the rows' dtype.
    pub(crate) fn result(&mut self, shape: Shape) -> CubeTensor {
        self.output(shape, self.dtype)
    }

    /// A result with a number for each class.
    pub(crate) fn per_class(&mut self) -> CubeTensor {
        self.result(self.shape.clone())
    }

    /// A result of another dtype, or not, with `numbers` for each row.
    pub(crate) fn per_row(&mut self, numbers: usize, dtype: DType) -> CubeTensor {
        self.output(resized(&self.shape, self.dim, numbers), dtype)
    }

    /// A result with one number for each row.
    pub(crate) fn one_per_row(&mut self) -> CubeTensor {
        self.per_row(1, self.dtype)
    }

    /// So many statistics for each row.
    pub(crate) fn stats(&mut self, numbers: usize) -> CubeTensor {
        self.per_row(numbers, self.stats)
    }

    /// The tensor as a view of rows.
    ///
    /// # Panics
    /// If it has other rows than the call.
    pub(crate) fn view(&mut self, tensor: CubeTensor) -> View {
        let (shape, rank) = (tensor.meta.shape(), self.shape.num_dims());
        assert!(
            shape.num_dims() >= rank
                && (0..rank).all(|d| d == self.dim || shape[d] == self.shape[d]),
            "{}: every tensor must have the rows of shape {:?} along dim {}, got shape {shape:?}",
            self.op,
            self.shape,
            self.dim
        );
        let view = View::new(tensor, self.dim, rank);
        self.reach(&view.tensor);
        view
    }

    /// The tensors as views of rows.
    pub(crate) fn views<const N: usize>(&mut self, tensors: [CubeTensor; N]) -> [View; N] {
        tensors.map(|tensor| self.view(tensor))
    }

    /// Makes the kernels' addresses reach all of `tensor`.
    pub(crate) fn reach(&mut self, tensor: &CubeTensor) {
        self.addresses = self.addresses.max(tensor.required_address_type());
    }

    /// The element types with that of another tensor.
    pub(crate) fn elements_and(&self, dtype: DType) -> [ElemType; 3] {
        let [storage, compute] = self.elements;
        [storage, compute, dtype_to_storage_type(dtype)]
    }

    /// Whether results are stored as they are computed.
    pub(crate) fn keeps_precision(&self) -> bool {
        self.elements[0] == self.elements[1]
    }

    /// A number as a kernel argument. WGSL has no literals for infinities and NaN: they come from here.
    pub(crate) fn scalar(&self, value: f64) -> InputScalar {
        InputScalar::new(value, self.elements[1])
    }

    /// The same, finite: its product with 0 is 0.
    pub(crate) fn finite(&self, value: f64) -> InputScalar {
        let largest = match self.elements[1] {
            ElemType::Float(FloatKind::F64) => f64::MAX,
            _ => f64::from(f32::MAX),
        };
        self.scalar(value.min(largest))
    }

    /// The reciprocal of the temperature as a kernel argument, finite however small the temperature is.
    pub(crate) fn reciprocal(&self, temperature: f64) -> InputScalar {
        self.finite(1.0 / temperature)
    }
}

/// Storage and computation types of the kernels for tensors of `dtype`, and the dtype of their statistics.
///
/// # Panics
/// If `dtype` is not a float type, or one that the device cannot compute with.
fn elements(op: &str, client: &Client, dtype: DType) -> ([ElemType; 2], DType) {
    let (storage, compute, stats) = match dtype {
        DType::F32 => (FloatKind::F32, FloatKind::F32, DType::F32),
        DType::F16 => (FloatKind::F16, FloatKind::F32, DType::F32),
        DType::BF16 => (FloatKind::BF16, FloatKind::F32, DType::F32),
        DType::F64 => (FloatKind::F64, FloatKind::F64, DType::F64),
        other => panic!("{op}: logits must be floats of 16, 32 or 64 bits, got {other:?}"),
    };
    let storage = ElemType::Float(storage);
    // WGSL and the shader languages beside it have no `exp` for f64, whatever the adapter says of the type.
    let computable = dtype != DType::F64 || !client.name().starts_with("wgpu");
    assert!(
        computable
            && client
                .properties()
                .type_usage(storage)
                .is_superset(TypeUsage::Buffer | TypeUsage::Conversion),
        "{op}: the device must support the element type, got {dtype:?} on {}; cast to f32 or use a CPU backend",
        client.name(),
    );
    ([storage, ElemType::Float(compute)], stats)
}

/// `shape` with another size at `dim`.
pub(crate) fn resized(shape: &Shape, dim: usize, size: usize) -> Shape {
    let mut shape = shape.clone();
    shape[dim] = size;
    shape
}
