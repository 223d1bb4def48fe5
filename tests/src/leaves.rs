use std::{cell::RefCell, collections::BTreeMap};

use burn_core::tensor::{DType, Device, Gradients, Int, Tensor};

use crate::array::Array;

type Reader = Box<dyn Fn(&Gradients) -> Option<Array>>;

/// Named inputs of a function under test, handed out as tensors whose gradients are read back by name.
pub struct Leaves {
    device: Device,
    dtype: DType,
    arrays: BTreeMap<String, Array>,
    held: BTreeMap<String, Array>,
    readers: RefCell<BTreeMap<String, Reader>>,
}

impl Leaves {
    /// On a device with or without autodiff.
    pub fn new(device: &Device, dtype: DType, arrays: BTreeMap<String, Array>) -> Self {
        Self {
            device: device.clone(),
            dtype,
            arrays,
            held: BTreeMap::new(),
            readers: RefCell::default(),
        }
    }

    /// With other numbers of the inputs to be had as constants.
    pub fn holding(self, held: BTreeMap<String, Array>) -> Self {
        Self { held, ..self }
    }

    /// The device of every tensor.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The dtype of every float tensor.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The numbers of an input.
    pub fn array(&self, name: &str) -> &Array {
        self.arrays
            .get(name)
            .unwrap_or_else(|| panic!("no input is named {name}"))
    }

    /// An input, tracked on a device with autodiff.
    pub fn get<const D: usize>(&self, name: &str) -> Tensor<D> {
        let tensor = self.constant(name);
        if !self.device.is_autodiff() {
            return tensor;
        }
        let tensor = tensor.require_grad();
        let leaf = tensor.clone();
        self.readers.borrow_mut().insert(
            name.to_owned(),
            Box::new(move |grads| leaf.grad(grads).map(Array::of)),
        );
        tensor
    }

    /// An input that gets no gradient.
    pub fn constant<const D: usize>(&self, name: &str) -> Tensor<D> {
        self.array(name).tensor(&self.device, self.dtype)
    }

    /// The numbers that are held of an input.
    pub fn held<const D: usize>(&self, name: &str) -> Option<Tensor<D>> {
        let array = self.held.get(name)?;
        Some(array.tensor(&self.device, self.dtype))
    }

    /// An input of integers.
    pub fn ints<const D: usize>(&self, name: &str) -> Tensor<D, Int> {
        self.array(name).ints(&self.device)
    }

    /// Gradients of the sum of `weights · output` for every tracked input; zeros where the output does not depend on it.
    pub fn gradients<const D: usize>(
        &self,
        output: Tensor<D>,
        weights: impl Into<Array>,
    ) -> BTreeMap<String, Array> {
        let weights = Array::line(weights.into().data);
        let weights = weights.tensor::<1>(&self.device, self.dtype);
        let grads = flat(output).mul(weights).sum().backward();
        let read = |(name, reader): (&String, &Reader)| {
            let zeros = || self.array(name).map(|_| 0.0);
            (name.clone(), reader(&grads).unwrap_or_else(zeros))
        };
        self.readers.borrow().iter().map(read).collect()
    }
}

/// The numbers of a tensor in one dimension.
pub fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    // Not `reshape`, for which a size of 0 means the size that is there.
    tensor.flatten(0, D - 1)
}
