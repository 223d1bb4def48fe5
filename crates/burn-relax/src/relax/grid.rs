use burn_core::tensor::Tensor;

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

    /// The distance between neighbouring cells along an axis of `len` cells.
    pub(super) fn step(self, len: usize) -> f64 {
        self.line(len).1
    }

    /// The coordinates along axis `dim`, size 1 elsewhere.
    pub(super) fn axis<const D: usize>(self, like: &Tensor<D>, dim: usize) -> Tensor<D> {
        let (base, step) = self.line(like.dims()[dim]);
        lay(base, step, like, dim)
    }
}

/// `base + i * step` along axis `dim`, size 1 elsewhere.
pub(super) fn lay<const D: usize>(base: f64, step: f64, like: &Tensor<D>, dim: usize) -> Tensor<D> {
    let mut shape = [1; D];
    shape[dim] = like.dims()[dim];
    let line: Vec<f64> = (0..shape[dim]).map(|i| base + i as f64 * step).collect();
    Tensor::<1>::from_data(line.as_slice(), (&like.device(), like.dtype())).reshape(shape)
}
