//! Windows round the argmax.

use burn_core::tensor::{DType, Tensor};

use crate::parts::{
    constant::Constant,
    dtype::{epsilon, held},
};

/// What is farther from the centre of a window than its half width.
pub(super) struct Window {
    /// Where the classes lie, in the units of `reach`: their numbers where they are evenly spaced.
    pub(super) places: Tensor<1>,
    /// The largest distance from the centre that is inside, one number.
    pub(super) reach: Tensor<1>,
}

impl Window {
    /// Over the coordinates of a line, with the `spacing` of one that is even.
    ///
    /// A coordinate is rounded, and so is a width. Evenly spaced classes are counted; among given ones a few units in the last
    /// place of the largest are allowed for, though no more than a sixteenth of the width.
    pub(super) fn new(spacing: Option<f64>, coordinates: &Tensor<1>, width: f64) -> Self {
        let options = (&coordinates.device(), coordinates.dtype());
        match spacing {
            Some(step) => {
                let classes = coordinates.dims()[0];
                let places: Vec<f64> = (0..classes).map(|i| i as f64).collect();
                let reach = whole_steps(width, step, coordinates.dtype()).min(classes as f64) + 0.5;
                Self {
                    places: Tensor::from_data(places.as_slice(), options),
                    reach: Tensor::full([1], reach, options),
                }
            }
            None => {
                let places = coordinates.clone().constant();
                let unknown = places.clone().is_finite().bool_not();
                let largest = places.clone().mask_fill(unknown, 0.0).abs().max();
                let room = largest.mul_scalar(UNITS * epsilon(places.dtype()));
                let room = room.clamp_max(held(width / 16.0, places.dtype()));
                Self {
                    places,
                    reach: room.add_scalar(width),
                }
            }
        }
    }
}

/// Units in the last place that a coordinate or a width may be off.
const UNITS: f64 = 4.0;

/// How many steps fit in a width, which is a whole number of them where it is so but for rounding.
pub(super) fn whole_steps(width: f64, step: f64, dtype: DType) -> f64 {
    if step == 0.0 {
        return f64::INFINITY;
    }
    let steps = width / step.abs();
    let whole = steps.round();
    if (steps - whole).abs() <= UNITS * epsilon(dtype) * whole {
        whole
    } else {
        steps.floor()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_width_of_whole_steps_has_as_many() {
        for len in 2..200 {
            let step = 2.0 / (f64::from(len) - 1.0);
            for steps in 0..len {
                let whole = f64::from(steps);
                for (width, dtype) in [
                    (whole * step, DType::F64),
                    (2.0 * whole / (f64::from(len) - 1.0), DType::F64),
                    (f64::from((whole * step) as f32), DType::F32),
                ] {
                    assert_eq!(whole_steps(width, step, dtype), whole, "{steps} of {len}");
                }
                let short = whole_steps((whole + 0.999) * step, -step, DType::F32);
                assert_eq!(short, whole, "{steps} of {len}");
            }
        }
        assert_eq!(whole_steps(1.0, 0.0, DType::F32), f64::INFINITY);
    }
}
