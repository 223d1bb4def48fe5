//! Learns where to look and how sparsely: a classifier of the 8×8 digits whose attention has a learnable alpha, beside the same
//! network with a softmax.
//!
//! An image is sixteen patches of 2×2 pixels. Each of four heads scores the patches, turns the scores into weights and takes the
//! weighted mean of the patches' values; a linear layer names the digit. With `Entmax` each head learns its own alpha.

use burn_core as burn;
use burn_core::{
    module::Module,
    tensor::{Device, Int, Tensor, TensorData, activation::relu},
};
use burn_nn::{Linear, LinearConfig, loss::CrossEntropyLossConfig};
use burn_optim::{AdamConfig, GradientsParams};
use burn_relax::{
    nn::{Entmax, EntmaxConfig},
    softmax,
};
use burn_relax_tests::{Array, Random};

const IMAGES: &[u8] = include_bytes!("../../fixtures/digits/digits.bin");
const PIXELS: usize = 64;
const PATCHES: usize = 16;
const HEADS: usize = 4;
const WIDTH: usize = 16;

/// Every fifth image is held out.
const HELD_OUT: usize = 5;
const BATCH: usize = 64;
const EPOCHS: usize = 30;
const SEEDS: [u64; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// Patches `[images, PATCHES, 4]` of the images numbered `images`, and their digits.
fn load(images: &[usize], device: &Device) -> (Tensor<3>, Tensor<1, Int>) {
    let mut pixels = Vec::new();
    let mut digits = Vec::new();
    for &image in images {
        let image = &IMAGES[image * (PIXELS + 1)..][..=PIXELS];
        for patch in 0..PATCHES {
            let corner = patch / 4 * 16 + patch % 4 * 2;
            let patch = [corner, corner + 1, corner + 8, corner + 9];
            pixels.extend(patch.map(|pixel| f32::from(image[pixel]) / 16.0));
        }
        digits.push(i64::from(image[PIXELS]));
    }
    let count = images.len();
    (
        Tensor::from_data(TensorData::new(pixels, [count, PATCHES, 4]), device),
        Tensor::from_data(TensorData::new(digits, [count]), device),
    )
}

#[derive(Module, Debug)]
struct Network {
    places: Linear,
    scores: Linear,
    values: Linear,
    digits: Linear,
    /// The softmax where there is none.
    map: Option<Entmax>,
}

impl Network {
    fn new(sparse: bool, device: &Device) -> Self {
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        let map = EntmaxConfig::new()
            .with_dim(1)
            .with_learned(Some(vec![1, HEADS]));
        Self {
            places: linear(4 + PATCHES, WIDTH),
            scores: linear(WIDTH, HEADS),
            values: linear(WIDTH, WIDTH),
            digits: linear(HEADS * WIDTH, 10),
            map: sparse.then(|| map.init(device)),
        }
    }

    /// Logits of the digits, and the weights `[images, PATCHES, HEADS]`.
    fn forward(&self, patches: Tensor<3>) -> (Tensor<2>, Tensor<3>) {
        let count = patches.dims()[0];
        let place = Tensor::<2>::eye(PATCHES, &patches.device());
        let place = place.reshape([1, PATCHES, PATCHES]).repeat_dim(0, count);
        let features = relu(self.places.forward(Tensor::cat(vec![patches, place], 2)));
        let scores = self.scores.forward(features.clone());
        let weights = match &self.map {
            Some(map) => map.forward(scores),
            None => softmax(scores, 1, 1.0),
        };
        let looked_at = weights
            .clone()
            .swap_dims(1, 2)
            .matmul(self.values.forward(features));
        let logits = self
            .digits
            .forward(relu(looked_at).reshape([count, HEADS * WIDTH]));
        (logits, weights)
    }
}

/// What training came to.
struct Outcome {
    accuracy: f64,
    /// Patches with weight, of sixteen.
    support: f64,
    alphas: Vec<f64>,
}

fn train(sparse: bool, seed: u64) -> Outcome {
    let device = Device::flex().autodiff();
    device.seed(seed);
    let count = IMAGES.len() / (PIXELS + 1);
    let (held_out, mut images): (Vec<usize>, Vec<usize>) =
        (0..count).partition(|image| image % HELD_OUT == 0);
    let mut network = Network::new(sparse, &device);
    let mut optimizer = AdamConfig::new().init();
    let loss = CrossEntropyLossConfig::new().init(&device);
    let mut random = Random::new(seed);
    for epoch in 0..EPOCHS {
        for i in (1..images.len()).rev() {
            images.swap(i, random.below(i + 1));
        }
        // From .02 to 0 in a straight line.
        let rate = 0.02 * (EPOCHS - epoch) as f64 / EPOCHS as f64;
        for batch in images.chunks(BATCH) {
            let (patches, digits) = load(batch, &device);
            let (logits, _) = network.forward(patches);
            let grads = loss.forward(logits, digits).backward();
            let grads = GradientsParams::from_grads(grads, &network);
            network = optimizer.step(rate, network, grads);
        }
    }
    let (patches, digits) = load(&held_out, &device);
    let (logits, weights) = network.forward(patches);
    let right = logits.argmax(1).flatten::<1>(0, 1).equal(digits);
    let mean = |tensor: Tensor<1>| Array::of(tensor).data.iter().sum::<f64>();
    let rows = (held_out.len() * HEADS) as f64;
    let with_weight = weights.greater_scalar(0.0).float().flatten::<1>(0, 2);
    let alphas = network.map.as_ref().and_then(Entmax::learned_alpha);
    Outcome {
        accuracy: mean(right.float()) / held_out.len() as f64,
        support: mean(with_weight) / rows,
        alphas: alphas
            .map(|alphas| Array::of(alphas).data)
            .unwrap_or_default(),
    }
}

#[test]
fn a_classifier_with_a_learnable_alpha_is_no_worse_than_with_a_softmax_and_looks_at_less() {
    let mean = |outcomes: &[Outcome], f: fn(&Outcome) -> f64| {
        outcomes.iter().map(f).sum::<f64>() / outcomes.len() as f64
    };
    let [dense, sparse] = [false, true].map(|sparse| SEEDS.map(|seed| train(sparse, seed)));
    // Not the mean: a network whose units all die in its first steps stays at chance, whatever its map.
    let accuracy = [&dense, &sparse].map(|o| {
        let mut accuracies = o.each_ref().map(|o| o.accuracy);
        accuracies.sort_by(f64::total_cmp);
        let middle = accuracies.len() / 2;
        (accuracies[middle - 1] + accuracies[middle]) / 2.0
    });
    let support = [&dense, &sparse].map(|o| mean(o, |o| o.support));
    let alphas: Vec<&Vec<f64>> = sparse.iter().map(|o| &o.alphas).collect();
    println!(
        "accuracy {accuracy:.4?} (softmax, entmax), support {support:.2?} of {PATCHES}, alphas {alphas:.3?}"
    );
    assert!(
        accuracy[1] > 0.9 && accuracy[1] >= accuracy[0],
        "{accuracy:?}"
    );
    assert!(support[1] < 0.7 * support[0], "{support:?}");
    // They started at 1.5 and have learned.
    let moved = alphas
        .iter()
        .flat_map(|a| a.iter())
        .any(|a| (a - 1.5).abs() > 0.05);
    assert!(moved, "{alphas:?}");
}
