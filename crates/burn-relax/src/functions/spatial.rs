use burn_core::tensor::{Bool, Tensor};

use crate::{
    check,
    coefficient::Coefficient,
    functions::{argmax::first_argmax, load, softmax, spread, store, tempered},
};

/// Where the cells of a heatmap lie along each of its axes of length `L`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Grid {
    /// `-1 ..= 1`, the outer cells at the corners; a single cell lies at 0.
    AlignedCorners,
    /// `-(L-1)/L ..= (L-1)/L`, each cell at the centre of its share of `[-1, 1]`.
    CellCentres,
    /// `0 ..= L-1`.
    Pixels,
}

impl Grid {
    /// First coordinate and step along an axis of `len` cells.
    fn line(self, len: usize) -> (f64, f64) {
        let n = len as f64;
        match self {
            Self::AlignedCorners if len == 1 => (0.0, 0.0),
            Self::AlignedCorners => (-1.0, 2.0 / (n - 1.0)),
            Self::CellCentres => (-(n - 1.0) / n, 2.0 / n),
            Self::Pixels => (0.0, 1.0),
        }
    }

    /// The coordinates along axis `dim`, size 1 elsewhere.
    fn axis<const D: usize>(self, like: &Tensor<D>, dim: usize) -> Tensor<D> {
        let len = like.dims()[dim];
        let (base, step) = self.line(len);
        let line: Vec<f64> = (0..len).map(|i| base + i as f64 * step).collect();
        let mut shape = [1; D];
        shape[dim] = len;
        Tensor::<1>::from_data(line.as_slice(), (&like.device(), like.dtype())).reshape(shape)
    }
}

/// Checks the heatmap and returns its logits with the cells flattened, in at least f32, and the constant temperature left
/// over.
#[track_caller]
fn flatten<const D: usize, const DO: usize>(
    op: &str,
    heatmap: Tensor<D>,
    temperature: impl Into<Coefficient<D>>,
) -> (Tensor<DO>, f64) {
    assert!(
        (1..=D).contains(&DO),
        "{op}: the output rank must be in 1..={D} for a heatmap of rank {D}, got {DO}"
    );
    for axis in DO - 1..D {
        check::not_empty(op, "heatmap", &heatmap, axis);
    }
    let dims = heatmap.dims();
    let mut flat = [1; DO];
    flat[..DO - 1].copy_from_slice(&dims[..DO - 1]);
    flat[DO - 1] = dims[DO - 1..].iter().product();

    let (logits, temperature) = match temperature.into() {
        Coefficient::Number(value) => tempered(op, heatmap.reshape(flat), DO - 1, value),
        Coefficient::Tensor(tensor) => {
            let mut rows = [1; D];
            rows[..DO - 1].copy_from_slice(&dims[..DO - 1]);
            let mut per_row = [1; DO];
            per_row[..DO - 1].copy_from_slice(&dims[..DO - 1]);
            for axis in DO - 1..D {
                let shape = heatmap.shape();
                check::per_row(op, "temperature", shape, tensor.shape(), axis);
            }
            let tensor = spread(tensor, rows).reshape(per_row);
            tempered(op, heatmap.reshape(flat), DO - 1, tensor)
        }
    };
    (load(logits), temperature)
}

/// `Σ p f(c_d)` for each spatial axis `d`, side by side in the last dimension.
fn read_out<const D: usize, const DO: usize>(
    probs: &Tensor<D>,
    grid: Grid,
    f: impl Fn(usize, Tensor<D>) -> Tensor<D>,
) -> Tensor<DO> {
    let mut shape = [1; DO];
    shape[..DO - 1].copy_from_slice(&probs.dims()[..DO - 1]);
    let moments = (DO - 1..D)
        .map(|axis| {
            let others: Vec<_> = (DO - 1..D).filter(|&other| other != axis).collect();
            let marginal = probs.clone().sum_dims(&others);
            let coordinate = f(axis - (DO - 1), grid.axis(probs, axis));
            marginal.mul(coordinate).sum_dim(axis).reshape(shape)
        })
        .collect();
    Tensor::cat(moments, DO - 1)
}

/// Mean coordinates of weights over the flattened cells.
fn mean<const D: usize, const DO: usize>(
    flat: Tensor<DO>,
    dims: [usize; D],
    temperature: f64,
    grid: Grid,
) -> (Tensor<D>, Tensor<DO>) {
    let probs = softmax(flat, DO - 1, temperature).reshape(dims);
    let mean = read_out(&probs, grid, |_, coordinate| coordinate);
    (probs, mean)
}

/// Expected coordinates of a heatmap with any number of spatial axes: one softmax over all cells, one mean per axis.
///
/// The last `D - DO + 1` dimensions are the spatial ones; a `Tensor<4>` of `[batch, keypoint, height, width]` read out into
/// a `Tensor<3>` gives `[batch, keypoint, 2]`. Coordinates stand in the order of the axes: height before width.
///
/// `E_d = Σ_cells p c_d` with `p = softmax(x / T)` over all cells.
///
/// # Shapes
///
/// - heatmap: `[lead.., spatial..]` of rank `D`
/// - output: `[lead.., number of spatial axes]` of rank `DO`
///
/// # Arguments
///
/// * `heatmap` - Unnormalised scores; `-inf` forbids a cell.
/// * `grid` - Where the cells lie: [`Grid`].
/// * `temperature` - Finite and greater than 0: a number, or a tensor with size 1 in the spatial axes.
///
/// # Gradient
///
/// `p (c_d - E_d) g_d / T`, summed over `d`.
///
/// # Panics
///
/// If `DO` is not in `1..=D`, a spatial axis is empty, or the temperature does not fit.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{Grid, spatial_soft_argmax};
///
/// let heatmap = Tensor::<3>::from_floats([[[0.0, 0.0], [0.0, 50.0]]], &Device::flex());
/// let at: Tensor<2> = spatial_soft_argmax(heatmap, Grid::AlignedCorners, 1.0);
/// assert_eq!(at.into_data().try_to_vec::<f32>().unwrap(), [1.0, 1.0]);
/// ```
#[track_caller]
pub fn spatial_soft_argmax<const D: usize, const DO: usize>(
    heatmap: Tensor<D>,
    grid: Grid,
    temperature: impl Into<Coefficient<D>>,
) -> Tensor<DO> {
    let (dims, dtype) = (heatmap.dims(), heatmap.dtype());
    let (flat, temperature) = flatten::<D, DO>("spatial_soft_argmax", heatmap, temperature);
    store(mean(flat, dims, temperature, grid).1, dtype)
}

/// The [`spatial_soft_argmax`] together with the variance along each axis, `Σ p (c_d - E_d)²`.
///
/// # Shapes
///
/// - heatmap: `[lead.., spatial..]` of rank `D`
/// - output: mean and variance, each `[lead.., number of spatial axes]` of rank `DO`
///
/// # Gradient
///
/// Exact for both outputs; the mean inside the variance is not held constant.
///
/// # Panics
///
/// As [`spatial_soft_argmax`].
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{Grid, spatial_soft_argmax_with_variance};
///
/// let flat = Tensor::<2>::zeros([1, 3], &Device::flex());
/// let (mean, variance) =
///     spatial_soft_argmax_with_variance::<2, 2>(flat, Grid::Pixels, 1.0);
/// assert!((mean.into_scalar::<f32>() - 1.0).abs() < 1e-6);
/// assert!((variance.into_scalar::<f32>() - 2.0 / 3.0).abs() < 1e-6);
/// ```
#[track_caller]
pub fn spatial_soft_argmax_with_variance<const D: usize, const DO: usize>(
    heatmap: Tensor<D>,
    grid: Grid,
    temperature: impl Into<Coefficient<D>>,
) -> (Tensor<DO>, Tensor<DO>) {
    let op = "spatial_soft_argmax_with_variance";
    let (dims, dtype) = (heatmap.dims(), heatmap.dtype());
    let (flat, temperature) = flatten::<D, DO>(op, heatmap, temperature);
    let (probs, mean) = mean(flat, dims, temperature, grid);
    let mut keep = [1; D];
    keep[..DO - 1].copy_from_slice(&dims[..DO - 1]);
    let variance = read_out(&probs, grid, |axis, coordinate| {
        let centre = mean.clone().narrow(DO - 1, axis, 1).reshape(keep);
        coordinate.sub(centre).square()
    });
    (store(mean, dtype), store(variance, dtype))
}

/// The [`spatial_soft_argmax`] over a box round the highest cell, for heatmaps with several peaks.
///
/// Cells farther than `half_width` from the argmax along any axis are forbidden; the box is constant for the gradient.
///
/// # Shapes
///
/// - heatmap: `[lead.., spatial..]` of rank `D`
/// - output: `[lead.., number of spatial axes]` of rank `DO`
///
/// # Arguments
///
/// * `half_width` - Finite and at least 0, in the units of the grid.
///
/// The others as in [`spatial_soft_argmax`].
///
/// # Panics
///
/// As [`spatial_soft_argmax`], and if `half_width` is negative or not finite.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{Grid, windowed_spatial_soft_argmax};
///
/// let two_peaks = Tensor::<2>::from_floats([[9.0, 0.0, 0.0, 9.0]], &Device::flex());
/// let at: Tensor<2> = windowed_spatial_soft_argmax(two_peaks, Grid::Pixels, 0.1, 1.0);
/// assert!(at.into_scalar::<f32>().abs() < 1e-6);
/// ```
#[track_caller]
pub fn windowed_spatial_soft_argmax<const D: usize, const DO: usize>(
    heatmap: Tensor<D>,
    grid: Grid,
    temperature: impl Into<Coefficient<D>>,
    half_width: f64,
) -> Tensor<DO> {
    let op = "windowed_spatial_soft_argmax";
    check::not_negative(op, "half_width", half_width);
    let (dims, dtype) = (heatmap.dims(), heatmap.dtype());
    let (flat, temperature) = flatten::<D, DO>(op, heatmap.clone(), temperature);
    let heatmap = load(heatmap);
    let peak = first_argmax(flat.clone().detach(), DO - 1);
    let outside = (DO - 1..D)
        .map(|axis| {
            let field = spread(grid.axis(&heatmap, axis), dims).reshape(flat.shape());
            let centre = field.clone().gather(DO - 1, peak.clone());
            field.sub(centre).abs().greater_scalar(half_width)
        })
        .reduce(Tensor::<DO, Bool>::bool_or);
    let flat = match outside {
        Some(outside) => flat.mask_fill(outside, f64::NEG_INFINITY),
        None => flat,
    };
    store(mean(flat, dims, temperature, grid).1, dtype)
}
