//! The modules of the sparse maps: configs, learned alphas, and maps inside the other modules.

use burn_core::{
    config::Config,
    tensor::{DType, Device, Tensor},
};
use burn_relax::{
    Relaxation, RelaxationConfig, Seed, entmax,
    nn::{ChoiceConfig, EntmaxConfig, SoftArgmaxConfig, SoftArgmaxGatherConfig},
    relax::Coordinates,
    sparsemax,
};
use burn_relax_tests::{Array, Random, on_every_device};

fn map() -> RelaxationConfig {
    RelaxationConfig::entmax15(1)
}

#[test]
fn modules_of_a_map_are_its_functions() {
    let logits = Random::new(1).array([4, 6], -2.0, 2.0);
    let values = Random::new(2).array([4, 6], -1.0, 1.0);
    let choice = |config| ChoiceConfig::new().with_relaxation(config);
    on_every_device(0.0, |at| {
        let x = || at.tensor::<2>(&logits);
        let sparse = choice(RelaxationConfig::sparsemax(1)).init();
        at.equals("sparsemax", sparse.forward(x()), sparsemax(x(), 1));
        let module = EntmaxConfig::new().with_alpha(1.3).init(&at.device);
        at.equals("entmax", module.forward(x()), entmax(x(), 1, 1.3));

        for config in [map(), map().hard()] {
            let values = || at.tensor::<2>(&values);
            let gather = SoftArgmaxGatherConfig::new().with_relaxation(config).init();
            let function = config.at(0, 0).gather(x(), values(), 1);
            at.equals("gather", gather.forward(x(), values()), function);
        }

        let windowed = SoftArgmaxConfig::new()
            .with_relaxation(map())
            .with_half_width(Some(1.0))
            .init();
        let soft = || Relaxation::entmax15(1);
        let function = soft().windowed_coordinate(x(), 1, Coordinates::index(), 1.0);
        at.equals("windowed", windowed.forward(x()), function);

        let tracked = x().autodiff();
        let gumbel = choice(map().gumbel()).with_seed(Some(7)).init();
        let function = soft().gumbel(Seed::new(7, 0)).weights(tracked.clone(), 1);
        at.equals("gumbel", gumbel.forward(tracked), function);
        // Without autodiff there is no noise.
        at.equals("inference", gumbel.forward(x()), soft().weights(x(), 1));
    });
}

#[test]
fn a_learned_alpha_starts_where_it_was_told_and_gets_a_gradient_for_each_head() {
    let device = Device::flex().autodiff();
    let config = EntmaxConfig::new()
        .with_dim(2)
        .with_alpha(1.7)
        .with_learned(Some(vec![3, 1]));
    let module = config.init(&device);
    let start = Array::of(module.learned_alpha().expect("it is learned"));
    assert!(
        start.data.len() == 3 && start.data.iter().all(|a| (a - 1.7).abs() < 1e-6),
        "{start:?}"
    );

    // [batch, heads, classes]
    let scores: Tensor<3> = Random::new(3)
        .array([2, 3, 5], -1.0, 1.0)
        .tensor(&device, DType::F32);
    let weights = module.forward(scores.clone());
    let fixed = EntmaxConfig::new()
        .with_dim(2)
        .with_alpha(1.7)
        .init(&device)
        .forward(scores);
    let (actual, expected) = (Array::of(weights.clone()), Array::of(fixed));
    for (a, e) in actual.data.iter().zip(&expected.data) {
        assert!((a - e).abs() < 1e-6, "{a} {e}");
    }
    let grads = weights.square().sum().backward();
    let raw = module.raw.as_ref().expect("it is learned").val();
    let gradient = Array::of(raw.grad(&grads).expect("it is a leaf"));
    assert!(
        gradient.data.len() == 3 && gradient.data.iter().all(|g| *g > 0.0),
        "{gradient:?}"
    );
}

#[test]
fn a_map_goes_through_a_config_file() {
    let hard = RelaxationConfig::entmax(1.2, 1).hard();
    let config = ChoiceConfig::new().with_relaxation(hard);
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("config.json");
    config.save(&path).expect("it can be written");
    let loaded = ChoiceConfig::load(&path).expect("it can be read");
    assert_eq!(loaded, config);
    let text = serde_json::to_string(&hard).expect("it is plain data");
    let back: RelaxationConfig = serde_json::from_str(&text).expect("its own text");
    assert_eq!(back, hard);
    // Noise and hardness have defaults: none, and soft.
    let soft = text.replace(",\"noise\":\"none\",\"hardness\":\"hard\"", "");
    assert_ne!(soft, text, "{text}");
    let soft: RelaxationConfig = serde_json::from_str(&soft).expect("these fields have a default");
    assert_eq!(soft, RelaxationConfig::entmax(1.2, 1));
}
