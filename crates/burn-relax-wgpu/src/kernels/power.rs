//! What gradual argmax and power softmax share: powers of numbers in [0, 1], and the power's tensor.

use burn_backend::Shape;
use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use super::{
    math::{exp_nonpositive, ln_positive},
    view::View,
};

/// The smallest normal number. Smaller ones count as 0: a device may flush them.
const TINY: f32 = f32::MIN_POSITIVE;

/// Whether `v` is 0 as far as powers go.
#[cube]
pub(crate) fn is_zero<A: Float>(v: A) -> bool {
    v < A::new(TINY)
}

/// `v^(p - 1)`, `v^p` and `ln v` of a number inside (0, 1]; without meaning at 0. Exact at `p = 1`.
#[cube]
pub(crate) fn powers<A: Float>(v: A, p: A) -> (A, A, A) {
    let one = A::new(1.0_f32);
    let log = ln_positive::<A>(v);
    let steep = p >= one;
    let power = exp_nonpositive::<A>(select(steep, p - one, p) * log);
    let lower = power / v;
    let lower = select(lower > A::max_value(), A::max_value(), lower);
    let lower = select(steep, power, lower);
    (lower, select(steep, power * v, power), log)
}

/// `0^(p - 1)` as the gradients take it: 1 for `p = 1`, else 0, below 1 too, where it is infinite.
#[cube]
pub(crate) fn zero_power<A: Float>(p: A) -> A {
    select(p == A::new(1.0_f32), A::new(1.0_f32), A::new(0.0_f32))
}

/// The power as a view: one number for all rows of `values`, or one for each.
///
/// # Panics
/// If it is neither.
pub(crate) fn power_view(op: &str, power: CubeTensor, values: &CubeTensor, dim: usize) -> View {
    assert!(
        power.dtype == values.dtype,
        "{op}: power must have the dtype of values {:?}, got {:?}",
        values.dtype,
        power.dtype
    );
    let mut rows = values.meta.shape().clone();
    rows[dim] = 1;
    if power.meta.shape().num_elements() == 1 {
        let single = View::new(power, 0, 1);
        return View {
            steps: [0; 4],
            ..single
        };
    }
    assert!(
        *power.meta.shape() == rows,
        "{op}: power must have one value, or shape {rows:?}, got {:?}",
        power.meta.shape()
    );
    View::new(power, dim, rows.num_dims())
}

/// Shape of the power's gradient: one for each row.
pub(crate) fn power_gradient_shape(values: &CubeTensor, dim: usize) -> Shape {
    let mut shape = values.meta.shape().clone();
    shape[dim] = 1;
    shape
}
