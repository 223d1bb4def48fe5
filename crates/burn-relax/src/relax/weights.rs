use burn_core::backend::Dispatch;
use burn_core::tensor::{AsIndex, Tensor};

use super::{
    gumbel_rao::rao,
    map::Map,
    relaxation::{Hardness, Noise, Relaxation},
    straight_through::{straight_through_argmax_of, straight_through_with},
};
use burn_relax_kernels::Seed;

use crate::{
    check,
    coefficient::Coefficient,
    dispatch::RelaxOps,
    distribution::categorical::sample,
    parts::{
        centred::{Centred, limits, spread},
        choose::{combine, first_argmax},
        constant::Constant,
        dtype::{held, load, store},
        noise::rows,
    },
};

impl<const D: usize> Relaxation<D> {
    /// The weights of the classes: on the simplex where the choice is soft, else the one-hot of the chosen class.
    ///
    /// # Shapes
    ///
    /// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`; `-inf` forbids a class
    /// - output: the same
    ///
    /// # Gradient
    ///
    /// Gradient of the map at the perturbed logits: what the hardness says, see [`Hardness`]. Noise that is given gets the logits'.
    ///
    /// # Panics
    ///
    /// If `dim` is out of range, the axis is empty, a coefficient is out of its domain or of a shape that does not fit, given
    /// noise has another shape or dtype, or a sampled or Rao-Blackwellised choice has no Gumbel noise.
    ///
    /// # Numerical behaviour
    ///
    /// The row's maximum is subtracted before noise is added. Ties of a hard choice go to the lowest index. A row of `-inf`
    /// gives zeros, a row with NaN gives NaN.
    ///
    /// # Example
    ///
    /// ```
    /// use burn_core::tensor::{Device, Tensor};
    /// use burn_relax::Relaxation;
    ///
    /// let device = Device::flex();
    /// let logits = Tensor::<1>::from_floats([-2.0, 0.0, 0.5], &device);
    /// let noise = Tensor::<1>::from_floats([0.3, -0.1, 0.2], &device);
    /// let sample = Relaxation::softmax(0.5).noise(noise).weights(logits.clone(), 0);
    /// let sample = sample.into_data().try_to_vec::<f32>().unwrap();
    /// assert!((sample[1] - 0.166_839).abs() < 1e-5 && (sample[2] - 0.826_360).abs() < 1e-5);
    ///
    /// let sparse = Relaxation::sparsemax(2).weights(logits, 0).into_data().try_to_vec::<f32>().unwrap();
    /// assert!((sparse[1] - 0.375).abs() < 1e-6); // the logits divided by 2
    /// ```
    #[track_caller]
    pub fn weights(self, logits: Tensor<D>, dim: impl AsIndex) -> Tensor<D> {
        let op = "Relaxation";
        let (logits, dim) = check::logits(op, logits, dim);
        self.weights_of(op, logits, dim)
    }

    /// [`weights`](Self::weights) for an operator whose name the messages have, of checked logits.
    #[track_caller]
    pub(crate) fn weights_of(self, op: &str, logits: Tensor<D>, dim: usize) -> Tensor<D> {
        let Self {
            map,
            noise,
            hardness,
        } = self;
        map.check_beside(op, &logits, dim);
        let noise = match noise {
            Noise::Given(noise) => {
                let noise = noise.dequantize();
                check::beside(op, "noise", &logits, &noise);
                Noise::Given(noise)
            }
            noise => noise,
        };
        match (hardness, noise) {
            (Hardness::Soft, Noise::None) => map.weights(op, logits, dim),
            (Hardness::Hard, Noise::None) => hard(op, map, logits, dim),
            (Hardness::Soft, noise) => perturbed(op, map, noise, false, logits, dim),
            (Hardness::Hard, noise) => perturbed(op, map, noise, true, logits, dim),
            (Hardness::Sampled { temperature }, noise) => {
                sampled(op, map, noise, temperature, logits, dim)
            }
            (Hardness::Rao { draws }, noise) => {
                let (temperature, seed) = match (map, noise) {
                    (Map::Softmax { temperature }, Noise::Gumbel(seed)) => (temperature, seed),
                    (map, noise) => {
                        let drawn = matches!(noise, Noise::Gumbel(_));
                        check::given(op, "noise", "a Rao-Blackwellised gradient", drawn);
                        check::softmax(op, matches!(map, Map::Softmax { .. }));
                        return logits;
                    }
                };
                rao(op, logits, dim, temperature, draws, seed)
            }
        }
    }

    /// The same choice, soft: what the gradient of a hard one is that of.
    pub(super) fn softened(self) -> Self {
        let noise = match self.hardness {
            Hardness::Sampled { .. } => Noise::None,
            _ => self.noise,
        };
        Self {
            noise,
            hardness: Hardness::Soft,
            ..self
        }
    }
}

/// The one-hot of the argmax with the gradient of the map.
#[track_caller]
fn hard<const D: usize>(
    op: &str,
    map: Map<Coefficient<D>>,
    logits: Tensor<D>,
    dim: usize,
) -> Tensor<D> {
    if let Map::Softmax { temperature } = map {
        return straight_through_argmax_of(op, logits, dim, temperature);
    }
    let choice = straight_through_argmax_of(op, logits.clone().constant(), dim, 1.0.into());
    combine(choice, map.weights(op, logits, dim))
}

/// The map of perturbed logits, or with `choose` the one-hot of their argmax.
#[track_caller]
fn perturbed<const D: usize>(
    op: &str,
    map: Map<Coefficient<D>>,
    noise: Noise<D>,
    choose: bool,
    logits: Tensor<D>,
    dim: usize,
) -> Tensor<D> {
    // These have kernels; the others perturb first.
    if let Map::Softmax {
        temperature: Coefficient::Number(temperature),
    } = map
    {
        check::positive(op, "temperature", temperature);
        let temperature = held(temperature, logits.dtype());
        let logits = logits.into_dispatch();
        let (sample, _) = match (noise, choose) {
            (Noise::Given(noise), false) => {
                let noise = noise.into_dispatch();
                <Dispatch as RelaxOps>::gumbel_softmax_with_noise(logits, noise, dim, temperature)
            }
            (Noise::Given(noise), true) => {
                let noise = noise.into_dispatch();
                <Dispatch as RelaxOps>::gumbel_argmax_with_noise(logits, noise, dim, temperature)
            }
            (noise, false) => {
                <Dispatch as RelaxOps>::gumbel_softmax(logits, dim, temperature, noise.seed())
            }
            (noise, true) => {
                <Dispatch as RelaxOps>::gumbel_argmax(logits, dim, temperature, noise.seed())
            }
        };
        return Tensor::from_dispatch(sample);
    }
    let dtype = logits.dtype();
    let logits = load(logits);
    let mut noise = noise.beside(&logits, dim);
    if !choose {
        // Infinite logits share the weight: no noise comes between them.
        let (_, largest) = limits(logits.dtype());
        let decided = logits
            .clone()
            .constant()
            .max_dim(dim)
            .greater_scalar(largest);
        noise = noise.mask_fill(spread(decided, logits.dims()), 0.0);
    }
    let perturbed = with_noise(Centred::new(logits, dim), noise, dim);
    let map = map.map(|_, coefficient| coefficient.load());
    let sample = if choose {
        hard(op, map, perturbed, dim)
    } else {
        map.weights(op, perturbed, dim)
    };
    store(sample, dtype)
}

/// Logits with noise, relative to the largest of them: there is room for what the addition rounds off, which decides at low
/// temperatures.
fn with_noise<const D: usize>(logits: Centred<D>, noise: Tensor<D>, dim: usize) -> Tensor<D> {
    let forbidden = logits.forbidden.clone();
    logits.map(|gaps| {
        let scores = gaps.clone().add(noise.clone());
        let (gaps, noise, sum) = (gaps.constant(), noise.constant(), scores.clone().constant());
        let added = sum.clone().sub(gaps.clone());
        let lost = gaps
            .sub(sum.clone().sub(added.clone()))
            .add(noise.sub(added));
        // NaN beside infinite noise.
        let lost = lost.clone().mask_fill(lost.is_nan(), 0.0);
        let top = sum.mask_fill(forbidden, f64::NEG_INFINITY).max_dim(dim);
        let top = top.clone().mask_fill(top.is_inf(), 0.0);
        scores.sub(top).add(lost)
    })
}

/// The one-hot of a class drawn at a temperature, with the gradient of the map of the logits without noise.
#[track_caller]
fn sampled<const D: usize>(
    op: &str,
    map: Map<Coefficient<D>>,
    noise: Noise<D>,
    temperature: f64,
    logits: Tensor<D>,
    dim: usize,
) -> Tensor<D> {
    check::positive(op, "the temperature to sample at", temperature);
    let temperature = held(temperature, logits.dtype());
    let fixed = logits.clone().constant();
    let indices = match noise {
        Noise::Gumbel(seed) => sample(fixed, dim, 1, temperature, seed).0,
        Noise::Given(noise) => {
            let cooled = |gaps: Tensor<D>| gaps.div_scalar(temperature).add(load(noise).constant());
            first_argmax(Centred::new(load(fixed), dim).map(cooled), dim)
        }
        Noise::None => {
            check::given(op, "noise", "a sampled class", false);
            first_argmax(fixed, dim)
        }
    };
    straight_through_with(logits.clone(), indices, dim, map.weights(op, logits, dim))
}

impl<const D: usize> Noise<D> {
    /// The seed of drawn noise.
    fn seed(&self) -> Seed {
        match self {
            Self::Gumbel(seed) => *seed,
            Self::None | Self::Given(_) => Seed::default(),
        }
    }

    /// The noise as a tensor beside the logits, in at least f32.
    fn beside(self, logits: &Tensor<D>, dim: usize) -> Tensor<D> {
        match self {
            Self::Given(noise) => load(noise),
            drawn => {
                let options = (&logits.device(), logits.dtype()).into();
                rows(logits.dims(), dim, 1, drawn.seed(), options)
            }
        }
    }
}

impl<const D: usize> Relaxation<D> {
    /// With every tensor in at least f32, beside logits that are.
    pub(super) fn loaded(self) -> Self {
        Self {
            map: self.map.map(|_, coefficient| coefficient.load()),
            noise: match self.noise {
                Noise::Given(noise) => Noise::Given(load(noise)),
                noise => noise,
            },
            hardness: self.hardness,
        }
    }
}
