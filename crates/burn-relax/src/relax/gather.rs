use burn_core::tensor::{AsIndex, Tensor};

use super::{
    map::Map,
    relaxation::{Hardness, Noise, Relaxation},
    soft_argmax_gather::{hard_argmax_gather_of, soft_argmax_gather_of},
    straight_through::straight_through,
};
use crate::{
    check,
    parts::{
        choose::{expected, weighted},
        constant::Constant,
        dtype::{load, store},
    },
};

impl<const D: usize> Relaxation<D> {
    /// The value of the choice: `Σ_i w_i V_i` where it is soft, the chosen class's value where it is hard.
    ///
    /// # Shapes
    ///
    /// - logits: `[.., n, ..]` of rank `D`, `n ≥ 1` along `dim`
    /// - values: the logits' shape, then any feature dimensions (rank `DV ≥ D`)
    /// - output: the values' shape with size 1 along `dim`
    ///
    /// # Gradient
    ///
    /// Logits: that of the weights with `<V_i, g>` upstream, also where the choice is hard. Values: `w_i g`; so a hard choice trains
    /// the chosen value alone ([`blended_gather`](Self::blended_gather) trains all).
    ///
    /// # Panics
    ///
    /// As [`weights`](Self::weights), and if the values' shape does not begin with the logits'.
    ///
    /// # Numerical behaviour
    ///
    /// What stands at a forbidden class, or in a soft choice at one without weight, does not matter, NaN included. A row of `-inf`
    /// gives 0.
    ///
    /// # Example
    ///
    /// ```
    /// use burn_core::tensor::{Device, Tensor};
    /// use burn_relax::Relaxation;
    ///
    /// let device = Device::flex().autodiff();
    /// let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &device);
    /// let values = Tensor::<2>::from_floats([[10.0, 20.0, 30.0]], &device).require_grad();
    /// let picked = Relaxation::softmax(1.0).hard().gather(logits.clone(), values.clone(), 1);
    /// let gradient = values.grad(&picked.backward()).unwrap();
    /// assert_eq!(gradient.into_data().try_to_vec::<f32>().unwrap(), [0.0, 0.0, 1.0]);
    ///
    /// let values = Tensor::<2>::from_floats([[f32::NAN, 20.0, 40.0]], &device);
    /// let mean = Relaxation::sparsemax(1).gather(logits, values, 1);
    /// assert!((mean.into_scalar::<f32>() - 35.0).abs() < 1e-4);
    /// ```
    #[track_caller]
    pub fn gather<const DV: usize>(
        self,
        logits: Tensor<D>,
        values: Tensor<DV>,
        dim: impl AsIndex,
    ) -> Tensor<DV> {
        let op = "Relaxation";
        let (logits, dim) = check::logits(op, logits, dim);
        let values = values.dequantize();
        check::values_of(op, &logits, &values);
        match self {
            Self {
                map: Map::Softmax { temperature },
                noise: Noise::None,
                hardness: Hardness::Soft,
            } => soft_argmax_gather_of(op, logits, values, dim, temperature),
            Self {
                map: Map::Softmax { temperature },
                noise: Noise::None,
                hardness: Hardness::Hard,
            } => hard_argmax_gather_of(op, logits, values, dim, temperature),
            soft @ Self {
                hardness: Hardness::Soft,
                ..
            } => {
                soft.map.check_beside(op, &logits, dim);
                let dtype = values.dtype();
                let weights = soft.loaded().weights_of(op, load(logits), dim);
                store(expected(weights, load(values), dim), dtype)
            }
            hard => {
                let weights = hard.weights_of(op, logits.clone(), dim);
                weighted(&logits, weights, values, dim)
            }
        }
    }

    /// The chosen class's value, with the gradient of the weighted mean of all: every value gets its share of it.
    ///
    /// A hard choice only differs from [`gather`](Self::gather) in what it does to the values, and trains worse: values
    /// that were not chosen move as if they had been (`docs/choosing.md` has figures).
    ///
    /// # Shapes
    ///
    /// As [`gather`](Self::gather).
    ///
    /// # Gradient
    ///
    /// That of [`gather`](Self::gather) of the same choice, were it soft.
    ///
    /// # Panics
    ///
    /// As [`gather`](Self::gather).
    ///
    /// # Example
    ///
    /// ```
    /// use burn_core::tensor::{Device, Tensor};
    /// use burn_relax::Relaxation;
    ///
    /// let device = Device::flex().autodiff();
    /// let logits = Tensor::<1>::from_floats([0.0, 0.0], &device);
    /// let values = Tensor::<1>::from_floats([10.0, 20.0], &device).require_grad();
    /// let picked = Relaxation::softmax(1.0).hard().blended_gather(logits, values.clone(), 0);
    /// assert_eq!(picked.clone().into_scalar::<f32>(), 10.0);
    /// let gradient = values.grad(&picked.backward()).unwrap();
    /// assert_eq!(gradient.into_data().try_to_vec::<f32>().unwrap(), [0.5, 0.5]);
    /// ```
    #[track_caller]
    pub fn blended_gather<const DV: usize>(
        self,
        logits: Tensor<D>,
        values: Tensor<DV>,
        dim: impl AsIndex,
    ) -> Tensor<DV> {
        let (logits, dim) = check::logits("Relaxation", logits, dim);
        let values = values.dequantize();
        let (held, fixed) = (logits.clone().constant(), values.clone().constant());
        let picked = self.clone().gather(held, fixed, dim);
        straight_through(picked, self.softened().gather(logits, values, dim))
    }
}
