use burn_core::tensor::{DType, Device, Int, Tensor, TensorData, kind::Basic};
use serde::Deserialize;

/// Row-major numbers on the host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Array {
    /// Sizes of the dimensions; empty for a scalar.
    pub shape: Vec<usize>,
    /// As many numbers as the shape holds.
    pub data: Vec<f64>,
}

impl Array {
    /// # Panics
    ///
    /// If the count of numbers is not the shape's.
    pub fn new(shape: impl Into<Vec<usize>>, data: impl Into<Vec<f64>>) -> Self {
        let (shape, data) = (shape.into(), data.into());
        assert_eq!(shape.iter().product::<usize>(), data.len(), "{shape:?}");
        Self { shape, data }
    }

    /// One dimension.
    pub fn line(data: impl Into<Vec<f64>>) -> Self {
        let data = data.into();
        Self::new([data.len()], data)
    }

    /// Reads a tensor back.
    pub fn of<const D: usize, K: Basic>(tensor: Tensor<D, K>) -> Self {
        let shape = tensor.dims().to_vec();
        Self::from_data(shape, tensor.into_data())
    }

    /// Numbers of any dtype, as f64.
    pub fn from_data(shape: Vec<usize>, data: TensorData) -> Self {
        Self::new(shape, data.iter::<f64>().collect::<Vec<_>>())
    }

    /// The numbers as a tensor; sizes of 1 may be added or dropped.
    pub fn tensor<const D: usize>(&self, device: &Device, dtype: DType) -> Tensor<D> {
        Tensor::from_data(
            TensorData::new(self.data.clone(), self.shape_of_rank::<D>()),
            (device, dtype),
        )
    }

    /// The numbers as integers, in the device's default integer dtype.
    pub fn ints<const D: usize>(&self, device: &Device) -> Tensor<D, Int> {
        let data: Vec<i64> = self.data.iter().map(|&x| x as i64).collect();
        Tensor::from_data(TensorData::new(data, self.shape_of_rank::<D>()), device)
    }

    /// Every number changed.
    pub fn map(&self, f: impl FnMut(f64) -> f64) -> Self {
        Self::new(
            self.shape.clone(),
            self.data.iter().copied().map(f).collect::<Vec<_>>(),
        )
    }

    /// Rows become columns of a matrix.
    pub fn transpose(&self) -> Self {
        let (rows, columns) = (self.shape[0], self.shape[1]);
        let data: Vec<f64> = (0..columns)
            .flat_map(|c| (0..rows).map(move |r| self.data[r * columns + c]))
            .collect();
        Self::new([columns, rows], data)
    }

    /// The largest finite magnitude, 0 without any.
    pub fn largest(&self) -> f64 {
        let finite = self.data.iter().filter(|x| x.is_finite());
        finite.fold(0.0, |largest, x| largest.max(x.abs()))
    }

    fn shape_of_rank<const D: usize>(&self) -> [usize; D] {
        if let Ok(shape) = <[usize; D]>::try_from(self.shape.clone()) {
            return shape;
        }
        assert_eq!(
            self.data.len(),
            1,
            "shape {:?} is not of rank {D}",
            self.shape
        );
        [1; D]
    }
}

impl From<&Array> for Array {
    fn from(array: &Array) -> Self {
        array.clone()
    }
}

impl From<&[f64]> for Array {
    fn from(line: &[f64]) -> Self {
        Self::line(line)
    }
}

impl<const N: usize> From<[f64; N]> for Array {
    fn from(line: [f64; N]) -> Self {
        Self::line(line)
    }
}

impl<const N: usize, const M: usize> From<[[f64; M]; N]> for Array {
    fn from(rows: [[f64; M]; N]) -> Self {
        Self::new([N, M], rows.as_flattened())
    }
}

impl<const D: usize, K: Basic> From<Tensor<D, K>> for Array {
    fn from(tensor: Tensor<D, K>) -> Self {
        Self::of(tensor)
    }
}

/// As goldens.json writes it: non-finite numbers are strings.
impl<'de> Deserialize<'de> for Array {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Number {
            Finite(f64),
            Named(String),
        }
        #[derive(Deserialize)]
        struct Raw {
            shape: Vec<usize>,
            data: Vec<Number>,
        }
        let raw = Raw::deserialize(deserializer)?;
        let number = |number| match number {
            Number::Finite(value) => Ok(value),
            Number::Named(name) => name.parse::<f64>().map_err(serde::de::Error::custom),
        };
        let data = raw.data.into_iter().map(number).collect::<Result<_, _>>()?;
        Ok(Self {
            shape: raw.shape,
            data,
        })
    }
}
