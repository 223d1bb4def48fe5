//! What a [`Selector`] does in training, for each strategy.

use burn_core::tensor::{DType, Tensor};

use super::{module::Selector, outcomes, read_out::interpolated};
use crate::{
    check,
    distribution::categorical_entropy,
    loss::{
        expected_loss::expected_loss,
        free_energy_loss::{free_energy_loss, relative_free_energy},
        winner_takes_all_loss::winner_takes_all_loss,
    },
    parts::{
        choose::{allowed_values, weighted},
        constant::Constant,
        dtype::{held, load, store},
    },
    relax::{argmax_gather, reinmax},
    strategy::Strategy,
};

/// The logarithm of a learned deviation goes no farther than this to either side: beyond, a cost over the deviation's square would
/// leave the range of f32.
const EXTREME_LOG_DEVIATION: f64 = 35.0;

impl Selector {
    /// The training loss of each row; in inference its cost at the argmax.
    ///
    /// `cost` maps values, `[.., K, ..]` with any feature dimensions, to costs `[.., K, ..]`, of size 1 along `joint_dim`, for
    /// any `K ≥ 1`. Minimise the mean of the result. Its value is the cost the strategy looks at, apart from the strategies that
    /// have an objective of their own; the entropy bonus changes the gradient only.
    ///
    /// # Shapes
    ///
    /// - logits: `[.., n, ..]` with `n ≥ 1` along `dim`
    /// - values: the logits' shape, then any feature dimensions
    /// - output: the logits' shape with size 1 along `dim` and `joint_dim`
    ///
    /// # Panics
    ///
    /// If `dim` or `joint_dim` is out of range or both are one, the axis is empty, the values' shape does not begin with the
    /// logits', the cost has another shape than it should, or there are more than 65536 combinations of choices that share
    /// a cost for a strategy that looks at all. With the feature `debug-validation` also if a cost is NaN.
    ///
    /// # Randomness
    ///
    /// Every call in training draws anew.
    ///
    /// # Numerical behaviour
    ///
    /// What stands at a forbidden class as a value does not reach the cost, NaN included: a strategy that looks at all classes asks
    /// about an allowed value in its place. On a device without autodiff there is no gradient, and the cost is that of inference;
    /// [`mode`](Self::mode) says so.
    #[track_caller]
    pub fn loss<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
        cost: impl FnMut(Tensor<DV>) -> Tensor<D>,
    ) -> Tensor<D> {
        self.estimate(logits, values, cost, None)
    }

    /// [`loss`](Self::loss) with a baseline of the caller's for the score function, such as a critic's prediction of the
    /// cost; other strategies have no use for it.
    ///
    /// # Panics
    ///
    /// As [`loss`](Self::loss), and if the score function uses the baseline and its shape does not broadcast to the
    /// costs'.
    #[track_caller]
    pub fn loss_with_baseline<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
        cost: impl FnMut(Tensor<DV>) -> Tensor<D>,
        baseline: Tensor<D>,
    ) -> Tensor<D> {
        self.estimate(logits, values, cost, Some(baseline))
    }

    #[track_caller]
    fn estimate<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
        cost: impl FnMut(Tensor<DV>) -> Tensor<D>,
        baseline: Option<Tensor<D>>,
    ) -> Tensor<D> {
        let op = "Selector";
        let (logits, dim) = check::logits(op, logits, self.dim);
        let joint = check::joint_dim::<D>(op, self.joint_dim, dim);
        let values = values.dequantize();
        check::values_of(op, &logits, &values);
        let mut cost = Cost { cost, joint };
        if !self.mode(&logits.device()).trains() {
            return cost.of(argmax_gather(logits, values, dim));
        }
        let step = self.steps.next();
        let weight = self.entropy_weight.at(step);
        let entropy = (weight > 0.0).then(|| {
            let entropy = categorical_entropy(load(logits.clone()), dim);
            match joint {
                Some(joint) => entropy.sum_dim(joint),
                None => entropy,
            }
        });
        let training = Training {
            selector: self,
            dim,
            joint,
            step,
        };
        let loss = training.loss(logits, values, cost, baseline);
        match entropy {
            None => loss,
            Some(entropy) => {
                let weight = held(weight, entropy.dtype());
                let bonus = entropy.clone().constant().sub(entropy);
                let dtype = loss.dtype();
                loss.add(store(bonus.mul_scalar(weight), dtype))
            }
        }
    }
}

/// The caller's cost, and the axis that it has size 1 along. Not a closure round it, from within which a panic would not point at
/// the caller.
struct Cost<F> {
    cost: F,
    joint: Option<usize>,
}

impl<F> Cost<F> {
    #[track_caller]
    fn of<const D: usize, const DV: usize>(&mut self, values: Tensor<DV>) -> Tensor<D>
    where
        F: FnMut(Tensor<DV>) -> Tensor<D>,
    {
        let mut expected: [usize; D] = core::array::from_fn(|axis| values.dims()[axis]);
        let costs = (self.cost)(values).dequantize();
        if let Some(joint) = self.joint {
            expected[joint] = 1;
        }
        check::cost("Selector", expected.into(), costs.shape());
        #[cfg(feature = "debug-validation")]
        check::values("Selector", "cost", &costs, |v| !v.is_nan(), "not be NaN");
        costs
    }
}

/// One forward pass in training.
struct Training<'a> {
    selector: &'a Selector,
    dim: usize,
    joint: Option<usize>,
    step: usize,
}

impl Training<'_> {
    /// The loss of each row, without the entropy bonus.
    #[track_caller]
    fn loss<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
        mut cost: Cost<impl FnMut(Tensor<DV>) -> Tensor<D>>,
        baseline: Option<Tensor<D>>,
    ) -> Tensor<D> {
        let (dim, step) = (self.dim, self.step);
        let seed = || self.selector.seeds.next(&logits, dim);
        match self.selector.strategy {
            Strategy::FreeEnergy { temperature } => {
                let temperature = temperature.at(step);
                let (logits, costs, dtype) = self.all(logits, values, cost);
                store(free_energy_loss(logits, costs, dim, temperature), dtype)
            }
            Strategy::Expected => {
                let (logits, costs, dtype) = self.all(logits, values, cost);
                store(expected_loss(logits, costs, dim), dtype)
            }
            Strategy::Mixture { deviation, .. } => {
                let (logits, costs, dtype) = self.all(logits, values, cost);
                store(self.mixture(load(logits), load(costs), deviation), dtype)
            }
            Strategy::WinnerTakesAll => {
                let (logits, costs, dtype) = self.all(logits, values, cost);
                store(winner_takes_all_loss(logits, costs, dim), dtype)
            }
            Strategy::Gather(relaxation) => {
                let seed = relaxation.is_stochastic().then(seed).unwrap_or_default();
                let choice = relaxation.at(step, seed);
                cost.of(choice.gather(logits, values, dim))
            }
            Strategy::BlendedGather(relaxation) => {
                let seed = relaxation.is_stochastic().then(seed).unwrap_or_default();
                let choice = relaxation.at(step, seed);
                cost.of(choice.blended_gather(logits, values, dim))
            }
            Strategy::ReinMax { temperature } => {
                let gate = reinmax(logits.clone(), dim, temperature.at(step), seed());
                cost.of(weighted(&logits, gate, values, dim))
            }
            Strategy::ScoreFunction { .. } => self.sampled(logits, values, cost.cost, baseline),
            Strategy::SoftArgmax { temperature } => {
                cost.of(interpolated(logits, values, dim, temperature.at(step)))
            }
        }
    }

    /// Logits and costs of all classes, or of all combinations where choices share a cost, and the dtype of the costs, which may
    /// be computed in a longer one.
    #[track_caller]
    fn all<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
        mut cost: Cost<impl FnMut(Tensor<DV>) -> Tensor<D>>,
    ) -> (Tensor<D>, Tensor<D>, DType) {
        let values = allowed_values(&logits, values, self.dim);
        let (logits, values) = match self.joint {
            Some(joint) => outcomes::combine("Selector", load(logits), values, self.dim, joint),
            None => (logits, values),
        };
        let costs = cost.of(values);
        let dtype = costs.dtype();
        if logits.dtype() == dtype {
            (logits, costs, dtype)
        } else {
            (load(logits), load(costs), dtype)
        }
    }

    /// `F / T + ln s + ½ ln 2π` with `T = 2 s²`, of logits and costs in at least f32.
    fn mixture<const D: usize>(
        &self,
        logits: Tensor<D>,
        costs: Tensor<D>,
        deviation: f64,
    ) -> Tensor<D> {
        let half_log_tau = core::f64::consts::TAU.ln() / 2.0;
        match &self.selector.log_deviation {
            None => {
                let temperature = held(2.0 * deviation * deviation, costs.dtype());
                // A tensor: the gradient of a division by a number is taken in f32.
                let scale = Tensor::full([1; D], temperature, (&costs.device(), costs.dtype()));
                free_energy_loss(logits, costs, self.dim, temperature)
                    .div(scale)
                    .add_scalar(deviation.ln() + half_log_tau)
            }
            Some(log_deviation) => {
                let log = store(load(log_deviation.val()), costs.dtype()).reshape([1; D]);
                let (least, most) = (-EXTREME_LOG_DEVIATION, EXTREME_LOG_DEVIATION);
                // The cost's slope passes: it leads back from an extreme. The other one ends there, so that a class which meets its
                // targets exactly does not run away.
                let fixed = log.clone().constant();
                let change = fixed.clone().clamp(least, most).sub(fixed);
                // 1 / T, whose slope has no square of T.
                let log_scale = log.clone().add(change).mul_scalar(-2.0);
                let relative = |cost: Tensor<D>| cost.mul(log_scale.exp().div_scalar(2.0));
                relative_free_energy(logits, costs, self.dim, relative)
                    .add(log.clamp_min(least))
                    .add_scalar(half_log_tau)
            }
        }
    }

    #[track_caller]
    fn sampled<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
        cost: impl FnMut(Tensor<DV>) -> Tensor<D>,
        baseline: Option<Tensor<D>>,
    ) -> Tensor<D> {
        let sampler = self.selector.sampler.as_ref();
        check::given(
            "Selector",
            "strategy",
            "a changed score function",
            sampler.is_some(),
        );
        let sampler = sampler.expect("checked in the line above");
        let selection = sampler.choose(logits, values);
        let loss = sampler.estimate("Selector", selection, cost, baseline);
        let dtype = loss.dtype();
        store(load(loss).mean_dim(self.dim), dtype)
    }
}
