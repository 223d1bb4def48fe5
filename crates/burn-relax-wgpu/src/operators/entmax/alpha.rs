//! Alpha, one number or one for each row, on the host and in kernels.

use burn_cubecl::{cubecl, tensor::CubeTensor};
use cubecl::prelude::*;

use crate::parts::{
    prelude::*,
    row::Place,
    threshold::{Curve, limited},
    view::View,
};

/// Alpha, for the host.
#[allow(clippy::large_enum_variant, reason = "made once for each call")]
pub(super) enum Alpha {
    /// One number.
    Fixed(f64),
    /// A tensor with one number for all rows, or one for each.
    Rows(CubeTensor),
}

/// The place that alpha is read from.
pub(super) struct Source {
    /// Nothing is read of it if alpha is fixed.
    view: View,
    excess: f64,
    pub(super) per_row: bool,
    pub(super) curve: Curve,
}

/// Alpha as a kernel argument.
#[derive(CubeType, CubeLaunch)]
pub(super) struct Excess<'a, F: Float> {
    /// Anything if alpha is fixed.
    rows: Grid<'a, F, Const<1>>,
    fixed: InputScalar,
    #[cube(comptime)]
    per_row: bool,
}

impl Alpha {
    /// Where kernels find it, and the curve of the weights; `rows` is a view of the call's rows.
    ///
    /// # Panics
    /// If a tensor has another shape or dtype than the rows ask for.
    pub(super) fn source(self, call: &mut Call, rows: &View) -> Source {
        match self {
            Alpha::Fixed(alpha) => Source {
                view: View::shared(rows.tensor.clone()),
                excess: alpha - 1.0,
                per_row: false,
                curve: Curve::of(alpha),
            },
            Alpha::Rows(alpha) => Source {
                view: call.coefficient("alpha", alpha),
                excess: 0.0,
                per_row: true,
                curve: Curve::Power,
            },
        }
    }
}

impl Source {
    /// The kernel argument.
    pub(super) fn arg<F: Float>(&self, call: &Call) -> ExcessLaunch<'static, F> {
        ExcessLaunch::new(self.view.singles(), call.scalar(self.excess), self.per_row)
    }
}

#[cube]
impl<'a, F: Float> Excess<'a, F> {
    /// The row's `alpha - 1`, limited; NaN stays.
    pub(super) fn of<A: Float>(&self, place: &Place) -> A {
        let per_row = comptime!(self.per_row);
        let excess = if comptime!(per_row) {
            self.rows.row(place).first::<A>() - one::<A>()
        } else {
            self.fixed.get::<A>()
        };
        limited::<A>(excess)
    }
}
