use burn_core as burn;
use burn_core::module::{Flag, Module, Param, RunningState};
use burn_core::tensor::{Bool, Device, Int, Tensor};

use super::{
    config::{config, one_line_display},
    mode::Mode,
    seeds::SeedStream,
};
use crate::{
    check,
    distribution::categorical::{categorical_entropy, sample_categorical_with_log_prob},
    estimate::baseline::{Baseline, batch_baseline, leave_one_out_baseline},
    loss::score_function_loss::surrogate,
    parts::{
        centred::spread,
        choose::gather_classes,
        constant::Constant,
        dtype::{computed_in, held, load, store},
    },
    relax::argmax::{argmax, argmax_gather},
};

config! {
    /// Configuration of [`ScoreFunctionSelector`].
    ScoreFunctionSelectorConfig {
        /// The axis of the classes in the logits; negative counts from the end. Default: -1.
        dim: isize = -1, with_dim;
        /// The axis of choices that share one cost: their log-probabilities add up, and the cost has size 1 along it.
        /// Default: none, every row has a cost of its own.
        joint_dim: Option<isize> = None, with_joint_dim;
        /// Classes drawn per row in training, at least 1. Default: 1.
        samples: usize = 1, with_samples;
        /// What costs are compared with. Default: none.
        baseline: Baseline = Baseline::None, with_baseline;
        /// Weight of the entropy in the surrogate's gradient, at least 0, in the unit of the cost. Default: 0.
        entropy_weight: f64 = 0.0, with_entropy_weight;
        /// Makes the draws reproducible. Two modules of one seed draw the same numbers: give each its own.
        /// Default: drawn once from the device's generator.
        seed: Option<u64> = None, with_seed;
    }
}

/// Chooses classes and turns the caller's cost into a surrogate with an unbiased gradient for the choice.
///
/// In training it samples; in inference, which is on a device without autodiff or after
/// [`freeze`](burn_core::module::Module::freeze), it takes the argmax and builds no distribution.
///
/// Created with [`ScoreFunctionSelectorConfig`]. The moving average is part of a saved record, the count of draws is not.
///
/// # Example
///
/// ```
/// use burn_core::tensor::{Device, Tensor};
/// use burn_relax::nn::{Baseline, ScoreFunctionSelectorConfig};
///
/// let device = Device::flex().autodiff();
/// let selector = ScoreFunctionSelectorConfig::new()
///     .with_samples(4)
///     .with_baseline(Baseline::LeaveOneOut)
///     .with_seed(Some(1))
///     .init(&device);
/// let logits = Tensor::<2>::zeros([8, 3], &device).require_grad();
/// let values = Tensor::<2>::from_floats([[0.0, 1.0, 2.0]], &device).expand([8, 3]);
///
/// let selection = selector.choose(logits.clone(), values);
/// assert_eq!(selection.indices.dims(), [8, 4]);
/// // Any cost of the chosen values; here their squared distance from 1.
/// let loss = selector.loss(selection, |values| (values - 1.0).square());
/// let grads = loss.mean().backward();
/// assert_eq!(logits.grad(&grads).unwrap().dims(), [8, 3]);
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct ScoreFunctionSelector {
    /// The axis of the classes in the logits.
    #[module(skip)]
    pub dim: isize,
    /// The axis of choices that share one cost.
    #[module(skip)]
    pub joint_dim: Option<isize>,
    /// Classes drawn per row in training.
    #[module(skip)]
    pub samples: usize,
    /// What costs are compared with.
    #[module(skip)]
    pub baseline: Baseline,
    /// Weight of the entropy in the surrogate's gradient.
    #[module(skip)]
    pub entropy_weight: f64,
    /// Whether to behave as during training; cleared by freezing.
    pub training: Param<Flag>,
    /// Sum and weight of the past costs, both decayed.
    average: RunningState<Tensor<1>>,
    #[module(skip)]
    seeds: SeedStream,
}

one_line_display!(ScoreFunctionSelector {
    dim,
    samples,
    baseline,
    entropy_weight
});

impl ScoreFunctionSelectorConfig {
    /// Initializes the module.
    ///
    /// # Panics
    ///
    /// If there is no sample, or one with a leave-one-out baseline, or a decay or weight is out of its domain.
    #[track_caller]
    pub fn init(&self, device: &Device) -> ScoreFunctionSelector {
        let op = "ScoreFunctionSelector";
        check::at_least(op, "samples", 1, self.samples);
        check::not_negative(op, "entropy_weight", self.entropy_weight);
        match self.baseline {
            Baseline::LeaveOneOut => {
                check::at_least(op, "samples with a leave-one-out baseline", 2, self.samples);
            }
            Baseline::MovingAverage { decay } => check::share(op, "decay", decay),
            Baseline::None | Baseline::Batch | Baseline::Greedy => {}
        }
        ScoreFunctionSelector {
            dim: self.dim,
            joint_dim: self.joint_dim,
            samples: self.samples,
            baseline: self.baseline,
            entropy_weight: self.entropy_weight,
            training: Param::from_bool(true),
            average: RunningState::new(load(Tensor::zeros([2], device))),
            seeds: SeedStream::new(self.seed),
        }
    }
}

/// Chosen classes with their values, and in training what the surrogate needs.
#[derive(Clone, Debug)]
pub struct Selection<const D: usize, const DV: usize> {
    /// The chosen classes: `[.., K, ..]` along `dim`, `K` samples in training and 1 in inference.
    pub indices: Tensor<D, Int>,
    /// The values of the chosen classes: the values' shape with size `K` along `dim`.
    pub values: Tensor<DV>,
    /// Log-probabilities of the chosen classes, shaped as `indices`, or summed to size 1 along `joint_dim`, then in at least f32; none
    /// in inference.
    pub log_probs: Option<Tensor<D>>,
    /// Entropy of each row's distribution, size 1 along `dim` and `joint_dim`; only in training with an entropy bonus.
    pub entropy: Option<Tensor<D>>,
    /// The values at the argmax, size 1 along `dim`; only in training with a greedy baseline.
    pub greedy_values: Option<Tensor<DV>>,
}

impl ScoreFunctionSelector {
    /// Whether it behaves as in training for tensors of a device.
    #[must_use]
    pub fn mode(&self, device: &Device) -> Mode {
        Mode::new(&self.training, device)
    }

    /// Goes on drawing as after so many forward passes in training, for a training that continues from a saved record.
    pub fn resume(&self, passes: usize) {
        self.seeds.resume(passes);
    }

    /// The selector for one device's part of a batch: see [`Selector::part`](super::Selector::part).
    #[must_use]
    pub fn part(&self, pass: usize, first: usize) -> Self {
        Self {
            seeds: self.seeds.part(pass, first),
            ..self.clone()
        }
    }

    /// Chooses a class per row, or `samples` of them, and reads out their values.
    ///
    /// # Shapes
    ///
    /// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
    /// - values: the logits' shape, then any feature dimensions
    /// - output: see [`Selection`]
    ///
    /// # Panics
    ///
    /// If `dim` or `joint_dim` is out of range or both are one, the axis is empty, or the values' shape does not begin with
    /// the logits'.
    #[track_caller]
    pub fn choose<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
    ) -> Selection<D, DV> {
        let op = "ScoreFunctionSelector";
        let (logits, dim) = check::logits(op, logits, self.dim);
        let values = values.dequantize();
        check::values_of(op, &logits, &values);

        if !self.mode(&logits.device()).trains() {
            return Selection {
                indices: argmax(logits.clone(), dim),
                values: argmax_gather(logits, values, dim),
                log_probs: None,
                entropy: None,
                greedy_values: None,
            };
        }

        let seed = self.seeds.next(&logits, dim);
        let (indices, log_probs) =
            sample_categorical_with_log_prob(logits.clone(), dim, self.samples, seed);
        let greedy_values = (self.baseline == Baseline::Greedy)
            .then(|| argmax_gather(logits.clone(), values.clone(), dim).constant());
        let joint = self.joint::<D>(dim);
        let sum = |tensor: Tensor<D>| match joint {
            Some(joint) => load(tensor).sum_dim(joint),
            None => tensor,
        };
        let entropy =
            (self.entropy_weight > 0.0).then(|| sum(categorical_entropy(logits.clone(), dim)));
        let log_probs = sum(log_probs);
        Selection {
            values: gather_classes(&logits, values, indices.clone(), dim),
            indices,
            log_probs: Some(log_probs),
            entropy,
            greedy_values,
        }
    }

    /// The loss of a choice, a surrogate: its value is the cost of the chosen values, its gradient the estimator.
    ///
    /// `cost` maps values, `[.., K, ..]` with any feature dimensions, to costs `[.., K, ..]`, of size 1 along `joint_dim`; with
    /// a greedy baseline it is called a second time for the values at the argmax, `K = 1`. Minimise the mean of the result.
    ///
    /// # Shapes
    ///
    /// - output: the shape of the costs
    ///
    /// # Gradient
    ///
    /// Pathwise for what the cost depends on, score function for the logits, plus `-entropy_weight ∇H`.
    ///
    /// # Panics
    ///
    /// If the cost's shape is another, or a batch baseline has one row only.
    ///
    /// # Numerical behaviour
    ///
    /// The value is the cost, whatever it is. A cost or baseline that is infinite or NaN teaches the logits nothing, and the moving
    /// average leaves it out.
    #[track_caller]
    pub fn loss<const D: usize, const DV: usize>(
        &self,
        selection: Selection<D, DV>,
        cost: impl FnMut(Tensor<DV>) -> Tensor<D>,
    ) -> Tensor<D> {
        self.estimate("ScoreFunctionSelector", selection, cost, None)
    }

    /// [`loss`](Self::loss) with a baseline of the caller's, such as a critic's prediction of the cost, in place of
    /// the configured one.
    ///
    /// The baseline must not depend on the row's own sample. It is detached; train a critic by a cost of its own.
    ///
    /// # Panics
    ///
    /// As [`loss`](Self::loss), and if the baseline's shape does not broadcast to the costs'.
    #[track_caller]
    pub fn loss_with_baseline<const D: usize, const DV: usize>(
        &self,
        selection: Selection<D, DV>,
        cost: impl FnMut(Tensor<DV>) -> Tensor<D>,
        baseline: Tensor<D>,
    ) -> Tensor<D> {
        self.estimate("ScoreFunctionSelector", selection, cost, Some(baseline))
    }

    /// [`loss`](Self::loss) for a module whose name the messages have, with a baseline of the caller's if there is one.
    #[track_caller]
    pub(super) fn estimate<const D: usize, const DV: usize>(
        &self,
        op: &str,
        selection: Selection<D, DV>,
        mut cost: impl FnMut(Tensor<DV>) -> Tensor<D>,
        given: Option<Tensor<D>>,
    ) -> Tensor<D> {
        let dim = check::dim::<D>(op, self.dim);
        let costs = cost(selection.values).dequantize();
        let mut shape = selection.indices.shape();
        let mut other = "the indices";
        if let Some(joint) = self.joint::<D>(dim) {
            shape[joint] = 1;
            other = "the indices with size 1 along joint_dim";
        }
        check::same_shape(op, "cost", other, shape.clone(), costs.shape());
        #[cfg(feature = "debug-validation")]
        check::values(op, "cost", &costs, |v| !v.is_nan(), "not be NaN");
        let Some(log_probs) = selection.log_probs else {
            return costs;
        };
        let [cost_dtype, dtype] = [&costs, &log_probs].map(|tensor| computed_in(tensor.dtype()));
        check::same_dtype(op, "cost", "the logits", dtype, cost_dtype);
        let baseline = match (given, self.baseline) {
            (Some(baseline), _) => {
                check::broadcasts(op, "baseline", shape, baseline.shape());
                let dtype = computed_in(baseline.dtype());
                check::same_dtype(op, "baseline", "the costs", cost_dtype, dtype);
                Some(spread(baseline, costs.dims()))
            }
            (None, Baseline::None) => None,
            (None, Baseline::MovingAverage { decay }) => {
                Some(self.past(costs.clone().constant(), decay))
            }
            (None, Baseline::LeaveOneOut) => Some(leave_one_out_baseline(costs.clone(), dim)),
            (None, Baseline::Batch) => Some(batch_baseline(costs.clone(), dim)),
            (None, Baseline::Greedy) => match selection.greedy_values {
                Some(values) => {
                    let greedy = cost(values).constant();
                    shape[dim] = 1;
                    let other = "the values at the argmax";
                    check::same_shape(op, "cost", other, shape, greedy.shape());
                    Some(spread(greedy, costs.dims()))
                }
                None => None,
            },
        };
        let dtype = costs.dtype();
        let surrogate = surrogate(log_probs, costs, baseline);
        match selection.entropy {
            None => surrogate,
            Some(entropy) => {
                // Only the gradient: the surrogate's value stays the cost.
                let weight = held(self.entropy_weight, entropy.dtype());
                let bonus = entropy.clone().constant().sub(entropy).mul_scalar(weight);
                surrogate.add(store(bonus, dtype))
            }
        }
    }

    #[track_caller]
    fn joint<const D: usize>(&self, dim: usize) -> Option<usize> {
        check::joint_dim::<D>("ScoreFunctionSelector", self.joint_dim, dim)
    }

    /// The mean of the past costs, then the current ones folded in, those that are finite; without any nothing changes.
    fn past<const D: usize>(&self, costs: Tensor<D>, decay: f64) -> Tensor<D> {
        let (shape, dtype) = (costs.dims(), costs.dtype());
        if shape.contains(&0) {
            return costs;
        }
        let average = self.average.value_sync();
        // One that is no number any more is forgotten.
        let average = average
            .clone()
            .mask_fill(spread(is_lost(&average), [2]), 0.0);
        let sum = average.clone().narrow(0, 0, 1);
        let weight = average.clone().narrow(0, 1, 1);
        let none = weight.clone().equal_elem(0.0);
        let baseline = sum.div(weight.mask_fill(none, 1.0));

        let costs = load(costs);
        let unknown = costs.clone().is_finite().bool_not();
        let known = costs.ones_like().mask_fill(unknown.clone(), 0.0).sum();
        let share = costs
            .mask_fill(unknown, 0.0)
            .div(known.clone().clamp_min(1.0).reshape([1; D]));
        let mean = share.sum().cast(average.dtype());
        let current = Tensor::cat(vec![mean.clone(), mean.ones_like()], 0);
        let next = average
            .clone()
            .mul_scalar(decay)
            .add(current.mul_scalar(1.0 - decay));
        let useless = known.equal_scalar(0.0).bool_or(is_lost(&next));
        self.average
            .update(next.mask_where(spread(useless, [2]), average));
        spread(baseline.cast(dtype).reshape([1; D]), shape)
    }
}

/// Whether a sum and its weight are no finite numbers.
fn is_lost(average: &Tensor<1>) -> Tensor<1, Bool> {
    average.clone().sum().is_finite().bool_not()
}
