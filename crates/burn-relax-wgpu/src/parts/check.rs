//! Arguments that belong to rows: checks, and views of what rows share.

use burn_cubecl::tensor::CubeTensor;

use super::{
    call::{Call, resized},
    view::View,
};

impl Call {
    /// Panics unless `tensor`, the argument `name`, has the shape and dtype of `like`.
    pub(crate) fn check_same(&self, name: &str, tensor: &CubeTensor, like: &CubeTensor) {
        assert!(
            tensor.meta.shape() == like.meta.shape() && tensor.dtype == like.dtype,
            "{}: {name} must have shape {:?} and dtype {:?}, got {:?} and {:?}",
            self.op,
            like.meta.shape(),
            like.dtype,
            tensor.meta.shape(),
            tensor.dtype
        );
    }

    /// The call of a backward pass whose upstream gradient has the shape of `rows`.
    ///
    /// # Panics
    /// As [`Call::new`], and if `grad` has another shape or dtype.
    pub(crate) fn backward(
        op: &'static str,
        rows: &CubeTensor,
        grad: &CubeTensor,
        dim: usize,
    ) -> Self {
        let call = Call::new(op, rows, dim);
        call.check_same("grad", grad, rows);
        call
    }

    /// The call with the values' features, and as many results for each row.
    ///
    /// # Panics
    /// Unless `values` has the rows' shape, up to trailing features, and their dtype, and a row has an entry.
    pub(crate) fn with_values(self, values: &CubeTensor) -> Self {
        self.check_classes();
        let (op, shape, rank) = (self.op, &self.shape, self.shape.num_dims());
        let values_shape = values.meta.shape();
        assert!(
            values_shape.len() >= rank && values_shape[..rank] == shape[..],
            "{op}: values must have the shape of logits {shape:?}, up to trailing features, got {values_shape:?}"
        );
        assert!(
            self.dtype == values.dtype,
            "{op}: values must have the dtype of logits {:?}, got {:?}",
            self.dtype,
            values.dtype
        );
        let features = values_shape[rank..].iter().product();
        Call {
            features,
            results: features,
            ..self
        }
    }

    /// A coefficient of the rows as a view: one number for all of them, or one for each.
    ///
    /// # Panics
    /// If it is neither, or of another dtype.
    pub(crate) fn coefficient(&mut self, name: &str, coefficient: CubeTensor) -> View {
        let op = self.op;
        assert!(
            coefficient.dtype == self.dtype,
            "{op}: {name} must have the dtype of the rows {:?}, got {:?}",
            self.dtype,
            coefficient.dtype
        );
        if coefficient.meta.shape().num_elements() == 1 {
            self.reach(&coefficient);
            return View::shared(coefficient);
        }
        let rows = resized(&self.shape, self.dim, 1);
        assert!(
            *coefficient.meta.shape() == rows,
            "{op}: {name} must have one value, or shape {rows:?}, got {:?}",
            coefficient.meta.shape()
        );
        self.view(coefficient)
    }

    /// Coordinates as values that all rows share.
    ///
    /// # Panics
    /// If they are not one for each class, or of another dtype than the rows.
    pub(crate) fn coordinates(&mut self, coordinates: CubeTensor) -> View {
        self.check_classes();
        let classes = self.classes;
        assert!(
            coordinates.meta.shape()[..] == [classes] && coordinates.dtype == self.dtype,
            "{}: coordinates must have shape [{classes}] and dtype {:?}, got {:?} and {:?}",
            self.op,
            self.dtype,
            coordinates.meta.shape(),
            coordinates.dtype
        );
        let view = View::new(coordinates, 0, 1);
        self.reach(&view.tensor);
        let steps = [0, view.steps[1], 0, 0];
        View { steps, ..view }
    }
}
