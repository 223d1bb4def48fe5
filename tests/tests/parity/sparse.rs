//! The sparse maps' kernels and default bodies side by side on a backend's own tensors.

use burn_core::{
    backend::{Backend, BackendTypes, Flex, TensorMetadata, tensor::FloatTensor},
    tensor::{DType, TensorData, read_sync},
};
use burn_relax::{RelaxOps, composed};
use burn_relax_tests::{Array, Random, Table};

use crate::{F32, F64, SHAPES, Terms, numbers};

type F<B> = FloatTensor<B>;

/// The operations, from wherever they come.
// Written out, since the signatures are what the trait and the default bodies have in common.
#[allow(clippy::type_complexity)]
struct Ops<B: Backend> {
    entmax: fn(F<B>, usize, f64) -> (F<B>, F<B>),
    entmax_backward: fn(F<B>, F<B>, F<B>, usize, f64) -> F<B>,
    rows: fn(F<B>, F<B>, usize) -> (F<B>, F<B>),
    rows_backward: fn(F<B>, F<B>, F<B>, F<B>, usize) -> (F<B>, F<B>),
    budget: fn(F<B>, F<B>, usize) -> (F<B>, F<B>),
    budget_backward: fn(F<B>, F<B>, F<B>, usize) -> (F<B>, F<B>),
}

fn default_bodies<B: Backend>() -> Ops<B> {
    Ops {
        entmax: composed::entmax::<B>,
        entmax_backward: composed::entmax_backward::<B>,
        rows: composed::entmax_rows::<B>,
        rows_backward: composed::entmax_rows_backward::<B>,
        budget: composed::budget::<B>,
        budget_backward: composed::budget_backward::<B>,
    }
}

fn own<B: RelaxOps>() -> Ops<B> {
    Ops {
        entmax: B::entmax,
        entmax_backward: B::entmax_backward,
        rows: B::entmax_rows,
        rows_backward: B::entmax_rows_backward,
        budget: B::budget,
        budget_backward: B::budget_backward,
    }
}

/// Softmax, a general alpha, and the closed forms. Beyond 2 a weight near 0 magnifies rounding without bound; the values are compared
/// with goldens there.
const ALPHAS: [f64; 4] = [1.0, 1.2, 1.5, 2.0];

/// Room for the gradient of alpha, which adds up squared logarithms of the weights, up to 50 here, times the weights.
const SQUARED_LOGARITHMS: f64 = 8.0;

fn read<B: Backend>(tensor: F<B>) -> Array {
    let shape = tensor.shape().to_vec();
    let data = read_sync(B::float_into_data(tensor)).expect("the backend computed it");
    Array::from_data(shape, data)
}

impl<B: Backend> Ops<B> {
    /// Every result for tensors of `shape` along `dim`, by name.
    fn run(
        &self,
        shape: &[usize],
        dim: usize,
        dtype: DType,
        device: &<B as BackendTypes>::Device,
    ) -> Vec<(String, Array)> {
        let load = |array: Array| {
            let data = TensorData::new(array.data, array.shape);
            B::float_from_data(data.convert_dtype(dtype), device)
        };
        let mut row = shape.to_vec();
        row[dim] = 1;
        let logits = || load(numbers(shape, 1, true));
        let grad = || load(numbers(shape, 2, false));
        let alpha = || load(Random::new(3).array(row.clone(), 1.0, 2.0));
        let budget = || load(Random::new(4).array(row.clone(), 0.3, 3.0));
        let mut results = Vec::new();
        let mut keep = |name: String, tensor: F<B>| results.push((name, read::<B>(tensor)));
        for alpha in ALPHAS {
            let (probs, stats) = (self.entmax)(logits(), dim, alpha);
            keep(format!("entmax {alpha}"), probs.clone());
            keep(format!("entmax {alpha}, statistics"), stats.clone());
            let gradient = (self.entmax_backward)(probs, stats, grad(), dim, alpha);
            keep(format!("entmax {alpha} backward"), gradient);
        }
        let (probs, stats) = (self.rows)(logits(), alpha(), dim);
        keep("entmax_rows".into(), probs.clone());
        let (of_logits, of_alpha) = (self.rows_backward)(probs, alpha(), stats, grad(), dim);
        keep("entmax_rows backward, logits".into(), of_logits);
        keep("entmax_rows backward, alpha".into(), of_alpha);
        let (probs, stats) = (self.budget)(logits(), budget(), dim);
        keep("budget".into(), probs.clone());
        keep("budget, statistics".into(), stats.clone());
        let (of_logits, of_budget) = (self.budget_backward)(probs, stats, grad(), dim);
        keep("budget backward, logits".into(), of_logits);
        keep("budget backward, budget".into(), of_budget);
        results
    }
}

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
    let awkward: [&[usize]; 3] = [&[2, 1], &[3, 257], &[2, 1025]];
    for shape in SHAPES.into_iter().chain(awkward) {
        for dim in 0..shape.len() {
            let expected = reference.run(shape, dim, DType::F64, &Default::default());
            let runs = [
                ("own", own.run(shape, dim, dtype, device)),
                ("default bodies", bodies.run(shape, dim, dtype, device)),
            ];
            for (origin, results) in runs {
                for ((op, actual), (_, expected)) in results.iter().zip(&expected) {
                    let title = format!("{op}, {name}, {origin}, {shape:?} along {dim}");
                    // Sums over a row, differences of logits and a threshold of their order, and slopes: of order 1 all.
                    let terms = Terms::OfOrderOne;
                    let room = if op.ends_with("alpha") {
                        SQUARED_LOGARITHMS
                    } else {
                        1.0
                    };
                    let tolerance = tolerance * room;
                    crate::compare(&mut table, &title, actual, expected, terms, tolerance);
                }
            }
        }
    }
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
