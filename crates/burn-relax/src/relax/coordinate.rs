use burn_core::tensor::{AsIndex, Bool, Tensor};

use super::{
    coordinates::{Coordinates, lay_along},
    map::Map,
    relaxation::{Hardness, Noise, Relaxation},
    soft_argmax::soft_argmax_of,
    window::Window,
};
use crate::{
    check,
    parts::{
        centred::{Centred, spread},
        choose::{expected, weighted},
        constant::Constant,
        dtype::{load, store},
    },
    relax::{argmax::argmax_gather, soft_argmax_gather::soft_argmax_gather_of},
};

impl<const D: usize> Relaxation<D> {
    /// The place of the choice on a line: the mean of the coordinates under the weights.
    ///
    /// `E = Σ_i w_i c_i`. With several modes the mean is a place nobody voted for: take
    /// [`windowed_coordinate`](Self::windowed_coordinate) there.
    ///
    /// # Shapes
    ///
    /// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
    /// - output: `[.., 1, ..]`
    ///
    /// # Arguments
    ///
    /// * `coordinates` - [`Coordinates::index()`], a base and a step, or a tensor `[n]` in the user's units.
    ///
    /// # Gradient
    ///
    /// Logits: that of the weights, with the coordinates upstream. Given coordinates: `Σ_rows w_i g`.
    ///
    /// # Panics
    ///
    /// As [`weights`](Self::weights), and if the number of coordinates is not `n`, or base or step are not finite.
    ///
    /// # Example
    ///
    /// ```
    /// use burn_core::tensor::{Device, Tensor};
    /// use burn_relax::{Relaxation, relax::Coordinates};
    ///
    /// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &Device::flex());
    /// let index = Relaxation::sparsemax(1).coordinate(logits, 0, Coordinates::index());
    /// assert!((index.into_scalar::<f32>() - 1.75).abs() < 1e-6);
    /// ```
    #[track_caller]
    pub fn coordinate(
        self,
        logits: Tensor<D>,
        dim: impl AsIndex,
        coordinates: impl Into<Coordinates>,
    ) -> Tensor<D> {
        let op = "Relaxation";
        let (logits, dim) = check::logits(op, logits, dim);
        let coordinates = coordinates.into().into_tensor(op, &logits, dim);
        self.coordinate_of(op, logits, dim, coordinates)
    }

    #[track_caller]
    fn coordinate_of(
        self,
        op: &str,
        logits: Tensor<D>,
        dim: usize,
        coordinates: Tensor<1>,
    ) -> Tensor<D> {
        if let Self {
            map: Map::Softmax { temperature },
            noise: Noise::None,
            hardness: Hardness::Soft,
        } = self
        {
            return soft_argmax_of(op, logits, dim, temperature, coordinates);
        }
        self.map.check_beside(op, &logits, dim);
        let (dtype, soft) = (logits.dtype(), self.hardness == Hardness::Soft);
        let logits = load(logits);
        let line = spread(lay_along(coordinates, dim, &logits), logits.dims());
        let weights = self.loaded().weights_of(op, logits.clone(), dim);
        let mean = if soft {
            expected(weights, line, dim)
        } else {
            weighted(&logits, weights, line, dim)
        };
        store(mean, dtype)
    }

    /// The [`coordinate`](Self::coordinate) together with the variance `Σ_i w_i (c_i - E)²`, a measure of how sure it is.
    ///
    /// # Shapes
    ///
    /// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
    /// - output: mean and variance, each `[.., 1, ..]`
    ///
    /// # Gradient
    ///
    /// Exact for both outputs of a soft choice; the mean inside the variance is not held constant.
    ///
    /// # Panics
    ///
    /// As [`coordinate`](Self::coordinate).
    ///
    /// # Example
    ///
    /// ```
    /// use burn_core::tensor::{Device, Tensor};
    /// use burn_relax::{Relaxation, relax::Coordinates};
    ///
    /// let logits = Tensor::<1>::from_floats([0.0, 0.0], &Device::flex());
    /// let choice = Relaxation::softmax(1.0);
    /// let (mean, variance) = choice.coordinate_with_variance(logits, 0, Coordinates::index());
    /// assert_eq!((mean.into_scalar::<f32>(), variance.into_scalar::<f32>()), (0.5, 0.25));
    /// ```
    #[track_caller]
    pub fn coordinate_with_variance(
        self,
        logits: Tensor<D>,
        dim: impl AsIndex,
        coordinates: impl Into<Coordinates>,
    ) -> (Tensor<D>, Tensor<D>) {
        let op = "Relaxation";
        let (logits, dim) = check::logits(op, logits, dim);
        self.map.check_beside(op, &logits, dim);
        let dtype = logits.dtype();
        let coordinates = coordinates.into().into_tensor(op, &logits, dim);
        let (logits, choice) = (load(logits), self.loaded());
        let mean = choice
            .clone()
            .coordinate_of(op, logits.clone(), dim, coordinates.clone());
        // Before anything is computed of them: a square's gradient would have a coordinate that does not matter as a factor.
        let squares = |without: Tensor<D, Bool>| {
            spread(lay_along(coordinates, dim, &logits), logits.dims())
                .mask_fill(without, 0.0)
                .sub(mean.clone())
                .square()
        };
        let forbidden = Centred::new(logits.clone().constant(), dim).forbidden;
        let variance = match choice {
            Self {
                map: Map::Softmax { temperature },
                noise: Noise::None,
                hardness: Hardness::Soft,
            } => soft_argmax_gather_of(op, logits.clone(), squares(forbidden), dim, temperature),
            choice => {
                let soft = choice.hardness == Hardness::Soft;
                let weights = choice.weights_of(op, logits.clone(), dim);
                let without = if soft {
                    weights.clone().constant().equal_scalar(0.0)
                } else {
                    forbidden
                };
                weighted(&logits, weights, squares(without), dim)
            }
        };
        (store(mean, dtype), store(variance, dtype))
    }

    /// The [`coordinate`](Self::coordinate) over a window round the argmax of the logits, for rows with several modes.
    ///
    /// Classes farther than `half_width` from the coordinate of the argmax are forbidden; the window is constant for the
    /// gradient. A class at exactly that distance is inside, however width and coordinates are rounded: evenly spaced classes
    /// are counted, among given coordinates a few units in the last place are allowed for.
    ///
    /// # Shapes
    ///
    /// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
    /// - output: `[.., 1, ..]`
    ///
    /// # Arguments
    ///
    /// * `half_width` - Finite and at least 0, in the units of the coordinates.
    ///
    /// # Gradient
    ///
    /// That of [`coordinate`](Self::coordinate) on the classes inside the window, 0 outside.
    ///
    /// # Panics
    ///
    /// As [`coordinate`](Self::coordinate), and if `half_width` is negative or not finite.
    ///
    /// # Numerical behaviour
    ///
    /// On wgpu with fusion, maps other than the softmax do not work yet: the fusing engine of Burn 0.22.1 fails on them.
    ///
    /// # Example
    ///
    /// ```
    /// use burn_core::tensor::{Device, Tensor};
    /// use burn_relax::{Relaxation, relax::Coordinates};
    ///
    /// let logits = Tensor::<1>::from_floats([1.0, 0.0, 0.0, 0.0, 1.0], &Device::flex());
    /// let cold = Relaxation::softmax(0.01);
    /// let index = cold.windowed_coordinate(logits, 0, Coordinates::index(), 1.0);
    /// assert!(index.into_scalar::<f32>().abs() < 1e-6); // not 2, the mean of both modes
    /// ```
    #[track_caller]
    pub fn windowed_coordinate(
        self,
        logits: Tensor<D>,
        dim: impl AsIndex,
        coordinates: impl Into<Coordinates>,
        half_width: f64,
    ) -> Tensor<D> {
        let op = "Relaxation";
        check::not_negative(op, "half_width", half_width);
        let (logits, dim) = check::logits(op, logits, dim);
        let coordinates = coordinates.into();
        let spacing = coordinates.spacing();
        let coordinates = coordinates.into_tensor(op, &logits, dim);
        let window = Window::new(spacing, &coordinates, half_width);
        let line = spread(lay_along(window.places, dim, &logits), logits.dims());
        // One operation: Burn's fusing engine trips over a gather from this line.
        let centre = argmax_gather(load(logits.clone().constant()), line.clone(), dim);
        let reach = window.reach.reshape([1; D]);
        let outside = line.sub(centre).abs().sub(reach).greater_scalar(0.0);
        let logits = logits.mask_fill(outside, f64::NEG_INFINITY);
        self.coordinate_of(op, logits, dim, coordinates)
    }
}
