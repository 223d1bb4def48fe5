//! Kernels and default bodies side by side on a backend's own tensors: without autodiff, and on wgpu without fusion.

use burn_core::{
    backend::{Backend, BackendTypes, Flex, TensorMetadata, tensor::FloatTensor},
    tensor::{DType, TensorData, read_sync},
};
use burn_relax::dispatch::RelaxOps;
use burn_relax_tests::{
    Array, Random, Table,
    cases::{Case, Kind, Layout, Numbers, Operands, Place, Primitive, Run, cases, difference},
};

use super::{F32, F64, LENGTHS, SHAPES};

/// A backend among a primitive's.
trait Own: RelaxOps {
    fn own(primitive: &Primitive) -> Run<Self>;
}

impl Own for Flex {
    fn own(primitive: &Primitive) -> Run<Self> {
        primitive.flex
    }
}

#[cfg(feature = "ndarray")]
impl Own for burn_core::backend::NdArray {
    fn own(primitive: &Primitive) -> Run<Self> {
        primitive.ndarray
    }
}

#[cfg(feature = "wgpu")]
impl Own for burn_cubecl::CubeBackend {
    fn own(primitive: &Primitive) -> Run<Self> {
        primitive.cube
    }
}

fn load<B: Backend>(
    array: Array,
    dtype: DType,
    device: &<B as BackendTypes>::Device,
) -> FloatTensor<B> {
    let data = TensorData::new(array.data, array.shape);
    B::float_from_data(data.convert_dtype(dtype), device)
}

fn read<B: Backend>(tensor: FloatTensor<B>) -> Array {
    let shape = tensor.shape().to_vec();
    let data = read_sync(B::float_into_data(tensor)).expect("the backend computed it");
    Array::from_data(shape, data)
}

/// A pair of operations of a case somewhere.
struct Pair<'a> {
    case: &'a Case,
    primitive: &'a Primitive,
    place: &'a Place,
    numbers: Numbers,
}

impl Pair<'_> {
    /// Every result by name; those of the default bodies where it is `composed`.
    fn run<B: Own>(
        &self,
        composed: bool,
        dtype: DType,
        device: &<B as BackendTypes>::Device,
    ) -> Vec<(&'static str, Array)> {
        let (case, place) = (self.case, self.place);
        let input = |name: &str| {
            let found = case
                .inputs
                .iter()
                .enumerate()
                .find(|(_, input)| input.name == name);
            found.unwrap_or_else(|| panic!("{} has no input {name}", case.name))
        };
        let floats = |name: &str| -> FloatTensor<B> {
            if name == "coefficient" {
                let coefficient = case.coefficient.expect("the case has a coefficient");
                let array = Numbers::coefficient(&coefficient, &place.row());
                return load::<B>(array, dtype, device);
            }
            let (i, input) = input(name);
            let shape = input.shape(&place.shape, place.axis());
            // Equal logits are a case; values that are equal along a row as well would leave nothing to compare.
            let layout = match (input.kind, place.layout) {
                (Kind::Classes(_) | Kind::Features(_), Layout::Expanded(axis))
                    if i > 0 && axis == place.axis() =>
                {
                    Layout::Contiguous
                }
                (Kind::Classes(_) | Kind::Features(_), layout) => layout,
                _ => Layout::Contiguous,
            };
            let stored = layout.stored(&shape);
            let array = self.numbers.array(input, i, &stored, place.classes());
            layout.view_primitive::<B>(load::<B>(array, dtype, device), &shape)
        };
        let ints = |name: &str| {
            let (i, input) = input(name);
            let shape = input.shape(&place.shape, place.axis());
            let array = self.numbers.array(input, i, &shape, place.classes());
            let data: Vec<i32> = array.data.iter().map(|&k| k as i32).collect();
            B::int_from_data(TensorData::new(data, array.shape), device)
        };
        // Upstream gradients lie as the logits do, where they have their shape.
        let upstream = |output: &FloatTensor<B>| {
            let shape = output.shape().to_vec();
            let layout = match place.layout {
                Layout::Expanded(axis) if axis == place.axis() => Layout::Contiguous,
                layout if shape == place.shape => layout,
                _ => Layout::Contiguous,
            };
            let array = Random::new(6).array(layout.stored(&shape), -2.0, 2.0);
            layout.view_primitive::<B>(load::<B>(array, dtype, device), &shape)
        };
        let at = (place.axis(), self.primitive.number.unwrap_or(case.number()));
        let mut operands = Operands::<B>::new(at, &floats, &ints, &upstream);
        operands.composed = composed;
        let backward = B::own(self.primitive)(&operands);
        let kept = operands.kept.take().into_iter();
        let mut results: Vec<_> = kept
            .map(|(name, tensor)| (name, read::<B>(tensor)))
            .collect();
        for (name, tensor) in operands.kept_ints.take() {
            let shape = tensor.shape().to_vec();
            let data = read_sync(B::int_into_data(tensor)).expect("the backend computed it");
            results.push((name, Array::from_data(shape, data)));
        }
        let gradients = backward().into_iter();
        results.extend(gradients.map(|(name, tensor)| (name, read::<B>(tensor))));
        results
    }
}

/// Every place of these tests.
fn places(mut visit: impl FnMut(&Place, Numbers)) {
    let mut at = |shape: &[usize], dim, layout, numbers| {
        let place = Place {
            layout,
            ..Place::new(shape, dim)
        };
        visit(&place, numbers);
    };
    for shape in SHAPES {
        for dim in 0..shape.len() {
            at(shape, dim, Layout::Contiguous, Numbers::Masked);
            at(shape, dim, Layout::Contiguous, Numbers::Plain);
            at(shape, dim, Layout::Sliced, Numbers::Plain);
            at(shape, dim, Layout::Transposed, Numbers::Masked);
            for axis in 0..shape.len() {
                at(shape, dim, Layout::Expanded(axis), Numbers::Plain);
            }
        }
    }
    for length in LENGTHS {
        at(&[3, length], 1, Layout::Contiguous, Numbers::Plain);
        at(&[length, 3], 0, Layout::Contiguous, Numbers::Plain);
        at(&[2, length], 1, Layout::Contiguous, Numbers::Masked);
    }
}

/// The backend's own operations, and its default bodies, agree with the default bodies in f64 on Flex.
#[track_caller]
fn compare<B: Own>(name: &str, device: &<B as BackendTypes>::Device, dtype: DType, tolerance: f64) {
    let mut table = Table::new();
    places(|place, numbers| {
        // Burn adds up some rows one number after another: a default body's rounding grows with the length.
        let growth = (place.classes() as f64 / 256.0).max(1.0);
        for case in cases() {
            for (i, primitive) in case.primitives.iter().enumerate() {
                let pair = Pair {
                    case,
                    primitive,
                    place,
                    numbers,
                };
                let expected = pair.run::<Flex>(true, DType::F64, &Default::default());
                for (origin, composed, growth) in
                    [("own", false, 1.0), ("default bodies", true, growth)]
                {
                    let results = pair.run::<B>(composed, dtype, device);
                    for ((result, actual), (_, expected)) in results.iter().zip(&expected) {
                        let title = format!(
                            "{} {i} {result}, {name}, {origin}, {place:?}, {numbers:?}",
                            case.name
                        );
                        let terms = (case.terms_of(result), place.classes());
                        let allowed = tolerance * growth * case.room;
                        difference(&mut table, &title, [actual, expected], terms, allowed);
                    }
                }
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
