//! How strategies are written, read and carried out: widths, plain numbers in JSON, costs with a memory, schedules between extremes.

use burn_core::{
    config::Config,
    tensor::{Device, Tensor},
};
use burn_relax::{
    RelaxationConfig, Schedule, Strategy,
    estimate::Bias,
    nn::{Baseline, ScoreFunctionSelectorConfig, SelectorConfig},
};

#[test]
fn what_displays_itself_keeps_to_its_width() {
    let reinmax = Strategy::ReinMax {
        temperature: 1.0.into(),
    };
    assert_eq!(format!("{reinmax:<18}|"), "ReinMax, T = 1    |");
    assert_eq!(format!("{:>15}|", Strategy::Expected), "  expected cost|");
    assert_eq!(format!("{:.7}", Strategy::WinnerTakesAll), "winner ");
    let hard = RelaxationConfig::softmax(1).gumbel().hard();
    assert_eq!(
        format!("{hard:>36}|"),
        "  softmax, T = 1, Gumbel noise, hard|"
    );
    assert_eq!(format!("{:>18}|", hard.map), "    softmax, T = 1|");
    let gather = Strategy::Gather(hard);
    assert_eq!(
        format!("{gather:44}|"),
        "gather: softmax, T = 1, Gumbel noise, hard  |"
    );
    let bias = Bias::ExactToOrder { order: 2 };
    assert_eq!(format!("{bias:>18}|"), "  exact to order 2|");
    assert_eq!(format!("{:<8}|", Bias::Exact), "exact   |");
}

fn read(text: &str) -> Strategy {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_plain_number_is_a_schedule() {
    for (text, temperature) in [("0.1", 0.1), ("2", 2.0), ("1e-3", 1e-3)] {
        let text = format!(r#"{{"FreeEnergy": {{"temperature": {text}}}}}"#);
        let temperature = Schedule::Constant { value: temperature };
        assert_eq!(read(&text), Strategy::FreeEnergy { temperature });
    }
    let map = r#"{"Gather": {"map": {"entmax": {"alpha": 1.5, "temperature": 2}}}}"#;
    assert_eq!(
        read(map),
        Strategy::Gather(RelaxationConfig::entmax(1.5, 2))
    );
    let sampled =
        r#"{"Gather": {"hardness": {"sampled": {"temperature": 0.5}}, "noise": "gumbel"}}"#;
    assert_eq!(
        read(sampled),
        Strategy::Gather(RelaxationConfig::softmax(1).sampled_at(0.5))
    );
    let config = SelectorConfig::load_binary(br#"{"entropy_weight": 0.25}"#).expect("it is read");
    assert_eq!(
        config,
        SelectorConfig::new().with_entropy_weight(0.25.into())
    );
    // What is written is read again, and what is wrong is named.
    let falling = Schedule::Exponential {
        from: 1.0,
        to: 0.1,
        steps: 9,
    };
    for schedule in [falling, 3.into()] {
        let text = serde_json::to_string(&schedule).expect("it is plain data");
        assert_eq!(
            serde_json::from_str::<Schedule>(&text).expect("its own text"),
            schedule
        );
    }
    for (wrong, named) in [
        (r#"{"Lineal": {"from": 1}}"#, "Lineal"),
        (r#"{"Linear": {"from": 1, "to": 0, "stops": 3}}"#, "stops"),
        (r#""hot""#, "a number or a schedule"),
    ] {
        let error = serde_json::from_str::<Schedule>(wrong).expect_err("it is wrong");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn a_map_may_be_left_out() {
    for name in ["Gather", "BlendedGather"] {
        for (text, expected) in [
            ("{}", RelaxationConfig::softmax(1)),
            (
                r#"{"hardness": "hard"}"#,
                RelaxationConfig::softmax(1).hard(),
            ),
        ] {
            let strategy = read(&format!(r#"{{"{name}": {text}}}"#));
            let of = |strategy| matches!(strategy, Strategy::Gather(r) | Strategy::BlendedGather(r) if r == expected);
            assert!(of(strategy), "{strategy}");
        }
    }
    assert_eq!(
        read(r#"{"Mixture": {"deviation": 2}}"#),
        Strategy::Mixture {
            deviation: 2.0,
            learned: false
        }
    );
    let score = Strategy::ScoreFunction {
        samples: 2,
        baseline: Baseline::None,
    };
    assert_eq!(read(r#"{"ScoreFunction": {"samples": 2}}"#), score);
}

/// A simulator that counts what it is asked.
#[test]
fn a_cost_may_change_what_it_remembers() {
    let device = Device::flex().autodiff();
    let zeros = || Tensor::<2>::zeros([2, 3], &device);
    let mut asked = 0;
    let mut simulator = |values: Tensor<2>| {
        asked += values.dims()[1];
        values
    };
    let selector = SelectorConfig::new().init(&device);
    selector.loss(zeros(), zeros(), &mut simulator);
    let sampler = ScoreFunctionSelectorConfig::new()
        .with_baseline(Baseline::Greedy)
        .with_samples(4)
        .init(&device);
    sampler.loss(sampler.choose(zeros(), zeros()), &mut simulator);
    let baseline = Tensor::<2>::zeros([2, 1], &device);
    sampler.loss_with_baseline(sampler.choose(zeros(), zeros()), &mut simulator, baseline);
    assert_eq!(asked, 3 + (4 + 1) + 4);
}

#[test]
fn a_schedule_stays_between_its_ends_however_far_they_are_apart() {
    let ends = [f64::MIN_POSITIVE, 1e-300, 1e-20, 1.0, 1e20, 1e300, f64::MAX];
    for from in ends {
        for to in ends {
            for steps in [1, 3, 1000, usize::MAX] {
                for schedule in [
                    Schedule::Linear { from, to, steps },
                    Schedule::Exponential { from, to, steps },
                    Schedule::Cosine { from, to, steps },
                ] {
                    for step in [0, 1, steps / 2, steps - 1, steps, usize::MAX] {
                        let value = schedule.at(step);
                        let inside = (from.min(to)..=from.max(to)).contains(&value);
                        assert!(inside, "{schedule:?} at {step}: {value:e}");
                    }
                    assert_eq!(schedule.at(0), from, "{schedule:?}");
                    assert_eq!(schedule.at(steps), to, "{schedule:?}");
                }
            }
        }
    }
    // The middle in the logarithm, though the ratio of the ends is no number.
    let schedule = Schedule::Exponential {
        from: 1e-300,
        to: 1e300,
        steps: 2,
    };
    assert!((schedule.at(1) - 1.0).abs() < 1e-12, "{}", schedule.at(1));
    let schedule = Schedule::Linear {
        from: -f64::MAX,
        to: f64::MAX,
        steps: 2,
    };
    assert_eq!(schedule.at(1), 0.0);
}
