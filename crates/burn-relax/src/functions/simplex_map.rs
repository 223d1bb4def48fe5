use burn_core::tensor::{AsIndex, Tensor};
use serde::{Deserialize, Serialize};

use crate::{
    Coefficient, Seed, argmax_gather, check, entmax, entmax15,
    functions::{Centred, gumbel_noise, load, store, tempered},
    soft_argmax_gather, softmax, sparsemax, straight_through, straight_through_argmax,
};

/// How logits become weights: one of the library's four choices, beside noise, hardness and read-out.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::SimplexMap;
///
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &Device::flex());
/// let probs = SimplexMap::Sparsemax.apply(logits, 0, 2.0).into_data().try_to_vec::<f32>().unwrap();
/// assert!((probs[1] - 0.375).abs() < 1e-6); // the logits divided by 2
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum SimplexMap {
    /// [`softmax`]: every allowed class has weight.
    #[default]
    Softmax,
    /// [`sparsemax`]: classes a temperature or more behind the winner have none.
    Sparsemax,
    /// [`entmax15`]: those two temperatures or more behind have none.
    Entmax15,
    /// [`entmax`]: those `temperature / (alpha - 1)` or more behind have none.
    Entmax {
        /// Finite and greater than 0; sparse above 1.
        alpha: f64,
    },
}

impl SimplexMap {
    /// The weights of `logits / temperature`.
    ///
    /// # Shapes
    ///
    /// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
    /// - output: the same
    ///
    /// # Panics
    ///
    /// As [`softmax`], and if alpha is out of its domain.
    #[track_caller]
    pub fn apply<const D: usize>(
        self,
        logits: Tensor<D>,
        dim: impl AsIndex,
        temperature: impl Into<Coefficient<D>>,
    ) -> Tensor<D> {
        let op = "SimplexMap";
        let dim = check::dim::<D>(op, dim);
        self.check(op);
        let dtype = logits.dtype();
        if self == Self::Softmax {
            return softmax(logits, dim, temperature);
        }
        let (logits, temperature) = tempered(op, logits, dim, temperature);
        store(self.weights(logits, dim, temperature), dtype)
    }

    /// Checks alpha.
    #[track_caller]
    pub(crate) fn check(self, op: &str) {
        if let Self::Entmax { alpha } = self {
            check::positive(op, "alpha", alpha);
        }
    }

    /// The weights of logits that come from [`tempered`].
    pub(crate) fn weights<const D: usize>(
        self,
        logits: Tensor<D>,
        dim: usize,
        temperature: f64,
    ) -> Tensor<D> {
        let logits = if temperature == 1.0 || self == Self::Softmax {
            logits
        } else {
            Centred::new(load(logits), dim).map(|gaps| gaps.div_scalar(temperature))
        };
        match self {
            Self::Softmax => softmax(logits, dim, temperature),
            Self::Sparsemax => sparsemax(logits, dim),
            Self::Entmax15 => entmax15(logits, dim),
            Self::Entmax { alpha } => entmax(logits, dim, alpha),
        }
    }
}

/// [`soft_argmax_gather`] under any [`SimplexMap`]: values of classes without weight do not matter.
///
/// `y = Σ_i p_i V_i` with `p` the map of `x / T`. With `hard` the value at the argmax, and this gradient.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` of rank `D`, `n ≥ 1` along `dim`
/// - values: the logits' shape, then any feature dimensions (rank `DV ≥ D`)
/// - output: the values' shape with size 1 along `dim`
///
/// # Gradient
///
/// Values: `p_i g`. Logits: that of the map, with `<V_i, g>` upstream.
///
/// # Panics
///
/// As [`soft_argmax_gather`], and if alpha is out of its domain.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{SimplexMap, soft_argmax_gather_with_map};
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &device);
/// let values = Tensor::<2>::from_floats([[f32::NAN, 20.0, 40.0]], &device);
/// let y = soft_argmax_gather_with_map(logits, values, 1, 1.0, SimplexMap::Sparsemax, false);
/// assert!((y.into_scalar::<f32>() - 35.0).abs() < 1e-4);
/// ```
#[track_caller]
pub fn soft_argmax_gather_with_map<const D: usize, const DV: usize>(
    logits: Tensor<D>,
    values: Tensor<DV>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    map: SimplexMap,
    hard: bool,
) -> Tensor<DV> {
    if map == SimplexMap::Softmax {
        return soft_argmax_gather(logits, values, dim, temperature, hard);
    }
    let op = "soft_argmax_gather_with_map";
    let dim = check::dim::<D>(op, dim);
    map.check(op);
    check::values_of(op, &logits, &values);
    let dtype = values.dtype();
    let values = values.dequantize();
    let picked = hard.then(|| argmax_gather(logits.clone().detach(), values.clone().detach(), dim));
    let (logits, temperature) = tempered(op, logits, dim, temperature);
    let probs = map.weights(load(logits), dim, temperature);
    let soft = store(expected(probs, load(values), dim), dtype);
    match picked {
        Some(picked) => straight_through(picked, soft),
        None => soft,
    }
}

/// `Σ p V` along `dim`, `V` being ignored where `p` is 0.
pub(crate) fn expected<const D: usize, const DV: usize>(
    probs: Tensor<D>,
    values: Tensor<DV>,
    dim: usize,
) -> Tensor<DV> {
    let mut shape = [1; DV];
    shape[..D].copy_from_slice(&probs.dims());
    let probs: Tensor<DV> = probs.reshape(shape);
    let unused = crate::functions::spread(probs.clone().equal_scalar(0.0), values.dims());
    values.mask_fill(unused, 0.0).mul(probs).sum_dim(dim)
}

/// [`straight_through_argmax`] with the gradient of any [`SimplexMap`]: a hard choice whose hopeless classes get no gradient.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same; exactly 0 or 1
///
/// # Gradient
///
/// That of the map at `temperature`.
///
/// # Panics
///
/// As [`straight_through_argmax`], and if alpha is out of its domain.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{SimplexMap, straight_through_argmax_with_map};
///
/// let device = Device::flex().autodiff();
/// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &device).require_grad();
/// let choice = straight_through_argmax_with_map(logits.clone(), 0, 1.0, SimplexMap::Sparsemax);
/// assert_eq!(choice.to_data().try_to_vec::<f32>().unwrap(), [0.0, 0.0, 1.0]);
///
/// let upstream = Tensor::<1>::from_floats([1.0, 2.0, 3.0], &device);
/// let grads = choice.mul(upstream).sum().backward();
/// assert_eq!(logits.grad(&grads).unwrap().into_data().try_to_vec::<f32>().unwrap(), [0.0, -0.5, 0.5]);
/// ```
#[track_caller]
pub fn straight_through_argmax_with_map<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    map: SimplexMap,
) -> Tensor<D> {
    if map == SimplexMap::Softmax {
        return straight_through_argmax(logits, dim, temperature);
    }
    let op = "straight_through_argmax_with_map";
    let dim = check::dim::<D>(op, dim);
    map.check(op);
    let dtype = logits.dtype();
    let hard = straight_through_argmax(logits.clone().detach(), dim, 1.0);
    let (logits, temperature) = tempered(op, logits, dim, temperature);
    let soft = store(map.weights(logits, dim, temperature), dtype);
    straight_through(hard, soft)
}

/// [`gumbel_softmax`](crate::gumbel_softmax) under any [`SimplexMap`]: Gumbel-sparsemax and its relatives.
///
/// The map of `(x + G) / T` with Gumbel noise `G`; with `hard` the one-hot of `argmax(x + G)`, an exact sample of `softmax(x)`, and the
/// gradient of the relaxed sample. A sparse sample has few classes with weight, often one, without rounding.
///
/// # Shapes
///
/// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
/// - output: the same
///
/// # Gradient
///
/// That of the map at the perturbed logits.
///
/// # Panics
///
/// As [`gumbel_softmax`](crate::gumbel_softmax), and if alpha is out of its domain.
///
/// # Randomness
///
/// The draw of [`gumbel_noise`] with the same seed.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{SimplexMap, gumbel_softmax_with_map};
///
/// let logits = Tensor::<2>::zeros([100, 8], &Device::flex());
/// let sample = gumbel_softmax_with_map(logits, 1, 0.5, SimplexMap::Sparsemax, false, 3);
/// let support = sample.greater_scalar(0.0).float().sum().into_scalar::<f32>() / 100.0;
/// assert!(support < 3.0); // of 8 classes
/// ```
#[track_caller]
pub fn gumbel_softmax_with_map<const D: usize>(
    logits: Tensor<D>,
    dim: impl AsIndex,
    temperature: impl Into<Coefficient<D>>,
    map: SimplexMap,
    hard: bool,
    seed: impl Into<Seed>,
) -> Tensor<D> {
    if map == SimplexMap::Softmax {
        return crate::gumbel_softmax(logits, dim, temperature, hard, seed);
    }
    let op = "gumbel_softmax_with_map";
    let dim = check::dim::<D>(op, dim);
    map.check(op);
    check::not_empty(op, "logits", &logits, dim);
    let temperature = temperature.into();
    temperature.check(op, "temperature", &logits, dim);
    let dtype = logits.dtype();
    let logits = load(logits.dequantize());
    let options = (&logits.device(), logits.dtype());
    let noise = gumbel_noise(logits.dims(), dim, seed, options);
    let perturbed = Centred::new(logits, dim).map(|gaps| gaps.add(noise));
    let temperature = temperature.load();
    let sample = if hard {
        straight_through_argmax_with_map(perturbed, dim, temperature, map)
    } else {
        map.apply(perturbed, dim, temperature)
    };
    store(sample, dtype)
}
