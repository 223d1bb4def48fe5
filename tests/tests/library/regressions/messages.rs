//! Panics that named another function, came from below the library, or pointed into it.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::Once,
};

use burn_core::tensor::{
    DType, Device, Int, Tensor,
    quantization::{QuantScheme, QuantStore, QuantValue},
};
use burn_nn::loss::Reduction;
use burn_relax::{
    Relaxation, RelaxationConfig, Schedule, Strategy, audit::Problem, distribution::*, loss::*,
    nn::*, relax::*, sparse::*,
};
use burn_relax_tests::Array;

use crate::arguments::{message, refusals};

fn zeros<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::zeros(shape, &Device::flex())
}

fn doubles<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::zeros(shape, (&Device::flex(), DType::F64))
}

#[test]
fn a_dtype_that_does_not_fit_is_named() {
    refusals! {
        "straight_through: hard must have the dtype of soft, F64, got F32" => straight_through(zeros([2]), doubles([2])),
        "score_function_loss: cost must have the dtype of log_prob, F32, got F64" =>
            score_function_loss(zeros([2]), doubles([2]), None),
        "score_function_loss: baseline must have the dtype of log_prob, F32, got F64" =>
            score_function_loss(zeros([2]), zeros([2]), Some(doubles([2]))),
        "dice_loss: cost must have the dtype of log_prob, F32, got F64" => dice_loss(zeros([2]), doubles([2]), None),
        "dice_loss: baseline must have the dtype of log_prob, F32, got F64" =>
            dice_loss(zeros([2]), zeros([2]), Some(doubles([2]))),
        "gaussian_log_likelihood: target must have the dtype of the values, F32, got F64" =>
            gaussian_log_likelihood(zeros([2]), doubles([2]), 1.0),
        "gaussian_log_likelihood: deviation must have the dtype of the values, F32, got F64" =>
            gaussian_log_likelihood(zeros([2]), zeros([2]), doubles([2])),
        "Relaxation: noise must have the dtype of the logits, F32, got F64" =>
            Relaxation::softmax(1).noise(doubles([2])).weights(zeros([2]), 0),
        "soft_argmax: coordinates must have the dtype of the logits, F32, got F64" =>
            soft_argmax(zeros([2]), 0, 1.0, doubles([2])),
        "relaxed_categorical_log_density: weights must have the dtype of the logits, F32, got F64" =>
            relaxed_categorical_log_density(zeros([2]), doubles([2]), 0, 1.0),
        "EntmaxLoss: targets must have the dtype of the logits, F32, got F64" =>
            EntmaxLossConfig::new().init().forward_soft(zeros([1, 2]), doubles([1, 2]), Reduction::Sum),
        "Selector: cost must have the dtype of the logits, F32, got F64" => {
            let device = Device::flex().autodiff();
            let strategy = Strategy::ScoreFunction { samples: 1, baseline: Baseline::None };
            let selector = SelectorConfig::new().with_strategy(strategy).init(&device);
            let zeros = || Tensor::<2>::zeros([2, 3], &device);
            selector.loss(zeros(), zeros(), |values| values.cast(DType::F64))
        },
        "ScoreFunctionSelector: baseline must have the dtype of the costs, F32, got F64" => {
            let device = Device::flex().autodiff();
            let selector = ScoreFunctionSelectorConfig::new().init(&device);
            let zeros = || Tensor::<2>::zeros([2, 3], &device);
            let baseline = Tensor::zeros([2, 1], (&device, DType::F64));
            selector.loss_with_baseline(selector.choose(zeros(), zeros()), |values| values, baseline)
        },
    }
}

#[test]
fn a_part_of_an_operator_speaks_in_its_name() {
    let learned = |shape: Vec<usize>| EntmaxConfig::new().with_learned(Some(shape));
    refusals! {
        "normmax: alpha must have size 1 along dim 0 and 1 or the size of [2] elsewhere, got [2]" =>
            normmax(zeros([2]), 0, zeros([2])),
        "normmax: alpha must have the dtype of the logits, F32, got F64" => normmax(zeros([2]), 0, doubles([1])),
        "normmax: logits must have at least one entry along dim 0, got shape [0]" => normmax(zeros([0]), 0, 2.0),
        "Relaxation: power must have the dtype of the logits, F32, got F64" =>
            Relaxation::gradual(doubles([1])).weights(zeros([2]), 0),
        "Entmax: learned must have sizes of at least 1, got [0]" => learned(vec![0]).init(&Device::flex()),
        "Entmax: learned must have sizes of at least 1, got [3, 0]" => learned(vec![3, 0]).init(&Device::flex()),
        "Entmax: learned must have size 1 along dim 1 and 1 or the size of [2, 3] elsewhere, got [1, 3]" =>
            learned(vec![3]).init(&Device::flex()).forward(zeros([2, 3])),
        "Selector: cost must have the shape of the indices, [2, 1], got [2, 2]" => {
            let device = Device::flex().autodiff();
            let strategy = Strategy::ScoreFunction { samples: 1, baseline: Baseline::None };
            let selector = SelectorConfig::new().with_strategy(strategy).init(&device);
            let zeros = || Tensor::<2>::zeros([2, 3], &device);
            selector.loss(zeros(), zeros(), |values| values.repeat_dim(1, 2))
        },
    }
}

thread_local! {
    /// Where the last panic of a watched call was.
    static PLACE: RefCell<Option<(String, u32)>> = const { RefCell::new(None) };
}

/// The file and the line in which `call` panics.
fn place<R>(call: impl FnOnce() -> R) -> (String, u32) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            let location = panic.location().map(|at| (at.file().to_owned(), at.line()));
            PLACE.with_borrow_mut(|place| *place = location);
            before(panic);
        }));
    });
    let outcome = catch_unwind(AssertUnwindSafe(|| drop(call())));
    assert!(outcome.is_err(), "it was accepted");
    PLACE.take().expect("a panic has a place")
}

/// Every call panics in this file, in its own line.
macro_rules! point_here {
    ($($call:expr),+ $(,)?) => {
        for (number, (file, at)) in [$(place(|| $call)),+].into_iter().enumerate() {
            assert!(file.ends_with("messages.rs"), "call {number} panics at {file}:{at}");
        }
    };
}

#[test]
fn a_panic_points_at_the_callers_line() {
    let device = Device::flex().autodiff();
    let tracked = || Tensor::<2>::zeros([2, 3], &device);
    let twice = |values: Tensor<2>| values.repeat_dim(1, 2);
    let selector = |strategy| SelectorConfig::new().with_strategy(strategy).init(&device);
    let score = |baseline| Strategy::ScoreFunction {
        samples: 1,
        baseline,
    };
    let linear = |to: f64, steps: usize| Schedule::Linear {
        from: 1.0,
        to,
        steps,
    };
    let index = || Tensor::<2, Int>::full([2, 1], 7, &device);
    point_here![
        softmax(tracked(), 2, 1.0),
        softmax(tracked(), 1, 0.0),
        gradual_argmax(tracked(), 1, 0.0),
        gumbel_softmax(tracked(), 1, 0.0, 1),
        normmax(tracked(), 1, 1.0),
        Relaxation::entmax(-1, 1).weights(tracked(), 1),
        Relaxation::softmax(0).hard().weights(tracked(), 1),
        Relaxation::softmax(1)
            .gumbel(1)
            .rao(0)
            .weights(tracked(), 1),
        Relaxation::<2>::sparsemax(0).spatial::<1>(tracked(), Grid::Pixels),
        Relaxation::softmax(zeros([2, 2])).spatial::<1>(zeros([2, 3]), Grid::Pixels),
        // What a schedule gives is refused where it is asked, and where a module is made.
        linear(1.0, 0).at(3),
        RelaxationConfig::softmax(linear(1.0, 0)).at::<2>(0, 1),
        RelaxationConfig::normmax(linear(1.0, 0), 1).at::<2>(0, 1),
        selector(Strategy::FreeEnergy {
            temperature: linear(0.0, 4)
        }),
        SoftArgmaxConfig::new()
            .with_relaxation(RelaxationConfig::gradual(linear(-1.0, 4)))
            .init(),
        ChoiceConfig::new()
            .with_relaxation(RelaxationConfig::softmax(1).sampled_at(0))
            .init(),
        // Costs.
        selector(Strategy::Expected).loss(tracked(), tracked(), twice),
        selector(Strategy::WinnerTakesAll).loss(tracked(), tracked(), twice),
        selector(Strategy::Gather(RelaxationConfig::softmax(1))).loss(tracked(), tracked(), twice),
        selector(Strategy::ReinMax {
            temperature: 1.0.into()
        })
        .loss(tracked(), tracked(), twice),
        selector(score(Baseline::None)).loss(tracked(), tracked(), twice),
        selector(Strategy::Expected).loss(zeros([2, 3]), zeros([2, 3]), twice),
        Problem::new("twice", tracked(), tracked(), twice),
        Problem::new("once", tracked(), tracked(), |values| {
            match values.dims()[1] {
                3 => values,
                _ => values.repeat_dim(1, 2),
            }
        })
        .strategy(&score(Baseline::Greedy)),
        // Classes.
        categorical_log_prob(tracked(), index(), 1),
        straight_through_with_indices(tracked(), index(), 1, 1.0),
        SparsemaxLossConfig::new().init().forward(
            tracked(),
            Tensor::full([2], 3, &device),
            Reduction::Sum
        ),
    ];
}

/// A selector's own line, not that of another call in this file.
#[test]
fn the_line_is_that_of_the_call() {
    let device = Device::flex().autodiff();
    let zeros = || Tensor::<2>::zeros([2, 3], &device);
    let selector = SelectorConfig::new().init(&device);
    let line = line!() + 1;
    let (_, at) = place(|| selector.loss(zeros(), zeros(), |values| values.repeat_dim(1, 2)));
    assert_eq!(at, line);
}

/// On a device without autodiff the cost is that of the argmax, and the module says why.
#[test]
fn a_module_says_why_it_does_not_train() {
    let (plain, training) = (Device::flex(), Device::flex().autodiff());
    let selector = SelectorConfig::new().init(&training);
    let choice = ChoiceConfig::new().init();
    let sampler = ScoreFunctionSelectorConfig::new().init(&training);
    let words = |device: &Device| {
        let modes = [
            selector.mode(device),
            choice.mode(device),
            sampler.mode(device),
        ];
        modes.map(|mode| mode.to_string())
    };
    assert_eq!(
        words(&plain),
        ["inference: device without autodiff"; 3].map(str::to_owned)
    );
    assert_eq!(words(&training), ["training"; 3].map(str::to_owned));
}

/// Logits of 8 bits are as good as those that they stand for.
#[test]
fn quantised_logits_work_everywhere() {
    let device = Device::flex();
    let scheme = QuantScheme::default()
        .with_value(QuantValue::Q8S)
        .with_store(QuantStore::Native);
    let numbers = Array::new([2, 4], [0.5, -1.0, 2.0, 0.0, 1.0, 1.5, -0.5, 0.25]);
    let short = || {
        let tensor = numbers.tensor::<2>(&device, DType::F32);
        tensor.quantize_dynamic(&scheme)
    };
    let plain = || short().dequantize();
    type Operator = fn(Tensor<2>) -> Tensor<2>;
    let operators: [(&str, Operator); 24] = [
        ("softmax", |x| softmax(x, 1, 0.5)),
        ("log_softmax", |x| log_softmax(x, 1)),
        ("soft_argmax", |x| {
            soft_argmax(x, 1, 1.0, Coordinates::index())
        }),
        ("gather", |x| soft_argmax_gather(x.clone(), x, 1, 1.0)),
        ("hard gather", |x| {
            Relaxation::softmax(1).hard().gather(x.clone(), x, 1)
        }),
        ("blended", |x| {
            Relaxation::sparsemax(1)
                .hard()
                .blended_gather(x.clone(), x, 1)
        }),
        ("argmax", |x| argmax(x, 1).float()),
        ("argmax_gather", |x| argmax_gather(x.clone(), x, 1)),
        ("gumbel", |x| gumbel_softmax(x, 1, 1.0, 3)),
        ("noise", |x| {
            Relaxation::softmax(1).noise(x.clone()).weights(x, 1)
        }),
        ("rao", |x| {
            Relaxation::softmax(1).gumbel(3).rao(2).weights(x, 1)
        }),
        ("sampled", |x| {
            Relaxation::entmax15(1).sampled(3).weights(x, 1)
        }),
        ("straight", |x| straight_through_argmax(x, 1, 1.0)),
        ("through", |x| straight_through(x.clone(), x)),
        ("reinmax", |x| reinmax(x, 1, 1.0, 3)),
        ("windowed", |x| {
            Relaxation::softmax(1).windowed_coordinate(x, 1, Coordinates::index(), 1.0)
        }),
        ("variance", |x| {
            Relaxation::softmax(1)
                .coordinate_with_variance(x, 1, Coordinates::index())
                .1
        }),
        ("spatial", |x| {
            Relaxation::softmax(1).windowed_spatial(x, Grid::Pixels, 1.0)
        }),
        ("normmax", |x| normmax(x, 1, 2.0)),
        ("budget", |x| budget(x, 1, 2.0)),
        ("free energy", |x| free_energy_loss(x.clone(), x, 1, 1.0)),
        ("winner", |x| winner_takes_all_loss(x.clone(), x, 1)),
        ("mixture", |x| mixture_loss(x.clone(), x, 1)),
        ("entropy", |x| categorical_entropy(x, 1)),
    ];
    for (name, operator) in operators {
        let (short, plain) = (Array::of(operator(short())), Array::of(operator(plain())));
        assert_eq!(short, plain, "{name}");
    }
    let log_prob = |x: Tensor<2>| Array::of(sample_categorical_with_log_prob(x, 1, 2, 1).1);
    assert_eq!(log_prob(short()), log_prob(plain()));
    let balance =
        |x: Tensor<2>| Array::of(load_balancing_loss(x.clone(), 1) + importance_loss(x, 1));
    assert_eq!(balance(short()), balance(plain()));
    let selector = SelectorConfig::new().init(&device);
    let cost = |x: Tensor<2>| Array::of(selector.loss(x.clone(), x, |values| values));
    assert_eq!(cost(short()), cost(plain()));
    assert!(message(|| softmax(short(), 2, 1.0)).starts_with("softmax: dim must be"));
}
