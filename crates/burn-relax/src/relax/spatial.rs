use burn_core::tensor::{Bool, Tensor};

use super::{
    grid::{Grid, lay},
    relaxation::{Noise, Relaxation},
    window::whole_steps,
};
use crate::{
    check,
    coefficient::Coefficient,
    parts::{
        centred::spread,
        choose::first_argmax,
        constant::Constant,
        dtype::{load, store},
    },
};

const OP: &str = "Relaxation";

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

/// A heatmap of rank `D` with its cells flattened into the last of `DO` dimensions.
fn flat_shape<const D: usize, const DO: usize>(dims: [usize; D]) -> [usize; DO] {
    let mut flat = [1; DO];
    flat[..DO - 1].copy_from_slice(&dims[..DO - 1]);
    flat[DO - 1] = dims[DO - 1..].iter().product();
    flat
}

/// A heatmap with cells, as plain floats.
#[track_caller]
fn checked<const D: usize, const DO: usize>(mut heatmap: Tensor<D>) -> Tensor<D> {
    check::output_rank::<D, DO>(OP);
    for axis in DO - 1..D {
        (heatmap, _) = check::floats(OP, "heatmap", heatmap, axis);
    }
    heatmap
}

/// A checked coefficient of a heatmap, of size 1 in the spatial axes, as one of its flattened rows.
fn flattened<const D: usize, const DO: usize>(
    heatmap: &Tensor<D>,
    coefficient: Coefficient<D>,
) -> Coefficient<DO> {
    match coefficient {
        Coefficient::Number(value) => Coefficient::Number(value),
        Coefficient::Tensor(tensor) => {
            let dims = heatmap.dims();
            let (mut rows, mut per_row) = ([1; D], [1; DO]);
            rows[..DO - 1].copy_from_slice(&dims[..DO - 1]);
            per_row[..DO - 1].copy_from_slice(&dims[..DO - 1]);
            Coefficient::Tensor(spread(load(tensor), rows).reshape(per_row))
        }
    }
}

impl<const D: usize> Relaxation<D> {
    /// The choice for the flattened cells of a heatmap.
    #[track_caller]
    fn flattened<const DO: usize>(self, heatmap: &Tensor<D>) -> Relaxation<DO> {
        for (argument, coefficient) in self.map.clone().named() {
            for axis in DO - 1..D {
                coefficient.check(OP, argument, heatmap, axis);
            }
        }
        Relaxation {
            map: self
                .map
                .map(|_, coefficient| flattened(heatmap, coefficient)),
            noise: match self.noise {
                Noise::None => Noise::None,
                Noise::Gumbel(seed) => Noise::Gumbel(seed),
                Noise::Given(noise) => {
                    check::beside(OP, "noise", heatmap, &noise);
                    Noise::Given(load(noise.reshape(flat_shape::<D, DO>(heatmap.dims()))))
                }
            },
            hardness: self.hardness,
        }
    }

    /// Weights and mean coordinates of a heatmap whose flattened cells have passed through `change`.
    #[track_caller]
    fn mean<const DO: usize>(
        self,
        heatmap: Tensor<D>,
        grid: Grid,
        change: impl FnOnce(Tensor<DO>) -> Tensor<DO>,
    ) -> (Tensor<D>, Tensor<DO>) {
        let dims = heatmap.dims();
        let choice = self.flattened::<DO>(&heatmap);
        let flat = change(load(heatmap.reshape(flat_shape::<D, DO>(dims))));
        let probs = choice.weights_of(OP, flat, DO - 1).reshape(dims);
        let mean = read_out(&probs, grid, |_, coordinate| coordinate);
        (probs, mean)
    }

    /// The place of the choice on a heatmap with any number of spatial axes: one choice over all cells, one mean per axis.
    ///
    /// The last `D - DO + 1` dimensions are the spatial ones; a `Tensor<4>` of `[batch, keypoint, height, width]` read out into
    /// a `Tensor<3>` gives `[batch, keypoint, 2]`. Coordinates stand in the order of the axes: height before width.
    ///
    /// `E_d = Σ_cells w c_d`, with the softmax the spatial soft-argmax.
    ///
    /// # Shapes
    ///
    /// - heatmap: `[lead.., spatial..]` of rank `D`; `-inf` forbids a cell
    /// - output: `[lead.., number of spatial axes]` of rank `DO`
    ///
    /// # Arguments
    ///
    /// * `grid` - Where the cells lie: [`Grid`].
    ///
    /// A tensor coefficient has size 1 in the spatial axes.
    ///
    /// # Gradient
    ///
    /// That of the weights with the coordinates upstream, summed over the axes; with the softmax `p (c_d - E_d) g_d / T`.
    ///
    /// # Panics
    ///
    /// If `DO` is not in `1..=D`, a spatial axis is empty, or as in [`weights`](Self::weights).
    ///
    /// # Example
    ///
    /// ```
    /// use burn_core::tensor::{Device, Tensor};
    /// use burn_relax::{Relaxation, relax::Grid};
    ///
    /// let heatmap = Tensor::<3>::from_floats([[[0.0, 0.0], [0.0, 50.0]]], &Device::flex());
    /// let at: Tensor<2> = Relaxation::softmax(1.0).spatial(heatmap, Grid::AlignedCorners);
    /// assert_eq!(at.into_data().try_to_vec::<f32>().unwrap(), [1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn spatial<const DO: usize>(self, heatmap: Tensor<D>, grid: Grid) -> Tensor<DO> {
        let heatmap = checked::<D, DO>(heatmap);
        let dtype = heatmap.dtype();
        store(self.mean(heatmap, grid, |flat| flat).1, dtype)
    }

    /// The [`spatial`](Self::spatial) place together with the variance along each axis, `Σ w (c_d - E_d)²`.
    ///
    /// # Shapes
    ///
    /// - heatmap: `[lead.., spatial..]` of rank `D`
    /// - output: mean and variance, each `[lead.., number of spatial axes]` of rank `DO`
    ///
    /// # Gradient
    ///
    /// Exact for both outputs of a soft choice; the mean inside the variance is not held constant.
    ///
    /// # Panics
    ///
    /// As [`spatial`](Self::spatial).
    ///
    /// # Example
    ///
    /// ```
    /// use burn_core::tensor::{Device, Tensor};
    /// use burn_relax::{Relaxation, relax::Grid};
    ///
    /// let flat = Tensor::<2>::zeros([1, 3], &Device::flex());
    /// let choice = Relaxation::softmax(1.0);
    /// let (mean, variance) = choice.spatial_with_variance::<2>(flat, Grid::Pixels);
    /// assert!((mean.into_scalar::<f32>() - 1.0).abs() < 1e-6);
    /// assert!((variance.into_scalar::<f32>() - 2.0 / 3.0).abs() < 1e-6);
    /// ```
    #[track_caller]
    pub fn spatial_with_variance<const DO: usize>(
        self,
        heatmap: Tensor<D>,
        grid: Grid,
    ) -> (Tensor<DO>, Tensor<DO>) {
        let heatmap = checked::<D, DO>(heatmap);
        let (dims, dtype) = (heatmap.dims(), heatmap.dtype());
        let (probs, mean) = self.mean::<DO>(heatmap, grid, |flat| flat);
        let mut keep = [1; D];
        keep[..DO - 1].copy_from_slice(&dims[..DO - 1]);
        let variance = read_out(&probs, grid, |axis, coordinate| {
            let centre = mean.clone().narrow(DO - 1, axis, 1).reshape(keep);
            coordinate.sub(centre).square()
        });
        (store(mean, dtype), store(variance, dtype))
    }

    /// The [`spatial`](Self::spatial) place over a box round the highest cell, for heatmaps with several peaks.
    ///
    /// Cells farther than `half_width` from the argmax along any axis are forbidden; the box is constant for the gradient. A cell
    /// at exactly that distance is inside, however it is rounded.
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
    /// # Panics
    ///
    /// As [`spatial`](Self::spatial), and if `half_width` is negative or not finite.
    ///
    /// # Example
    ///
    /// ```
    /// use burn_core::tensor::{Device, Tensor};
    /// use burn_relax::{Relaxation, relax::Grid};
    ///
    /// let two_peaks = Tensor::<2>::from_floats([[9.0, 0.0, 0.0, 9.0]], &Device::flex());
    /// let choice = Relaxation::softmax(0.1);
    /// let at: Tensor<2> = choice.windowed_spatial(two_peaks, Grid::Pixels, 1.0);
    /// assert!(at.into_scalar::<f32>().abs() < 1e-6);
    /// ```
    #[track_caller]
    pub fn windowed_spatial<const DO: usize>(
        self,
        heatmap: Tensor<D>,
        grid: Grid,
        half_width: f64,
    ) -> Tensor<DO> {
        check::not_negative(OP, "half_width", half_width);
        let heatmap = checked::<D, DO>(heatmap);
        let (dims, dtype) = (heatmap.dims(), heatmap.dtype());
        let axes = load(heatmap.clone());
        let window = |flat: Tensor<DO>| {
            let peak = first_argmax(flat.clone().constant(), DO - 1);
            let outside = (DO - 1..D)
                .map(|axis| {
                    // Cells are counted: their coordinates are rounded.
                    let steps = whole_steps(half_width, grid.step(dims[axis]), axes.dtype());
                    let field = spread(lay(0.0, 1.0, &axes, axis), dims).reshape(flat.shape());
                    let centre = field.clone().gather(DO - 1, peak.clone());
                    let reach = steps.min(dims[axis] as f64) + 0.5;
                    field.sub(centre).abs().greater_scalar(reach)
                })
                .reduce(Tensor::<DO, Bool>::bool_or);
            match outside {
                Some(outside) => flat.mask_fill(outside, f64::NEG_INFINITY),
                None => flat,
            }
        };
        store(self.mean(heatmap, grid, window).1, dtype)
    }
}
