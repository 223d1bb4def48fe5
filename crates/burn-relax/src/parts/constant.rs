use burn_core::tensor::Tensor;

/// Tensors that no gradient goes through.
pub(crate) trait Constant {
    /// The tensor as a constant.
    ///
    /// Burn's `detach` leaves a tensor that asks for a gradient asking for one: everything computed of it is then saved for a
    /// backward pass that never comes, until another backward pass of the process, perhaps another thread's, clears it away.
    fn constant(self) -> Self;
}

impl<const D: usize> Constant for Tensor<D> {
    fn constant(self) -> Self {
        self.set_require_grad(false)
    }
}
