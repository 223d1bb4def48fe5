//! The modules of the sparse maps: configs, learned alphas, and maps inside the other modules.

use burn_core::{
    config::Config,
    tensor::{DType, Device, Tensor},
};
use burn_relax::{
    EntmaxConfig, GumbelSoftmaxConfig, SimplexMap, SoftArgmaxConfig, SoftArgmaxGatherConfig,
    SparsemaxConfig, StraightThroughArgmaxConfig, entmax, gumbel_softmax_with_map,
    soft_argmax_gather_with_map, sparsemax, windowed_soft_argmax_with_map,
};
use burn_relax_tests::{Array, Random, devices};

fn logits(device: &Device) -> Tensor<2> {
    Random::new(1)
        .array([4, 6], -2.0, 2.0)
        .tensor(device, DType::F32)
}

const MAP: SimplexMap = SimplexMap::Entmax15;

fn same<const D: usize>(a: Tensor<D>, b: Tensor<D>) {
    assert_eq!(Array::of(a).data, Array::of(b).data);
}

#[test]
fn map_modules_are_their_functions() {
    for device in devices() {
        let device = device.device;
        let x = || logits(&device);
        same(
            SparsemaxConfig::new().init().forward(x()),
            sparsemax(x(), 1),
        );
        let entmax_module = EntmaxConfig::new().with_alpha(1.3).init(&device);
        same(entmax_module.forward(x()), entmax(x(), 1, 1.3));
    }
}

#[test]
fn a_gather_with_a_map_is_its_function() {
    for device in devices() {
        let device = device.device;
        let (x, values) = (
            || logits(&device),
            || -> Tensor<2> {
                Random::new(2)
                    .array([4, 6], -1.0, 1.0)
                    .tensor(&device, DType::F32)
            },
        );
        for hard in [false, true] {
            let gather = SoftArgmaxGatherConfig::new()
                .with_map(MAP)
                .with_hard(hard)
                .init();
            same(
                gather.forward(x(), values()),
                soft_argmax_gather_with_map(x(), values(), 1, 1.0, MAP, hard),
            );
        }
    }
}

#[test]
fn a_windowed_soft_argmax_with_a_map_is_its_function() {
    for device in devices() {
        let x = || logits(&device.device);
        let windowed = SoftArgmaxConfig::new()
            .with_map(MAP)
            .with_half_width(Some(1.0))
            .init();
        let index = burn_relax::Coordinates::index();
        same(
            windowed.forward(x()),
            windowed_soft_argmax_with_map(x(), 1, 1.0, MAP, index, 1.0),
        );
    }
}

#[test]
fn gumbel_with_a_map_is_its_function() {
    for device in devices() {
        let x = || logits(&device.device);
        let tracked = x().autodiff();
        let gumbel = GumbelSoftmaxConfig::new()
            .with_map(MAP)
            .with_seed(Some(7))
            .init();
        let seed = burn_relax::Seed::new(7, 0);
        same(
            gumbel.forward(tracked.clone()),
            gumbel_softmax_with_map(tracked, 1, 1.0, MAP, false, seed),
        );
        // Without autodiff there is no noise.
        same(gumbel.forward(x()), MAP.apply(x(), 1, 1.0));
    }
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
    let config = StraightThroughArgmaxConfig::new().with_map(SimplexMap::Entmax { alpha: 1.2 });
    let text = serde_json::to_string(&config).expect("it is plain data");
    assert_eq!(
        text,
        r#"{"dim":-1,"temperature":1.0,"map":{"Entmax":{"alpha":1.2}}}"#
    );
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("config.json");
    config.save(&path).expect("it can be written");
    let loaded = StraightThroughArgmaxConfig::load(&path).expect("it can be read");
    assert_eq!(loaded, config);
    // A file from before there was a map still means the softmax.
    let old: StraightThroughArgmaxConfig =
        serde_json::from_str(r#"{"dim":-1,"temperature":1.0}"#).expect("every field has a default");
    assert_eq!(old.map, SimplexMap::Softmax);
}
