//! What a [`Selector`] does in training, for each strategy.

use burn_core::tensor::Tensor;

use super::{
    Selector, outcomes,
    read_out::{interpolated, rounded, weighted},
};
use crate::{
    Schedule, Strategy, argmax, categorical_log_prob, check, expected_cost, free_energy_cost,
    functions::gather_classes, gradual_argmax, gumbel_rao, gumbel_softmax_with_map, reinmax,
    score_function_cost, soft_argmax_gather_with_map, softmax, straight_through_argmax_with_map,
    straight_through_sample, winner_takes_all_cost,
};

/// A learned deviation's logarithm goes no lower, so that a class that meets its targets exactly does not run away.
const LOWEST_LOG_DEVIATION: f64 = -5.0;

/// One forward pass in training.
pub(super) struct Choice<'a> {
    pub(super) selector: &'a Selector,
    pub(super) dim: usize,
    pub(super) joint: Option<usize>,
    pub(super) step: usize,
}

impl Choice<'_> {
    /// The loss of each row, without the entropy bonus.
    #[track_caller]
    pub(super) fn loss<const D: usize, const DV: usize>(
        &self,
        logits: Tensor<D>,
        values: Tensor<DV>,
        cost: impl Fn(Tensor<DV>) -> Tensor<D>,
        baseline: Option<Tensor<D>>,
    ) -> Tensor<D> {
        let (dim, at) = (self.dim, |schedule: Schedule| schedule.at(self.step));
        let seed = || self.selector.seeds.next(&logits, dim);
        let pick = |gate: Tensor<D>| weighted(&logits, gate, values.clone(), dim);
        match self.selector.strategy {
            Strategy::FreeEnergy { temperature } => {
                let (logits, costs) = self.all(logits, values, cost);
                free_energy_cost(logits, costs, dim, at(temperature))
            }
            Strategy::ExpectedCost => {
                let (logits, costs) = self.all(logits, values, cost);
                expected_cost(logits, costs, dim)
            }
            Strategy::MixtureLikelihood { deviation, .. } => {
                let (logits, costs) = self.all(logits, values, cost);
                self.mixture(logits, costs, deviation)
            }
            Strategy::WinnerTakesAll => {
                let (logits, costs) = self.all(logits, values, cost);
                winner_takes_all_cost(logits, costs, dim)
            }
            Strategy::SoftValue { temperature, map } => {
                let temperature = at(temperature);
                cost(soft_argmax_gather_with_map(
                    logits,
                    values,
                    dim,
                    temperature,
                    map,
                    false,
                ))
            }
            Strategy::HardGather { temperature, map } => {
                let temperature = at(temperature);
                cost(soft_argmax_gather_with_map(
                    logits,
                    values,
                    dim,
                    temperature,
                    map,
                    true,
                ))
            }
            Strategy::GradualValue { power } => {
                let gate = gradual_argmax(softmax(logits.clone(), dim, 1.0), dim, at(power));
                let total = gate.clone().sum_dim(dim);
                let nothing = total.clone().equal_elem(0.0);
                cost(pick(gate.div(total.mask_fill(nothing, 1.0))))
            }
            Strategy::StraightThroughArgmax { temperature, map } => {
                let temperature = at(temperature);
                cost(pick(straight_through_argmax_with_map(
                    logits.clone(),
                    dim,
                    temperature,
                    map,
                )))
            }
            Strategy::StraightThroughSample {
                forward_temperature,
                backward_temperature,
            } => cost(pick(straight_through_sample(
                logits.clone(),
                dim,
                at(forward_temperature),
                at(backward_temperature),
                seed(),
            ))),
            Strategy::GumbelSoftmax {
                temperature,
                hard,
                map,
            } => {
                let temperature = at(temperature);
                let gate =
                    gumbel_softmax_with_map(logits.clone(), dim, temperature, map, hard, seed());
                cost(pick(gate))
            }
            Strategy::GumbelRao { temperature, draws } => {
                let gate = gumbel_rao(logits.clone(), dim, at(temperature), draws, seed());
                cost(pick(gate))
            }
            Strategy::ReinMax { temperature } => {
                cost(pick(reinmax(logits.clone(), dim, at(temperature), seed())))
            }
            Strategy::ScoreFunction { .. } => self.sampled(logits, values, cost, baseline),
            Strategy::GreedyScore { corrected } => {
                let index = argmax(logits.clone(), dim);
                let costs = cost(gather_classes(&logits, values, index.clone(), dim));
                let log_prob = self.joint_sum(categorical_log_prob(logits, index, dim));
                if corrected {
                    score_function_cost(log_prob, costs, None)
                } else {
                    log_prob.neg().mul(costs)
                }
            }
            Strategy::SoftIndex { temperature } => {
                cost(interpolated(logits, values, dim, at(temperature)))
            }
            Strategy::RoundedIndex { temperature } => {
                cost(rounded(logits, values, dim, at(temperature)))
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
                free_energy_cost(logits, costs, self.dim, temperature)
                    .div_scalar(temperature)
                    .add_scalar(deviation.ln() + half_log_tau)
            }
            Some(log_deviation) => {
                let log = log_deviation.val().cast(costs.dtype()).reshape([1; D]);
                let log = log.clamp_min(LOWEST_LOG_DEVIATION);
                let temperature = log.clone().mul_scalar(2.0).exp().mul_scalar(2.0);
                free_energy_cost(logits, costs, self.dim, temperature.clone())
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
        let selection = sampler.forward(logits, values);
        let surrogate = match baseline {
            None => sampler.surrogate(selection, cost),
            Some(baseline) => sampler.surrogate_with_baseline(selection, cost, baseline),
        };
        surrogate.mean_dim(self.dim)
    }

    fn joint_sum<const D: usize>(&self, tensor: Tensor<D>) -> Tensor<D> {
        match self.joint {
            Some(joint) => tensor.sum_dim(joint),
            None => tensor,
        }
    }
}
