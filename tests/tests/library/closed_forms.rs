//! Score-function estimators enumerated over every tuple of samples, on toys small enough for closed forms: the gradient, the
//! variance of each baseline, to 1e-6 in f64 on the CPU; and the sampled moments of the module within four standard errors.

use burn_core::tensor::{DType, Device, Int, Tensor, TensorData};
use burn_relax::{
    distribution::categorical_log_prob,
    estimate::leave_one_out_baseline,
    loss::score_function_loss,
    nn::{Baseline, ScoreFunctionSelectorConfig},
};
use burn_relax_tests::{Array, Moments, Table, cpu_devices};

/// The figures are given with six decimals, or as fractions.
const CLOSED_FORM: f64 = 1e-6;

/// Sampled means and variances differ from their expectation by more than this many standard errors once in 15000.
const STANDARD_ERRORS: f64 = 4.0;

/// Independent estimates in the sampled tests.
const ESTIMATES: usize = 40_000;

/// A choice among vectors of classes that share one cost, and what is known of its estimators.
struct Toy {
    name: &'static str,
    /// `choices × classes`.
    logits: Vec<Vec<f64>>,
    /// Cost of a vector of classes.
    cost: fn(&[usize]) -> f64,
    /// Which logits move together: the gradient of their sum is what is reported, or that of every logit.
    shared: bool,
}

fn three_way() -> Toy {
    Toy {
        name: "three-way softmax",
        logits: vec![vec![-2.0, 0.0, 0.5]],
        cost: |k| [1.0, 0.0, 3.0][k[0]],
        shared: false,
    }
}

/// One bit with probability `theta` of 1, in the logit of 1.
fn bit(theta: f64, cost: fn(&[usize]) -> f64) -> Toy {
    Toy {
        name: "Bernoulli",
        logits: vec![vec![0.0, (theta / (1.0 - theta)).ln()]],
        cost,
        shared: true,
    }
}

/// Three bits that share one logit.
fn three_bits(logit: f64) -> Toy {
    Toy {
        name: "three Bernoullis",
        logits: vec![vec![0.0, logit]; 3],
        cost: |b| {
            let centres = [0.6, 0.51, 0.48];
            let terms = b.iter().zip(centres).map(|(&b, c)| (b as f64 - c).powi(2));
            terms.sum()
        },
        shared: true,
    }
}

impl Toy {
    fn sizes(&self) -> (usize, usize) {
        (self.logits.len(), self.logits[0].len())
    }

    fn probs(&self) -> Vec<Vec<f64>> {
        let softmax = |logits: &Vec<f64>| {
            let total: f64 = logits.iter().map(|x| x.exp()).sum();
            logits.iter().map(|x| x.exp() / total).collect()
        };
        self.logits.iter().map(softmax).collect()
    }

    /// Every vector of classes with its probability.
    fn outcomes(&self) -> Vec<(Vec<usize>, f64)> {
        let (choices, classes) = self.sizes();
        let probs = self.probs();
        let vector = |outcome: usize| -> Vec<usize> {
            (0..choices)
                .map(|c| outcome / classes.pow(c as u32) % classes)
                .collect()
        };
        (0..classes.pow(choices as u32))
            .map(|outcome| {
                let classes = vector(outcome);
                let chance = classes.iter().zip(&probs).map(|(&k, p)| p[k]).product();
                (classes, chance)
            })
            .collect()
    }

    /// What is reported of the gradient for one row's logits `[choices, classes]`.
    fn read(&self, gradient: &[f64]) -> Vec<f64> {
        let classes = self.sizes().1;
        if self.shared {
            vec![gradient.chunks(classes).map(|row| row[1]).sum()]
        } else {
            gradient.to_vec()
        }
    }

    fn expected_cost(&self) -> f64 {
        self.outcomes()
            .iter()
            .map(|(k, p)| p * (self.cost)(k))
            .sum()
    }

    /// The exact gradient, from the probabilities.
    fn gradient(&self) -> Vec<f64> {
        let (choices, classes) = self.sizes();
        let probs = self.probs();
        let mut gradient = vec![0.0; choices * classes];
        for (vector, chance) in self.outcomes() {
            for (place, g) in gradient.iter_mut().enumerate() {
                let (choice, class) = (place / classes, place % classes);
                let score = f64::from(u8::from(vector[choice] == class)) - probs[choice][class];
                *g += chance * (self.cost)(&vector) * score;
            }
        }
        self.read(&gradient)
    }

    fn logits(&self, rows: usize, device: &Device, dtype: DType) -> Tensor<3> {
        let (choices, classes) = self.sizes();
        let data = TensorData::new(self.logits.concat(), [1, choices, classes]);
        Tensor::<3>::from_data(data, (device, dtype)).repeat_dim(0, rows)
    }

    /// Moments of the estimator over every tuple of `samples`, through the library's functions.
    fn enumerate(
        &self,
        samples: usize,
        baseline: impl Fn(Tensor<3>) -> Option<Tensor<3>>,
        device: &Device,
    ) -> Moments {
        let (choices, _) = self.sizes();
        let outcomes = self.outcomes();
        let tuples = outcomes.len().pow(samples as u32);
        let outcome = |tuple: usize, s: usize| {
            &outcomes[tuple / outcomes.len().pow(s as u32) % outcomes.len()]
        };
        let (mut indices, mut costs, mut chances) = (Vec::new(), Vec::new(), Vec::new());
        for tuple in 0..tuples {
            for choice in 0..choices {
                indices.extend((0..samples).map(|s| outcome(tuple, s).0[choice] as i64));
            }
            costs.extend((0..samples).map(|s| (self.cost)(&outcome(tuple, s).0)));
            chances.push((0..samples).map(|s| outcome(tuple, s).1).product::<f64>());
        }
        let indices = TensorData::new(indices, [tuples, choices, samples]);
        let indices = Tensor::<3, Int>::from_data(indices, device);
        let costs = TensorData::new(costs, [tuples, 1, samples]);
        let costs = Tensor::<3>::from_data(costs, (device, DType::F64));

        let logits = self.logits(tuples, device, DType::F64).require_grad();
        let log_prob = categorical_log_prob(logits.clone(), indices, 2).sum_dim(1);
        let baseline = baseline(costs.clone());
        let surrogate = score_function_loss(log_prob, costs, baseline).mean_dim(2);
        let gradients = Array::of(
            logits
                .grad(&surrogate.sum().backward())
                .expect("logits are tracked"),
        )
        .data;
        let estimates: Vec<Vec<f64>> = gradients
            .chunks(gradients.len() / tuples)
            .map(|gradient| self.read(gradient))
            .collect();
        Moments::weighted(&estimates, &chances)
    }
}

fn constant(value: f64) -> impl Fn(Tensor<3>) -> Option<Tensor<3>> {
    move |costs| Some(costs.full_like(value))
}

fn others(costs: Tensor<3>) -> Option<Tensor<3>> {
    Some(leave_one_out_baseline(costs, 2))
}

fn none(_: Tensor<3>) -> Option<Tensor<3>> {
    None
}

fn known(
    table: &mut Table,
    title: &str,
    actual: impl Into<Vec<f64>>,
    expected: impl Into<Vec<f64>>,
) {
    let (actual, expected) = (Array::line(actual), Array::line(expected));
    table.within(title, &actual, &expected, CLOSED_FORM);
}

/// Checks mean and variance of one estimator on one toy on every CPU device; the mean is always the exact gradient.
macro_rules! closed {
    ($table:ident, $toy:expr, $samples:expr, $baseline:expr, $variance:expr) => {
        for named in cpu_devices() {
            let toy = $toy;
            let device = named.device.autodiff();
            let Moments { mean, variance, .. } = toy.enumerate($samples, $baseline, &device);
            let title = format!(
                "{} {}, {} samples, {}",
                named.name,
                toy.name,
                $samples,
                stringify!($baseline)
            );
            known(&mut $table, &title, mean, toy.gradient());
            known(&mut $table, &title, [variance], [$variance]);
        }
    };
}

#[test]
fn the_three_way_softmax_has_its_closed_forms() {
    let mut table = Table::new();
    let toy = three_way();
    known(
        &mut table,
        "expected cost",
        [toy.expected_cost()],
        [1.825_214],
    );
    let gradient = [-0.040_114, -0.655_595, 0.695_710];
    known(&mut table, "gradient", toy.gradient(), gradient);
    closed!(table, three_way(), 1, none, 0.738_466);
    closed!(table, three_way(), 1, constant(1.825_214), 0.287_564);
    closed!(table, three_way(), 1, constant(1.151_101), 0.052_206);
    closed!(table, three_way(), 2, others, 1.131_588);
    closed!(table, three_way(), 3, others, 0.425_123);
    closed!(table, three_way(), 4, others, 0.236_525);
    // The argmax is the third class, whose cost is 3.
    closed!(table, three_way(), 1, constant(3.0), 1.822_675);
    table.finish();
}

#[test]
fn bernoulli_toys_have_their_closed_forms() {
    let mut table = Table::new();
    let near: fn(&[usize]) -> f64 = |b| (b[0] as f64 - 0.499).powi(2);
    let far: fn(&[usize]) -> f64 = |b| (b[0] as f64 - 0.45).powi(2);
    for (toy, gradient) in [(bit(0.5, near), 0.0005), (bit(0.2, far), 0.016)] {
        known(&mut table, "gradient", toy.gradient(), [gradient]);
    }
    closed!(table, bit(0.5, near), 1, none, 0.015_625_1);
    closed!(table, bit(0.5, near), 2, others, 2.5e-7);
    closed!(table, bit(0.2, far), 1, none, 0.012_769_0);
    closed!(table, bit(0.2, far), 2, others, 5.44e-4);
    table.finish();
}

#[test]
fn three_bits_with_one_logit_have_their_closed_forms() {
    let mut table = Table::new();
    for (logit, gradient, cost) in [(0.0, -0.045, 0.7605), (-4.0, -0.003_179_29, 0.847_262)] {
        let toy = three_bits(logit);
        known(&mut table, "gradient", toy.gradient(), [gradient]);
        known(&mut table, "expected cost", [toy.expected_cost()], [cost]);
    }
    closed!(table, three_bits(0.0), 1, none, 0.438_420);
    closed!(table, three_bits(0.0), 2, others, 0.007_275);
    closed!(table, three_bits(0.0), 4, others, 0.001_987_5);
    closed!(table, three_bits(-4.0), 1, none, 0.033_556_8);
    closed!(table, three_bits(-4.0), 2, others, 0.000_381_025);
    closed!(table, three_bits(-4.0), 4, others, 0.000_182_276);
    table.finish();
}

/// The module draws for itself: 40000 rows, seed fixed.
fn sampled(toy: &Toy, samples: usize, baseline: Baseline) -> Vec<Vec<f64>> {
    let device = Device::flex().autodiff();
    let (choices, classes) = toy.sizes();
    let selector = ScoreFunctionSelectorConfig::new()
        .with_joint_dim(Some(1))
        .with_samples(samples)
        .with_baseline(baseline)
        .with_seed(Some(41))
        .init(&device);
    let logits = toy.logits(ESTIMATES, &device, DType::F64).require_grad();
    let numbers = Tensor::<1, Int>::arange(0..classes as i64, &device)
        .float()
        .cast(DType::F64);
    let values = numbers
        .reshape([1, 1, classes])
        .expand([ESTIMATES, choices, classes]);
    let selection = selector.choose(logits.clone(), values);
    let cost = |values: Tensor<3>| {
        let [rows, _, samples] = values.dims();
        let drawn = Array::of(values).data;
        let mut costs = vec![0.0; rows * samples];
        for (place, cost) in costs.iter_mut().enumerate() {
            let (row, sample) = (place / samples, place % samples);
            let class = |choice| drawn[(row * choices + choice) * samples + sample] as usize;
            *cost = (toy.cost)(&(0..choices).map(class).collect::<Vec<_>>());
        }
        let data = TensorData::new(costs, [rows, 1, samples]);
        Tensor::from_data(data, (&device, DType::F64))
    };
    let surrogate = selector.loss(selection, cost).mean_dim(2);
    let gradient = logits
        .grad(&surrogate.sum().backward())
        .expect("logits are tracked");
    let gradient = Array::of(gradient).data;
    gradient
        .chunks(choices * classes)
        .map(|row| toy.read(row))
        .collect()
}

#[test]
fn sampled_moments_are_the_closed_ones_within_four_standard_errors() {
    let mut table = Table::new();
    for (toy, samples, baseline, expected) in [
        (three_bits(0.0), 1, Baseline::None, 0.438_420),
        (three_bits(0.0), 2, Baseline::LeaveOneOut, 0.007_275),
        (three_bits(0.0), 4, Baseline::LeaveOneOut, 0.001_987_5),
        (three_bits(-4.0), 1, Baseline::None, 0.033_556_8),
        (three_bits(-4.0), 4, Baseline::LeaveOneOut, 0.000_182_276),
        (three_way(), 4, Baseline::LeaveOneOut, 0.236_525),
        (three_way(), 1, Baseline::Greedy, 1.822_675),
    ] {
        let moments = Moments::of(&sampled(&toy, samples, baseline));
        let z = (moments.variance - expected) / moments.error();
        let title = format!("{} {samples} {baseline:?}", toy.name);
        let near = z.abs() < STANDARD_ERRORS;
        table.check(near, &title, &format!("{moments:?}, z = {z}"));
        let exact = toy.gradient();
        let differences = moments.mean.iter().zip(&exact).map(|(m, e)| m - e);
        let distance = differences.map(|d| d * d).sum::<f64>().sqrt();
        // The squared distance has the expectation variance / count, and exceeds 16 of it less often than a normal number
        // exceeds 4.
        let bound = STANDARD_ERRORS * (moments.variance / moments.count).sqrt();
        let what = format!("mean {:?}, expected {exact:?}", moments.mean);
        table.check(distance < bound, &title, &what);
    }
    table.finish();
}

/// 40000 rows of one batch: every row's baseline is the mean of the others, and the variance that of the best of guesses, E f.
#[test]
fn the_batch_baseline_is_unbiased_and_as_good_as_the_expected_cost() {
    let toy = three_way();
    let moments = Moments::of(&sampled(&toy, 1, Baseline::Batch));
    let bound = STANDARD_ERRORS * (moments.variance / moments.count).sqrt();
    for (m, e) in moments.mean.iter().zip(toy.gradient()) {
        assert!((m - e).abs() < bound, "{moments:?}");
    }
    // The mean of 39999 costs differs from E f by half a percent, which moves the variance by less than one.
    assert!(
        (moments.variance / 0.287_564 - 1.0).abs() < 0.02,
        "{moments:?}"
    );
}
