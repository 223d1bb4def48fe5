//! Devices that share a batch draw together what one device draws for all of it.

use burn_core::tensor::{DType, Device, Tensor};
use burn_relax::{
    Relaxation, RelaxationConfig, Seed, Strategy,
    distribution::{gumbel_noise, sample_categorical},
    nn::{Baseline, Selector, SelectorConfig},
    relax::reinmax,
};
use burn_relax_tests::{Array, Random, devices};

const SEED: Seed = Seed::new(11, 5);

/// What comes of rows `first ..`, whose classes lie along the last axis.
type Draw = fn(Tensor<3>, Seed) -> Array;

fn draws() -> [(&'static str, Draw); 7] {
    [
        ("gumbel_noise", |x, seed| {
            Array::of(gumbel_noise(x.dims(), 2, seed, &x.device()))
        }),
        ("gumbel_softmax soft", |x, seed| {
            Array::of(Relaxation::softmax(0.7).gumbel(seed).weights(x, 2))
        }),
        ("gumbel_softmax hard", |x, seed| {
            Array::of(Relaxation::softmax(0.7).gumbel(seed).hard().weights(x, 2))
        }),
        ("gumbel_rao", |x, seed| {
            Array::of(Relaxation::softmax(0.7).gumbel(seed).rao(3).weights(x, 2))
        }),
        ("straight_through_sample", |x, seed| {
            Array::of(Relaxation::softmax(1).sampled(seed).weights(x, 2))
        }),
        ("reinmax", |x, seed| Array::of(reinmax(x, 2, 1.0, seed))),
        ("sample_categorical", |x, seed| {
            Array::of(sample_categorical(x, 2, 3, seed))
        }),
    ]
}

#[test]
fn parts_of_a_batch_draw_what_the_whole_does() {
    let logits = Random::new(3).array([5, 2, 7], -2.0, 2.0);
    for device in devices() {
        let x: Tensor<3> = logits.tensor(&device.device, DType::F32);
        for (name, draw) in draws() {
            let whole = draw(x.clone(), SEED);
            // Two choices for each example.
            let parts = [(0, 3), (3, 2)].map(|(first, count)| {
                let rows = x.clone().narrow(0, first, count);
                draw(rows, SEED.with_row(2 * first as u64)).data
            });
            assert_eq!(whole.data, parts.concat(), "{name} on {}", device.name);
        }
    }
}

/// Gradients of the logits and the values, with the loss, for the examples from number `first` on.
fn gradients(
    selector: &Selector,
    device: &Device,
    logits: &Array,
    first: usize,
    count: usize,
) -> [Vec<f64>; 3] {
    let part = |x: Tensor<3>| x.narrow(0, first, count).require_grad();
    let x: Tensor<3> = part(logits.tensor(device, DType::F32));
    let values = x.clone().mul_scalar(2.0).add_scalar(1.0).detach();
    let values = values.require_grad();
    let loss = selector.loss(x.clone(), values.clone(), |v: Tensor<3>| v.square());
    let grads = loss.clone().sum().backward();
    [
        Array::of(loss).data,
        x.grad(&grads)
            .map_or(Vec::new(), |grad| Array::of(grad).data),
        values
            .grad(&grads)
            .map_or(Vec::new(), |grad| Array::of(grad).data),
    ]
}

#[test]
fn a_selectors_parts_train_as_the_whole() {
    let logits = Random::new(4).array([5, 2, 7], -2.0, 2.0);
    let strategies = [
        Strategy::BlendedGather(RelaxationConfig::softmax(1).gumbel().hard()),
        Strategy::Gather(RelaxationConfig::softmax(1).gumbel().hard()),
        Strategy::ReinMax {
            temperature: 1.0.into(),
        },
        Strategy::ScoreFunction {
            samples: 3,
            baseline: Baseline::LeaveOneOut,
        },
        Strategy::default(),
    ];
    for device in devices() {
        let device = device.device.autodiff();
        for strategy in strategies {
            let config = SelectorConfig::new()
                .with_strategy(strategy)
                .with_seed(Some(9));
            let selector = config.init(&device);
            selector.resume(4);
            let whole = gradients(&selector, &device, &logits, 0, 5);
            let parts = [(0, 2), (2, 3)].map(|(first, count)| {
                gradients(&selector.part(4, first), &device, &logits, first, count)
            });
            for (whole, (a, b)) in whole.iter().zip(parts[0].iter().zip(&parts[1])) {
                assert_eq!(*whole, [&a[..], b].concat(), "{strategy:?} on {device:?}");
            }
        }
    }
}
