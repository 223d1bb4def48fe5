//! Modules in a model: records, configs, training and inference, reproducible draws.

use std::sync::Arc;

use burn_core as burn;
use burn_core::{
    config::Config,
    module::Module,
    tensor::{Device, Int, Tensor, TensorData},
};
use burn_nn::{Linear, LinearConfig};
use burn_relax::{
    RelaxationConfig,
    nn::{
        Baseline, Choice, ChoiceConfig, GradualArgmax, GradualArgmaxConfig, ScoreFunctionSelector,
        ScoreFunctionSelectorConfig, SoftArgmax, SoftArgmaxConfig, SoftArgmaxGather,
        SoftArgmaxGatherConfig,
    },
};
use burn_relax_tests::devices;

#[derive(Module, Debug)]
struct Model {
    classifier: Linear,
    regression: Linear,
    argmax: SoftArgmax,
    gather: SoftArgmaxGather,
    gradual: GradualArgmax,
    choice: Choice,
    gumbel: Choice,
    selector: ScoreFunctionSelector,
}

fn choice(relaxation: RelaxationConfig, seed: Option<u64>) -> Choice {
    ChoiceConfig::new()
        .with_relaxation(relaxation)
        .with_seed(seed)
        .init()
}

impl Model {
    fn new(device: &Device) -> Self {
        Self {
            classifier: LinearConfig::new(2, 3).init(device),
            regression: LinearConfig::new(2, 3).init(device),
            argmax: SoftArgmaxConfig::new()
                .with_relaxation(RelaxationConfig::softmax(0.5))
                .init(),
            gather: SoftArgmaxGatherConfig::new().init(),
            gradual: GradualArgmaxConfig::new().with_power(2.0).init(),
            choice: choice(RelaxationConfig::softmax(1).hard(), None),
            gumbel: choice(RelaxationConfig::softmax(1).gumbel(), Some(1)),
            selector: ScoreFunctionSelectorConfig::new()
                .with_baseline(Baseline::MovingAverage { decay: 0.9 })
                .with_seed(Some(2))
                .init(device),
        }
    }

    /// Everything the model's modules return, side by side.
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let (logits, values) = (
            self.classifier.forward(x.clone()),
            self.regression.forward(x),
        );
        let chosen = self.selector.choose(logits.clone(), values.clone());
        Tensor::cat(
            vec![
                self.argmax.forward(logits.clone()),
                self.gather.forward(logits.clone(), values.clone()),
                self.gradual
                    .forward(burn_relax::softmax(logits.clone(), 1, 1.0)),
                self.choice.forward(logits.clone()).mul(values),
                self.gumbel.forward(logits),
                chosen.values,
            ],
            1,
        )
    }
}

fn inputs(device: &Device) -> Tensor<2> {
    Tensor::<1, Int>::arange(0..20, device)
        .float()
        .mul_scalar(0.37)
        .sin()
        .reshape([10, 2])
}

fn vec<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

#[test]
fn a_saved_model_gives_the_same_bits_after_loading() {
    for named in devices() {
        let device = named.device;
        let training = device.clone().autodiff();
        let model = Model::new(&training);
        // The moving average is state and must come back too.
        let selection = model.selector.choose(
            Tensor::<2>::zeros([4, 3], &training),
            Tensor::<2>::ones([4, 3], &training),
        );
        let _ = model
            .selector
            .loss(selection, |values| values.mul_scalar(5.0));

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        let model = model.valid();
        let expected = vec(model.forward(inputs(&device)));
        model.clone().save_file(&path).unwrap();
        let loaded = Model::new(&device).load_file(&path);
        assert_eq!(
            vec(loaded.forward(inputs(&device))),
            expected,
            "{}",
            named.name
        );

        // Trained on, the loaded model's next baseline is the saved average of 5, not none.
        let logits = Tensor::<2>::zeros([4, 3], &training).require_grad();
        let selector = loaded.selector.train();
        let selection = selector.choose(logits.clone(), Tensor::<2>::ones([4, 3], &training));
        let surrogate = selector.loss(selection, |values| values.mul_scalar(5.0));
        let gradient = logits.grad(&surrogate.sum().backward()).unwrap();
        let largest = gradient.abs().max().into_scalar::<f32>();
        assert!(
            largest < 1e-5,
            "{}: advantage left after loading: {largest}",
            named.name
        );
    }
}

#[test]
fn configs_survive_json() {
    let config = ScoreFunctionSelectorConfig::new()
        .with_dim(1)
        .with_samples(4)
        .with_baseline(Baseline::MovingAverage { decay: 0.75 })
        .with_entropy_weight(0.2)
        .with_seed(Some(7));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    config.save(&path).unwrap();
    assert_eq!(ScoreFunctionSelectorConfig::load(&path).unwrap(), config);

    let config = SoftArgmaxConfig::new()
        .with_half_width(Some(1.5))
        .with_base(-2.0);
    config.save(&path).unwrap();
    assert_eq!(SoftArgmaxConfig::load(&path).unwrap(), config);
}

#[test]
fn missing_fields_take_their_defaults() {
    let text =
        br#"{"relaxation": {"map": {"softmax": {"temperature": {"Constant": {"value": 0.5}}}}}}"#;
    let config = ChoiceConfig::load_binary(text).unwrap();
    let soft = ChoiceConfig::new().with_relaxation(RelaxationConfig::softmax(0.5));
    assert_eq!(config, soft);
}

#[test]
fn an_unknown_field_is_an_error_that_names_it() {
    for (error, field) in [
        (
            SoftArgmaxGatherConfig::load_binary(br#"{"temprature": 2.0}"#).unwrap_err(),
            "temprature",
        ),
        (
            GradualArgmaxConfig::load_binary(br#"{"p": 2.0}"#).unwrap_err(),
            "`p`",
        ),
        (
            ScoreFunctionSelectorConfig::load_binary(
                br#"{"baseline": {"MovingAverage": {"decai": 0.9}}}"#,
            )
            .unwrap_err(),
            "decai",
        ),
    ] {
        assert!(error.to_string().contains(field), "{error}");
    }
}

#[test]
fn a_value_of_the_wrong_type_is_an_error_that_names_it() {
    let error = SoftArgmaxConfig::load_binary(br#"{"half_width": "hot"}"#).unwrap_err();
    assert!(error.to_string().contains("\"hot\""), "{error}");
}

#[test]
fn modules_display_their_settings_on_one_line() {
    let device = Device::flex();
    assert_eq!(
        format!("{}", choice(RelaxationConfig::softmax(1).hard(), None)),
        "Choice {dim: -1, relaxation: softmax, T = 1, hard}"
    );
    assert_eq!(
        format!("{}", ScoreFunctionSelectorConfig::new().init(&device)),
        "ScoreFunctionSelector {dim: -1, samples: 1, baseline: None, entropy_weight: 0.0, params: 2}"
    );
}

#[test]
fn inference_has_no_noise_and_one_choice() {
    for named in devices() {
        let logits = Tensor::<2>::from_data([[0.3, 1.0, -0.5], [2.0, 0.0, 1.0]], &named.device);
        let hard = choice(RelaxationConfig::softmax(1).gumbel().hard(), None);
        assert_eq!(vec(hard.forward(logits.clone())), [0., 1., 0., 1., 0., 0.]);
        let soft = choice(RelaxationConfig::softmax(0.5).gumbel(), None);
        assert_eq!(
            vec(soft.forward(logits.clone())),
            vec(burn_relax::softmax(logits.clone(), 1, 0.5))
        );

        let selector = ScoreFunctionSelectorConfig::new()
            .with_samples(5)
            .init(&named.device);
        let values = Tensor::<2>::from_data([[1., 2., 3.], [4., 5., 6.]], &named.device);
        let selection = selector.choose(logits, values);
        assert_eq!(selection.indices.dims(), [2, 1]);
        assert!(selection.log_probs.is_none());
        assert_eq!(vec(selector.loss(selection, |values| values)), [2.0, 4.0]);
    }
}

#[test]
fn a_frozen_module_on_a_training_device_does_not_draw() {
    let device = Device::flex().autodiff();
    let logits = Tensor::<2>::from_data([[0.3, 1.0, -0.5]], &device);
    let frozen = choice(RelaxationConfig::softmax(1).gumbel(), None).freeze();
    assert_eq!(
        vec(frozen.forward(logits.clone())),
        vec(burn_relax::softmax(logits.clone(), 1, 1.0))
    );
    let frozen = ScoreFunctionSelectorConfig::new().init(&device).freeze();
    let selection = frozen.choose(logits.clone(), logits);
    assert!(selection.log_probs.is_none());
}

#[test]
fn a_seeded_module_draws_anew_at_each_call_and_alike_on_every_device() {
    let mut draws = Vec::new();
    for named in devices() {
        let device = named.device.autodiff();
        let logits = Tensor::<2>::zeros([64, 5], &device);
        let gumbel = choice(RelaxationConfig::softmax(1).gumbel().hard(), Some(11));
        let first = vec(gumbel.forward(logits.clone()));
        // A clone goes on with the count: training on two clones never repeats a draw.
        let second = vec(gumbel.clone().forward(logits.clone()));
        let third = vec(gumbel.forward(logits));
        assert_ne!(first, second);
        assert_ne!(second, third);
        draws.push([first, second, third]);
    }
    assert!(draws.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_schedule_can_drive_a_public_field() {
    let device = Device::flex().autodiff();
    let mut gather = SoftArgmaxGatherConfig::new().init();
    gather.choice.relaxation = RelaxationConfig::softmax(0.01);
    let logits = Tensor::<2>::from_data([[0.0, 1.0]], &device);
    let values = Tensor::<2>::from_data([[5.0, 7.0]], &device);
    let value = gather.forward(logits, values).into_scalar::<f32>();
    assert!((value - 7.0).abs() < 1e-6);
}

#[test]
fn a_selector_reads_out_feature_blocks() {
    let device = Device::flex().autodiff();
    let selector = ScoreFunctionSelectorConfig::new()
        .with_samples(3)
        .with_baseline(Baseline::Greedy)
        .with_dim(1)
        .with_seed(Some(3))
        .init(&device);
    let logits = Tensor::<2>::zeros([2, 4], &device).require_grad();
    let values = Tensor::<3>::from_data(
        TensorData::new((0..16).map(|v| v as f32).collect::<Vec<_>>(), [2, 4, 2]),
        &device,
    );
    let selection = selector.choose(logits.clone(), values);
    assert_eq!(selection.values.dims(), [2, 3, 2]);
    let indices: Vec<i64> = selection
        .indices
        .to_data()
        .convert::<i64>()
        .try_to_vec()
        .unwrap();
    let read: Vec<f32> = selection.values.to_data().try_to_vec().unwrap();
    for (place, index) in indices.iter().enumerate() {
        let row = place as i64 / 3;
        assert_eq!(read[2 * place], (row * 8 + index * 2) as f32);
    }
    let surrogate = selector.loss(selection, |values| values.sum_dim(2).squeeze_dim(2));
    assert_eq!(surrogate.dims(), [2, 3]);
    assert_eq!(
        logits.grad(&surrogate.sum().backward()).unwrap().dims(),
        [2, 4]
    );
}

#[test]
fn modules_can_be_shared_between_threads() {
    let gumbel = Arc::new(choice(RelaxationConfig::softmax(1).gumbel(), Some(1)));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let gumbel = gumbel.clone();
            std::thread::spawn(move || {
                vec(gumbel.forward(Tensor::<2>::zeros([8, 4], &Device::flex().autodiff())))
            })
        })
        .collect();
    let mut draws: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
    draws.sort_by(|a, b| a.partial_cmp(b).unwrap());
    draws.dedup();
    assert_eq!(draws.len(), 4, "every thread draws for itself");
}
