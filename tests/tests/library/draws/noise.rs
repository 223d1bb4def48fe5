//! The same seed gives the same draws everywhere, to the bit.

use burn_core::tensor::{DType, Device, Int, Tensor};
use burn_relax::{
    Relaxation,
    distribution::{gumbel_noise, sample_categorical},
};
use burn_relax_tests::{
    Array, Table,
    cases::{Input, Numbers},
    cpu_devices, devices,
};

use crate::layers::SHAPES;

/// `draw` gives on every device what it gives on the first, for every shape and axis.
#[track_caller]
fn same<const N: usize>(draw: [fn(&Device, Array, usize) -> Array; N]) {
    let mut table = Table::new();
    let devices = devices();
    for shape in SHAPES {
        for dim in 0..shape.len() {
            for (i, draw) in draw.iter().enumerate() {
                let logits = Numbers::Masked.array(&Input::LOGITS, 0, shape, shape[dim]);
                let expected = draw(&devices[0].device, logits.clone(), dim);
                for device in &devices[1..] {
                    let actual = draw(&device.device, logits.clone(), dim);
                    let title = format!("draw {i} of {shape:?} along {dim} on {}", device.name);
                    table.equal(&title, &actual, &expected);
                }
            }
        }
    }
    table.finish();
}

macro_rules! for_rank {
    (|$device:ident, $logits:ident: $kind:ident, $dim:ident, $rank:ident| $call:expr) => {
        |$device, $logits, $dim| {
            burn_relax_tests::with_rank!($logits.shape.len(), $rank => {
                let $logits = $logits.tensor::<$rank>($device, DType::F32);
                let result: $kind<$rank> = $call;
                Array::of(result)
            })
        }
    };
}

type Floats<const D: usize> = Tensor<D>;
type Indices<const D: usize> = Tensor<D, Int>;

#[test]
fn a_seed_gives_the_same_noise_on_every_device() {
    same([
        for_rank!(|device, logits: Floats, dim, D| gumbel_noise(logits.dims(), dim, 42, device)),
        for_rank!(|device, logits: Floats, dim, D| gumbel_noise(logits.dims(), dim, 43, device)),
    ]);
}

#[test]
fn a_seed_gives_the_same_samples_on_every_device() {
    same([
        for_rank!(|_device, logits: Indices, dim, D| sample_categorical(logits, dim, 1, 7)),
        for_rank!(|_device, logits: Indices, dim, D| sample_categorical(logits, dim, 19, 8)),
        for_rank!(|_device, logits: Floats, dim, D| {
            Relaxation::softmax(1)
                .sampled_at(1.5, 9)
                .weights(logits, dim)
        }),
        for_rank!(|_device, logits: Floats, dim, D| {
            Relaxation::softmax(1)
                .gumbel(10)
                .hard()
                .weights(logits, dim)
        }),
    ]);
}

#[test]
fn noise_in_f64_is_the_same_on_every_cpu_device() {
    let noise = |device: &Device| -> Array {
        Array::of::<2, _>(gumbel_noise([7, 33], 1, 42, (device, DType::F64)))
    };
    let devices = cpu_devices();
    let mut table = Table::new();
    for device in &devices {
        table.equal(
            device.name,
            &noise(&device.device),
            &noise(&devices[0].device),
        );
    }
    table.finish();
}

/// A row's draw does not depend on how many rows stand beside it or on the axis its classes lie along.
#[test]
fn the_noise_of_a_row_is_its_own() {
    let device = &devices()[0].device;
    let many: Tensor<2> = gumbel_noise([5, 12], 1, 3, device);
    let few: Tensor<2> = gumbel_noise([2, 12], 1, 3, device);
    let upright: Tensor<2> = gumbel_noise([12, 5], 0, 3, device);
    let mut table = Table::new();
    table.equal(
        "fewer rows",
        &Array::of(few),
        &Array::of(many.clone().narrow(0, 0, 2)),
    );
    table.equal(
        "another axis",
        &Array::of(upright),
        &Array::of(many.transpose()),
    );
    table.finish();
}

#[test]
fn another_seed_or_step_gives_other_noise() {
    use burn_relax::Seed;
    let device = &devices()[0].device;
    let noise = |seed: Seed| Array::of::<1, _>(gumbel_noise([64], 0, seed, device));
    let first = noise(Seed::new(1, 0));
    for other in [Seed::new(2, 0), Seed::new(1, 1)] {
        let other = noise(other);
        let equal = first
            .data
            .iter()
            .zip(&other.data)
            .filter(|(a, b)| a == b)
            .count();
        assert_eq!(equal, 0);
    }
}
