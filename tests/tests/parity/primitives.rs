//! Kernels and default bodies side by side on a backend's own tensors: without autodiff, and on wgpu without fusion.

use burn_core::{
    backend::{
        Backend, BackendTypes, Flex, TensorMetadata,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::{DType, read_sync},
};
use burn_relax::{RelaxOps, composed};
use burn_relax_tests::{Array, Random, Table};

use crate::{F32, F64, LENGTHS, SHAPES, Terms, layout::Layout, numbers, unit_numbers};

type F<B> = FloatTensor<B>;

/// The operations of the extension trait, from wherever they come.
// Written out, since the signatures are what the trait and the default bodies have in common.
#[allow(clippy::type_complexity)]
struct Ops<B: Backend> {
    softmax: fn(F<B>, usize, f64) -> (F<B>, F<B>),
    softmax_backward: fn(F<B>, F<B>, F<B>, usize, f64) -> F<B>,
    log_softmax: fn(F<B>, usize) -> (F<B>, F<B>),
    log_softmax_backward: fn(F<B>, F<B>, F<B>, usize) -> F<B>,
    soft_argmax: fn(F<B>, F<B>, usize, f64) -> (F<B>, F<B>),
    soft_argmax_backward: fn(F<B>, F<B>, F<B>, F<B>, F<B>, usize, f64) -> F<B>,
    gather: fn(F<B>, F<B>, usize, f64) -> (F<B>, F<B>),
    hard_gather: fn(F<B>, F<B>, usize, f64) -> (F<B>, F<B>, F<B>),
    gather_backward: fn(F<B>, F<B>, F<B>, F<B>, F<B>, usize, f64) -> (F<B>, F<B>),
    gradual: fn(F<B>, F<B>, usize) -> F<B>,
    gradual_backward: fn(F<B>, F<B>, F<B>, usize, bool) -> (F<B>, F<B>),
    power: fn(F<B>, F<B>, usize) -> (F<B>, F<B>),
    power_backward: fn(F<B>, F<B>, F<B>, F<B>, F<B>, usize) -> (F<B>, F<B>),
    free_energy: fn(F<B>, F<B>, usize, f64) -> (F<B>, F<B>),
    free_energy_backward: fn(F<B>, F<B>, F<B>, F<B>, usize, f64) -> (F<B>, F<B>),
    argmax: fn(F<B>, usize) -> IntTensor<B>,
}

fn default_bodies<B: Backend>() -> Ops<B> {
    Ops {
        softmax: composed::softmax_with_stats::<B>,
        softmax_backward: composed::softmax_backward::<B>,
        log_softmax: composed::log_softmax_with_stats::<B>,
        log_softmax_backward: composed::log_softmax_backward::<B>,
        soft_argmax: composed::soft_argmax::<B>,
        soft_argmax_backward: composed::soft_argmax_backward::<B>,
        gather: composed::soft_argmax_gather::<B>,
        hard_gather: composed::hard_argmax_gather::<B>,
        gather_backward: composed::soft_argmax_gather_backward::<B>,
        gradual: composed::gradual_argmax::<B>,
        gradual_backward: composed::gradual_argmax_backward::<B>,
        power: composed::power_softmax::<B>,
        power_backward: composed::power_softmax_backward::<B>,
        free_energy: composed::free_energy::<B>,
        free_energy_backward: composed::free_energy_backward::<B>,
        argmax: composed::first_argmax::<B>,
    }
}

fn own<B: RelaxOps>() -> Ops<B> {
    Ops {
        softmax: B::softmax_with_stats,
        softmax_backward: B::softmax_backward,
        log_softmax: B::log_softmax_with_stats,
        log_softmax_backward: B::log_softmax_backward,
        soft_argmax: B::soft_argmax,
        soft_argmax_backward: B::soft_argmax_backward,
        gather: B::soft_argmax_gather,
        hard_gather: B::hard_argmax_gather,
        gather_backward: B::soft_argmax_gather_backward,
        gradual: B::gradual_argmax,
        gradual_backward: B::gradual_argmax_backward,
        power: B::power_softmax,
        power_backward: B::power_softmax_backward,
        free_energy: B::free_energy,
        free_energy_backward: B::free_energy_backward,
        argmax: B::first_argmax,
    }
}

/// Where the operations run on what.
struct Place<'a> {
    shape: &'a [usize],
    features: &'a [usize],
    dim: usize,
    layout: Layout,
    masked: bool,
    dtype: DType,
}

fn read<B: Backend>(tensor: F<B>) -> Array {
    let shape = tensor.shape().to_vec();
    let data = read_sync(B::float_into_data(tensor)).expect("the backend computed it");
    Array::from_data(shape, data)
}

impl<B: Backend> Ops<B> {
    /// Every result of every operation at `place`, by name.
    fn run(
        &self,
        place: &Place,
        device: &<B as BackendTypes>::Device,
    ) -> Vec<(&'static str, Array)> {
        let &Place {
            shape,
            features,
            dim,
            layout,
            masked,
            dtype,
        } = place;
        let load = |array: Array| {
            let data = burn_core::tensor::TensorData::new(array.data, array.shape);
            B::float_from_data(data.convert_dtype(dtype), device)
        };
        let laid_out = |shape: &[usize], seed, masked| {
            layout.view_primitive::<B>(load(numbers(&layout.stored(shape), seed, masked)), shape)
        };
        // Equal logits are a case; gradients and values that are equal along a row as well would leave nothing to compare.
        let varied = |shape: &[usize], seed| match layout {
            Layout::Expanded(axis) if axis == dim => load(numbers(shape, seed, false)),
            _ => laid_out(shape, seed, false),
        };
        let mut row = shape.to_vec();
        row[dim] = 1;
        let of_values = [shape, features].concat();
        let row_of_values = [&row[..], features].concat();
        let logits = || laid_out(shape, 1, masked);
        let cost = || varied(shape, 2);
        let values = || varied(&of_values, 2);
        let unit =
            || layout.view_primitive::<B>(load(unit_numbers(&layout.stored(shape), 3)), shape);
        let power = || load(Random::new(4).array(row.clone(), 0.5, 2.0));
        let coordinates = || load(numbers(&shape[dim..=dim], 5, false));
        let grad = || varied(shape, 6);
        let row_grad = || load(numbers(&row, 7, false));
        let value_grad = || load(numbers(&row_of_values, 8, false));
        let t = 0.7;
        let mut results = Vec::new();
        let mut keep = |name, tensor: F<B>| results.push((name, read::<B>(tensor)));

        let (probs, stats) = (self.softmax)(logits(), dim, t);
        keep("softmax", probs.clone());
        keep(
            "softmax backward",
            (self.softmax_backward)(probs, stats, grad(), dim, t),
        );

        let (logs, stats) = (self.log_softmax)(logits(), dim);
        keep("log_softmax", logs.clone());
        keep(
            "log_softmax backward",
            (self.log_softmax_backward)(logs, stats, grad(), dim),
        );

        let (y, stats) = (self.soft_argmax)(logits(), coordinates(), dim, t);
        keep("soft_argmax", y.clone());
        let backward = self.soft_argmax_backward;
        keep(
            "soft_argmax backward",
            backward(logits(), coordinates(), stats, y, row_grad(), dim, t),
        );

        let (y, stats) = (self.gather)(logits(), values(), dim, t);
        keep("soft_argmax_gather", y.clone());
        let (of_logits, of_values) =
            (self.gather_backward)(logits(), values(), stats, y, value_grad(), dim, t);
        keep("soft_argmax_gather backward, logits", of_logits);
        keep("soft_argmax_gather backward, values", of_values);

        let (hard, soft, stats) = (self.hard_gather)(logits(), values(), dim, t);
        keep("hard_argmax_gather", hard);
        keep("hard_argmax_gather, soft", soft);
        keep("statistics", stats);

        keep("gradual_argmax", (self.gradual)(unit(), power(), dim));
        let (of_values, of_power) = (self.gradual_backward)(unit(), power(), grad(), dim, true);
        keep("gradual_argmax backward, values", of_values);
        keep("gradual_argmax backward, power", of_power);

        let (y, stats) = (self.power)(unit(), power(), dim);
        keep("power_softmax", y.clone());
        let (of_values, of_power) = (self.power_backward)(unit(), power(), y, stats, grad(), dim);
        keep("power_softmax backward, values", of_values);
        keep("power_softmax backward, power", of_power);

        let (energy, stats) = (self.free_energy)(logits(), cost(), dim, t);
        keep("free_energy", energy);
        let (of_logits, of_cost) =
            (self.free_energy_backward)(logits(), cost(), stats, row_grad(), dim, t);
        keep("free_energy backward, logits", of_logits);
        keep("free_energy backward, cost", of_cost);

        let index = (self.argmax)(logits(), dim);
        let index = read_sync(B::int_into_data(index)).expect("the backend computed it");
        results.push(("first_argmax", Array::from_data(row, index)));
        results
    }
}

/// Every place of these tests, in one dtype.
fn places(dtype: DType, mut visit: impl FnMut(&Place)) {
    let mut at = |shape: &[usize], features: &[usize], dim, layout, masked| {
        visit(&Place {
            shape,
            features,
            dim,
            layout,
            masked,
            dtype,
        });
    };
    for shape in SHAPES {
        for dim in 0..shape.len() {
            at(shape, &[], dim, Layout::Contiguous, true);
            at(shape, &[3], dim, Layout::Contiguous, false);
            at(shape, &[2, 2], dim, Layout::Sliced, false);
            at(shape, &[], dim, Layout::Transposed, true);
            for axis in 0..shape.len() {
                at(shape, &[], dim, Layout::Expanded(axis), false);
            }
        }
    }
    for length in LENGTHS {
        at(&[3, length], &[], 1, Layout::Contiguous, false);
        at(&[length, 3], &[], 0, Layout::Contiguous, false);
        at(&[2, length], &[5], 1, Layout::Contiguous, true);
    }
}

/// Results that are sums over a row.
const SUMS: [&str; 7] = [
    "soft_argmax",
    "soft_argmax_gather",
    "hard_argmax_gather, soft",
    "gradual_argmax backward, power",
    "power_softmax backward, power",
    "free_energy",
    "statistics",
];

/// The backend's own operations, and its default bodies, agree with the default bodies in f64 on Flex.
#[track_caller]
fn compare<B: RelaxOps>(
    name: &str,
    device: &<B as BackendTypes>::Device,
    dtype: DType,
    tolerance: f64,
) {
    let mut table = Table::new();
    let (own, bodies, reference) = (own::<B>(), default_bodies::<B>(), default_bodies::<Flex>());
    places(dtype, |place| {
        let expected = reference.run(
            &Place {
                dtype: DType::F64,
                ..*place
            },
            &Default::default(),
        );
        // Burn adds up some rows one number after another: a default body's rounding grows with the length.
        let growth = (place.shape[place.dim] as f64 / 256.0).max(1.0);
        let runs = [
            ("own", own.run(place, device)),
            ("default bodies", bodies.run(place, device)),
        ];
        for (origin, results) in runs {
            for ((op, actual), (_, expected)) in results.iter().zip(&expected) {
                let &Place {
                    shape,
                    features,
                    dim,
                    layout,
                    masked,
                    ..
                } = place;
                let title = format!(
                    "{op}, {name}, {origin}, {shape:?}+{features:?} along {dim}, {layout:?}, masked {masked}"
                );
                let growth = if origin == "default bodies" {
                    growth
                } else {
                    1.0
                };
                let terms = match *op {
                    op if SUMS.contains(&op) => Terms::OfOrderOne,
                    "free_energy backward, logits" => Terms::Weights(shape[dim]),
                    _ => Terms::None,
                };
                crate::compare(
                    &mut table,
                    &title,
                    actual,
                    expected,
                    terms,
                    tolerance * growth,
                );
            }
        }
    });
    table.finish();
}

#[test]
fn flex_agrees_with_the_default_bodies() {
    compare::<Flex>("flex", &Default::default(), DType::F32, F32);
}

#[test]
fn flex_agrees_with_the_default_bodies_in_f64() {
    compare::<Flex>("flex", &Default::default(), DType::F64, F64);
}

#[cfg(feature = "ndarray")]
#[test]
fn ndarray_agrees_with_the_default_bodies() {
    use burn_core::backend::NdArray;
    compare::<NdArray>("ndarray", &Default::default(), DType::F32, F32);
}

#[cfg(feature = "ndarray")]
#[test]
fn ndarray_agrees_with_the_default_bodies_in_f64() {
    use burn_core::backend::NdArray;
    compare::<NdArray>("ndarray", &Default::default(), DType::F64, F64);
}

#[cfg(feature = "wgpu")]
#[test]
fn wgpu_without_fusion_agrees_with_the_default_bodies() {
    use burn_core::backend::DispatchDevice;
    let devices = burn_relax_tests::devices();
    let wgpu = devices
        .iter()
        .find(|device| device.name == "wgpu")
        .expect("it is compiled in");
    let DispatchDevice::Cube(device) = wgpu.device.as_dispatch() else {
        panic!("wgpu is a CubeCL device");
    };
    compare::<burn_cubecl::CubeBackend>("wgpu", device, DType::F32, F32);
}
