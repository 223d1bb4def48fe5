//! A bad configuration dies in `init`, never in `forward`.

use burn_core::tensor::Device;
use burn_relax::{RelaxationConfig, Schedule, Strategy, nn::*};

use super::refusals;

#[test]
fn bad_temperatures_and_powers_die_in_init() {
    refusals! {
        "SoftArgmax: temperature must be a finite number greater than 0, got 0" =>
            SoftArgmaxConfig::new().with_relaxation(RelaxationConfig::softmax(0)).init(),
        "SoftArgmaxGather: temperature must be a finite number greater than 0, got -1" =>
            SoftArgmaxGatherConfig::new().with_relaxation(RelaxationConfig::softmax(-1)).init(),
        "Choice: temperature must be a finite number greater than 0, got NaN" =>
            ChoiceConfig::new().with_relaxation(RelaxationConfig::softmax(f64::NAN).hard()).init(),
        "Choice: temperature must be a finite number greater than 0, got inf" =>
            ChoiceConfig::new().with_relaxation(RelaxationConfig::softmax(f64::INFINITY).gumbel()).init(),
        "GradualArgmax: power must be a finite number greater than 0, got 0" => GradualArgmaxConfig::new().with_power(0.0).init(),
    }
}

#[test]
fn a_bad_line_or_window_dies_in_init() {
    refusals! {
        "SoftArgmax: base must be a finite number, got inf" => SoftArgmaxConfig::new().with_base(f64::INFINITY).init(),
        "SoftArgmax: step must be a finite number, got NaN" => SoftArgmaxConfig::new().with_step(f64::NAN).init(),
        "SoftArgmax: half_width must be a finite number of at least 0, got -0.5" =>
            SoftArgmaxConfig::new().with_half_width(Some(-0.5)).init(),
    }
}

#[test]
fn a_bad_selector_dies_in_init() {
    let init = |config: ScoreFunctionSelectorConfig| config.init(&Device::flex());
    let baseline = |baseline| ScoreFunctionSelectorConfig::new().with_baseline(baseline);
    refusals! {
        "ScoreFunctionSelector: samples must be at least 1, got 0" => init(ScoreFunctionSelectorConfig::new().with_samples(0)),
        "ScoreFunctionSelector: samples with a leave-one-out baseline must be at least 2, got 1" =>
            init(baseline(Baseline::LeaveOneOut).with_samples(1)),
        "ScoreFunctionSelector: decay must be in [0, 1), got 1" => init(baseline(Baseline::MovingAverage { decay: 1.0 })),
        "ScoreFunctionSelector: decay must be in [0, 1), got -0.1" => init(baseline(Baseline::MovingAverage { decay: -0.1 })),
        "ScoreFunctionSelector: decay must be in [0, 1), got NaN" =>
            init(baseline(Baseline::MovingAverage { decay: f64::NAN })),
        "ScoreFunctionSelector: entropy_weight must be a finite number of at least 0, got -1" =>
            init(ScoreFunctionSelectorConfig::new().with_entropy_weight(-1.0)),
        "ScoreFunctionSelector: entropy_weight must be a finite number of at least 0, got inf" =>
            init(ScoreFunctionSelectorConfig::new().with_entropy_weight(f64::INFINITY)),
    }
}

#[test]
fn a_bad_strategy_dies_in_init() {
    let init = |strategy| {
        SelectorConfig::new()
            .with_strategy(strategy)
            .init(&Device::flex())
    };
    let falling = |to| Schedule::Linear {
        from: 1.0,
        to,
        steps: 10,
    };
    let reinmax = Strategy::ReinMax {
        temperature: 1.0.into(),
    };
    refusals! {
        "Selector: temperature must be a finite number greater than 0, got 0" =>
            init(Strategy::FreeEnergy { temperature: falling(0.0) }),
        "Selector: temperature must be a finite number greater than 0, got -1" =>
            init(Strategy::ReinMax { temperature: (-1.0).into() }),
        "Selector: power must be a finite number greater than 0, got 0" => init(Strategy::Gather(RelaxationConfig::gradual(0))),
        "Selector: temperature must be a finite number greater than 0, got 0" =>
            init(Strategy::Gather(RelaxationConfig::softmax(0).sampled())),
        "Selector: the temperature to sample at must be a finite number greater than 0, got 0" =>
            init(Strategy::BlendedGather(RelaxationConfig::softmax(1).sampled_at(0))),
        "Selector: draws must be at least 1, got 0" =>
            init(Strategy::Gather(RelaxationConfig::softmax(1).gumbel().rao(0))),
        "Selector: deviation must be a finite number greater than 0, got 0" =>
            init(Strategy::Mixture { deviation: 0.0, learned: true }),
        "ScoreFunctionSelector: samples with a leave-one-out baseline must be at least 2, got 1" =>
            init(Strategy::ScoreFunction { samples: 1, baseline: Baseline::LeaveOneOut }),
        "Selector: entropy_weight must be a finite number of at least 0, got -1" =>
            SelectorConfig::new().with_entropy_weight((-1.0).into()).init(&Device::flex()),
        "Schedule: steps must be at least 1, got 0" =>
            SelectorConfig::new().with_entropy_weight(Schedule::Linear { from: 1.0, to: 0.0, steps: 0 }).init(&Device::flex()),
        "Selector: seed must be given for a strategy that draws and shall be reproducible, got none" =>
            SelectorConfig::new().with_strategy(reinmax).with_reproducible(true).init(&Device::flex()),
    }
    // What draws nothing needs no seed.
    drop(
        SelectorConfig::new()
            .with_reproducible(true)
            .init(&Device::flex()),
    );
}
