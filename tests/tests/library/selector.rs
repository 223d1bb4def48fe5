//! The selector: every strategy through one interface, choices in a row, choices that share a cost, records and configs.

use burn_core as burn;
use burn_core::{
    config::Config,
    module::Module,
    tensor::{Device, Tensor},
};
use burn_nn::{Linear, LinearConfig};
use burn_relax::{
    RelaxationConfig, Schedule, Strategy,
    nn::{Baseline, Selector, SelectorConfig},
};
use burn_relax_tests::{Array, devices};

/// f32 sums of a few terms of order 1.
const ROUNDING: f64 = 1e-5;

fn config(strategy: Strategy, seed: u64) -> SelectorConfig {
    SelectorConfig::new()
        .with_strategy(strategy)
        .with_seed(Some(seed))
}

fn score(samples: usize, baseline: Baseline) -> Strategy {
    Strategy::ScoreFunction { samples, baseline }
}

fn every_strategy() -> Vec<Strategy> {
    let temperature = Schedule::from(1.0);
    let mixture = |deviation, learned| Strategy::Mixture { deviation, learned };
    let mut all = vec![
        Strategy::default(),
        Strategy::Expected,
        mixture(1.0, true),
        mixture(0.5, false),
        Strategy::WinnerTakesAll,
        Strategy::ReinMax { temperature },
        score(1, Baseline::None),
        score(1, Baseline::MovingAverage { decay: 0.9 }),
        score(1, Baseline::Batch),
        score(1, Baseline::Greedy),
        score(4, Baseline::LeaveOneOut),
        Strategy::SoftArgmax { temperature },
    ];
    for map in [
        RelaxationConfig::softmax(1),
        RelaxationConfig::sparsemax(1),
        RelaxationConfig::entmax15(1),
        RelaxationConfig::entmax(1.25, 1),
        RelaxationConfig::normmax(1.5, 1),
        RelaxationConfig::gradual(2),
    ] {
        let forms = [
            map,
            map.hard(),
            map.gumbel(),
            map.gumbel().hard(),
            map.sampled(),
        ];
        all.extend(forms.map(Strategy::Gather));
        all.extend(forms.map(Strategy::BlendedGather));
    }
    all.push(Strategy::Gather(
        RelaxationConfig::softmax(1).gumbel().rao(4),
    ));
    all
}

/// A network with three choices in a row: at each one a gate picks one of three lines that the number so far goes through.
#[derive(Module, Debug)]
struct Chain {
    gates: Vec<Linear>,
    lines: Vec<Linear>,
    choices: Vec<Selector>,
}

const CLASSES: usize = 3;

impl Chain {
    fn new(strategy: Strategy, device: &Device) -> Self {
        device.seed(7);
        let linear = |_| LinearConfig::new(1, CLASSES).init(device);
        let config = SelectorConfig::new()
            .with_strategy(strategy)
            .with_entropy_weight(0.05.into());
        Self {
            gates: (0..3).map(linear).collect(),
            lines: (0..3).map(linear).collect(),
            choices: (0..3)
                .map(|k| config.clone().with_seed(Some(k)).init(device))
                .collect(),
        }
    }

    /// The cost of the end for each number, `[rows, 1]` in and out; `target` has one row for every `fan` rows of the input.
    fn loss(&self, x: Tensor<2>, target: Tensor<2>, choice: usize) -> Tensor<2> {
        let rows = x.dims()[0];
        if choice == self.choices.len() {
            let fan = rows / target.dims()[0];
            let target = target
                .reshape([rows / fan, 1])
                .expand([rows / fan, fan])
                .reshape([rows, 1]);
            return (x - target).square();
        }
        let (logits, values) = (
            self.gates[choice].forward(x.clone()),
            self.lines[choice].forward(x),
        );
        self.choices[choice].loss(logits, values, |values: Tensor<2>| {
            let asked = values.dims();
            let rest = self.loss(
                values.reshape([asked[0] * asked[1], 1]),
                target.clone(),
                choice + 1,
            );
            rest.reshape(asked)
        })
    }

    fn end(&self, mut x: Tensor<2>) -> Tensor<2> {
        for ((gate, line), choice) in self.gates.iter().zip(&self.lines).zip(&self.choices) {
            x = choice.choose(gate.forward(x.clone()), line.forward(x));
        }
        x
    }
}

#[test]
fn three_choices_in_a_row_train_with_every_strategy() {
    let device = Device::flex().autodiff();
    let x = Tensor::<2>::from_floats([[-1.0], [-0.4], [0.3], [0.9]], &device);
    let target = x.clone().abs();
    for strategy in every_strategy() {
        let chain = Chain::new(strategy, &device);
        let loss = chain.loss(x.clone(), target.clone(), 0);
        assert_eq!(loss.dims(), [4, 1], "{strategy}");
        let grads = loss.mean().backward();
        for (place, gate) in chain.gates.iter().enumerate() {
            let gradient = gate
                .weight
                .grad(&grads)
                .map(|g| g.abs().sum().into_scalar::<f32>());
            let reached = gradient.is_some_and(|g| g > 0.0 && g.is_finite());
            // The entropy bonus reaches every gate, whatever the strategy.
            assert!(reached, "{strategy}: gate {place}: {gradient:?}");
        }
        let trained = chain
            .lines
            .iter()
            .any(|line| line.weight.grad(&grads).is_some());
        assert!(trained, "{strategy}");
        assert_eq!(chain.end(x.clone()).dims(), [4, 1]);
    }
}

/// Two choices in a row by the expected cost are the expectation over all nine ends.
#[test]
fn nested_choices_sum_over_every_path() {
    let device = Device::flex().autodiff();
    let selector = SelectorConfig::new()
        .with_strategy(Strategy::Expected)
        .init(&device);
    let gates = [[0.3, -0.2, 0.9], [-1.0, 0.4, 0.1]];
    let moves = [[0.5, -1.0, 2.0], [1.5, 0.2, -0.7]];
    let tensor = |row: [f32; 3]| Tensor::<2>::from_floats([row], &device);
    let first = tensor(gates[0]).require_grad();
    let loss = selector.loss(first.clone(), tensor(moves[0]), |values: Tensor<2>| {
        let count = values.dims()[1];
        let logits = tensor(gates[1]).expand([count, 3]);
        let ends = values.reshape([count, 1]) + tensor(moves[1]);
        selector
            .loss(logits, ends, |ends: Tensor<2>| ends.square())
            .reshape([1, count])
    });

    let softmax = |row: [f32; 3]| {
        let total: f64 = row.iter().map(|&x| f64::from(x).exp()).sum();
        row.map(|x| f64::from(x).exp() / total)
    };
    let (p, q) = (softmax(gates[0]), softmax(gates[1]));
    let rest = moves[0].map(|a| -> f64 {
        let ends = moves[1].iter().zip(q);
        ends.map(|(b, q)| q * f64::from(a + b).powi(2)).sum()
    });
    let expected: f64 = p.iter().zip(rest).map(|(p, r)| p * r).sum();
    let gradient = Array::of(first.grad(&loss.clone().backward()).expect("tracked")).data;
    assert!((f64::from(loss.into_scalar::<f32>()) - expected).abs() < ROUNDING);
    for k in 0..3 {
        assert!(
            (gradient[k] - p[k] * (rest[k] - expected)).abs() < ROUNDING,
            "{gradient:?}"
        );
    }
}

/// Bits that share a cost: the enumerated combinations, and the sum of the log-probabilities, agree with arithmetic.
#[test]
fn choices_that_share_a_cost_are_enumerated() {
    for named in devices() {
        let device = named.device.autodiff();
        for (dim, joint) in [(2, 1), (1, 2)] {
            let swap = |t: Tensor<3>| if dim == 2 { t } else { t.swap_dims(1, 2) };
            let selector = SelectorConfig::new()
                .with_strategy(Strategy::Expected)
                .with_dim(dim)
                .with_joint_dim(Some(joint))
                .init(&device);
            let logits = Tensor::<3>::from_floats([[[0.0, -4.0]; 3]], &device).require_grad();
            let values = Tensor::<3>::from_floats([[[0.0, 1.0]; 3]], &device);
            let centres = swap(Tensor::<3>::from_floats([[[0.6], [0.51], [0.48]]], &device));
            let cost = |bits: Tensor<3>| (bits - centres.clone()).square().sum_dim(joint as usize);
            let loss = selector.loss(swap(logits.clone()), swap(values), cost);
            assert_eq!(loss.dims(), [1, 1, 1], "{}", named.name);
            // Three Bernoullis at logit -4, see docs/operators.md.
            let value = f64::from(loss.clone().into_scalar::<f32>());
            assert!(
                (value - 0.847_262).abs() < ROUNDING,
                "{}: {value}",
                named.name
            );
            let gradient = Array::of(logits.grad(&loss.backward()).expect("tracked")).data;
            let shared: f64 = gradient.chunks(2).map(|row| row[1]).sum();
            assert!(
                (shared + 0.003_179_29).abs() < ROUNDING,
                "{}: {gradient:?}",
                named.name
            );
        }
    }
}

#[test]
fn every_strategy_takes_choices_that_share_a_cost() {
    let device = Device::flex().autodiff();
    for strategy in every_strategy() {
        let selector = config(strategy, 3).with_joint_dim(Some(1)).init(&device);
        let logits = Tensor::<3>::from_floats(
            [[[0.0, -0.5], [0.2, 0.1]], [[0.4, 0.3], [1.0, 0.0]]],
            &device,
        );
        let logits = logits.require_grad();
        let values = Tensor::<3>::from_floats([[[0.0, 1.0]]], &device).expand([2, 2, 2]);
        let loss = selector.loss(logits.clone(), values, |bits| {
            (bits - 0.3).square().sum_dim(1)
        });
        assert_eq!(loss.dims(), [2, 1, 1], "{strategy}");
        let gradient = logits.grad(&loss.sum().backward()).expect("tracked");
        let trains = gradient.abs().sum().into_scalar::<f32>() > 0.0;
        assert!(trains, "{strategy}");
    }
}

/// What stands at a forbidden class does not matter.
#[test]
fn forbidden_classes_may_have_any_value() {
    for named in devices() {
        let device = named.device.autodiff();
        for strategy in every_strategy() {
            let selector = config(strategy, 3).init(&device);
            let logits = Tensor::<2>::from_floats(
                [[0.3, f32::NEG_INFINITY, -0.2], [0.1, 0.2, 0.3]],
                &device,
            );
            let values = Tensor::<2>::from_floats([[1.0, f32::NAN, 2.0], [1.0, 0.5, 2.0]], &device);
            // Interpolation looks between the classes, which is one of the things wrong with it.
            if matches!(strategy, Strategy::SoftArgmax { .. }) {
                continue;
            }
            let logits = logits.require_grad();
            let loss = selector.loss(logits.clone(), values, |values| values.square());
            let numbers = Array::of(loss.clone()).data;
            assert!(
                numbers.iter().all(|x| x.is_finite()),
                "{} {strategy}: {numbers:?}",
                named.name
            );
            let gradient = Array::of(logits.grad(&loss.sum().backward()).expect("tracked")).data;
            assert!(
                gradient.iter().all(|g| g.is_finite()),
                "{} {strategy}: {gradient:?}",
                named.name
            );
            assert_eq!(gradient[1], 0.0, "{} {strategy}", named.name);
        }
    }
}

#[test]
fn a_batch_of_no_rows_has_no_losses() {
    let device = Device::flex().autodiff();
    for strategy in every_strategy() {
        let selector = config(strategy, 3).init(&device);
        let empty = || Tensor::<2>::zeros([0, 3], &device).require_grad();
        let loss = selector.loss(empty(), empty(), |values| values.square());
        assert_eq!(loss.dims(), [0, 1], "{strategy}");
    }
}

/// A batch without rows once turned the average into NaN, and every later baseline with it.
#[test]
fn a_batch_of_no_rows_leaves_the_moving_average_alone() {
    let device = Device::flex().autodiff();
    let baseline = Baseline::MovingAverage { decay: 0.5 };
    let selector = config(score(1, baseline), 1).init(&device);
    let step = |rows: usize| {
        let logits = Tensor::<2>::zeros([rows, 2], &device).require_grad();
        let values = Tensor::<2>::full([rows, 2], 3.0, &device);
        let loss = selector.loss(logits.clone(), values, |values| values);
        logits.grad(&loss.sum().backward()).map(Array::of)
    };
    step(4);
    step(0);
    let gradient = step(4).expect("tracked");
    // Every cost is 3 and so is the average: no advantage is left.
    assert!(
        gradient.data.iter().all(|g| g.abs() < ROUNDING),
        "{gradient:?}"
    );
}

#[test]
fn a_given_baseline_takes_the_place_of_the_configured_one() {
    let device = Device::flex().autodiff();
    let selector = config(score(1, Baseline::None), 1).init(&device);
    let logits = Tensor::<2>::zeros([4, 2], &device).require_grad();
    let values = Tensor::<2>::full([4, 2], 3.0, &device);
    let critic = Tensor::<2>::full([4, 1], 3.0, &device).require_grad();
    let loss = selector.loss_with_baseline(logits.clone(), values, |values| values, critic.clone());
    let grads = loss.sum().backward();
    assert_eq!(
        logits
            .grad(&grads)
            .expect("tracked")
            .abs()
            .sum()
            .into_scalar::<f32>(),
        0.0
    );
    assert!(critic.grad(&grads).is_none(), "the baseline is detached");
}

#[test]
fn schedules_move_with_the_steps_and_the_bonus_keeps_the_value() {
    let device = Device::flex().autodiff();
    let schedule = Schedule::Linear {
        from: 1.0,
        to: 0.0,
        steps: 2,
    };
    let config = SelectorConfig::new().with_strategy(Strategy::Expected);
    let (plain, bonus) = (
        config.clone().init(&device),
        config.with_entropy_weight(schedule).init(&device),
    );
    let gradient = |selector: &Selector| {
        let logits = Tensor::<2>::from_floats([[0.3, -0.4, 1.0]], &device).require_grad();
        let values = Tensor::<2>::from_floats([[1.0, 0.0, 3.0]], &device);
        let loss = selector.loss(logits.clone(), values, |values| values);
        let gradient = logits.grad(&loss.clone().backward()).expect("tracked");
        (loss.into_scalar::<f32>(), Array::of(gradient))
    };
    let (value, without) = gradient(&plain);
    for step in 0..3 {
        assert_eq!(bonus.step(), step);
        let (with_value, with) = gradient(&bonus);
        assert_eq!(with_value, value);
        assert_eq!(with == without, step == 2, "step {step}");
    }
    bonus.set_step(0);
    assert!(gradient(&bonus).1 != without);
}

#[test]
fn a_learned_deviation_finds_the_residuals() {
    let device = Device::flex().autodiff();
    let strategy = Strategy::Mixture {
        deviation: 1.0,
        learned: true,
    };
    let selector = SelectorConfig::new().with_strategy(strategy).init(&device);
    let parameter = selector
        .log_deviation
        .as_ref()
        .expect("it is learned")
        .val();
    let logits = Tensor::<2>::from_floats([[9.0, -9.0]; 2], &device);
    // Squared errors .04 and .16 of the certain class: the best variance is their mean, .1.
    let values = Tensor::<2>::from_floats([[0.2, 5.0], [0.4, 5.0]], &device);
    let loss = selector
        .loss(logits, values, |values| values.square())
        .mean();
    let slope = parameter
        .grad(&loss.backward())
        .expect("tracked")
        .into_scalar::<f32>();
    // d/d(ln s) of f / (2 s²) + ln s is 1 - f / s², at s = 1 and the mean f = .1.
    assert!((slope - 0.9).abs() < 1e-4, "{slope}");
}

#[test]
fn records_keep_what_is_learned_and_configs_survive_json() {
    let device = Device::flex().autodiff();
    let folder = tempfile::tempdir().expect("a folder");
    let learned = Strategy::Mixture {
        deviation: 0.3,
        learned: true,
    };
    let selector = config(learned, 4).init(&device);
    let path = folder.path().join("selector");
    selector.clone().save_file(&path).expect("it is saved");
    let other = Strategy::Mixture {
        deviation: 2.0,
        learned: true,
    };
    let loaded = config(other, 4).init(&device).load_file(&path);
    let log = |selector: &Selector| {
        let parameter = selector.log_deviation.as_ref().expect("it is learned");
        parameter.val().into_scalar::<f32>()
    };
    assert_eq!(log(&loaded), log(&selector));

    let path = folder.path().join("config.json");
    for strategy in every_strategy() {
        let config = config(strategy, 4)
            .with_dim(1)
            .with_joint_dim(Some(0))
            .with_reproducible(true)
            .with_entropy_weight(Schedule::Cosine {
                from: 0.2,
                to: 0.0,
                steps: 10,
            });
        config.save(&path).expect("it is saved");
        assert_eq!(SelectorConfig::load(&path).expect("it is read"), config);
    }
}

#[test]
fn inference_draws_nothing_and_costs_the_argmax() {
    let training = Device::flex().autodiff();
    for strategy in every_strategy() {
        let selector = config(strategy, 4).init(&training);
        let values = [[5.0, 7.0, 9.0]];
        let logits = [[0.1, 0.9, 0.5]];
        let frozen = selector.clone().freeze();
        let loss = frozen.loss(
            Tensor::<2>::from_floats(logits, &training),
            Tensor::<2>::from_floats(values, &training),
            |values| values,
        );
        assert_eq!(loss.into_scalar::<f32>(), 7.0, "{strategy}");
        let device = Device::flex();
        let (logits, values) = (
            Tensor::<2>::from_floats(logits, &device),
            Tensor::<2>::from_floats(values, &device),
        );
        let loss = selector.valid().loss(logits, values, |values| values);
        assert_eq!(loss.into_scalar::<f32>(), 7.0, "{strategy}");
    }
}

/// Two selectors of one seed draw alike; the draws of one differ from call to call.
#[test]
fn a_seed_repeats_a_training() {
    let device = Device::flex().autodiff();
    for strategy in every_strategy().into_iter().filter(Strategy::is_stochastic) {
        let selectors = [0, 1].map(|_| {
            let config = config(strategy, 9).with_reproducible(true);
            config.init(&device)
        });
        let gradient = |selector: &Selector| {
            let logits = Tensor::<2>::zeros([64, 3], &device).require_grad();
            let values = Tensor::<2>::from_floats([[0.0, 1.0, 2.0]], &device).expand([64, 3]);
            let loss = selector.loss(logits.clone(), values, |values| values.square());
            Array::of(logits.grad(&loss.sum().backward()).expect("tracked"))
        };
        let first = gradient(&selectors[0]);
        assert_eq!(first, gradient(&selectors[1]), "{strategy}");
        assert_ne!(first, gradient(&selectors[0]), "{strategy}");
    }
}
