use burn_core as burn;
use burn_core::module::{Flag, Module, Param};
use burn_core::tensor::Tensor;

use super::{
    config::{config, one_line_display},
    stream::SeedStream,
};
use crate::{
    Coefficient, SimplexMap, check, gumbel_softmax_with_map, straight_through_argmax_with_map,
};

config! {
    /// Configuration of [`GumbelSoftmax`].
    GumbelSoftmaxConfig {
        /// The axis of the classes; negative counts from the end. Default: -1.
        dim: isize = -1, with_dim;
        /// Of the relaxation; finite and greater than 0. Default: 1.
        temperature: f64 = 1.0, with_temperature;
        /// Exact sample forward, relaxed gradient backward. Default: false.
        hard: bool = false, with_hard;
        /// Makes the draws reproducible. Default: drawn once from the device's generator.
        seed: Option<u64> = None, with_seed;
        /// How the perturbed logits become weights. Default: the softmax.
        map: SimplexMap = SimplexMap::Softmax, with_map;
    }
}

/// A relaxed or exact sample of a class; see [`gumbel_softmax`](crate::gumbel_softmax).
///
/// In training every call draws new noise. In inference, which is on a device without autodiff or after
/// [`freeze`](burn_core::module::Module::freeze), there is no noise: the map, or with `hard` the one-hot of the argmax.
///
/// Created with [`GumbelSoftmaxConfig`]. The count of draws is not part of a saved record.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct GumbelSoftmax {
    /// The axis of the classes.
    #[module(skip)]
    pub dim: isize,
    /// Of the relaxation.
    #[module(skip)]
    pub temperature: f64,
    /// Exact sample forward, relaxed gradient backward.
    #[module(skip)]
    pub hard: bool,
    /// How the perturbed logits become weights.
    #[module(skip)]
    pub map: SimplexMap,
    /// Whether to behave as during training; cleared by freezing.
    pub training: Param<Flag>,
    #[module(skip)]
    seeds: SeedStream,
}

one_line_display!(GumbelSoftmax {
    dim,
    temperature,
    hard,
    map
});

impl GumbelSoftmaxConfig {
    /// Initializes the module.
    ///
    /// # Panics
    ///
    /// If the temperature, or the map's alpha, is not finite and greater than 0.
    #[track_caller]
    pub fn init(&self) -> GumbelSoftmax {
        check::positive("GumbelSoftmax", "temperature", self.temperature);
        self.map.check("GumbelSoftmax");
        GumbelSoftmax {
            dim: self.dim,
            temperature: self.temperature,
            hard: self.hard,
            map: self.map,
            training: Param::from_bool(true),
            seeds: SeedStream::new(self.seed),
        }
    }
}

impl GumbelSoftmax {
    /// # Shapes
    ///
    /// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
    /// - output: the same
    #[track_caller]
    pub fn forward<const D: usize>(&self, logits: Tensor<D>) -> Tensor<D> {
        self.forward_with_temperature(logits, self.temperature)
    }

    /// [`forward`](Self::forward) with a temperature of the caller's, for instance one per row with a gradient.
    #[track_caller]
    pub fn forward_with_temperature<const D: usize>(
        &self,
        logits: Tensor<D>,
        temperature: impl Into<Coefficient<D>>,
    ) -> Tensor<D> {
        // As in Burn's dropout: the device says that a backward pass is possible, the flag that this layer takes part.
        let device = logits.device();
        if self.training.is_enabled() && device.is_autodiff() {
            let dim = check::dim::<D>("gumbel_softmax", self.dim);
            let seed = self.seeds.next(&logits, dim);
            gumbel_softmax_with_map(logits, self.dim, temperature, self.map, self.hard, seed)
        } else if self.hard {
            straight_through_argmax_with_map(logits, self.dim, temperature, self.map)
        } else {
            self.map.apply(logits, self.dim, temperature)
        }
    }
}
