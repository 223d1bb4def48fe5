//! What a [`Selector`] does in training, for each strategy.

use burn_core::tensor::Tensor;

use super::{module::Selector, outcomes, read_out::interpolated};
use crate::{
    check,
    distribution::categorical_entropy,
    loss::{
        expected_loss::expected_loss, free_energy_loss::free_energy_loss,
        winner_takes_all_loss::winner_takes_all_loss,
    },
    parts::{choose::weighted, constant::Constant},
    relax::{argmax_gather, reinmax},
    schedule::Schedule,
    strategy::Strategy,
};

/// A learned deviation's logarithm goes no lower, so that a class that meets its targets exactly does not run away.
const LOWEST_LOG_DEVIATION: f64 = -5.0;

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
    #[track_caller]
    pub fn loss<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
        cost: impl Fn(Tensor<DV>) -> Tensor<D>,
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
        cost: impl Fn(Tensor<DV>) -> Tensor<D>,
        baseline: Tensor<D>,
    ) -> Tensor<D> {
        self.estimate(logits, values, cost, Some(baseline))
    }

    #[track_caller]
    fn estimate<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
        cost: impl Fn(Tensor<DV>) -> Tensor<D>,
        baseline: Option<Tensor<D>>,
    ) -> Tensor<D> {
        let op = "Selector";
        let dim = check::dim::<D>(op, self.dim);
        let joint = check::joint_dim::<D>(op, self.joint_dim, dim);
        check::not_empty(op, "logits", &logits, dim);
        check::values_of(op, &logits, &values);
        let checked = |values: Tensor<DV>| {
            let asked: [usize; D] = core::array::from_fn(|axis| values.dims()[axis]);
            let costs = cost(values);
            let mut expected = asked;
            if let Some(joint) = joint {
                expected[joint] = 1;
            }
            check::cost(op, expected.into(), costs.shape());
            #[cfg(feature = "debug-validation")]
            check::values(op, "cost", &costs, |v| !v.is_nan(), "not be NaN");
            costs
        };

        let device = logits.device();
        if !(self.training.is_enabled() && device.is_autodiff()) {
            return checked(argmax_gather(logits, values, dim));
        }
        let step = self.steps.next();
        let weight = self.entropy_weight.at(step);
        let entropy = (weight > 0.0).then(|| {
            let entropy = categorical_entropy(logits.clone(), dim);
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
        let loss = training.loss(logits, values, checked, baseline);
        match entropy {
            None => loss,
            Some(entropy) => {
                let bonus = entropy.clone().constant().sub(entropy);
                loss.add(bonus.mul_scalar(weight))
            }
        }
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
        cost: impl Fn(Tensor<DV>) -> Tensor<D>,
        baseline: Option<Tensor<D>>,
    ) -> Tensor<D> {
        let (dim, at) = (self.dim, |schedule: Schedule| schedule.at(self.step));
        let seed = || self.selector.seeds.next(&logits, dim);
        match self.selector.strategy {
            Strategy::FreeEnergy { temperature } => {
                let (logits, costs) = self.all(logits, values, cost);
                free_energy_loss(logits, costs, dim, at(temperature))
            }
            Strategy::Expected => {
                let (logits, costs) = self.all(logits, values, cost);
                expected_loss(logits, costs, dim)
            }
            Strategy::Mixture { deviation, .. } => {
                let (logits, costs) = self.all(logits, values, cost);
                self.mixture(logits, costs, deviation)
            }
            Strategy::WinnerTakesAll => {
                let (logits, costs) = self.all(logits, values, cost);
                winner_takes_all_loss(logits, costs, dim)
            }
            Strategy::Gather(relaxation) => {
                let seed = relaxation.is_stochastic().then(seed).unwrap_or_default();
                let choice = relaxation.at(self.step, seed);
                cost(choice.gather(logits, values, dim))
            }
            Strategy::BlendedGather(relaxation) => {
                let seed = relaxation.is_stochastic().then(seed).unwrap_or_default();
                let choice = relaxation.at(self.step, seed);
                cost(choice.blended_gather(logits, values, dim))
            }
            Strategy::ReinMax { temperature } => {
                let gate = reinmax(logits.clone(), dim, at(temperature), seed());
                cost(weighted(&logits, gate, values, dim))
            }
            Strategy::ScoreFunction { .. } => self.sampled(logits, values, cost, baseline),
            Strategy::SoftArgmax { temperature } => {
                cost(interpolated(logits, values, dim, at(temperature)))
            }
        }
    }

    /// Logits and costs of all classes, or of all combinations where choices share a cost.
    #[track_caller]
    fn all<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
        cost: impl Fn(Tensor<DV>) -> Tensor<D>,
    ) -> (Tensor<D>, Tensor<D>) {
        let (logits, values) = match self.joint {
            Some(joint) => outcomes::combine("Selector", logits, values, self.dim, joint),
            None => (logits, values),
        };
        (logits, cost(values))
    }

    /// `F / T + ln s + ½ ln 2π` with `T = 2 s²`.
    fn mixture<const D: usize>(
        &self,
        logits: Tensor<D>,
        costs: Tensor<D>,
        deviation: f64,
    ) -> Tensor<D> {
        let half_log_tau = core::f64::consts::TAU.ln() / 2.0;
        match &self.selector.log_deviation {
            None => {
                let temperature = 2.0 * deviation * deviation;
                free_energy_loss(logits, costs, self.dim, temperature)
                    .div_scalar(temperature)
                    .add_scalar(deviation.ln() + half_log_tau)
            }
            Some(log_deviation) => {
                let log = log_deviation.val().cast(costs.dtype()).reshape([1; D]);
                let log = log.clamp_min(LOWEST_LOG_DEVIATION);
                let temperature = log.clone().mul_scalar(2.0).exp().mul_scalar(2.0);
                free_energy_loss(logits, costs, self.dim, temperature.clone())
                    .div(temperature)
                    .add(log)
                    .add_scalar(half_log_tau)
            }
        }
    }

    #[track_caller]
    fn sampled<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
        cost: impl Fn(Tensor<DV>) -> Tensor<D>,
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
        let loss = match baseline {
            None => sampler.loss(selection, cost),
            Some(baseline) => sampler.loss_with_baseline(selection, cost, baseline),
        };
        loss.mean_dim(self.dim)
    }
}
