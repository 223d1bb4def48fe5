use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Tensor};

use crate::{
    RelaxOps, SimplexMap, check,
    coefficient::Coefficient,
    functions::{argmax_gather, load, simplex_map, soft_argmax_gather, spread, store, tempered},
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

    /// The coordinates as a tensor beside `like`.
    #[track_caller]
    fn into_tensor<const D: usize>(self, op: &str, like: &Tensor<D>, dim: usize) -> Tensor<1> {
        let classes = like.dims()[dim];
        match self {
            Self::Index { base, step } => {
                check::finite(op, "base", base);
                check::finite(op, "step", step);
                let options = (&like.device(), like.dtype());
                let line: Vec<f64> = (0..classes).map(|i| base + i as f64 * step).collect();
                Tensor::from_data(line.as_slice(), options)
            }
            Self::Given(tensor) => {
                check::classes(op, "coordinates", classes, tensor.dims()[0]);
                check::same_dtype(op, "coordinates", like.dtype(), tensor.dtype());
                tensor
            }
        }
    }
}

impl From<Tensor<1>> for Coordinates {
    fn from(value: Tensor<1>) -> Self {
        Self::Given(value)
    }
}

/// The expected index, or coordinate, under the softmax of the logits.
///
/// `E = Σ_i p_i c_i` with `p = softmax(x / T)`.
///
/// With several modes the mean is a place nobody voted for: `[1, 0, 1]` at `T = 0.01` gives index 1. Use
/// [`windowed_soft_argmax`] there.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., 1, ..]`
///
/// # Arguments
///
/// * `logits` - Unnormalised scores; `-inf` forbids an entry.
/// * `dim` - The axis of the classes; negative counts from the end.
/// * `temperature` - Finite and greater than 0: a number, or a tensor with one value per row ([`Coefficient`]).
/// * `coordinates` - [`Coordinates::index()`], a base and a step, or a tensor `[n]` in the user's units.
///
/// # Gradient
///
/// Logits: `p_i (c_i - E) g / T`. Given coordinates: `Σ_rows p_i g`.
///
/// # Panics
///
/// If `dim` is out of range, the axis is empty, the number of coordinates is not `n`, base or step are not finite, or the
/// temperature is out of its domain or of a shape that does not fit.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{Coordinates, soft_argmax};
///
/// let logits = Tensor::<1>::from_floats([0.0, 1.0, 0.0, -1.0], &Device::flex());
/// let index = soft_argmax(logits, 0, 0.1, Coordinates::index());
/// assert!((index.into_scalar::<f32>() - 1.0).abs() < 1e-4);
/// ```
#[track_caller]
pub fn soft_argmax<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    coordinates: impl Into<Coordinates>,
) -> Tensor<D> {
    mean(
        "soft_argmax",
        logits,
        dim,
        temperature,
        SimplexMap::Softmax,
        coordinates,
    )
}

/// [`soft_argmax`] under any [`SimplexMap`]: classes far behind do not pull at the mean.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., 1, ..]`
///
/// # Gradient
///
/// Logits: that of the map, with the coordinates upstream. Given coordinates: `Σ_rows p_i g`.
///
/// # Panics
///
/// As [`soft_argmax`], and if alpha is out of its domain.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{Coordinates, SimplexMap, soft_argmax_with_map};
///
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &Device::flex());
/// let index = soft_argmax_with_map(logits, 0, 1.0, SimplexMap::Sparsemax, Coordinates::index());
/// assert!((index.into_scalar::<f32>() - 1.75).abs() < 1e-6);
/// ```
#[track_caller]
pub fn soft_argmax_with_map<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    map: SimplexMap,
    coordinates: impl Into<Coordinates>,
) -> Tensor<D> {
    mean(
        "soft_argmax_with_map",
        logits,
        dim,
        temperature,
        map,
        coordinates,
    )
}

#[track_caller]
fn mean<const D: usize>(
    op: &str,
    logits: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    map: SimplexMap,
    coordinates: impl Into<Coordinates>,
) -> Tensor<D> {
    let dim = check::dim::<D>(op, dim);
    map.check(op);
    let dtype = logits.dtype();
    let coordinates = coordinates.into().into_tensor(op, &logits, dim);
    let (logits, temperature) = tempered(op, logits, dim, temperature);
    store(under(map, logits, coordinates, dim, temperature), dtype)
}

/// The expected coordinate under `map`.
fn under<const D: usize>(
    map: SimplexMap,
    logits: Tensor<D>,
    coordinates: Tensor<1>,
    dim: usize,
    temperature: f64,
) -> Tensor<D> {
    if map == SimplexMap::Softmax {
        return expected(logits, coordinates, dim, temperature);
    }
    let logits = load(logits);
    let line = spread(lay_along(load(coordinates), dim, &logits), logits.dims());
    simplex_map::expected(map.weights(logits, dim, temperature), line, dim)
}

fn expected<const D: usize>(
    logits: Tensor<D>,
    coordinates: Tensor<1>,
    dim: usize,
    temperature: f64,
) -> Tensor<D> {
    let coordinates = store(coordinates, logits.dtype());
    let (output, _) = <Dispatch as RelaxOps>::soft_argmax(
        logits.into_dispatch(),
        coordinates.into_dispatch(),
        dim,
        temperature,
    );
    Tensor::from_dispatch(output)
}

/// The [`soft_argmax`] together with the variance `Σ_i p_i (c_i - E)²`, a measure of how sure it is.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: mean and variance, each `[.., 1, ..]`
///
/// # Gradient
///
/// Exact for both outputs; the mean inside the variance is not held constant.
///
/// # Panics
///
/// As [`soft_argmax`].
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{Coordinates, soft_argmax_with_variance};
///
/// let logits = Tensor::<1>::from_floats([0.0, 0.0], &Device::flex());
/// let (mean, variance) = soft_argmax_with_variance(logits, 0, 1.0, Coordinates::index());
/// assert_eq!((mean.into_scalar::<f32>(), variance.into_scalar::<f32>()), (0.5, 0.25));
/// ```
#[track_caller]
pub fn soft_argmax_with_variance<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    coordinates: impl Into<Coordinates>,
) -> (Tensor<D>, Tensor<D>) {
    let op = "soft_argmax_with_variance";
    let dim = check::dim::<D>(op, dim);
    let dtype = logits.dtype();
    let coordinates = coordinates.into().into_tensor(op, &logits, dim);
    let (logits, temperature) = tempered(op, logits, dim, temperature);
    let (logits, coordinates) = (load(logits), load(coordinates));
    let mean = expected(logits.clone(), coordinates.clone(), dim, temperature);
    let squares = lay_along(coordinates, dim, &logits)
        .sub(mean.clone())
        .square();
    let variance = soft_argmax_gather(logits, squares, dim, temperature, false);
    (store(mean, dtype), store(variance, dtype))
}

/// `coordinates` along `dim`, size 1 elsewhere.
fn lay_along<const D: usize>(coordinates: Tensor<1>, dim: usize, like: &Tensor<D>) -> Tensor<D> {
    let mut shape = [1; D];
    shape[dim] = like.dims()[dim];
    coordinates.reshape(shape)
}

/// The [`soft_argmax`] over a window round the argmax, for rows with several modes.
///
/// Entries farther than `half_width` from the coordinate of the argmax are forbidden; the window is constant for the
/// gradient.
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
/// The others as in [`soft_argmax`].
///
/// # Gradient
///
/// That of [`soft_argmax`] on the entries inside the window, 0 outside.
///
/// # Panics
///
/// As [`soft_argmax`], and if `half_width` is negative or not finite.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{Coordinates, windowed_soft_argmax};
///
/// let logits = Tensor::<1>::from_floats([1.0, 0.0, 0.0, 0.0, 1.0], &Device::flex());
/// let index = windowed_soft_argmax(logits, 0, 0.01, Coordinates::index(), 1.0);
/// assert!(index.into_scalar::<f32>().abs() < 1e-6); // not 2, the mean of both modes
/// ```
#[track_caller]
pub fn windowed_soft_argmax<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    coordinates: impl Into<Coordinates>,
    half_width: f64,
) -> Tensor<D> {
    let map = SimplexMap::Softmax;
    windowed_soft_argmax_with_map(logits, dim, temperature, map, coordinates, half_width)
}

/// [`windowed_soft_argmax`] under any [`SimplexMap`].
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: `[.., 1, ..]`
///
/// # Gradient
///
/// That of [`soft_argmax_with_map`] on the entries inside the window, 0 outside.
///
/// # Panics
///
/// As [`windowed_soft_argmax`], and if alpha is out of its domain.
///
/// # Numerical behaviour
///
/// On wgpu with fusion, maps other than the softmax do not work yet: the fusing engine of Burn 0.22.1 fails on them.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{Coordinates, SimplexMap, windowed_soft_argmax_with_map};
///
/// let logits = Tensor::<1>::from_floats([2.0, 1.5, 0.0, 2.0], &Device::flex());
/// let map = SimplexMap::Sparsemax;
/// let index = windowed_soft_argmax_with_map(logits, 0, 1.0, map, Coordinates::index(), 1.0);
/// assert!((index.into_scalar::<f32>() - 0.25).abs() < 1e-6); // weights .75 and .25
/// ```
#[track_caller]
pub fn windowed_soft_argmax_with_map<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    map: SimplexMap,
    coordinates: impl Into<Coordinates>,
    half_width: f64,
) -> Tensor<D> {
    let op = "windowed_soft_argmax";
    let dim = check::dim::<D>(op, dim);
    map.check(op);
    check::not_negative(op, "half_width", half_width);
    let dtype = logits.dtype();
    let coordinates = coordinates.into().into_tensor(op, &logits, dim);
    let (logits, temperature) = tempered(op, logits, dim, temperature);
    let line = lay_along(load(coordinates.clone().detach()), dim, &logits);
    let line = spread(line, logits.dims());
    // One operation: Burn's fusing engine trips over a gather from this line.
    let centre = argmax_gather(load(logits.clone().detach()), line.clone(), dim);
    let outside = line.sub(centre).abs().greater_scalar(half_width);
    let logits = logits.mask_fill(outside, f64::NEG_INFINITY);
    store(under(map, logits, coordinates, dim, temperature), dtype)
}
