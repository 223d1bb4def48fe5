use std::cell::{Cell, RefCell};

use burn_core::tensor::{DType, Tensor};

use super::{
    measure::Measure,
    report::{Report, Verdict},
};
use burn_relax_kernels::Seed;

use crate::{
    check,
    nn::{
        SelectorConfig,
        selector::outcomes::{self, combine},
    },
    parts::{choose::allowed_values, constant::Constant},
    strategy::Strategy,
};

/// Draws that are enough to tell a bias of a twentieth of the gradient from none on most problems.
const DRAWS: usize = 2000;

/// The caller's cost.
type Cost<'a, const D: usize> = Box<dyn FnMut(Tensor<D>) -> Tensor<D> + 'a>;

/// A choice whose outcomes can all be listed, with their costs: what gradients are audited on.
///
/// `Problem<2>` has one choice per row, logits `[rows, classes]`; `Problem<3>` has several that share a cost,
/// `[rows, choices, classes]`.
pub struct Problem<'a, const D: usize> {
    name: String,
    logits: Tensor<D>,
    values: Tensor<D>,
    cost: RefCell<Cost<'a, D>>,
    evaluations: Cell<usize>,
    draws: usize,
    seed: u64,
    expected: Vec<f64>,
    gradient: Vec<f64>,
}

impl<'a> Problem<'a, 2> {
    /// One choice per row.
    ///
    /// # Arguments
    ///
    /// * `logits` - `[rows, classes]`, on a device with autodiff.
    /// * `values` - `[rows, classes]`: what a class stands for. The relaxations blend values; for costs of the class itself
    ///   take its number.
    /// * `cost` - Of values `[rows, K]`, as `[rows, K]`, for any `K`; to be minimised.
    ///
    /// # Panics
    ///
    /// If the device has no autodiff, the shapes do not fit, there is no row or class, or a cost is not finite. What stands at a
    /// forbidden class as a value does not matter.
    #[track_caller]
    pub fn new(
        name: impl Into<String>,
        logits: Tensor<2>,
        values: Tensor<2>,
        cost: impl FnMut(Tensor<2>) -> Tensor<2> + 'a,
    ) -> Self {
        Self::enumerate(name.into(), logits, values, Box::new(cost))
    }
}

impl<'a> Problem<'a, 3> {
    /// Several choices per row that share one cost.
    ///
    /// # Arguments
    ///
    /// * `logits`, `values` - `[rows, choices, classes]`, on a device with autodiff.
    /// * `cost` - Of values `[rows, choices, K]`, as `[rows, 1, K]`, for any `K`; to be minimised.
    ///
    /// # Panics
    ///
    /// As [`new`](Problem::new), and if there are more than 65536 outcomes.
    #[track_caller]
    pub fn joint(
        name: impl Into<String>,
        logits: Tensor<3>,
        values: Tensor<3>,
        cost: impl FnMut(Tensor<3>) -> Tensor<3> + 'a,
    ) -> Self {
        Self::enumerate(name.into(), logits, values, Box::new(cost))
    }
}

impl<'a, const D: usize> Problem<'a, D> {
    const JOINT: Option<isize> = if D == 3 { Some(1) } else { None };

    #[track_caller]
    fn enumerate(
        name: String,
        logits: Tensor<D>,
        values: Tensor<D>,
        mut cost: Cost<'a, D>,
    ) -> Self {
        let op = "audit";
        let (logits, values) = (logits.dequantize(), values.dequantize());
        check::autodiff(op, "logits", &logits);
        check::beside(op, "values", &logits, &values);
        for (axis, size) in logits.dims().into_iter().enumerate() {
            check::at_least(
                op,
                &format!("the size of the logits' dimension {axis}"),
                1,
                size,
            );
        }
        let (logits, values) = (logits.constant(), values.constant());
        let dims = logits.dims();
        let (rows, classes) = (dims[0], dims[D - 1]);
        let choices = if D == 3 { dims[1] } else { 1 };
        let count = outcomes::count(op, classes, choices);
        let allowed = allowed_values(&logits, values.clone(), D - 1);
        let all = match Self::JOINT {
            Some(_) => combine(op, logits.clone(), allowed, D - 1, 1).1,
            None => allowed,
        };
        let costs = cost(all);
        let mut shape = [1; D];
        (shape[0], shape[D - 1]) = (rows, count);
        check::cost(op, shape.into(), costs.shape());
        let costs: Vec<f64> = costs.into_data().iter::<f64>().collect();
        let logit: Vec<f64> = logits.to_data().iter::<f64>().collect();
        let probs: Vec<f64> = logit.chunks(classes).flat_map(softmax).collect();
        let (mut expected, mut gradient) = (vec![0.0; rows], vec![0.0; logit.len()]);
        let block = choices * classes;
        for row in 0..rows {
            let probs = &probs[row * block..][..block];
            let gradient = &mut gradient[row * block..][..block];
            let logit = &logit[row * block..][..block];
            for outcome in 0..count {
                let class = |choice: usize| outcome / classes.pow(choice as u32) % classes;
                let chance = |choice| probs[choice * classes + class(choice)];
                let chance = (0..choices).map(chance).product::<f64>();
                if chance == 0.0 {
                    continue;
                }
                let cost = costs[row * count + outcome];
                let argument = format!("the cost of outcome {outcome} in row {row}");
                check::finite(op, &argument, cost);
                let weight = chance * cost;
                expected[row] += weight;
                for (place, gradient) in gradient.iter_mut().enumerate() {
                    let chosen = class(place / classes) == place % classes;
                    *gradient += weight * (f64::from(u8::from(chosen)) - probs[place]);
                }
            }
            // Infinite logits share the weight whatever they are: they have no slope.
            for (gradient, logit) in gradient.chunks_mut(classes).zip(logit.chunks(classes)) {
                if logit.contains(&f64::INFINITY) {
                    gradient.fill(0.0);
                }
            }
        }
        Self {
            name,
            logits,
            values,
            cost: RefCell::new(cost),
            evaluations: Cell::new(0),
            draws: DRAWS,
            seed: 0,
            expected,
            gradient,
        }
    }

    /// Draws of what is stochastic, at least 2. Default: 2000.
    ///
    /// # Panics
    ///
    /// If there are fewer than 2.
    #[must_use]
    #[track_caller]
    pub fn with_draws(mut self, draws: usize) -> Self {
        check::at_least("audit", "draws", 2, draws);
        self.draws = draws;
        self
    }

    /// Seed of the draws. Default: 0.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The enumerated expected cost of each row.
    pub fn expected_cost(&self) -> &[f64] {
        &self.expected
    }

    /// The enumerated gradient of the sum of the rows' expected costs, in the order of the logits.
    pub fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    /// What a class stands for.
    pub fn values(&self) -> Tensor<D> {
        self.values.clone()
    }

    /// The cost of values, counted as so many evaluations.
    pub fn cost(&self, values: Tensor<D>) -> Tensor<D> {
        let asked = values.dims()[D - 1];
        self.evaluations.set(self.evaluations.get() + asked);
        (self.cost.borrow_mut())(values)
    }

    /// Audits a strategy of the library, at the first step of its schedules.
    ///
    /// # Panics
    ///
    /// As [`SelectorConfig::init`], or if a combination of strategy and problem is refused by
    /// [`Selector::loss`](crate::nn::Selector::loss).
    #[track_caller]
    pub fn strategy(&self, strategy: &Strategy) -> Report {
        let selector = SelectorConfig::new()
            .with_strategy(*strategy)
            .with_joint_dim(Self::JOINT)
            .with_seed(Some(self.seed))
            .with_reproducible(true)
            .init(&self.logits.device());
        let dims = self.logits.dims();
        let choices = if D == 3 { dims[1] } else { 1 };
        let label = strategy.label(dims[D - 1].pow(choices as u32));
        let draws = if label.stochastic { self.draws } else { 1 };
        let mut measure = self.measure();
        // A loop, no closure: what is refused is the caller's.
        for _ in 0..draws {
            let draw = measure.draw();
            selector.set_step(0);
            let loss = selector.loss(draw.logits(), self.values(), |values| self.cost(values));
            measure.add(draw, loss);
        }
        self.report(strategy.to_string(), label.bias.to_string(), measure)
    }

    /// Audits an estimator of the caller's: a loss whose gradient for the logits is meant to estimate that of the expected
    /// cost.
    ///
    /// It gets logits and a seed that is another in every draw, and evaluates costs by [`cost`](Self::cost). The loss may have
    /// any shape; it is summed.
    pub fn estimator(
        &self,
        name: impl Into<String>,
        mut loss: impl FnMut(Tensor<D>, Seed) -> Tensor<D>,
    ) -> Report {
        let mut measure = self.measure();
        for number in 0..self.draws {
            let draw = measure.draw();
            let loss = loss(draw.logits(), Seed::new(self.seed, number as u64));
            measure.add(draw, loss);
        }
        self.report(name.into(), String::new(), measure)
    }

    fn measure(&self) -> Measure<D> {
        self.evaluations.set(0);
        let block = self.gradient.len() / self.expected.len();
        Measure::new(self.logits.clone(), block)
    }

    fn report(&self, strategy: String, label: String, measure: Measure<D>) -> Report {
        let Measure {
            moments,
            time,
            draws,
            ..
        } = measure;
        let norm = |vector: &[f64]| vector.iter().map(|g| g * g).sum::<f64>().sqrt();
        let scale = Some(norm(&self.gradient))
            .filter(|norm| *norm > 0.0)
            .unwrap_or(1.0);
        let comparison = moments.compare(&self.gradient, scale * self.resolution());
        let length = norm(moments.mean());
        let product = moments
            .mean()
            .iter()
            .zip(&self.gradient)
            .map(|(a, b)| a * b);
        let cosine = if length > 0.0 {
            product.sum::<f64>() / (length * scale)
        } else {
            0.0
        };
        Report {
            problem: self.name.clone(),
            strategy,
            label,
            bias_relative: comparison.distance / scale,
            bias_z: comparison.z,
            variance: comparison.variance,
            noise: comparison.variance.sqrt() / scale,
            cosine,
            cost_evaluations: self.evaluations.get() / draws,
            draws,
            seconds: time.as_secs_f64() / draws as f64,
            verdict: Verdict::new(length, cosine, comparison.z, comparison.variance > 0.0),
        }
    }

    /// Share of the gradient's norm that rounding may explain: hundred units of the dtype.
    fn resolution(&self) -> f64 {
        match self.logits.dtype() {
            DType::F64 => 1e-13,
            DType::F16 | DType::BF16 => 1.0,
            _ => 1e-5,
        }
    }
}

/// As the contract has it: what is `-inf` has no weight, what is `+inf` shares it, and a row of `-inf` has none.
fn softmax(logits: &[f64]) -> Vec<f64> {
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weight = |&x: &f64| match x {
        f64::NEG_INFINITY => 0.0,
        x if top == f64::INFINITY => f64::from(u8::from(x == top)),
        x => (x - top).exp(),
    };
    let weights: Vec<f64> = logits.iter().map(weight).collect();
    let total: f64 = weights.iter().sum();
    let share = |weight: f64| if total == 0.0 { 0.0 } else { weight / total };
    weights.into_iter().map(share).collect()
}
