use burn_core as burn;
use burn_core::module::{Flag, Module, Param};
use burn_core::tensor::{Device, Tensor};

use crate::nn::{
    config::{config, one_line_display},
    mode::Mode,
    score_function_selector::{ScoreFunctionSelector, ScoreFunctionSelectorConfig},
    seeds::{SeedStream, StepCount},
};
use crate::{
    check::{self, Domain},
    relax::argmax_gather,
    schedule::Schedule,
    strategy::Strategy,
};

config! {
    /// Configuration of [`Selector`].
    SelectorConfig {
        /// How to train through the choice. Default: the free energy at temperature .1.
        strategy: Strategy = Strategy::default(), with_strategy;
        /// The axis of the classes in the logits; negative counts from the end. Default: -1.
        dim: isize = -1, with_dim;
        /// The axis of choices that share one cost, which has size 1 along it. Default: none.
        joint_dim: Option<isize> = None, with_joint_dim;
        /// Weight of the entropy bonus in the gradient, at least 0, in the unit of the cost. Default: 0.
        entropy_weight: Schedule = Schedule::Constant { value: 0.0 }, with_entropy_weight;
        /// Makes the draws reproducible. Two modules of one seed draw the same numbers: give each its own.
        /// Default: drawn once from the device's generator.
        seed: Option<u64> = None, with_seed;
        /// Refuse a strategy that draws and has no seed. Default: false.
        reproducible: bool = false, with_reproducible;
    }
}

/// A choice that trains by any [`Strategy`]: the network around it stays as it is when the strategy changes.
///
/// The caller hands in logits, one value for each class, and the cost of a value as a closure. The strategy decides which
/// values the closure is asked about: all of them, a blend, a chosen one or several samples. In inference, which is on a
/// device without autodiff or after [`freeze`](burn_core::module::Module::freeze), it is the value at the argmax.
///
/// Choices in a row nest: the closure of one runs the rest of the network, with a choice of its own inside. What the strategy
/// asks for multiplies then, `n` classes at each of three choices making `n³` costs for the strategies that look at all.
///
/// Created with [`SelectorConfig`]. A learned deviation and a moving average are part of a saved record; the counts of steps
/// and draws are not: [`resume`](Self::resume) sets them.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{Strategy, nn::SelectorConfig};
///
/// let device = Device::flex().autodiff();
/// let logits = Tensor::<2>::from_floats([[-2.0, 0.0, 0.5]], &device).require_grad();
/// let values = Tensor::<2>::from_floats([[10.0, 20.0, 30.0]], &device);
/// let target = Tensor::<2>::from_floats([[21.0]], &device);
///
/// // The only line that changes with the strategy.
/// let strategy = Strategy::FreeEnergy { temperature: 10.0.into() };
/// let selector = SelectorConfig::new().with_strategy(strategy).init(&device);
/// let cost = |values: Tensor<2>| (values - target.clone()).square();
/// let loss = selector.loss(logits.clone(), values.clone(), cost);
/// let gradient = logits.grad(&loss.mean().backward()).unwrap().into_data().try_to_vec::<f32>().unwrap();
/// assert!(gradient[1] < 0.0 && gradient[2] > 0.0); // the second class fits best
///
/// let chosen = selector.choose(logits, values);
/// assert_eq!(chosen.into_scalar::<f32>(), 30.0);
/// ```
///
/// Three choices in a row, each refining the last one's value:
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::{Strategy, nn::{Selector, SelectorConfig}};
///
/// // Adds -1, 0 or 1 to `value`, three times; the cost is the squared distance of the end from 2.
/// fn walk<const D: usize>(selector: &Selector, logits: [Tensor<1>; 3], value: Tensor<D>) -> Tensor<D> {
///     let [first, second, third] = logits;
///     let step = |logits: Tensor<1>, value: Tensor<D>, then: &dyn Fn(Tensor<D>) -> Tensor<D>| {
///         // One row for every value so far, the classes in a dimension behind.
///         let shape = value.dims();
///         let count = shape.iter().product::<usize>();
///         let moves = Tensor::<1>::from_floats([-1.0, 0.0, 1.0], &value.device()).reshape([1, 3]);
///         let values = value.reshape([count, 1]) + moves;
///         let cost = |values: Tensor<2>| {
///             let asked = values.dims();
///             let rest: usize = asked.iter().product();
///             let mut flat = [1; D];
///             flat[0] = rest;
///             then(values.reshape(flat)).reshape(asked)
///         };
///         selector.loss(logits.reshape([1, 3]).expand([count, 3]), values, cost).reshape(shape)
///     };
///     let end = |value: Tensor<D>| (value - 2.0).square();
///     step(first, value, &|v| step(second.clone(), v, &|v| step(third.clone(), v, &end)))
/// }
///
/// let device = Device::flex().autodiff();
/// for strategy in [Strategy::Expected, Strategy::default(), Strategy::ReinMax { temperature: 1.0.into() }] {
///     let selector = SelectorConfig::new().with_strategy(strategy).with_seed(Some(1)).init(&device);
///     let logits = [0, 1, 2].map(|_| Tensor::<1>::zeros([3], &device).require_grad());
///     let loss = walk(&selector, logits.clone(), Tensor::<1>::zeros([1], &device));
///     let grads = loss.backward();
///     for choice in logits {
///         assert_eq!(choice.grad(&grads).unwrap().dims(), [3]);
///     }
/// }
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Selector {
    /// How the choice is trained.
    #[module(skip)]
    pub strategy: Strategy,
    /// The axis of the classes in the logits.
    #[module(skip)]
    pub dim: isize,
    /// The axis of choices that share one cost.
    #[module(skip)]
    pub joint_dim: Option<isize>,
    /// Weight of the entropy bonus in the gradient.
    #[module(skip)]
    pub entropy_weight: Schedule,
    /// Whether to behave as during training; cleared by freezing.
    pub training: Param<Flag>,
    /// Logarithm of the standard deviation that a mixture likelihood learns.
    pub log_deviation: Option<Param<Tensor<1>>>,
    pub(super) sampler: Option<ScoreFunctionSelector>,
    #[module(skip)]
    pub(super) seeds: SeedStream,
    #[module(skip)]
    pub(super) steps: StepCount,
}

one_line_display!(Selector {
    strategy,
    dim,
    joint_dim,
    entropy_weight
});

impl SelectorConfig {
    /// Initializes the module.
    ///
    /// # Panics
    ///
    /// If a number of the strategy or the entropy weight is out of its domain, there is one sample with a leave-one-out
    /// baseline, or a strategy that draws has no seed and shall be reproducible.
    #[track_caller]
    pub fn init(&self, device: &Device) -> Selector {
        let op = "Selector";
        self.strategy.check(op);
        self.entropy_weight
            .check(op, "entropy_weight", Domain::NotNegative);
        if self.reproducible && self.strategy.is_stochastic() {
            check::given(
                op,
                "seed",
                "a strategy that draws and shall be reproducible",
                self.seed.is_some(),
            );
        }
        let sampler = match self.strategy {
            Strategy::ScoreFunction { samples, baseline } => Some(
                ScoreFunctionSelectorConfig::new()
                    .with_dim(self.dim)
                    .with_joint_dim(self.joint_dim)
                    .with_samples(samples)
                    .with_baseline(baseline)
                    .with_seed(self.seed)
                    .init(device),
            ),
            _ => None,
        };
        let log_deviation = match self.strategy {
            Strategy::Mixture {
                deviation,
                learned: true,
            } => Some(Param::from_tensor(Tensor::full(
                [1],
                deviation.ln(),
                device,
            ))),
            _ => None,
        };
        Selector {
            strategy: self.strategy,
            dim: self.dim,
            joint_dim: self.joint_dim,
            entropy_weight: self.entropy_weight,
            training: Param::from_bool(true),
            log_deviation,
            sampler,
            seeds: SeedStream::new(self.seed),
            steps: StepCount::default(),
        }
    }
}

impl Selector {
    /// The value of the argmax: what the choice is for.
    ///
    /// # Shapes
    ///
    /// - output: the values' shape with size 1 along `dim`
    ///
    /// # Panics
    ///
    /// If `dim` is out of range, the axis is empty, or the values' shape does not begin with the logits'.
    #[track_caller]
    pub fn choose<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
    ) -> Tensor<DV> {
        argmax_gather(logits, values, self.dim)
    }

    /// Whether it behaves as in training for tensors of a device.
    #[must_use]
    pub fn mode(&self, device: &Device) -> Mode {
        Mode::new(&self.training, device)
    }

    /// The step that schedules are at: the number of forward passes in training, or what was set.
    pub fn step(&self) -> usize {
        self.steps.get()
    }

    /// Sets the step of the schedules, for several forward passes in one step or for a training that goes on.
    pub fn set_step(&self, step: usize) {
        self.steps.set(step);
    }

    /// Goes on as after so many forward passes in training: schedules at that step, draws that have not been made. For a
    /// training that continues from a saved record.
    pub fn resume(&self, passes: usize) {
        self.steps.set(passes);
        self.seeds.resume(passes);
        if let Some(sampler) = &self.sampler {
            sampler.resume(passes);
        }
    }

    /// The selector for one device's part of a batch: it draws and schedules as in forward pass number `pass`, counted from 0,
    /// for the examples from number `first` on. Together the parts draw what one device would draw for the whole batch.
    ///
    /// Examples lie along the first axis of the logits that is not the classes'. Its counts are its own; parameters, and the
    /// moving average, are those of `self` for reading. What a strategy takes from the batch it takes from the part: the
    /// [`Batch`](crate::nn::Baseline::Batch) baseline averages over the part's other rows, and a moving average that the part
    /// updates does not reach the other parts.
    #[must_use]
    pub fn part(&self, pass: usize, first: usize) -> Self {
        Self {
            seeds: self.seeds.part(pass, first),
            steps: StepCount::at(pass),
            sampler: self
                .sampler
                .as_ref()
                .map(|sampler| sampler.part(pass, first)),
            ..self.clone()
        }
    }
}
